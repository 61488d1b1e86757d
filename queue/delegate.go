package queue

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A person who may write can leave one pull request to somebody who may not: that
// one may then have it enter and take it out, and nothing else. It ends with the
// pull request.

// Delegation is one pull request left to somebody.
type Delegation struct {
	PR int       `json:"pr"`
	To Actor     `json:"to"`
	By Actor     `json:"by"`
	At time.Time `json:"at"`
}

const (
	maxDelegated  = 200
	delegatedTerm = 30 * 24 * time.Hour
)

// Delegate is the login that a delegating command names; empty when it names none.
func (c Command) Delegate() string {
	if c.Word != WordDelegate {
		return ""
	}
	login, ok := strings.CutPrefix(c.Text, "@")
	if !ok || login == "" || len(login) > 39 || strings.Trim(strings.ToLower(login), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return login
}

func (t *step) delegate(c Command) (Rule, string) {
	switch {
	case !c.MayWrite:
		return Rule(NotPermitted), "Only who may write may delegate."
	case c.To.ID == 0 || c.To.Bot:
		return RuleNobody, "Name one person: " + code(CommandMark+" delegate @login") + "."
	case c.Pull.Status != Open:
		return Rule(Closed), "It is not open."
	}
	t.undelegate(func(d Delegation) bool {
		return d.PR == c.PR && d.To.ID == c.To.ID || t.now.Sub(d.At) > delegatedTerm
	})
	all := append(slices.Clone(t.header.Delegated), Delegation{PR: c.PR, To: c.To, By: c.By, At: t.now})
	t.header.Delegated = all[max(0, len(all)-maxDelegated):]
	t.touchHeader()
	return "", fmt.Sprintf("To %s (%d).", code(c.To.Login), c.To.ID)
}

// delegated reports whether somebody was left a pull request.
func (t *step) delegated(pr int, to Actor) bool {
	return to.ID != 0 && slices.ContainsFunc(t.header.Delegated, func(d Delegation) bool {
		return d.PR == pr && d.To.ID == to.ID && t.now.Sub(d.At) <= delegatedTerm
	})
}

func (t *step) undelegate(over func(Delegation) bool) {
	if slices.ContainsFunc(t.header.Delegated, over) {
		t.header.Delegated = slices.DeleteFunc(slices.Clone(t.header.Delegated), over)
		t.touchHeader()
	}
}

// undelegatePull ends what was delegated of a pull request that came to its end.
func (t *step) undelegatePull(pr int) {
	t.undelegate(func(d Delegation) bool { return d.PR == pr })
}
