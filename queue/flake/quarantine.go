package flake

import (
	"cmp"
	"slices"
	"time"
)

// Entry is one test in quarantine: it runs and reports, and does not block. It
// has an end, so that nobody forgets it.
type Entry struct {
	Key    string    `json:"key"`
	Name   string    `json:"name"`
	Class  string    `json:"class,omitempty"`
	File   string    `json:"file,omitempty"`
	Owner  string    `json:"owner,omitempty"`
	Reason string    `json:"reason"`
	By     string    `json:"by"` // who put it in: a person, or Mainstay
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Ended  time.Time `json:"ended,omitzero"`
	End    string    `json:"end,omitempty"` // why
	Times  int       `json:"times"`         // the test's failures when it went in
}

// Ours is who puts tests in by the rules.
const Ours = "mainstay"

// Stands tells whether the entry excuses anything at that time.
func (e Entry) Stands(now time.Time) bool { return e.Ended.IsZero() && now.Before(e.Until) }

// Share is the part of a suite that may be in quarantine: one test in a hundred,
// and one in any case.
func Share(tests int) int { return max(1, tests/100) }

// Review brings a suite's quarantine up to date and returns the entries that
// changed: those that expired or whose test is mended end, and what is flaky
// goes in for that long, the worst first, as far as there is room. With a term
// of zero nothing new goes in. What was taken out goes in again only after it
// failed again.
func Review(s Suite, tests []Test, entries []Entry, term time.Duration, now time.Time) []Entry {
	byKey := make(map[string]Test, len(tests))
	for _, t := range tests {
		byKey[t.Key] = t
	}
	var changed []Entry
	last := map[string]Entry{}
	standing := 0
	for _, e := range entries {
		if e.Ended.IsZero() {
			if why := over(e, byKey, s, now); why != "" {
				e.Ended, e.End = now, why
				changed = append(changed, e)
			} else {
				standing++
			}
		}
		if old, ok := last[e.Key]; !ok || e.Since.After(old.Since) {
			last[e.Key] = e
		}
	}
	if term <= 0 {
		return changed
	}
	for _, t := range worst(s, tests, now) {
		if standing >= Share(s.Tests) {
			break
		}
		if e, was := last[t.Key]; was && (e.Ended.IsZero() || t.Times <= e.Times || !t.Last.After(e.Ended)) {
			continue
		}
		standing++
		changed = append(changed, Entry{Key: t.Key, Name: t.Name, Class: t.Class, File: t.File, Reason: "flaky on good code", By: Ours,
			Since: now, Until: now.Add(term), Times: t.Times})
	}
	return changed
}

// over says why an entry ends, or "".
func over(e Entry, tests map[string]Test, s Suite, now time.Time) string {
	t, known := tests[e.Key]
	switch {
	case !now.Before(e.Until):
		return "its time is over"
	case known && t.State(s, now) == Broken:
		return "it fails always: that is a break, not a flake"
	case known && e.By == Ours && t.State(s, now) == Healthy:
		return "it has been well for two weeks and a hundred runs"
	}
	return ""
}

// worst lists the flaky tests, the one that costs most first.
func worst(s Suite, tests []Test, now time.Time) []Test {
	var flaky []Test
	for _, t := range tests {
		if t.State(s, now) == Flaky {
			flaky = append(flaky, t)
		}
	}
	slices.SortFunc(flaky, func(a, b Test) int {
		return cmp.Or(cmp.Compare(b.Rate(s, now), a.Rate(s, now)), cmp.Compare(a.Key, b.Key))
	})
	return flaky
}

// Health is how probable it is that a run of good code is red because a test
// that is not excused flakes, and the tests that carry it, the worst first.
type Health struct {
	Red   float64
	Tests []Test
}

// carriers is how many tests a Health names.
const carriers = 10

// Weigh makes the Health of a suite: of the tests that ever failed on good code,
// as those that never did weigh next to nothing each and cannot be named.
func Weigh(b Book, now time.Time) Health {
	s := b.Suite
	excused := map[string]bool{}
	for _, e := range b.Entries {
		if e.Stands(now) {
			excused[e.Key] = true
		}
	}
	green := 1.0
	var counted []Test
	for _, t := range b.Tests {
		if !excused[t.Key] && t.State(s, now) != Healthy {
			green *= 1 - t.Rate(s, now)
			counted = append(counted, t)
		}
	}
	slices.SortFunc(counted, func(a, b Test) int {
		return cmp.Or(cmp.Compare(b.Rate(s, now), a.Rate(s, now)), cmp.Compare(a.Key, b.Key))
	})
	return Health{Red: 1 - green, Tests: counted[:min(len(counted), carriers)]}
}
