package queue

import "github.com/mainstay-ci/mainstay/queue/search"

// The facts of the search. A red run says: one of these is bad, or the run lied.
// Whoever lands is good, so a red set only ever gets smaller; when it is empty
// it was a flake. The search weighs all of them (package search).

// RedSet is members that were tested together and red.
type RedSet struct {
	PRs   []int    `json:"prs"`             // those that did not land since, in path order
	Times int      `json:"times"`           // runs that said so
	Tests []string `json:"tests,omitempty"` // the failing tests, when they were named
	Error bool     `json:"error,omitempty"` // it failed without naming one
	// Of are the pull requests it began with; Attempt is the last that was red.
	Of      []int `json:"of"`
	Attempt int64 `json:"attempt"`
	Batch   int64 `json:"batch"`
	Ending  End   `json:"ending"` // what a culprit is told
}

// reds is the red sets as the search takes them.
func (t *step) reds() []search.Red {
	var reds []search.Red
	for _, r := range t.header.Reds {
		reds = append(reds, search.Red{Members: r.PRs, Times: r.Times, Error: r.Error})
	}
	return reds
}

// suspected reports whether an entry is in a red set.
func (t *step) suspected(pr int) bool {
	for _, r := range t.header.Reds {
		if contains(r.PRs, pr) {
			return true
		}
	}
	return false
}

// noteRed books a red attempt. Sets that are wider than this one say less than it does.
func (t *step) noteRed(a *Attempt, v verdict) {
	prs := t.allOf(a)
	red := RedSet{
		PRs: prs, Times: 1, Of: prs, Attempt: a.ID, Batch: a.Batch, Tests: testNames(v.tests), Error: len(v.tests) == 0 && len(a.Shards) > 0,
		Ending: End{Reason: v.reason, Detail: v.detail, Next: v.next, By: "mainstay", Tests: v.tests},
	}
	if v.reason == TimedOut {
		red.Times = 2 // what hangs to its limit seldom does so by chance, and asking again costs most
	}
	var kept []RedSet
	for _, r := range t.header.Reds {
		switch {
		case sameList(r.PRs, prs):
			red.Times, red.Of = r.Times+red.Times, r.Of
		case !containsAll(r.PRs, prs):
			kept = append(kept, r)
		case len(r.Of) > len(red.Of):
			red.Of = r.Of
		}
	}
	t.header.Reds = append(kept, red)
	t.touchHeader()
}

// ejectGuilty puts out whoever is bad beyond doubt; their red sets are explained.
func (t *step) ejectGuilty() {
	for _, pr := range search.Guilty(t.beliefs()) {
		e := t.entries[pr]
		if e == nil || !e.free() {
			continue
		}
		end := t.ending(pr)
		t.header.Rates.bad()
		t.putOut(e, end)
	}
}

// beliefs is the facts of the search, for asking how likely something is.
func (t *step) beliefs() search.View {
	return search.View{Rates: t.header.Rates.chances(), Line: t.suspects(), Reds: t.reds()}
}

// suspects are the members of red sets, in line order.
func (t *step) suspects() []search.Candidate {
	var prs []int
	for _, r := range t.header.Reds {
		for _, pr := range r.PRs {
			if !contains(prs, pr) {
				prs = append(prs, pr)
			}
		}
	}
	t.sortByTurn(prs)
	all := make([]search.Candidate, len(prs))
	for i, pr := range prs {
		all[i].PR = pr
	}
	return all
}

// ending is what a culprit is told: by the smallest red set that has it.
func (t *step) ending(pr int) End {
	var best *RedSet
	for i := range t.header.Reds {
		if r := &t.header.Reds[i]; contains(r.PRs, pr) && (best == nil || len(r.PRs) < len(best.PRs)) {
			best = r
		}
	}
	return best.Ending
}

// forgetSuspect takes one that left out of the facts: a red set that had it may
// have been its doing and says nothing of the others any more.
func (t *step) forgetSuspect(pr int) {
	kept := t.header.Reds[:0]
	for _, r := range t.header.Reds {
		if !contains(r.PRs, pr) {
			kept = append(kept, r)
		}
	}
	if len(kept) < len(t.header.Reds) {
		t.header.Reds = append([]RedSet(nil), kept...)
		t.touchHeader()
	}
}

// clear takes one that landed out of the facts: it is good, so the rest is to blame.
func (t *step) clear(pr int) {
	var kept []RedSet
	for _, r := range t.header.Reds {
		r.PRs = without(r.PRs, pr)
		if len(r.PRs) > 0 {
			kept = append(kept, r)
			continue
		}
		t.header.Rates.flaked(r)
		if b := t.batch(r.Batch); b != nil {
			b.Flakes = append(b.Flakes, Flake{Attempt: r.Attempt, PRs: r.Of, Tests: r.Tests})
			t.touchBatch(b.ID)
		}
	}
	t.header.Reds = kept
	t.touchHeader()
}

func testNames(tests []FailedTest) []string {
	var names []string
	for _, f := range tests {
		names = append(names, f.Name)
	}
	return names
}
