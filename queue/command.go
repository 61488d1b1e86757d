package queue

import (
	"strings"
	"time"
)

// Word is a comment command's. The vocabulary is closed.
type Word string

// The words that follow "/mainstay".
const (
	WordQueue Word = "queue" // in line, as if labelled
	WordOut   Word = "out"   // out of the line
	WordRetry Word = "retry" // a new wish after an end
	WordFirst Word = "first" // front of the line, with a reason
	WordHelp  Word = "help"  // what the words are
	// WordDelegate leaves one pull request to somebody.
	WordDelegate Word = "delegate"
	WordTry      Word = "try"    // not built yet, and said so
	WordRevert   Word = "revert" // the same
	wordNobody   Word = "nobody" // any other
)

// CommandMark begins a line that is a command.
const CommandMark = "/mainstay"

// Command is one comment that says something to us, with what was read of its
// author and of the pull request when it was found.
type Command struct {
	ID       int64     `json:"id"` // the comment's; a button's press has none
	PR       int       `json:"pr"`
	Word     Word      `json:"word"`
	Text     string    `json:"text,omitempty"` // what follows the word
	By       Actor     `json:"by"`
	MayWrite bool      `json:"may_write,omitempty"`
	At       time.Time `json:"at"`
	To       Actor     `json:"to,omitzero"` // whom a delegating command names
	// Pull is a reading as for a labelled pull request; its wish is not this command.
	Pull PullRequest `json:"pull"`
}

// maxCommandText is how much of what follows a word is kept.
const maxCommandText = 300

// FindCommand is the first command in a comment's text. Only what stands at the
// very start of a line counts, and nothing in a quote, a code block or a hidden
// remark: there people talk about commands.
func FindCommand(comment string) (word Word, text string, found bool) {
	var prose prose
	var lines []string = strings.Split(comment, "\n")
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if !prose.has(line) {
			continue
		}
		rest, ok := strings.CutPrefix(line, CommandMark)
		if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		first, more, _ := strings.Cut(strings.TrimSpace(rest), " ")
		return wordOf(first), cutText(strings.TrimSpace(more), maxCommandText), true
	}
	return "", "", false
}

func wordOf(text string) Word {
	switch w := Word(strings.ToLower(text)); w {
	case WordQueue, WordOut, WordRetry, WordFirst, WordDelegate, WordTry, WordRevert, WordHelp:
		return w
	case "":
		return WordHelp
	}
	return wordNobody
}

func cutText(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// prose walks the lines of a comment and tells what its author says himself.
type prose struct {
	fence  string // of the code block we are in
	quote  bool   // until an empty line: Markdown takes what follows a quote into it
	hidden bool   // in <!-- -->
}

func (p *prose) has(line string) bool {
	bare := strings.TrimLeft(line, " ")
	switch {
	case p.hidden:
		p.hidden = !strings.Contains(line, "-->")
		return false
	case p.fence != "":
		if strings.HasPrefix(bare, p.fence) && strings.Trim(bare, p.fence[:1]+" \t") == "" {
			p.fence = ""
		}
		return false
	case strings.TrimSpace(line) == "":
		p.quote = false
		return false
	case strings.HasPrefix(bare, ">"):
		p.quote = true
		return false
	}
	if p.fence = fenceOf(bare); p.fence != "" {
		return false
	}
	if i := strings.LastIndex(line, "<!--"); i >= 0 {
		p.hidden = !strings.Contains(line[i:], "-->")
	}
	return !p.quote
}

// fenceOf is what must end the code block that a line begins; empty when it begins none.
func fenceOf(line string) string {
	for _, mark := range []string{"`", "~"} {
		if n := len(line) - len(strings.TrimLeft(line, mark)); n >= 3 {
			return line[:n]
		}
	}
	return ""
}
