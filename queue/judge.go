package queue

import (
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
)

// judgeAttempts acts on the verdicts of what is tested. Of several that are
// green on one path the last lands with all before it.
func (t *step) judgeAttempts() {
	var ready, early *Attempt // early: reported green, GitHub's own word is awaited
	for _, a := range append([]*Attempt(nil), t.attempts...) {
		if a.Phase != AttemptTesting {
			continue
		}
		if a.narrow() {
			t.hearNarrow(a)
			continue
		}
		v := a.judge(t.now, t.header.Settings)
		if v.seek {
			t.seekReports(a)
		}
		switch {
		case v.state == failed && t.landingBelow(a): // what it stands on is not in the base yet: judged then
		case v.state == failed:
			t.condemn(a, v)
		case v.state == passed && t.keepHeld(a):
		case v.state == passed && t.mayLand(a):
			if ready == nil || len(t.path(a)) > len(t.path(ready)) {
				ready = a
			}
		case v.state == pending && a.CheckedAt.IsZero() && a.reported() && !t.early(a) && t.mayLand(a):
			early = a
		}
	}
	if ready == nil {
		ready = early
	}
	switch {
	case ready == nil || !t.mayLand(ready):
	case ready.judge(t.now, t.header.Settings).state == passed && t.now.Sub(ready.CheckedAt) <= memberAge:
		t.writeIntent(ready)
	default:
		t.setPhase(ready, AttemptChecking)
		t.checkMembers(ready, t.now)
	}
}

// mayLand reports whether the attempt may take its intent now: the base is known
// to be what its path stands on, no other landing is under way, and nobody who
// is above suspicion and ahead is still under test without it.
func (t *step) mayLand(a *Attempt) bool {
	if a.narrow() || t.header.Pause != nil || t.header.Missing || !a.running() || t.root(a) != t.header.Tip || t.holdsBack(a) {
		return false
	}
	for _, x := range t.path(a) {
		if x.Phase == AttemptPushing {
			return false // its ticket goes with the same push, and may not be there yet
		}
		if !t.stand(x) {
			return false
		}
	}
	own := t.allOf(a)
	for _, x := range t.attempts {
		switch {
		case x == a || !x.live():
		case !x.IntentAt.IsZero(), x.Phase == AttemptChecking:
			return false
		case x.running() && (t.overtakes(a, own, x) || t.outshines(x, a, own)):
			return false
		}
	}
	return true
}

// stand reports whether all members of an attempt are asked for with the heads it has.
func (t *step) stand(a *Attempt) bool {
	for _, m := range a.Members {
		if e := t.entries[m.PR]; e == nil || e.Phase != Waiting && e.Phase != Testing || e.Pinned != m.Head {
			return false
		}
	}
	return true
}

// overtakes reports whether landing these would pass somebody who is tested by
// another attempt, stands before them in line, was never red and is not held.
func (t *step) overtakes(a *Attempt, own []int, other *Attempt) bool {
	if other.narrow() || other.At.After(a.At) || t.above(other, a) {
		return false
	}
	for _, m := range other.Members {
		if !contains(own, m.PR) && t.before(m.PR, own[0]) && !t.suspected(m.PR) && !t.entries[m.PR].held() {
			return true
		}
	}
	return false
}

// outshines reports whether another attempt, which has all of these and would
// be lost by their landing, will likely be green itself.
func (t *step) outshines(other, a *Attempt, own []int) bool {
	all := t.allOf(other)
	return !other.narrow() && len(all) > len(own) && !t.above(other, a) && t.root(other) == t.root(a) && containsAll(all, own) && search.Green(t.beliefs(), all) > 0.5
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

// condemn books a red attempt as a fact and puts out whoever is bad beyond
// doubt. Where nothing started there is no culprit to look for: all are told.
func (t *step) condemn(a *Attempt, v verdict) {
	b := t.batch(a.Batch)
	b.Nodes[a.Node].Red = testNames(v.tests)
	t.touchBatch(b.ID)
	if v.reason == NeverStarted {
		for _, pr := range a.numbers() {
			if e := t.entries[pr]; e != nil && e.free() {
				t.putOut(e, End{Reason: v.reason, Detail: v.detail, Next: v.next, By: "mainstay"})
			}
		}
		return
	}
	if t.failsWithBase(a, v) {
		return
	}
	t.noteRed(a, v)
	t.abandon(a, AimSearch, v.detail)
	t.setAside(a)
	t.ejectGuilty()
	t.releaseInnocent()
}

func (a *Attempt) numbers() []int {
	var prs []int
	for _, m := range a.Members {
		prs = append(prs, m.PR)
	}
	return prs
}
