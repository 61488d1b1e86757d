package flake

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Values from tables of the distribution, and closed forms.
func TestTheIncompleteBetaFunctionIsTheTables(t *testing.T) {
	for _, c := range []struct{ a, b, x, want float64 }{
		{1, 1, 0.3, 0.3},
		{2, 2, 0.5, 0.5},
		{2, 3, 0.4, 0.5248},
		{5, 1, 0.9, math.Pow(0.9, 5)},
		{1, 20, 0.005, 1 - math.Pow(0.995, 20)},
		{0.5, 0.5, 0.25, 2 / math.Pi * math.Asin(0.5)},
		{3, 400, 0, 0},
		{3, 400, 1, 1},
	} {
		if got := incompleteBeta(c.a, c.b, c.x); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("I_%v(%v, %v) = %.12f, want %.12f", c.x, c.a, c.b, got, c.want)
		}
	}
}

func TestTheIncompleteBetaFunctionOnlyRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(0.02, 500).Draw(t, "a")
		b := rapid.Float64Range(0.02, 50_000).Draw(t, "b")
		x := rapid.Float64Range(0, 1).Draw(t, "x")
		y := rapid.Float64Range(x, 1).Draw(t, "y")
		low, high := incompleteBeta(a, b, x), incompleteBeta(a, b, y)
		if math.IsNaN(low) || low < -1e-9 || high > 1+1e-9 || low > high+1e-9 {
			t.Fatalf("I_x = %v, I_y = %v", low, high)
		}
	})
}

// history is a suite that ran so often, and a test that failed so often in it.
func history(flakes, runs int) Book {
	s := Suite{Runs: float64(runs), Count: int64(runs), Tests: 500, At: noon}
	if flakes == 0 {
		return Book{Suite: s}
	}
	return Book{Suite: s, Tests: []Test{{Key: "t", Flakes: float64(flakes), Times: flakes, At: noon, Last: noon}}}
}

// Four pull requests; the test failed, twice, three times, or failed and passed.
func TestAFailureSpeaksLouderTheQuieterTheTestWas(t *testing.T) {
	for _, c := range []struct {
		flakes, runs              int
		once, twice, thrice, then float64
	}{
		{0, 20, 0.28, 0.94, 1.00, 0.008},
		{0, 200, 0.68, 1.00, 1.00, 0.04},
		{0, 2000, 0.95, 1.00, 1.00, 0.28},
		{1, 200, 0.04, 0.82, 1.00, 0.001},
		{5, 200, 0.01, 0.24, 0.91, 0.000},
		{20, 200, 0.002, 0.02, 0.18, 0.000},
	} {
		book := history(c.flakes, c.runs)
		for _, run := range []struct {
			what        string
			fails, runs int
			want        float64
		}{{"once", 1, 1, c.once}, {"twice", 2, 2, c.twice}, {"three times", 3, 3, c.thrice}, {"then passed", 1, 2, c.then}} {
			got := Culprit([]Failing{{Key: "t", Fails: run.fails, Runs: run.runs}}, 4, book, noon)
			if math.Abs(got-run.want) > 0.012 {
				t.Errorf("%d/%d, failed %s: P(culprit) = %.3f, want about %.3f", c.flakes, c.runs, run.what, got, run.want)
			}
		}
	}
}

