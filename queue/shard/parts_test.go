package shard

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// requireParts checks what every cut of an item must be: whatever tests there are,
// each runs in exactly one part, also one that nobody knew of.
func requireParts(t interface {
	Helper()
	Fatalf(string, ...any)
}, parts []PlannedItem, tests []Sample) {
	t.Helper()
	if len(parts) == 1 {
		if parts[0].Part != nil {
			t.Fatalf("one part: %+v", parts[0].Part)
		}
		return
	}
	ran := func(name string) (n int) {
		for _, p := range parts {
			if p.Part.Index < len(parts)-1 && slices.Contains(p.Part.Only, name) || p.Part.Index == len(parts)-1 && !slices.Contains(p.Part.Without, name) {
				n++
			}
		}
		return n
	}
	for i, p := range parts {
		last := i == len(parts)-1
		if p.Part.Index != i || p.Part.Of != len(parts) || last != (len(p.Part.Only) == 0) || !last && p.Part.Without != nil || p.EstMS < 1 {
			t.Fatalf("part %d of %d is %+v, %d ms", i, len(parts), p.Part, p.EstMS)
		}
	}
	for _, test := range tests {
		if n := ran(test.Item); n != 1 {
			t.Fatalf("%s runs %d times", test.Item, n)
		}
	}
	if ran("TestNobodyKnowsOf") != 1 {
		t.Fatalf("a new test does not run once")
	}
}

func TestPartsRunEveryTestOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "tests")
		var tests []Sample
		for i := range n {
			tests = append(tests, Sample{fmt.Sprintf("Test%d", i), rapid.Int64Range(0, 5000).Draw(t, "ms")})
		}
		item := PlannedItem{ID: "m/e2e", EstMS: rapid.Int64Range(MinCut, 200_000).Draw(t, "estimate"), N: 3}
		limit := rapid.Int64Range(1, 100_000).Draw(t, "limit")
		total := rapid.IntRange(2, 12).Draw(t, "total")
		parts := divide(item, tests, limit, total)
		requireParts(t, parts, tests)
		if len(parts) > total || longestOf(parts) > item.EstMS {
			t.Fatalf("%d parts for %d shards, the longest %d of %d ms", len(parts), total, longestOf(parts), item.EstMS)
		}
		slices.Reverse(tests)
		if again := divide(item, tests, limit, total); fmt.Sprint(names(again)) != fmt.Sprint(names(parts)) {
			t.Fatalf("the cut depends on the order of the tests")
		}
	})
}

func names(parts []PlannedItem) (all []string) {
	for _, p := range parts {
		if p.Part != nil {
			all = append(all, fmt.Sprint(p.Part.Only, p.Part.Without, p.EstMS))
		}
	}
	return all
}

