package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func lineOf(n int) (line []Candidate) {
	for pr := 1; pr <= n; pr++ {
		line = append(line, Candidate{PR: pr})
	}
	return line
}

func told(c Choice) string {
	var b strings.Builder
	for _, s := range c.Start {
		fmt.Fprintf(&b, "%v on %d", s.Members, s.On)
		if s.Tests != nil {
			fmt.Fprintf(&b, " only %v", s.Tests)
		}
		b.WriteString("; ")
	}
	if len(c.Drop) > 0 {
		fmt.Fprintf(&b, "drop %v; ", c.Drop)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// What is tested next, one build at a time.
func TestNextOfSerial(t *testing.T) {
	rates := Rates{Fail: 0.10}
	for name, c := range map[string]struct {
		v    View
		want string
	}{
		"nobody waits":                {View{Rates: rates}, ""},
		"few wait":                    {View{Rates: rates, Line: lineOf(2)}, "[1 2] on 0"},
		"a full line":                 {View{Rates: rates, Line: lineOf(50)}, "[1 2 3 4 5 6 7 8] on 0"},
		"at most":                     {View{Rates: rates, Line: lineOf(50), Max: 3}, "[1 2 3] on 0"},
		"at least":                    {View{Rates: rates, Line: lineOf(50), Min: 8}, "[1 2 3 4 5 6 7 8] on 0"},
		"a fixed size":                {View{Rates: rates, Line: lineOf(50), Size: 4}, "[1 2 3 4] on 0"},
		"one alone first":             {View{Rates: rates, Line: []Candidate{{PR: 1, Alone: true}, {PR: 2}}}, "[1] on 0"},
		"one alone behind":            {View{Rates: rates, Line: []Candidate{{PR: 1}, {PR: 2}, {PR: 3, Alone: true}}}, "[1 2] on 0"},
		"a risky one":                 {View{Rates: rates, Line: []Candidate{{PR: 1, Fail: 0.5}, {PR: 2}, {PR: 3}}}, "[1 2] on 0"},
		"a red batch is split":        {View{Rates: rates, Line: lineOf(50), Reds: []Red{{Members: []int{1, 2, 3, 4, 5, 6}, Times: 1}}}, "[1 2 3] on 0"},
		"the smaller red set first":   {View{Rates: rates, Line: lineOf(50), Reds: []Red{{Members: []int{1, 2, 3}, Times: 1}, {Members: []int{1, 2, 3, 4, 5, 6}, Times: 1}}}, "[1] on 0"},
		"a limit holds in the search": {View{Rates: rates, Line: lineOf(50), Max: 2, Reds: []Red{{Members: []int{1, 2, 3, 4, 5, 6}, Times: 1}}}, "[1 2] on 0"},
		"a minimum does not":          {View{Rates: rates, Line: lineOf(50), Min: 6, Reds: []Red{{Members: []int{1, 2, 3, 4, 5, 6}, Times: 1}}}, "[1 2 3] on 0"},
		"a build is under way":        {View{Rates: rates, Line: lineOf(50), Builds: []Build{{ID: 9, Members: []int{1, 2, 3}}}}, ""},
		"behind what is landing":      {View{Rates: rates, Line: lineOf(50), Builds: []Build{{ID: 9, Members: []int{1, 2, 3}, Green: true}}}, "[4 5 6 7 8 9 10 11] on 9"},
		"all of it is landing":        {View{Rates: rates, Line: lineOf(2), Builds: []Build{{ID: 9, Members: []int{1, 2}, Green: true}}}, ""},
		"it does not follow what is landing": {View{Rates: rates, Line: lineOf(5), Builds: []Build{{ID: 9, Members: []int{1, 2}, Green: true}, {ID: 8, Members: []int{1, 2, 3}}}},
			"[3 4 5] on 9; drop [8]"},
		"only a guilty one behind what is landing": {View{Rates: rates, Line: lineOf(2), Builds: []Build{{ID: 9, Members: []int{1}, Green: true}, {ID: 8, On: 9, Members: []int{2}}},
			Reds: []Red{{Members: []int{1, 2}, Times: 2}}}, "drop [8]"},
		"nobody but one who is guilty":    {View{Rates: rates, Line: lineOf(1), Reds: []Red{{Members: []int{1}, Times: 1}}}, "[1] on 0"},
		"a likely flake goes with others": {View{Rates: Rates{Fail: 0.01, Flake: 0.05}, Line: lineOf(9), Reds: []Red{{Members: []int{1}, Times: 1}}}, "[1 2 3 4 5 6 7 8 9] on 0"},
		"a likely culprit waits":          {View{Rates: Rates{Fail: 0.10, Flake: 0.05}, Line: lineOf(9), Reds: []Red{{Members: []int{1}, Times: 1}}}, "[2 3 4 5 6 7 8 9] on 0"},
		"a likely culprit, nobody else":   {View{Rates: Rates{Fail: 0.10, Flake: 0.05}, Line: lineOf(1), Reds: []Red{{Members: []int{1}, Times: 1}}}, "[1] on 0"},
	} {
		c.v.Slots = 1
		if got := told(Next(c.v)); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

// What is tested side by side.
func TestNextOfParallel(t *testing.T) {
	v := View{Rates: Rates{Fail: 0.05}, Line: lineOf(100), Slots: 4}
	first := Next(v)
	if len(first.Start) != 4 || first.Start[0].On != 0 || first.Start[1].On != -1 {
		t.Fatalf("an empty queue of four starts %s", told(first))
	}
	// Given those run: nothing more to do.
	for i, s := range first.Start {
		v.Builds = append(v.Builds, Build{ID: int64(i + 1), On: -s.On, Members: s.Members})
	}
	if again := Next(v); told(again) != "" {
		t.Fatalf("with all slots taken: %s", told(again))
	}
	// When the first is red, what stands on it is of no use; its front is tested.
	red := v
	red.Reds = Learn(nil, Run{Members: v.Builds[0].Members})
	red.Builds = slices.DeleteFunc(slices.Clone(v.Builds), func(b Build) bool { return b.ID == 1 })
	c := Next(red)
	for _, b := range red.Builds {
		if chainStands := b.On == 0; slices.Contains(c.Drop, b.ID) == chainStands {
			t.Errorf("build %d on %d: dropped %v", b.ID, b.On, !chainStands)
		}
	}
	if len(c.Start) == 0 && len(c.Drop) > 0 {
		t.Errorf("nothing takes the slots of what is dropped: %s", told(c))
	}
	// When the second is green before the first, both land; the third stays.
	green := v
	green.Builds = slices.Clone(v.Builds)
	green.Builds[1].Green = true
	if c := Next(green); green.Builds[1].On == 1 && !slices.Contains(c.Drop, 1) {
		t.Errorf("the first is still tested: %s", told(c))
	}
}

// Whom only failing tests are asked about.
func TestNextOfNarrow(t *testing.T) {
	a, b := []string{"TestA"}, []string{"TestB"}
	v := View{Rates: Rates{Fail: 0.10, Flake: 0.01}, Line: lineOf(20), Slots: 1, Narrow: true}
	for name, c := range map[string]struct {
		reds   []Red
		slots  int
		builds []Build
		want   string
	}{
		"half of it":                 {[]Red{{Members: []int{1, 2, 3, 4}, Times: 1, Tests: a}}, 1, nil, "[1 2] on 0 only [TestA]"},
		"two facts, the first first": {[]Red{{Members: []int{1, 2}, Times: 1, Tests: a}, {Members: []int{3, 4}, Times: 1, Tests: b}}, 1, nil, "[1] on 0 only [TestA]"},
		"parts side by side":         {[]Red{{Members: []int{1, 2, 3, 4}, Times: 1, Tests: a}}, 2, nil, "[1 2] on 0 only [TestA]; [3 4] on 0 only [TestA]"},
		"one is left: confirm it":    {[]Red{{Members: []int{2}, Cleared: []int{1}, Times: 1, Tests: a}}, 1, nil, "[2] on 0 only [TestA]"},
		"not named: in full":         {[]Red{{Members: []int{1, 2, 3, 4}, Times: 1}}, 1, nil, "[1 2] on 0"},
		"it runs already":            {[]Red{{Members: []int{1, 2, 3, 4}, Times: 1, Tests: a}}, 1, []Build{{ID: 5, Members: []int{1, 2}, Narrow: a}}, ""},
		"it is answered":             {nil, 1, []Build{{ID: 5, Members: []int{1, 2}, Narrow: a}}, "[1 2 3 4 5 6 7 8] on 0; drop [5]"},
		"narrow builds say no more": {[]Red{{Members: []int{1, 2, 3, 4}, Times: 1, Tests: a, Passed: true}}, 1, nil,
			"[1 2 3 4] on 0"},
	} {
		v.Reds, v.Slots, v.Builds = c.reds, c.slots, c.builds
		if got := told(Next(v)); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
	hurry := v
	hurry.Reds, hurry.Slots, hurry.Builds = []Red{{Members: []int{2, 3, 4, 5}, Times: 1, Tests: a}}, 1, nil
	hurry.Line = append([]Candidate{{PR: 1, Alone: true, First: true}}, lineOf(20)[1:]...)
	if got := told(Next(hurry)); got != "[1] on 0" {
		t.Errorf("one that goes first: %q", got)
	}
	v = View{Rates: Rates{Fail: 0.01, Flake: 0.10}, Line: lineOf(20), Slots: 4, Narrow: true, Reds: []Red{{Members: []int{1, 2}, Times: 1, Tests: a}}}
	c := Next(v)
	if len(c.Start) < 2 || told(Choice{Start: c.Start[:1]}) != "[1 2] on 0 only [TestA]" || slices.Contains(c.Start[1].Members, 1) || c.Start[1].On != 0 {
		t.Errorf("a likely flake is run again as it was, others in full beside it: %s", told(c))
	}
	for i, s := range c.Start {
		if s.On < -int64(i) {
			t.Errorf("start %d stands on a later one: %s", i, told(c))
		}
	}
}

// What a narrow build says is booked test by test.
func TestLearn(t *testing.T) {
	reds := Learn(nil, Run{Members: []int{1, 2, 3, 4}, Failed: []string{"A", "B"}})
	reds = Learn(reds, Run{Members: []int{1, 2}, Tests: []string{"A", "B"}, Failed: []string{"A"}})
	want := []Red{
		{Members: []int{3, 4}, Cleared: []int{1, 2}, Times: 1, Tests: []string{"B"}},
		{Members: []int{1, 2, 3, 4}, Times: 1, Tests: []string{"A"}},
		{Members: []int{1, 2}, Times: 1, Tests: []string{"A"}},
	}
	if fmt.Sprint(reds) != fmt.Sprint(want) {
		t.Errorf("%+v, not %+v", reds, want)
	}
	// The part passes alone as well: nobody in it is guilty alone, full builds must tell.
	reds = Learn(reds, Run{Members: []int{1, 2}, Tests: []string{"A"}, Green: true})
	if last := reds[len(reds)-1]; !last.Passed || !slices.Equal(last.Members, []int{1, 2}) {
		t.Errorf("%+v", reds)
	}
	// Who is out explains what it failed and no more.
	reds = Leave([]Red{{Members: []int{1, 2, 3}, Times: 1, Tests: []string{"A", "B"}}, {Members: []int{1}, Times: 1, Tests: []string{"A"}}}, nil, []int{1})
	if len(reds) != 1 || !slices.Equal(reds[0].Tests, []string{"B"}) || !slices.Equal(reds[0].Members, []int{2, 3}) {
		t.Errorf("%+v", reds)
	}
}

// Whatever is bad and however much flakes: every search ends, with nobody left.
func TestEverySearchEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSerial(rapid.Float64Range(0, 1).Draw(t, "fail"), rapid.Float64Range(0, 0.3).Draw(t, "flake"), rapid.Int64().Draw(t, "seed"))
		s.named, s.view.Narrow = rapid.Bool().Draw(t, "named"), rapid.Bool().Draw(t, "narrow")
		s.pair = rapid.Bool().Draw(t, "pair")
		s.fill(rapid.IntRange(1, 30).Draw(t, "line"))
		s.view.Fail = rapid.Float64Range(0, 1).Draw(t, "believed fail")
		s.truth, s.view.Flake = s.view.Flake, rapid.Float64Range(0, 1).Draw(t, "believed flake")
		s.view.Size, s.view.Max, s.view.Min = rapid.IntRange(0, 3).Draw(t, "size"), rapid.IntRange(0, 9).Draw(t, "max"), rapid.IntRange(0, 5).Draw(t, "min")
		for n := 0; len(s.view.Line) > 0; n++ {
			if err := s.step(); err != nil {
				t.Fatal(err)
			}
			if n > 3000 {
				t.Fatalf("no end: %+v", s.view)
			}
		}
	})
}

// Given one who is guilty as soon as what is green has landed, then nothing is
// started on top of that, only to be dropped at the next look.
func TestNobodyGuiltyIsTestedOnALanding(t *testing.T) {
	v := View{
		Rates: Rates{Fail: 0.04, Flake: 0.01}, Line: lineOf(3), Slots: 3,
		Reds:   []Red{{Members: []int{1, 2, 3}, Times: 1}, {Members: []int{1, 2}, Times: 1}, {Members: []int{2, 3}, Times: 1}},
		Builds: []Build{{ID: 3, Members: []int{1}, Green: true}, {ID: 6, On: 3, Members: []int{3}, Green: true}},
	}
	if c := Next(v); len(c.Start) > 0 {
		t.Errorf("%+v", c)
	}
}

// Given one who is guilty, is not put out, and is all there is to test, then its
// test goes on: it is not given up for the same again.
func TestTheLastResortGoesOn(t *testing.T) {
	v := View{
		Rates: Rates{Fail: 0.107, Flake: 0.0192}, Line: []Candidate{{PR: 3}}, Slots: 2, Narrow: true,
		Reds: []Red{
			{Members: []int{5, 3}, Times: 1, Tests: []string{"TestOf3"}, Passed: true}, {Members: []int{5, 3}, Times: 2, Tests: []string{"TestOf3"}},
			{Members: []int{5}, Times: 1, Tests: []string{"TestOf5"}},
		},
	}
	c := Next(v)
	if len(c.Start) != 1 || c.Start[0].Tests != nil {
		t.Fatalf("%+v", c)
	}
	v.Builds = []Build{{ID: 7, Members: c.Start[0].Members}}
	if c := Next(v); len(c.Start)+len(c.Drop) > 0 {
		t.Errorf("right after it was started: %+v", c)
	}
}
