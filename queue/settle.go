package queue

import (
	"fmt"
	"time"
)

// auditAfter is when a landing is looked back at.
var auditAfter = []time.Duration{time.Minute, 10 * time.Minute}

func (t *step) audit(a *Attempt) {
	due := a.EndAt.Add(auditAfter[a.Audits])
	t.doAt(attemptKey(a.ID), due, AuditLanding{Attempt: a.ID, Commit: a.New, Tree: a.Tree})
}

// takeAudit stops the queue when a landing is not what was tested any more.
func (t *step) takeAudit(f Audited) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptLanded || a.Audits >= len(auditAfter) {
		return
	}
	if t.now.Before(a.EndAt.Add(auditAfter[a.Audits])) {
		return // the look before this one, doubled
	}
	a.Audits++
	t.touchAttempt(a.ID)
	if !f.Contains || !f.TreeOK {
		what := "is no longer in"
		if f.Contains {
			what = "has another tree in"
		}
		t.pause(Pause{By: "mainstay", At: t.now, Reason: fmt.Sprintf(
			"The landed commit %s %s %s. Nothing lands until somebody has looked and resumed the queue.",
			short(a.New), what, code(t.header.Branch))})
		a.Audits = len(auditAfter)
		return
	}
	if a.Audits < len(auditAfter) {
		t.audit(a)
	}
}

// settleLater makes GitHub show a landed pull request's end.
func (t *step) settleLater(e *Entry) {
	a := t.attempt(e.Attempt)
	if e.Settled || a == nil {
		return
	}
	task := SettleLanded{PR: e.PR.Number, Became: e.Became, Tip: e.Became == a.New, Method: e.Method, Check: t.landedCheck(e)}
	if a.movedHead(e.PR.Number) || e.Method.KeepsHead() {
		task.Since = e.End.At
	}
	if !e.PR.Fork {
		task.Branch, task.Stands = e.PR.HeadRef, e.Pinned
		if a.movedHead(e.PR.Number) {
			task.Stands = e.Became
		}
	}
	t.do(checkKey(e.PR.Number), task) // in the place of any edit that still waits: this is the last word
}

func (a *Attempt) movedHead(pr int) bool {
	for _, m := range a.Moved {
		if m.PR == pr {
			return true
		}
	}
	return false
}

// settle notes that GitHub shows a landed entry's end; a later sweep forgets it.
func (t *step) settle(f Settled) {
	e := t.entries[f.PR]
	if e == nil || e.Phase != Landed || e.Settled {
		return
	}
	e.Settled = true
	t.touchEntry(f.PR)
}
