package search

import "slices"

// Rates are what a queue has learnt of itself.
type Rates struct {
	Fail  float64 // chance that a pull request is bad
	Flake float64 // chance that a run of good code is red
}

// Red is a fact: these were tested together and that was red.
type Red struct {
	Members []int    `json:"members"`         // those not landed or out since, and not in Cleared
	Times   int      `json:"times"`           // how many runs said so
	Tests   []string `json:"tests,omitempty"` // the named failing tests; nil: nothing is known but red
	Error   bool     `json:"error,omitempty"` // failed without naming a test: infrastructure rather than a flake
	// Cleared are members that a narrow build of Tests found good.
	Cleared []int `json:"cleared,omitempty"`
	// Passed: Tests passed for every member in narrow builds. It was a flake, or
	// something only all of them together do; narrow builds can tell no more.
	Passed bool `json:"passed,omitempty"`
	// Run is the ID of the run that said so first. The search only carries it along.
	Run int64 `json:"run,omitempty"`
}

// Candidate is a pull request that may be tested.
type Candidate struct {
	PR    int
	Fail  float64 // 0: Rates.Fail
	Alone bool    // tested in a segment of its own
	First bool    // at the head of the line, before any narrow build
	Held  bool    // does not land though it is green: nothing stands on it
	// Clashes are builds it can't stand on.
	Clashes []int64
	// Needs are those that must land before it, or with it and before it.
	Needs []int
	// Unit is the same for those that are to be tested together; 0: it is of none.
	Unit int64
}

// Build is an attempt under way, or green and on its way into the base.
type Build struct {
	ID      int64
	On      int64 // build it stands on; 0: the base, also once that build has landed
	Members []int // its own, without those it stands on
	Green   bool
	Unbuilt bool     // its commit is not there yet: nothing can be started on it now
	Narrow  []string // only these tests; never lands; always on 0
}

// View is all that decides what is tested next.
type View struct {
	Rates
	Line     []Candidate // everybody who may be tested, in line order: fresh ones, suspects, and members of Builds
	Reds     []Red
	Builds   []Build
	Slots    int  // builds that may run side by side; green ones don't count
	Min, Max int  // segment size limits; 0: none
	Size     int  // fixed segment size; 0: learnt
	Narrow   bool // search with only the failing tests where they are named
}

// Same reports whether two views are alike in all that decides.
func (v View) Same(w View) bool {
	return v.Rates == w.Rates && v.Slots == w.Slots && v.Min == w.Min && v.Max == w.Max && v.Size == w.Size && v.Narrow == w.Narrow &&
		slices.EqualFunc(v.Line, w.Line, Candidate.same) && slices.EqualFunc(v.Builds, w.Builds, Build.same) && slices.EqualFunc(v.Reds, w.Reds, Red.same)
}

func (c Candidate) same(d Candidate) bool {
	return c.PR == d.PR && c.Fail == d.Fail && c.Alone == d.Alone && c.First == d.First && c.Held == d.Held && slices.Equal(c.Clashes, d.Clashes) &&
		c.Unit == d.Unit && slices.Equal(c.Needs, d.Needs)
}

func (b Build) same(c Build) bool {
	return b.ID == c.ID && b.On == c.On && b.Green == c.Green && b.Unbuilt == c.Unbuilt && slices.Equal(b.Members, c.Members) && slices.Equal(b.Narrow, c.Narrow)
}

func (r Red) same(s Red) bool {
	return r.Times == s.Times && r.Error == s.Error && r.Passed == s.Passed && r.Run == s.Run &&
		slices.Equal(r.Members, s.Members) && slices.Equal(r.Tests, s.Tests) && slices.Equal(r.Cleared, s.Cleared)
}

// Start is a build to start. On is a Build's ID, or -(i+1) for the i-th Start of
// the same Choice, or 0. One that stands on what is not built yet keeps its slot.
type Start struct {
	On      int64
	Members []int
	Tests   []string // narrow
}

// Choice is what to do now. The slots of what is dropped are taken by Start already.
type Choice struct {
	Start []Start
	Drop  []int64 // builds under way that can hardly help any more: cancel
}

// guilt is how likely a pull request may still be good when it is thrown out.
const guilt = 0.02

// Good is the chance that a pull request is good, given the facts.
func Good(v View, pr int) float64 {
	return newBelief(v.Rates, v.Line, v.Reds).good(pr, v.fail(pr))
}

// Green is the chance that a run of these is green, given the facts.
func Green(v View, prs []int) float64 {
	b := newBelief(v.Rates, v.Line, v.Reds)
	g := 1.0
	for i, pr := range prs {
		if !slices.Contains(prs[:i], pr) {
			g = b.assume(pr, v.fail(pr))
		}
	}
	return g * (1 - flakeOf(v.Rates))
}

// Guilty are those who are bad almost for sure, in line order. With narrow
// search only one who was red alone can be.
func Guilty(v View) []int {
	if len(v.Reds) == 0 {
		return nil
	}
	return guilty(newBelief(v.Rates, v.Line, v.Reds), v.Line, v.Reds, v.Narrow)
}

func guilty(b *belief, line []Candidate, reds []Red, narrow bool) []int {
	var out []int
	for _, s := range b.suspects {
		if b.good(s.pr, 1-s.good) < guilt && (!narrow || redAlone(reds, s.pr)) {
			out = append(out, s.pr)
		}
	}
	if len(out) < 2 {
		return out
	}
	sorted := out[:0:0]
	for _, c := range line {
		if slices.Contains(out, c.PR) {
			sorted = append(sorted, c.PR)
		}
	}
	return sorted
}

func redAlone(reds []Red, pr int) bool {
	for _, r := range reds {
		if len(r.Members) == 1 && r.Members[0] == pr && len(r.Cleared) == 0 && !r.Passed {
			return true
		}
	}
	return false
}

func (v View) fail(pr int) float64 {
	return failOf(v.Rates, v.Line, pr)
}

// failOf is the chance that a pull request is bad before anything was tested.
func failOf(rates Rates, line []Candidate, pr int) float64 {
	for _, c := range line {
		if c.PR == pr {
			return c.fail(rates)
		}
	}
	return Candidate{}.fail(rates)
}

// What is learnt is never taken as certain, so that every search ends.
const (
	leastFail, mostFail = 0.0005, 0.95
	mostFlake           = 0.5
)

func flakeOf(r Rates) float64 { return within(r.Flake, 0, mostFlake) }

func within(x, low, high float64) float64 { return max(low, min(x, high)) }
