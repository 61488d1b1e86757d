package search

import (
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"testing"
)

// serial is a queue that is always full and tests one build at a time: no clock,
// no forge, only the search.
type serial struct {
	view        View
	chance      *rand.Rand
	bad         map[int]bool
	next        int
	named       bool // red runs name their failing tests
	landed, out int
	wrong       int     // good ones thrown out
	full, small int     // runs
	truth       float64 // how often good code is red
	pair        bool    // 1 and 2 are bad together
	gone        map[int]bool
}

const narrowCost = 0.3

func newSerial(p, f float64, seed int64) *serial {
	return &serial{view: View{Rates: Rates{Fail: p, Flake: f}, Slots: 1}, truth: f, chance: rand.New(rand.NewSource(seed)), bad: map[int]bool{}, gone: map[int]bool{}}
}

func (s *serial) fill(n int) {
	for len(s.view.Line) < n {
		s.next++
		s.bad[s.next] = s.chance.Float64() < s.view.Fail
		s.view.Line = append(s.view.Line, Candidate{PR: s.next})
	}
}

func (s *serial) leave(landed, out []int) {
	s.view.Reds = Leave(s.view.Reds, landed, out)
	s.view.Line = slices.DeleteFunc(s.view.Line, func(c Candidate) bool {
		return slices.Contains(landed, c.PR) || slices.Contains(out, c.PR)
	})
}

// step throws out the guilty and does one run.
func (s *serial) step() error {
	if out := Guilty(s.view); len(out) > 0 {
		for _, pr := range out {
			s.out++
			if !s.bad[pr] {
				s.wrong++
			}
		}
		s.leave(nil, out)
		return nil
	}
	c := Next(s.view)
	if len(c.Start) != 1 || len(c.Drop) > 0 || c.Start[0].On != 0 || len(c.Start[0].Members) == 0 {
		return fmt.Errorf("choice %+v of %+v", c, s.view)
	}
	s.run(c.Start[0])
	return nil
}

func (s *serial) run(start Start) {
	run := Run{Members: start.Members, Tests: start.Tests, Green: true}
	for _, pr := range start.Members {
		name := "TestOf" + strconv.Itoa(pr)
		if s.bad[pr] && (start.Tests == nil || slices.Contains(start.Tests, name)) {
			run.Green = false
			if s.named {
				run.Failed = append(run.Failed, name)
			}
		}
	}
	if s.clashes(start.Members) && (start.Tests == nil || slices.Contains(start.Tests, "TestPair")) {
		run.Green = false
		if s.named {
			run.Failed = append(run.Failed, "TestPair")
		}
	}
	if run.Green && s.chance.Float64() < s.truth && (start.Tests == nil || s.chance.Float64() < 0.1) {
		run.Green = false
		if s.named {
			run.Failed = []string{"TestFlaky"}
			if start.Tests != nil {
				run.Failed = start.Tests[:1]
			}
		}
	}
	if start.Tests == nil {
		s.full++
	} else {
		s.small++
	}
	s.view.Reds = Learn(s.view.Reds, run)
	if run.Green && start.Tests == nil {
		s.landed += len(start.Members)
		for _, pr := range start.Members {
			s.gone[pr] = true
		}
		s.leave(start.Members, nil)
	}
}

// clashes reports whether two that don't go together would meet.
func (s *serial) clashes(members []int) bool {
	has := func(pr int) bool { return s.gone[pr] || slices.Contains(members, pr) }
	return s.pair && has(1) && has(2) && (slices.Contains(members, 1) || slices.Contains(members, 2))
}

func (s *serial) cost() float64 {
	return (float64(s.full) + narrowCost*float64(s.small)) / float64(s.landed)
}

func saturate(t *testing.T, p, f float64, named, narrow bool) *serial {
	t.Helper()
	s := newSerial(p, f, 1)
	s.named, s.view.Narrow = named, narrow
	for s.landed < 40_000 {
		s.fill(400)
		if err := s.step(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A full line costs little more runs than any search can, and hardly anybody is blamed wrongly.
func TestRunsAreNearTheBound(t *testing.T) {
	for _, c := range []struct{ p, f, bound, times float64 }{
		{0.01, 0, 0.082, 1.15}, {0.05, 0, 0.301, 1.15}, {0.10, 0, 0.521, 1.15},
		{0.01, 0.05, 0.095, 1.25}, {0.05, 0.05, 0.352, 1.25}, {0.10, 0.05, 0.608, 1.25},
	} {
		s := saturate(t, c.p, c.f, false, false)
		wrong := float64(s.wrong) / float64(s.landed+s.out)
		t.Logf("p %.2f f %.2f: %.3f runs a landed one, %.2f times the bound %.3f; %.3f %% thrown out wrongly", c.p, c.f, s.cost(), s.cost()/c.bound, c.bound, 100*wrong)
		if s.cost() > c.times*c.bound {
			t.Errorf("p %g f %g: %.3f runs a landed one, more than %.2f times %.3f", c.p, c.f, s.cost(), c.times, c.bound)
		}
		if wrong > 0.001 {
			t.Errorf("p %g f %g: %.2f %% thrown out wrongly", c.p, c.f, 100*wrong)
		}
	}
}

// Searching with only the failing tests saves a good part of the money.
func TestNarrowSearchSaves(t *testing.T) {
	for _, p := range []float64{0.05, 0.10} {
		for _, f := range []float64{0, 0.01} {
			without, with := saturate(t, p, f, true, false), saturate(t, p, f, true, true)
			t.Logf("p %.2f f %.2f: %.3f with narrow builds (%d full, %d narrow), %.3f without (x%.2f); %d of %d wrong", p, f,
				with.cost(), with.full, with.small, without.cost(), with.cost()/without.cost(), with.wrong, with.landed)
			if with.cost() > 0.75*without.cost() {
				t.Errorf("p %g f %g: %.3f with narrow builds, %.3f without", p, f, with.cost(), without.cost())
			}
			if wrong := float64(with.wrong) / float64(with.landed+with.out); wrong > 0.001 {
				t.Errorf("p %g f %g: %.2f %% thrown out wrongly", p, f, 100*wrong)
			}
		}
	}
}
