package search

import "slices"

// Run is a build that has ended.
type Run struct {
	Members []int    // all it had beyond the base
	Tests   []string // narrow: these alone ran
	Green   bool
	Failed  []string // the named failing tests
	Error   bool
	ID      int64 // what the caller calls it
	Times   int   // how many runs it counts for; 0: one
}

// Learn adds what a run says to the facts. The members of a green full run are
// good; they leave by Leave, when they have landed. A narrow run that ended in
// error says nothing: full builds are left to tell.
func Learn(reds []Red, run Run) []Red {
	var after []Red
	for _, r := range reds {
		after = append(after, r.clear(run)...)
	}
	if run.Green || len(run.Tests) > 0 && len(run.Failed) == 0 {
		return after
	}
	members := run.Members
	for _, r := range reds {
		if len(run.Tests) > 0 && common(r.Tests, run.Failed) {
			members = minus(members, r.Cleared)
		}
	}
	if len(members) == 0 {
		members = run.Members
	}
	red := Red{Members: slices.Clone(members), Times: max(run.Times, 1), Tests: slices.Clone(run.Failed), Error: run.Error && len(run.Failed) == 0, Run: run.ID}
	for i, r := range after {
		if !r.Passed && len(r.Cleared) == 0 && r.Error == red.Error && sameSet(r.Members, red.Members) && sameSet(r.Tests, red.Tests) {
			after[i].Times += red.Times
			return after
		}
	}
	return append(after, red)
}

// clear takes off a fact whom a narrow run found good of its tests. Where some of
// the tests passed and others did not, they are two facts from now on.
func (r Red) clear(run Run) []Red {
	if len(run.Tests) == 0 || r.Passed || !common(r.Members, run.Members) {
		return []Red{r}
	}
	if !run.Green && len(run.Failed) == 0 {
		if common(r.Tests, run.Tests) {
			r.Tests = nil
		}
		return []Red{r}
	}
	var passed, rest []string
	for _, t := range r.Tests {
		if slices.Contains(run.Tests, t) && !slices.Contains(run.Failed, t) && (run.Green || len(run.Failed) > 0) {
			passed = append(passed, t)
		} else {
			rest = append(rest, t)
		}
	}
	if len(passed) == 0 {
		return []Red{r}
	}
	good := r
	good.Tests = passed
	good.Members = minus(r.Members, run.Members)
	good.Cleared = slices.Concat(r.Cleared, minus(r.Members, good.Members))
	if len(good.Members) == 0 {
		good.Members, good.Cleared, good.Passed = good.Cleared, nil, true
	}
	if len(rest) == 0 {
		return []Red{good}
	}
	r.Tests = rest
	return []Red{good, r}
}

// Leave takes those who landed, and those who were found guilty or left, off the
// facts. A fact that held one who is out is explained by it, except for tests
// that others than its own red runs named.
func Leave(reds []Red, landed, out []int) []Red {
	var after []Red
	for _, r := range reds {
		if common(r.Members, out) || common(r.Cleared, out) && r.Passed {
			r.Tests = r.unexplained(reds, out)
			if len(r.Tests) == 0 {
				continue
			}
		}
		r.Members = minus(minus(r.Members, landed), out)
		r.Cleared = minus(minus(r.Cleared, landed), out)
		if len(r.Members) == 0 && len(r.Cleared) > 0 {
			r.Members, r.Cleared, r.Passed = r.Cleared, nil, true
		}
		if len(r.Members) > 0 {
			after = append(after, r)
		}
	}
	return after
}

// unexplained are the fact's tests that those who are out did not fail alone,
// when what they failed alone is named.
func (r Red) unexplained(reds []Red, out []int) []string {
	var named []string
	for _, own := range reds {
		if len(own.Members) == 1 && slices.Contains(out, own.Members[0]) && len(own.Cleared) == 0 {
			named = append(named, own.Tests...)
		}
	}
	if len(named) == 0 {
		return nil
	}
	return minus(r.Tests, named)
}

func common[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// minus is a without those of b; a itself stays as it is.
func minus[T comparable](a, b []T) []T {
	if !common(a, b) {
		return a
	}
	var rest []T
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && len(minus(a, b)) == 0
}
