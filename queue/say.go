package queue

import (
	"fmt"
	"slices"
)

// The one comment of ours on a pull request: what is asked of a person, and what
// came of the last command. It is edited in place, so each word takes the place of
// the one before; the header remembers where one stands, to take it back when it
// is true no more.

// maxSaid is how many comments are remembered.
const maxSaid = 200

func (t *step) say(pr int, text string) {
	if !slices.Contains(t.header.Said, pr) {
		said := append(slices.Clone(t.header.Said), pr)
		t.header.Said = said[max(0, len(said)-maxSaid):]
		t.touchHeader()
	}
	t.do(fmt.Sprintf("say/%d", pr), PostComment{PR: pr, Text: text})
}

// unsay replaces what a comment of ours says by something that is true; without a
// comment nothing is said. The last word needs no remembering.
func (t *step) unsay(pr int, text string, last bool) {
	i := slices.Index(t.header.Said, pr)
	if i < 0 {
		return
	}
	if last {
		t.header.Said = slices.Delete(slices.Clone(t.header.Said), i, i+1)
		t.touchHeader()
	}
	t.do(fmt.Sprintf("say/%d", pr), PostComment{PR: pr, Text: text})
}

// sayBeside adds a line below what stands.
func (t *step) sayBeside(pr int, line string) {
	if e := t.entries[pr]; e != nil && e.Phase == Out && e.End.Next != "" {
		line = outComment(e.End) + "\n\n---\n" + line
	}
	t.say(pr, line)
}

func outComment(end *End) string { return "**Out of the queue.** " + outText(end) }

func backText(label string) string {
	return "**Back in line.** The check Mainstay says where it stands. Taking the label " + code(label) + " off takes it out."
}

func landedText(branch, became string) string {
	return "**Landed** on " + code(branch) + " as " + became + "."
}
