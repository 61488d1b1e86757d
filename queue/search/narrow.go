package search

import "slices"

// narrow starts the search with only the failing tests, in parts side by side as
// far as slots are free. Who is searched so is not in the line meanwhile.
func (t *tree) narrow() {
	if !t.Narrow {
		return
	}
	b := newBelief(t.Rates, t.Line, t.root.reds)
	var suspects []int
	for _, s := range b.suspects {
		if t.mayNarrow(s.pr) && !slices.Contains(t.root.gone, s.pr) && len(t.testsOf([]int{s.pr})) > 0 {
			suspects = append(suspects, s.pr)
		}
	}
	sortByLine(suspects, t.Line)
	t.root.gone = slices.Concat(t.root.gone, suspects)
	suspects = slices.DeleteFunc(suspects, t.isSearched)
	if parts := t.Slots - t.used - t.reserved(); parts > 0 && len(suspects) > 0 {
		t.startParts(b, suspects, parts)
	}
}

// mayNarrow reports whether one may be tested now, and with others.
func (t *tree) mayNarrow(pr int) bool {
	i := place(t.Line, pr)
	return i < len(t.Line) && !t.Line[i].Alone
}

// reserved is the slot of one that goes first and is not tested yet.
func (t *tree) reserved() int {
	if len(t.Line) == 0 || !t.Line[0].First {
		return 0
	}
	if slices.ContainsFunc(t.Builds, func(b Build) bool { return slices.Contains(b.Members, t.Line[0].PR) }) {
		return 0
	}
	return 1
}

// startParts cuts the suspects so that the outcome tells most.
func (t *tree) startParts(b *belief, suspects []int, parts int) {
	var bad []float64
	sum, all := 0.0, 1.0
	for _, pr := range suspects {
		bad = append(bad, 1-b.good(pr, t.fail(pr)))
		sum += bad[len(bad)-1]
	}
	whole, best := newBelief(t.Rates, t.Line, t.root.reds), 0
	for i, pr := range suspects {
		g := whole.assume(pr, t.fail(pr))
		if i == 0 || g >= redTarget || all-redTarget > redTarget-g {
			best = i + 1
		}
		all = g
	}
	if parts == 1 || all > redTarget { // one part; a flake is likelier: all of them again
		t.startNarrow(suspects[:best])
		return
	}
	start, mass := 0, 0.0
	for i := range suspects {
		mass += bad[i]
		last := i == len(suspects)-1
		if last || parts > 1 && mass+bad[i+1]/2 >= sum/float64(parts) {
			t.startNarrow(suspects[start : i+1])
			sum, mass, start, parts = sum-mass, 0, i+1, parts-1
		}
	}
}

func (t *tree) startNarrow(members []int) {
	t.used++
	t.choice.Start = append(t.choice.Start, Start{Members: slices.Clone(members), Tests: t.testsOf(members)})
}

// testsOf are the tests to search among some: those of the facts that hold one.
func (t *tree) testsOf(members []int) (tests []string) {
	for _, r := range t.root.reds {
		if t.isSearchable(r) && common(r.Members, members) {
			tests = append(tests, minus(r.Tests, tests)...)
		}
	}
	return tests
}

// isSearchable reports whether a narrow build can say more of a fact. Where the
// same tests passed so before, it can't: full builds must.
func (t *tree) isSearchable(r Red) bool {
	if len(r.Tests) == 0 || r.Passed {
		return false
	}
	return !slices.ContainsFunc(t.root.reds, func(p Red) bool { return p.Passed && common(p.Members, r.Members) && common(p.Tests, r.Tests) })
}

// isSearched reports whether one is in a narrow build under way.
func (t *tree) isSearched(pr int) bool {
	return slices.ContainsFunc(t.Builds, func(b Build) bool {
		return len(b.Narrow) > 0 && !slices.Contains(t.dead, b.ID) && slices.Contains(b.Members, pr)
	})
}