func TestWhatIsWorthAnotherRun(t *testing.T) {
	failed := Failing{Key: "t", Fails: 1, Runs: 1, Red: true}
	many := make([]Failing, MostTests+1)
	for i := range many {
		many[i] = Failing{Key: fmt.Sprint(i), Fails: 1, Runs: 1, Red: true}
	}
	for name, c := range map[string]struct {
		flakes, runs, round int
		failing             []Failing
		want                bool
	}{
		"a young test failed":                  {0, 20, 0, []Failing{failed}, true},
		"a known flake failed":                 {20, 200, 0, []Failing{failed}, true},
		"a rock-solid test failed":             {0, 2000, 0, []Failing{failed}, false},
		"two tests at once are no accident":    {0, 200, 0, []Failing{failed, {Key: "u", Fails: 1, Runs: 1, Red: true}}, false},
		"many tests":                           {0, 20, 0, many, false},
		"nothing failed":                       {0, 20, 0, nil, false},
		"it failed again":                      {0, 20, 1, []Failing{{Key: "t", Fails: 2, Runs: 2, Red: true}}, false},
		"a seldom flake failed again":          {1, 200, 1, []Failing{{Key: "t", Fails: 2, Runs: 2, Red: true}}, true},
		"it passed, and that is believed":      {0, 20, 1, []Failing{{Key: "t", Fails: 1, Runs: 2}}, false},
		"it passed, and is still suspicious":   {0, 200, 1, []Failing{{Key: "t", Fails: 1, Runs: 2}}, true},
		"a flake, but it was run often enough": {20, 200, MostReruns, []Failing{{Key: "t", Fails: 4, Runs: 4, Red: true}}, false},
	} {
		book := history(c.flakes, c.runs)
		if got := Again(c.failing, 4, c.round, book, noon); got != c.want {
			t.Errorf("%s: again = %v, want %v", name, got, c.want)
		}
	}
}

// ran lets a suite run so often, a run every six hours, and the test fail on
// some of them; it tells the time after.
func ran(s *Suite, test *Test, from time.Time, runs int, fails func(int) bool) time.Time {
	at := from
	for i := range runs {
		at = at.Add(6 * time.Hour)
		s.Ran(1000, at)
		if fails(i) {
			test.Flaked(*s, fmt.Sprintf("%040d", s.Count), at)
		}
	}
	return at
}

func TestATestComesIntoQuarantineAndOutAgain(t *testing.T) {
	// Given a test that fails on one landed commit of ten,
	var s Suite
	flaky := Test{Key: "t_1", Name: "TestCheckout", File: "shop/cart_test.go"}
	now := ran(&s, &flaky, noon, 1, func(int) bool { return true })
	if got := flaky.State(s, now); got != Suspect {
		t.Fatalf("after one failure it is %s", got)
	}
	now = ran(&s, &flaky, now, 40, func(i int) bool { return i%10 == 9 })
	// when its record is reviewed,
	if got := flaky.State(s, now); got != Flaky {
		t.Fatalf("after five failures in 41 runs it is %s", got)
	}
	entries := Review(s, []Test{flaky}, nil, 14*24*time.Hour, now)
	// then it goes in, for two weeks,
	if len(entries) != 1 || !entries[0].Stands(now) || entries[0].By != Ours || entries[0].Until != now.Add(14*24*time.Hour) {
		t.Fatalf("entries: %+v", entries)
	}
	if again := Review(s, []Test{flaky}, entries, 14*24*time.Hour, now); len(again) != 0 {
		t.Fatalf("a second review changed %+v", again)
	}
	// and when the time is over it blocks again until it fails once more.
	now = entries[0].Until
	ended := Review(s, []Test{flaky}, entries, 14*24*time.Hour, now)
	if len(ended) != 1 || ended[0].End == "" || ended[0].Stands(now) {
		t.Fatalf("after its time: %+v", ended)
	}
	now = now.Add(time.Hour)
	if back := Review(s, []Test{flaky}, ended, 14*24*time.Hour, now); len(back) != 0 {
		t.Fatalf("it went in again without a failure: %+v", back)
	}
	s.Ran(1000, now)
	flaky.Flaked(s, "f00d", now)
	if back := Review(s, []Test{flaky}, ended, 14*24*time.Hour, now); len(back) != 1 || !back[0].Stands(now) {
		t.Fatalf("it failed again and is not in: %+v", back)
	}
}

