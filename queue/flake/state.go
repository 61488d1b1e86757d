package flake

import "time"

// State is what a test is taken for.
type State string

// The states. A broken test fails on good code as good as always: somebody
// landed a break, and it is not to be hidden.
const (
	Healthy State = "healthy"
	Suspect State = "suspect" // it failed on good code, too seldom to say more
	Flaky   State = "flaky"
	Broken  State = "broken"
)

// What makes a test flaky: the rate is above enterRate with that certainty, it
// failed often enough, and not only on one commit. It is over after quietDays
// and quietRuns without a failure, both.
const (
	enterRate  = 0.005
	certain    = 0.95
	enterTimes = 3
	enterAt    = 2 // commits
	brokenRate = 0.8
	brokenSure = 0.9
	quietTime  = 14 * 24 * time.Hour
	quietRuns  = 100
)

// State is what the test is taken for now.
func (t Test) State(s Suite, now time.Time) State {
	r := t.rate(s, now)
	switch {
	case t.Times == 0 || t.quiet(s, now):
		return Healthy
	case t.Times >= enterTimes && t.plain(s, now).above(brokenRate) > brokenSure:
		return Broken
	case t.Times >= enterTimes && len(t.Commits) >= enterAt && r.above(enterRate) > certain:
		return Flaky
	}
	return Suspect
}

// plain is the rate without the belief that tests are well: a test that always
// fails is not to be excused by the runs it never had.
func (t Test) plain(s Suite, now time.Time) rate {
	r := t.rate(s, now)
	return rate{r.alpha - priorFlakes + 1, r.beta - priorPasses + 1}
}

// quiet tells whether the test has been well for so long that it counts as mended.
func (t Test) quiet(s Suite, now time.Time) bool {
	return now.Sub(t.Last) >= quietTime && s.Count-t.Count >= quietRuns
}
