package queue

import (
	"cmp"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
)

// The facts of the search. A red run says: one of these is bad, or the run lied.
// Whoever lands is good and leaves the facts; whoever goes out explains them.
// What they come to is reckoned by package search; here is what people are told.

// RedRun is a red attempt, for as long as it may matter.
type RedRun struct {
	Attempt int64      `json:"attempt"`
	Batch   int64      `json:"batch"`
	PRs     []int      `json:"prs"`              // all it tested beyond the base
	Landed  []LandedOf `json:"landed,omitempty"` // those of them who landed since
	Narrow  bool       `json:"narrow,omitempty"` // only a few tests ran
	Began   time.Time  `json:"began"`
	At      time.Time  `json:"at"`     // when it was red
	Ending  End        `json:"ending"` // what a culprit is told
	// Variants is how many variants of each suite had reported.
	Variants map[string]int `json:"variants,omitempty"`
	Root     string         `json:"root"` // the base it stood on
	// Asked says that this base was asked about its tests afterwards, and did not fail them.
	Asked bool `json:"asked,omitempty"`
}

// LandedOf is one who landed after a red run, and when.
type LandedOf struct {
	PR int       `json:"pr"`
	At time.Time `json:"at"`
}

// runsKept is how many red runs are remembered that no fact speaks of any more.
const runsKept = 20

// noteRed books a red attempt.
func (t *step) noteRed(a *Attempt, v verdict) {
	learnt := search.Run{ID: a.ID, Members: t.allOf(a), Error: len(v.tests) == 0 && len(a.Shards) > 0}
	if a.tellsTests(v) {
		learnt.Failed = testKeys(v.tests)
	}
	if v.reason == TimedOut {
		learnt.Times = 2 // what hangs to its limit seldom does so by chance, and asking again costs most
	}
	t.keepRun(a, End{Reason: v.reason, Detail: v.detail, Next: v.next, By: "mainstay", Tests: v.tests})
	t.learnRed(learnt)
}

// learnRed takes what a run says into the facts.
func (t *step) learnRed(run search.Run) {
	t.header.Reds = search.Learn(t.header.Reds, run)
	t.forgetRuns()
}

// keepRun remembers a red attempt.
func (t *step) keepRun(a *Attempt, ending End) {
	ending.Tests = clipMessages(ending.Tests[:min(len(ending.Tests), narrowTests+1)]) // where more fail, more say no more
	run := RedRun{Attempt: a.ID, Batch: a.Batch, PRs: t.allOf(a), Root: t.root(a), Narrow: a.narrow(), Began: a.At, At: t.now, Variants: a.variants(), Ending: ending}
	t.suspectBase(run)
	t.header.RedRuns = append(slices.Clone(t.header.RedRuns), run)
}

// redRun is what is remembered of a red attempt; nil when nothing is.
func (t *step) redRun(id int64) *RedRun {
	for i := range t.header.RedRuns {
		if t.header.RedRuns[i].Attempt == id {
			return &t.header.RedRuns[i]
		}
	}
	return nil
}

// suspected reports whether an entry is in a red set.
func (t *step) suspected(pr int) bool {
	for _, r := range t.header.Reds {
		if contains(r.Members, pr) {
			return true
		}
	}
	return false
}

// ejectGuilty puts out whoever is bad beyond doubt; their red sets are explained.
// Before anybody is blamed for a test the base must have been seen to pass it.
func (t *step) ejectGuilty() {
	for again := len(t.header.Reds) > 0; again; {
		again = false
		for _, pr := range search.Guilty(t.beliefs()) {
			e, run := t.entries[pr], t.charge(pr)
			if e == nil || run == nil || !e.free() || t.asksBase(pr, *run) {
				continue
			}
			t.header.Rates.bad()
			t.putOut(e, t.ending(pr, *run))
			again = true
			break // the facts are others now
		}
	}
}

// beliefs is the facts of the search, for asking how likely something is.
func (t *step) beliefs() search.View {
	return search.View{Rates: t.header.Rates.chances(), Line: t.suspects(), Reds: t.header.Reds, Narrow: t.searchesNarrow()}
}

