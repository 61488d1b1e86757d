package queue

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Commands are read in the order in which they were written, all of a repository
// at once, from a moment on that moves with them; so a lost webhook costs a sweep,
// and each is used once, whenever and how often it is seen.

const (
	// commandOverlap is how long a comment may stay hidden from the list that shows later ones.
	commandOverlap = 2 * time.Minute
	labelGrace     = 30 * time.Second // how long GitHub may not show a label that we set
	labelPatience  = 10 * time.Minute // how long we may take to set it
	// maxRefusals is how many of one person's commands in a while are answered with a refusal.
	maxRefusals = 5
)

// UsedCommand is one that was decided on and may be seen again.
type UsedCommand struct {
	ID      int64     `json:"id"`
	By      int64     `json:"by"`
	Refused bool      `json:"refused,omitempty"`
	At      time.Time `json:"at"` // of the comment
}

// lookForCommands reads what was written since the last look; hinted is a comment
// that a webhook told of.
func (t *step) lookForCommands(hinted int64) {
	if t.header.CommandsFrom.IsZero() {
		t.header.CommandsFrom = t.now.Add(-commandOverlap)
		t.touchHeader()
	}
	task := ReadCommands{Since: t.header.CommandsFrom, Hinted: hinted, As: t.reading(0)}
	task.As.Asked = true
	for _, u := range t.header.Used {
		task.Used = append(task.Used, u.ID)
	}
	t.do("commands", task)
}

func (t *step) readCommands(f CommandsRead) {
	for _, c := range f.Commands {
		if t.used(c.ID) || c.At.Before(t.header.CommandsFrom.Truncate(time.Second)) {
			continue
		}
		refused := false
		if c.Pull.Home() == t.header.Branch {
			refused = t.obey(c, "comment")
		}
		t.header.Used = append(slices.Clone(t.header.Used), UsedCommand{ID: c.ID, By: c.By.ID, Refused: refused, At: c.At})
		t.touchHeader()
	}
	if from := f.Newest.Add(-commandOverlap); from.After(t.header.CommandsFrom) {
		t.header.CommandsFrom = from
		t.header.Used = slices.DeleteFunc(slices.Clone(t.header.Used), func(u UsedCommand) bool { return u.At.Before(from.Truncate(time.Second)) })
		t.touchHeader()
	}
}

func (t *step) used(id int64) bool {
	return id != 0 && slices.ContainsFunc(t.header.Used, func(u UsedCommand) bool { return u.ID == id })
}

// obey decides on one command and answers it; it reports whether it was refused.
func (t *step) obey(c Command, source string) bool {
	rule, text := t.decide(c)
	r := Ruling{PR: c.PR, Head: c.Pull.Head, Fork: c.Pull.Fork, By: c.By, What: string(c.Word), Rule: rule, Detail: text,
		Source: source, SourceID: c.ID}
	if rule == "" && text == "" {
		r.Detail = c.Text
	}
	if rule != "" && t.refusals(c.By.ID) >= maxRefusals {
		return true // somebody who goes on and on gets no answer more
	}
	t.rule(r)
	mark := "+1"
	if rule != "" {
		mark = "-1"
	}
	if source == "comment" {
		t.do(fmt.Sprintf("react/%d", c.ID), React{Comment: c.ID, Mark: mark})
	}
	if rule != "" && !c.By.Bot {
		t.sayBeside(c.PR, fmt.Sprintf("%s by %s was refused (%s): %s",
			code(strings.TrimSpace(CommandMark+" "+c.spoken())), code(c.By.Login), rule, text))
	}
	return rule != ""
}

// spoken is the word as far as it is one of ours.
func (c Command) spoken() string {
	if c.Word == wordNobody {
		return "…"
	}
	return string(c.Word)
}

func (t *step) refusals(by int64) (n int) {
	for _, u := range t.header.Used {
		if u.By == by && u.Refused {
			n++
		}
	}
	return n
}

