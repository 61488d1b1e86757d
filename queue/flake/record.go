package flake

import (
	"math"
	"slices"
	"time"
)

// halfLife is how long it takes until an observation counts half.
const halfLife = 14 * 24 * time.Hour

// The prior: a rate of one in a thousand, worth twenty runs.
const (
	priorFlakes = 0.02
	priorPasses = 19.98
)

// Suite counts the trusted runs of a suite, which are passes of every test of
// it but those that have a record. So a landing costs what failed, and nothing
// for what did not.
type Suite struct {
	Runs  float64   `json:"runs"`  // faded
	Count int64     `json:"count"` // all of them
	Tests int       `json:"tests"` // of the last run
	At    time.Time `json:"at"`
}

// Test is the record of one test that ever failed on good code.
type Test struct {
	Key     string    `json:"key"`
	Name    string    `json:"name"`
	Class   string    `json:"class,omitempty"`
	File    string    `json:"file,omitempty"`
	Flakes  float64   `json:"flakes"` // faded, as of At
	At      time.Time `json:"at"`
	Times   int       `json:"times"`   // how often in all
	Commits []string  `json:"commits"` // the last ones on which it did, without doubles
	Last    time.Time `json:"last"`
	// Count is the suite's count of runs at the last failure: what came since was quiet.
	Count int64 `json:"count"`
}

// keptCommits is how many commits of failures a record names.
const keptCommits = 5

// Ran counts one trusted run of the whole suite, of that many tests.
func (s *Suite) Ran(tests int, at time.Time) {
	s.Runs = faded(s.Runs, s.At, at) + 1
	s.Count++
	s.Tests, s.At = tests, latest(s.At, at)
}

// Flaked counts a failure on good code, on that commit.
func (t *Test) Flaked(s Suite, commit string, at time.Time) {
	t.Flakes = faded(t.Flakes, t.At, at) + 1
	t.At, t.Last = latest(t.At, at), latest(t.Last, at)
	t.Times++
	t.Count = s.Count
	if !slices.Contains(t.Commits, commit) {
		t.Commits = append(t.Commits, commit)
		t.Commits = slices.Clone(t.Commits[max(0, len(t.Commits)-keptCommits):])
	}
}

// Rate is how often the test is expected to fail on good code.
func (t Test) Rate(s Suite, now time.Time) float64 { return t.rate(s, now).mean() }

func (t Test) rate(s Suite, now time.Time) rate {
	flakes := faded(t.Flakes, t.At, now)
	passes := faded(s.Runs, s.At, now) - flakes
	return rate{priorFlakes + flakes, priorPasses + max(passes, 0)}
}

// faded is what a count of then is worth now. Time that runs backwards fades nothing.
func faded(count float64, then, now time.Time) float64 {
	if then.IsZero() || !now.After(then) {
		return count
	}
	return count * math.Exp2(-now.Sub(then).Hours()/halfLife.Hours())
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
