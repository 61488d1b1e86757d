package queue

import "time"

// Rule names why something that somebody asked for was refused. The vocabulary is
// closed: the reasons an entry goes out, and these.
type Rule string

// The rules that only commands and buttons can run into.
const (
	RuleNotInLine      Rule = "not_in_line"
	RuleLanding        Rule = "landing"
	RuleNoReason       Rule = "no_reason_given"
	RuleNobody         Rule = "nobody_named"
	RuleUnknownCommand Rule = "unknown_command"
)

// Ruling is one line of the audit: who asked for what, and how that was decided.
type Ruling struct {
	At     time.Time `json:"at"`
	PR     int       `json:"pr"`
	Head   string    `json:"head,omitempty"`
	Fork   bool      `json:"fork,omitempty"`
	By     Actor     `json:"by"`
	What   string    `json:"what"`           // enter, land, or a command's word
	Rule   Rule      `json:"rule,omitempty"` // what refused it; empty: granted
	Detail string    `json:"detail,omitempty"`
	// Source is where it was asked: label, comment or button, and GitHub's id of that.
	Source   string `json:"source,omitempty"`
	SourceID int64  `json:"source_id,omitempty"`
}

// Refused reports whether the ruling is a refusal.
func (r Ruling) Refused() bool { return r.Rule != "" }

func (t *step) rule(r Ruling) {
	r.At = t.now
	t.dirty.rulings = append(t.dirty.rulings, r)
}

// ruleOnWish notes how an entry's wish was decided.
func (t *step) ruleOnWish(e *Entry, rule Rule, detail string) {
	t.rule(Ruling{PR: e.PR.Number, Head: e.PR.Head, Fork: e.PR.Fork, By: e.Wish.By, What: "enter", Rule: rule, Detail: detail,
		Source: e.Wish.source(), SourceID: e.Wish.ID})
}