// decide carries a command out, or names the rule against it, with one sentence for a person.
func (t *step) decide(c Command) (Rule, string) {
	e := t.entries[c.PR]
	if e != nil && e.Phase.Ended() {
		e = nil
	}
	own := c.Word == WordOut && c.By.ID != 0 && c.By.ID == c.Pull.Author.ID // the way out is open to the author
	switch {
	case !own && !t.mayEnter(c.PR, c.By, c.MayWrite):
		return Rule(NotPermitted), mayNot(c.By)
	case c.Word == wordNobody:
		return RuleUnknownCommand, "There is no such command; " + code(CommandMark+" "+string(WordHelp)) + " lists them."
	case c.Word == WordTry || c.Word == WordRevert:
		return RuleUnknownCommand, "This is not built yet; " + code(CommandMark+" "+string(WordHelp)) + " lists what is."
	case c.Word == WordHelp:
		t.sayBeside(c.PR, helpText)
		return "", ""
	case c.Word == WordDelegate:
		return t.delegate(c)
	case c.Word == WordFirst && !t.mayWrite(c.By, c.MayWrite):
		return Rule(NotPermitted), mayNot(c.By)
	case c.Word == WordQueue || c.Word == WordRetry:
		return t.wishByCommand(c)
	case e == nil:
		return RuleNotInLine, "It is not in line."
	case !e.free():
		return RuleLanding, "It is landing right now."
	case c.Word == WordOut:
		t.putOut(e, End{Reason: Withdrawn, Detail: "Taken out by " + code(c.By.Login) + ".", By: c.By.Login})
		return "", ""
	}
	return t.goFirst(e, c)
}

const helpText = "One command a comment, at the start of a line:\n\n" +
	"| `/mainstay` | does |\n|---|---|\n" +
	"| `queue` | puts this in line, as the label does |\n| `out` | takes it out |\n" +
	"| `first <why>` | goes to the front of the line; the reason is shown |\n" +
	"| `delegate @login` | lets somebody queue this one and take it out |\n" +
	"| `retry` | queues it again after it went out |\n"

// mayEnter says whether somebody may ask us to land a pull request: also whom it was left to.
func (t *step) mayEnter(pr int, by Actor, mayWrite bool) bool {
	return t.mayWrite(by, mayWrite) || t.delegated(pr, by)
}

// mayWrite says whether somebody may ask for anything: who may write, and named bots.
func (t *step) mayWrite(by Actor, mayWrite bool) bool {
	return mayWrite || by.Bot && t.header.Settings.Enter.names(by)
}

func mayNot(by Actor) string {
	if by.Bot {
		return "The bot " + code(by.Login) + " is not named under enter.bots in the config."
	}
	return code(by.Login) + " may not write to this repository. Ask somebody who may."
}

// wishByCommand has a pull request enter as if labelled, and sets the label, so
// that wish and label agree.
func (t *step) wishByCommand(c Command) (Rule, string) {
	wish := Wish{ID: c.ID, Kind: c.kind(), By: c.By, MayWrite: c.MayWrite, At: c.At}
	e := t.entries[c.PR]
	switch {
	case c.Pull.Status != Open:
		return Rule(Closed), "It is not open."
	case e != nil && e.Phase == Landed && !e.Settled || e != nil && e.Phase == Landing:
		return RuleLanding, "It is landing right now."
	case e != nil && !e.Phase.Ended():
		if wish.after(e.Wish) {
			e.Wish = wish // it stands whatever becomes of the label that was set before
		}
		t.setLabel(e)
		return "", ""
	case e != nil && !wish.after(e.Wish):
		return RuleNotInLine, "It went out after this was written." // its wish is used
	}
	pr := c.Pull
	pr.Wish = &wish
	e = t.enter(pr, nil)
	t.admit(e)
	if e.End != nil {
		return Rule(e.End.Reason), e.End.Detail
	}
	t.setLabel(e)
	return "", ""
}

func (t *step) setLabel(e *Entry) {
	e.LabelDue = t.now.Add(labelPatience)
	t.touchEntry(e.PR.Number)
	t.do(labelKey(e.PR.Number), AddLabel{PR: e.PR.Number, Label: t.header.Settings.Label})
}

// noteLabel lets GitHub have its while to show the label that was set.
func (t *step) noteLabel(f LabelSet) {
	if e := t.entries[f.PR]; e != nil && e.free() && !e.LabelDue.IsZero() {
		e.LabelDue = t.now.Add(labelGrace)
		t.touchEntry(f.PR)
		t.lookAtLater(f.PR, t.now.Add(labelGrace))
	}
}

// labelling reports whether a reading without the label says nothing yet.
func (t *step) labelling(e *Entry) bool { return t.now.Before(e.LabelDue) }

// goFirst moves an entry to the front of the line. It interrupts nobody: that is a hotfix's.
func (t *step) goFirst(e *Entry, c Command) (Rule, string) {
	if c.Text == "" {
		return RuleNoReason, "Say why: " + code(CommandMark+" first <why>") + "."
	}
	if e.Phase == Testing {
		return "", "" // nothing is ahead of it
	}
	t.leaveLine(e)
	e.Turn.First = true
	if e.Own != nil {
		own := *e.Own
		own.First = true
		e.Own = &own
	}
	t.rejoinLine(e)
	e.FirstWhy = c.By.Login + ": " + c.Text
	t.touchEntry(e.PR.Number)
	t.progress()
	t.show(e)
	return "", ""
}