func TestHowAnItemIsDivided(t *testing.T) {
	four := []Sample{{"TestA", 4000}, {"TestB", 3000}, {"TestC", 2000}, {"TestD", 1000}}
	for name, c := range map[string]struct {
		estimate, limit int64
		tests           []Sample
		want            string
	}{
		"as many parts as the limit asks for":        {10_000, 5_000, four, "[[TestA TestD] [] 5000 [] [TestA TestD] 5000]"},
		"every part starts the item anew":            {12_000, 7_000, four, "[[TestA TestD] [] 7000 [] [TestA TestD] 7000]"},
		"side by side they take less":                {5_000, 2_500, four, "[[TestA TestD] [] 2500 [] [TestA TestD] 2500]"},
		"one test that takes it all is not divided":  {10_000, 3_000, []Sample{{"TestA", 9900}, {"TestB", 100}}, "[]"},
		"one test that takes most of it stands by":   {10_000, 3_000, []Sample{{"TestA", 7000}, {"TestB", 2000}, {"TestC", 1000}}, "[[TestA] [] 7000 [] [TestA] 3000]"},
		"starting is all there is":                   {10_000, 3_000, []Sample{{"TestA", 100}, {"TestB", 100}}, "[]"},
		"no test is known":                           {10_000, 3_000, nil, "[]"},
		"one test is known":                          {10_000, 3_000, four[:1], "[]"},
		"tests told twice and without a name are no": {10_000, 3_000, []Sample{{"TestA", 10}, {"TestA", 9}, {"", 8}}, "[]"},
	} {
		got := strings.Join(strings.Fields(fmt.Sprint(names(divide(PlannedItem{ID: "p", EstMS: c.estimate, N: 1}, c.tests, c.limit, 8)))), " ")
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Names become words of a command: thousands of long ones would not fit.
func TestPartsNameNoMoreThanACommandHolds(t *testing.T) {
	var tests []Sample
	for i := range 3000 {
		test := Sample{fmt.Sprintf("Test%s%d", strings.Repeat("x", 100), i), 10}
		if i%30 == 0 {
			test.MS = 5_000
		}
		tests = append(tests, test)
	}
	parts := divide(PlannedItem{ID: "p", EstMS: 530_000, N: 1}, tests, 150_000, 8)
	requireParts(t, parts, tests)
	size := 0
	for _, name := range parts[len(parts)-1].Part.Without {
		size += len(name) + 1
	}
	if len(parts) < 4 || size > maxNames || longestOf(parts) > 150_000 {
		t.Errorf("%d parts, %d bytes of names", len(parts), size)
	}
}

func TestSelectorsNameWhatARunnerSelectsBy(t *testing.T) {
	for name, c := range map[string]struct {
		runner, item string
		test         Test
		want         string
	}{
		"a Go test":                      {"go", "m/a", Test{Class: "m/a", Name: "TestX"}, "TestX"},
		"a Go example":                   {"go", "m/a", Test{Class: "m/a", Name: "ExampleX_y"}, "ExampleX_y"},
		"a Go subtest":                   {"go", "m/a", Test{Class: "m/a", Name: "TestX/y"}, ""},
		"of another package":             {"go", "m/a", Test{Class: "m/ab", Name: "TestX"}, ""},
		"a build":                        {"go", "m/a", Test{Class: "m/a", Name: "[build failed]"}, ""},
		"a pattern":                      {"go", "m/a", Test{Class: "m/a", Name: "Test.*"}, ""},
		"a function of a module":         {"pytest", "tests/test_a.py", Test{Class: "tests.test_a", Name: "test_x"}, "test_x"},
		"a method":                       {"pytest", "tests/test_a.py", Test{Class: "tests.test_a.TestB", Name: "test_x[1-a]"}, "TestB::test_x[1-a]"},
		"a method of an inner class":     {"pytest", "tests/test_a.py", Test{File: "tests/test_a.py", Class: "tests.test_a.TestB.TestC", Name: "test_x"}, "TestB::TestC::test_x"},
		"by file alone":                  {"pytest", "tests/test_a.py", Test{File: "tests/test_a.py", Name: "test_x"}, "test_x"},
		"a node id":                      {"pytest", "tests/test_a.py", Test{Name: "tests/test_a.py::TestB::test_x"}, "TestB::test_x"},
		"of a module with a like name":   {"pytest", "tests/test_a.py", Test{Class: "tests.test_ab", Name: "test_x"}, ""},
		"of this file, by a strange way": {"pytest", "tests/test_a.py", Test{File: "tests/test_a.py", Class: "suite", Name: "test_x"}, ""},
		"a hostile name":                 {"pytest", "a.py", Test{Class: "a", Name: "x\ny"}, ""},
		"of a runner without parts":      {"generic", "a", Test{Class: "a", Name: "TestX"}, ""},
	} {
		if got, ok := Selector(c.runner, c.item, c.test); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, c.want)
		}
	}
}

// Learning from parts must not make an item longer: what is cut and rejoined is as long as it was.
func TestPartsRejoinToTheItem(t *testing.T) {
	tests := []Sample{{"TestA", 4000}, {"TestB", 3000}, {"TestC", 2000}, {"TestD", 1000}}
	item := PlannedItem{ID: "p", EstMS: 12_000, N: 3}
	for range 5 {
		parts := divide(item, tests, 6_000, 8)
		if len(parts) < 2 {
			t.Fatal("not cut")
		}
		var took []int64
		for _, p := range parts {
			took = append(took, p.EstMS)
		}
		if item.EstMS = Rejoin(took, 10_000); item.EstMS != 12_000 {
			t.Fatalf("rejoined it takes %d", item.EstMS)
		}
	}
	for _, c := range []struct {
		parts  []int64
		inside int64
		want   int64
	}{{nil, 0, 0}, {[]int64{5000}, 100, 5000}, {[]int64{2000, 3000}, 9000, 5000}, {[]int64{3000, 4000}, 0, 3500}} {
		if got := Rejoin(c.parts, c.inside); got != c.want {
			t.Errorf("%v with %d inside: %d, want %d", c.parts, c.inside, got, c.want)
		}
	}
}
