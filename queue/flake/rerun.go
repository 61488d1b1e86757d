package flake

import (
	"slices"
	"time"
)

// What is believed of a red run besides the tests' own history.
const (
	// breaks is how probable it is that a pull request breaks something.
	breaks = 0.02
	// hits is the share of breaks in which one given test fails.
	hits = 0.0025
	// detects is how often a broken test fails: it may pass by luck.
	detects = 0.98
)

// A rerun is worth it while neither side is sure.
const (
	sureCulprit = 0.90
	sureFlake   = 0.01
	// MostReruns is how often one shard's tests are run again at most.
	MostReruns = 3
	// MostTests is how many failing tests are run again; more are no accident.
	MostTests = 20
)

// Failing is a test that failed, with what happened on this commit so far.
type Failing struct {
	Key   string
	Fails int
	Runs  int  // the failed ones among them
	Red   bool // the last of them failed
}

// Culprit is the probability that one of the pull requests under test broke the
// tests, after what they did on this commit. Independent flakes multiply; a break
// takes all of them at once.
func Culprit(failing []Failing, prs int, b Book, now time.Time) float64 {
	if len(failing) == 0 {
		return 0
	}
	good := 1.0
	for range max(prs, 1) {
		good *= 1 - breaks
	}
	broken, flaked := hits*(1-good), 1-hits*(1-good)
	for _, f := range failing {
		for i := range f.Runs {
			if i < f.Fails {
				broken *= detects
			} else {
				broken *= 1 - detects
			}
		}
		flaked *= b.Record(f.Key).rate(b.Suite, now).likelihood(f.Fails, f.Runs)
	}
	return broken / (broken + flaked)
}

// Again tells whether the tests are worth one more run before anybody is
// blamed, and before a pass is believed. Round is how often they were run again
// already.
func Again(failing []Failing, prs, round int, b Book, now time.Time) bool {
	if len(failing) == 0 || len(failing) > MostTests || round >= MostReruns {
		return false
	}
	p := Culprit(failing, prs, b, now)
	if slices.ContainsFunc(failing, func(f Failing) bool { return f.Red }) {
		return p < sureCulprit
	}
	return p > sureFlake
}