// suspects are the members of red sets, in line order.
func (t *step) suspects() []search.Candidate {
	var prs []int
	for _, r := range t.header.Reds {
		for _, pr := range r.Members {
			if !contains(prs, pr) && t.entries[pr] != nil {
				prs = append(prs, pr)
			}
		}
	}
	t.sortByTurn(prs)
	all := make([]search.Candidate, len(prs))
	for i, pr := range prs {
		all[i] = search.Candidate{PR: pr, Fail: t.suspicion(t.entries[pr])}
	}
	return all
}

// charge is the red run that says most of one: the smallest that had it, of equals
// one that names tests, which the base can be asked about.
func (t *step) charge(pr int) *RedRun {
	var best *RedRun
	var fact search.Red
	for _, r := range t.header.Reds {
		run := t.redRun(r.Run)
		if run == nil || r.Passed || !contains(r.Members, pr) {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(len(r.Members), len(fact.Members)), cmp.Compare(len(run.PRs), len(best.PRs)),
			cmp.Compare(min(1, len(fact.Tests)), min(1, len(r.Tests)))) < 0 {
			best, fact = run, r
		}
	}
	return best
}

// leaveFacts takes those who landed, or went out, off the facts. A fact of which
// everybody landed was a flake, or a pair that is in conflict no more.
func (t *step) leaveFacts(landed, out []int) {
	h := &t.header
	if len(h.RedRuns) == 0 {
		return
	}
	h.RedRuns = slices.Clone(h.RedRuns)
	for i := range h.RedRuns {
		r := &h.RedRuns[i]
		for _, pr := range landed {
			if contains(r.PRs, pr) {
				r.Landed = append(slices.Clone(r.Landed), LandedOf{pr, t.now})
			}
		}
	}
	was := h.Reds
	h.Reds = search.Leave(was, landed, out)
	if len(landed) > 0 {
		t.noteFlakes(was, landed[0])
	}
	t.forgetRuns()
}

// noteFlakes records the runs of which no fact is left. Where everybody of the
// batch had gone back in line it is forgotten by now: the one that lands them records it.
func (t *step) noteFlakes(was []search.Red, landed int) {
	noted := map[int64]bool{}
	for _, r := range t.header.Reds {
		noted[r.Run] = true
	}
	for _, r := range was {
		run := t.redRun(r.Run)
		if noted[r.Run] || run == nil {
			continue
		}
		noted[r.Run] = true
		if !r.Error && !run.Narrow {
			t.header.Rates.flaked(r.Times)
			t.learnTests(run.Attempt, "", true)
		}
		b := t.batch(run.Batch)
		if e := t.entries[landed]; b == nil && e != nil {
			b = t.batch(e.Batch)
		}
		if b != nil {
			b.Flakes = append(b.Flakes, Flake{Attempt: run.Attempt, PRs: run.PRs, Tests: testNames(run.Ending.Tests)})
			t.touchBatch(b.ID)
		}
	}
}

// forgetRuns drops red runs that say nothing any more: no fact is of them, and
// the base was seen green since, or there are too many.
func (t *step) forgetRuns() {
	h := &t.header
	spoken := map[int64]bool{}
	for _, r := range h.Reds {
		spoken[r.Run] = true
	}
	kept, loose := make([]RedRun, 0, len(h.RedRuns)), 0
	for i := len(h.RedRuns) - 1; i >= 0; i-- {
		r := h.RedRuns[i]
		if !spoken[r.Attempt] {
			if loose++; loose > runsKept || !r.At.After(h.GreenAt) {
				continue
			}
			r.Ending.Tests = withoutMessages(r.Ending.Tests)
		}
		kept = append(kept, r)
	}
	slices.Reverse(kept)
	if h.RedRuns = kept; len(kept) == 0 {
		h.RedRuns = nil
	}
	t.touchHeader()
}

func testNames(tests []FailedTest) []string {
	var names []string
	for _, f := range tests {
		names = append(names, f.Name)
	}
	return names
}
