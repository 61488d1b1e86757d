package flake

import (
	"fmt"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// report is one chunk of a Go suite whose tests went so: f failed, p passed.
func report(suite string, tests map[string]string) shard.Report {
	r := shard.Report{Suite: suite, Runner: "go", Items: []shard.ItemResult{{ID: "m/a", Status: shard.Passed, MS: 900}, {ID: "m/b", Status: shard.Failed, MS: 10}}}
	for name, runs := range tests {
		t := shard.Test{Key: "t_" + name, Class: "m/a", Name: name, MS: 7}
		for _, run := range runs {
			e := shard.Execution{Status: shard.Passed, MS: 7}
			switch run {
			case 'f':
				e = shard.Execution{Status: shard.Failed, Kind: shard.KindAssertion, File: "a/a_test.go"}
			case 'x':
				e = shard.Execution{Status: shard.Errored, Kind: shard.KindExit}
			}
			t.Executions = append(t.Executions, e)
		}
		r.Tests = append(r.Tests, t)
	}
	return r
}

func TestALandedAttemptTeachesWhatFailedOnTheWay(t *testing.T) {
	// Given the reports of an attempt that landed: a test that was run again, a
	// job that was run again, and a process that died in the first try,
	var r Reading
	r.Add(report("unit", map[string]string{"TestA": "fp", "TestB": "", "TestSub/x": ""}))
	r.Add(report("unit", map[string]string{"TestC": "f", "[test process]": "x"}))
	r.Add(report("unit", map[string]string{"TestC": ""}))
	r.Add(report("lint", map[string]string{"TestL": ""}))
	// when that is learnt from,
	lessons := r.Lessons(Lesson{Repository: 7, Name: "attempt/1/2", Commit: "abc", At: noon})
	// then each suite is a lesson: both tests flaked, and the process is nobody's flake.
	if len(lessons) != 2 || lessons[0].Suite != "lint" || lessons[0].Tests != 1 || len(lessons[0].Failed) != 0 {
		t.Fatalf("lessons: %+v", lessons)
	}
	l := lessons[1]
	if l.Tests != 5 || len(l.Failed) != 2 || l.Failed[0].Key != "t_TestA" || l.Failed[0].File != "a/a_test.go" || l.Failed[1].Key != "t_TestC" || l.Name == lessons[0].Name {
		t.Fatalf("lesson: %+v", l)
	}
	news := Book{}.Learn(l)
	if news.Suite.Count != 1 || news.Suite.Tests != 5 || len(news.Tests) != 2 || news.Tests[0].Times != 1 || len(news.Entries) != 0 {
		t.Fatalf("news: %+v", news)
	}
	// And durations are of what passed: the package, and its tests by their top level.
	items, tests := r.Durations(Name{Suite: "unit"})
	if fmt.Sprint(items) != "[{m/a 900}]" || fmt.Sprint(tests) != "map[m/a:[{TestA 7} {TestB 7} {TestC 7}]]" {
		t.Fatalf("durations: %v, %v", items, tests)
	}
}

// An item that was cut is known again as a whole, when all of its parts passed.
func TestAnItemInPartsIsRejoined(t *testing.T) {
	part := func(i, of int, test string) shard.Report {
		r := report("unit", map[string]string{test: ""})
		r.Items = []shard.ItemResult{{ID: "m/a", Status: shard.Passed, MS: 500, Part: i, Parts: of}}
		return r
	}
	var r Reading
	r.Add(part(1, 2, "TestB"))
	if items, tests := r.Durations(Name{Suite: "unit"}); len(items) != 0 || len(tests) != 0 {
		t.Fatalf("of one part: %v, %v", items, tests)
	}
	r = Reading{}
	r.Add(part(1, 2, "TestB"))
	r.Add(part(0, 2, "TestA"))
	items, tests := r.Durations(Name{Suite: "unit"})
	if want := shard.Rejoin([]int64{500, 500}, 14); len(items) != 1 || items[0].MS != want || len(tests["m/a"]) != 2 {
		t.Fatalf("of both: %v, %v, want %d", items, tests, want)
	}
}

func TestARunOfAFewTestsIsNoRunOfTheSuite(t *testing.T) {
	var r Reading
	narrow := report("unit", map[string]string{"TestA": "f"})
	narrow.Scope = shard.ScopeNarrow
	r.Add(narrow)
	news := Book{Suite: Suite{Runs: 3, Count: 3}}.Learn(r.Lessons(Lesson{At: noon})[0])
	if news.Suite.Count != 3 || len(news.Tests) != 1 {
		t.Fatalf("news: %+v", news)
	}
}

func TestATestIsNotExcusedWhereItIsTouched(t *testing.T) {
	book := Book{Entries: []Entry{
		{Key: "t_cart", File: "shop/cart_test.go", Since: noon, Until: noon.Add(quietTime)},
		{Key: "t_root", File: "main_test.go", Since: noon, Until: noon.Add(quietTime)},
		{Key: "t_nowhere", Since: noon, Until: noon.Add(quietTime)},
		{Key: "t_over", File: "x/x_test.go", Since: noon, Until: noon},
		{Key: "t_ended", File: "x/x_test.go", Since: noon, Until: noon.Add(quietTime), Ended: noon},
	}}
	for _, c := range []struct {
		touched []string
		want    string
	}{
		{[]string{}, "[t_cart t_root]"},
		{[]string{"docs", "shop/cart"}, "[t_cart t_root]"},
		{[]string{"shop"}, "[t_root]"},
		{[]string{"."}, "[t_cart]"},
		{[]string{""}, "[t_cart]"},
		{nil, "[]"},
	} {
		if got := fmt.Sprint(book.Excused(c.touched, noon)); got != c.want {
			t.Errorf("touching %q: %s, want %s", c.touched, got, c.want)
		}
	}
}
