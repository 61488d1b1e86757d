package queue

import (
	"time"
)

// judgeAttempt acts on an attempt's verdict.
func (t *step) judgeAttempt(a *Attempt) {
	v := a.judge(t.now, t.header.Settings)
	switch {
	case v.state == passed && t.keepHeld(a):
	case v.state == passed && t.mayLand(a) && t.now.Sub(a.CheckedAt) <= memberAge:
		t.writeIntent(a)
	case v.state == passed && t.mayLand(a), v.state == pending && t.mayLand(a) && a.CheckedAt.IsZero() && a.reported():
		t.setPhase(a, AttemptChecking)
		t.checkMembers(a, t.now)
	case v.state == failed && !t.early(a): // it may be red because of what never lands
		t.condemn(a, v)
	}
}

// mayLand reports whether the attempt may take its intent now: the base is known
// to be what it stands on, and no other landing is under way.
func (t *step) mayLand(a *Attempt) bool {
	return t.header.Pause == nil && !t.header.Missing && !t.holdsBack(a) && a.Old == t.header.Tip && !t.early(a)
}

// memberAge is how old the last reading of members and base may be at the intent.
const memberAge = 10 * time.Second

// reported reports whether every named suite's shards reported green, so that
// only GitHub's own word on their jobs is awaited: reading the members later
// than now would only make everybody wait for it.
func (a *Attempt) reported() bool {
	for _, suite := range sortedNames(a.Plan.Suites) {
		green, total := 0, a.Plan.Suites[suite]
		for _, sh := range a.Shards {
			if sh.Suite == suite && sh.Result.Green() {
				green, total = green+1, max(total, sh.Total)
			}
		}
		if green == 0 || green < total {
			return false
		}
	}
	return len(a.Plan.Suites) > 0 && len(a.Plan.Checks) == 0
}

// condemn acts on a red attempt: one member alone is out, more are split; where
// nothing started there is no culprit to look for, and all are told.
func (t *step) condemn(a *Attempt, v verdict) {
	b := t.batch(a.Batch)
	n := &b.Nodes[a.Node]
	n.Red = testNames(v.tests)
	t.touchBatch(b.ID)
	a.Ending = &End{Reason: v.reason, Detail: v.detail, Next: v.next, By: "mainstay", Tests: v.tests}
	aim := AimSplit
	if len(n.Members) == 1 || v.reason == NeverStarted {
		aim = AimEject
	}
	t.abandon(a, aim, v.detail)
}

func testNames(tests []FailedTest) []string {
	var names []string
	for _, f := range tests {
		names = append(names, f.Name)
	}
	return names
}

func (a *Attempt) numbers() []int {
	var prs []int
	for _, m := range a.Members {
		prs = append(prs, m.PR)
	}
	return prs
}
