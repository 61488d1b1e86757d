package search

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// byCounting weighs every configuration: the slow and certain way.
func byCounting(v View, good []int) float64 {
	all, right := 0.0, 0.0
	for bad := range 1 << len(v.Line) {
		w := 1.0
		isBad := func(pr int) bool {
			i := slices.IndexFunc(v.Line, func(c Candidate) bool { return c.PR == pr })
			return bad>>i&1 != 0
		}
		for _, c := range v.Line {
			if isBad(c.PR) {
				w *= c.fail(v.Rates)
			} else {
				w *= 1 - c.fail(v.Rates)
			}
		}
		for _, r := range v.Reds {
			once := v.Flake
			if r.Error {
				once = 0.01
			}
			if !slices.ContainsFunc(r.Members, isBad) {
				w *= math.Pow(once, float64(r.Times))
			}
		}
		all += w
		if !slices.ContainsFunc(good, isBad) {
			right += w
		}
	}
	return right / all
}

// What is believed is exact, whatever the facts are.
func TestBeliefIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := View{Rates: Rates{Fail: rapid.Float64Range(0.001, 0.5).Draw(t, "fail"), Flake: rapid.Float64Range(0.001, 0.4).Draw(t, "flake")}}
		n := rapid.IntRange(1, 9).Draw(t, "line")
		var prs []int
		for pr := 1; pr <= n; pr++ {
			prs = append(prs, pr)
			own := rapid.SampledFrom([]float64{0, 0, 0.3, 0.01}).Draw(t, "own")
			v.Line = append(v.Line, Candidate{PR: pr, Fail: own})
		}
		some := rapid.SliceOfNDistinct(rapid.SampledFrom(prs), 1, n, rapid.ID[int])
		for range rapid.IntRange(0, 6).Draw(t, "reds") {
			v.Reds = append(v.Reds, Red{Members: some.Draw(t, "members"), Times: rapid.IntRange(1, 3).Draw(t, "times"), Error: rapid.Bool().Draw(t, "error")})
		}
		for _, pr := range prs {
			near(t, Good(v, pr), byCounting(v, []int{pr}))
		}
		together := some.Draw(t, "together")
		near(t, Green(v, together), byCounting(v, together)*(1-v.Flake))
	})
}

func near(t interface{ Fatalf(string, ...any) }, got, want float64) {
	if math.Abs(got-want) > 1e-9 {
		t.Fatalf("%v, and by counting %v", got, want)
	}
}

// The figures a person can check by hand.
func TestGood(t *testing.T) {
	line := []Candidate{{PR: 1}, {PR: 2}, {PR: 3}}
	for name, c := range map[string]struct {
		p, f   float64
		reds   []Red
		want   float64
		guilty bool
	}{
		"nothing known":                    {0.1, 0, nil, 0.9, false},
		"red alone, no flakes":             {0.1, 0, []Red{{Members: []int{1}, Times: 1}}, 0, true},
		"red alone, flakes likelier":       {0.01, 0.05, []Red{{Members: []int{1}, Times: 1}}, 0.83193, false},
		"red alone twice":                  {0.05, 0.05, []Red{{Members: []int{1}, Times: 2}}, 0.04535, false},
		"red alone three times":            {0.05, 0.05, []Red{{Members: []int{1}, Times: 3}}, 0.00237, true},
		"failed without a test":            {0.05, 0.3, []Red{{Members: []int{1}, Times: 1, Error: true}}, 0.15966, false},
		"red with another":                 {0.1, 0, []Red{{Members: []int{1, 2}, Times: 1}}, 0.47368, false},
		"the smaller set explains":         {0.1, 0, []Red{{Members: []int{2}, Times: 1}, {Members: []int{1, 2, 3}, Times: 1}}, 0.9, false},
		"others were red, it was not":      {0.1, 0, []Red{{Members: []int{2, 3}, Times: 1}}, 0.9, false},
		"not in any line, rate of all":     {0.2, 0, []Red{{Members: []int{7}, Times: 1}}, 0.8, false},
		"everything flakes, nothing fails": {0, 1, []Red{{Members: []int{1}, Times: 1}}, 0.99900, false},
	} {
		v := View{Rates: Rates{Fail: c.p, Flake: c.f}, Line: line, Reds: c.reds}
		if got := Good(v, 1); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%s: good with %.5f, not %.5f", name, got, c.want)
		}
		if got := slices.Contains(Guilty(v), 1); got != c.guilty {
			t.Errorf("%s: guilty %v", name, got)
		}
	}
}

// Many facts at once are answered too: the smallest sets are kept.
func TestManyFacts(t *testing.T) {
	v := View{Rates: Rates{Fail: 0.05, Flake: 0.01}}
	for pr := 1; pr <= 80; pr++ {
		v.Line = append(v.Line, Candidate{PR: pr})
	}
	for n := 80; n >= 1; n-- {
		r := Red{Times: 1}
		for pr := 1; pr <= n; pr++ {
			r.Members = append(r.Members, pr)
		}
		v.Reds = append(v.Reds, r)
	}
	if g := Good(v, 1); g > guilt {
		t.Errorf("the one in every red set is good with %v", g)
	}
	if g := Good(v, 80); math.Abs(g-0.95) > 0.01 {
		t.Errorf("the last of the largest is good with %v", g)
	}
}