func TestAMendedTestLeavesAfterTwoWeeksAndAHundredRuns(t *testing.T) {
	var s Suite
	test := Test{Key: "t_1"}
	now := ran(&s, &test, noon, 40, func(i int) bool { return i%8 == 0 })
	entries := Review(s, []Test{test}, nil, 1000*24*time.Hour, now)
	if len(entries) != 1 {
		t.Fatalf("entries: %+v", entries)
	}
	never := func(int) bool { return false }
	if now = ran(&s, &test, now, 60, never); len(Review(s, []Test{test}, entries, time.Hour, now)) != 0 {
		t.Fatal("it left after sixty runs")
	}
	now = ran(&s, &test, now, 50, never)
	left := Review(s, []Test{test}, entries, time.Hour, now)
	if len(left) != 1 || left[0].Stands(now) {
		t.Fatalf("after 110 quiet runs in a month: %+v", left)
	}
}

func TestABreakIsNotHidden(t *testing.T) {
	var s Suite
	test := Test{Key: "t_1"}
	now := ran(&s, &test, noon, 60, func(i int) bool { return true })
	if got := test.State(s, now); got != Broken {
		t.Fatalf("a test that always fails is %s", got)
	}
	if got := Review(s, []Test{test}, nil, time.Hour, now); len(got) != 0 {
		t.Fatalf("it was hidden: %+v", got)
	}
	put := []Entry{{Key: "t_1", By: "alice", Since: noon, Until: now.Add(time.Hour)}}
	if got := Review(s, []Test{test}, put, time.Hour, now); len(got) != 1 || got[0].Stands(now) {
		t.Fatalf("it stays hidden: %+v", got)
	}
}

func TestAtMostOneTestInAHundredIsExcused(t *testing.T) {
	var s Suite
	tests := make([]Test, 30)
	now := noon
	for run := range 40 {
		now = now.Add(time.Hour)
		s.Ran(1200, now)
		for i := range tests {
			tests[i].Key = fmt.Sprintf("t_%02d", i)
			if run%(4+i%3) == 0 {
				tests[i].Flaked(s, fmt.Sprint(run), now)
			}
		}
	}
	in := Review(s, tests, nil, time.Hour, now)
	if len(in) != 12 {
		t.Fatalf("%d of 1,200 tests are in", len(in))
	}
	// The worst, those that fail every fourth run, are among them.
	for _, e := range in[:10] {
		if n := int(e.Key[2]-'0')*10 + int(e.Key[3]-'0'); n%3 != 0 {
			t.Errorf("%s went in before a worse one", e.Key)
		}
	}
	if off := Review(s, tests, nil, 0, now); len(off) != 0 {
		t.Errorf("quarantine is off, and %d went in", len(off))
	}
}

func TestHealthNamesWhoCarriesIt(t *testing.T) {
	book := history(20, 200)
	s, bad := book.Suite, book.Tests[0]
	bad.Commits, bad.Count = []string{"a", "b"}, s.Count
	h := Weigh(Book{Suite: s, Tests: []Test{bad}}, noon)
	if len(h.Tests) != 1 || math.Abs(h.Red-20.02/220) > 1e-9 {
		t.Fatalf("health: %+v", h)
	}
	excused := []Entry{{Key: "t", Since: noon, Until: noon.Add(time.Hour)}}
	if h := Weigh(Book{Suite: s, Tests: []Test{bad}, Entries: excused}, noon); h.Red != 0 || len(h.Tests) != 0 {
		t.Fatalf("an excused test still counts: %+v", h)
	}
}

// A clock that runs backwards must not blow a record up.
func TestOldNewsFadesAndNeverGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Suite
		var test Test
		now := noon
		for range rapid.IntRange(1, 40).Draw(t, "runs") {
			now = now.Add(time.Duration(rapid.IntRange(-100, 400).Draw(t, "hours")) * time.Hour)
			s.Ran(10, now)
			if rapid.Bool().Draw(t, "fails") {
				test.Flaked(s, "c", now)
			}
			if r := test.Rate(s, now); r <= 0 || r >= 1 || s.Runs > float64(s.Count) || test.Flakes > float64(test.Times) {
				t.Fatalf("rate %v, suite %+v, test %+v", r, s, test)
			}
		}
	})
}
