package flake

import (
	"fmt"
	"testing"
	"time"
)

// A test that failed where another file helps is still the test of its own folder,
// and a path that says nothing of the repository is none.
func TestWhereATestStandsIsDoubted(t *testing.T) {
	for name, c := range map[string]struct {
		file, class string
		touched     []string
		excused     bool
	}{
		"untouched":                          {"shop/cart_test.go", "example.com/shop", []string{"docs"}, true},
		"the failure points at a helper":     {"testutil/wait.go", "example.com/mono/shop", []string{"shop"}, false},
		"of a Python module, told by dots":   {"lib/helper.py", "tests.unit.test_cart.TestCart", []string{"tests/unit"}, false},
		"a class that only sounds alike":     {"lib/helper.py", "tests.unit.test_cart.TestCart", []string{"unit/test", "cart"}, true},
		"what it reads":                      {"shop/cart_test.go", "", []string{"shop/testdata/orders"}, false},
		"what it reads, at the root":         {"cart_test.go", "", []string{"testdata"}, false},
		"what another one reads":             {"shop/cart_test.go", "", []string{"mail/testdata"}, true},
		"a snapshot":                         {"web/cart.test.ts", "web/cart.test.ts", []string{"web/__snapshots__"}, false},
		"a path of the runner's machine":     {"/home/runner/_work/shop/shop/cart_test.go", "", []string{}, false},
		"a path of another machine":          {`shop\cart_test.go`, "", []string{}, false},
		"a drive":                            {`C:/shop/cart_test.go`, "", []string{}, false},
		"a path out of the repository":       {"shop/../../cart_test.go", "", []string{}, false},
		"a folder with a slash too many":     {"shop/cart_test.go", "", []string{"shop/"}, false},
		"a file written in a roundabout way": {"./shop/../shop/cart_test.go", "", []string{"shop"}, false},
	} {
		b := Book{Entries: []Entry{{Key: "t", File: c.file, Class: c.class, Since: noon, Until: noon.Add(time.Hour)}}}
		if got := len(b.Excused(c.touched, noon)) == 1; got != c.excused {
			t.Errorf("%s: excused = %v", name, got)
		}
	}
}

// When the database is down half of the suite fails. None of these tests is a flake
// for that, and the run still was one.
func TestWhatFailsTogetherIsNobodysFlake(t *testing.T) {
	l := Lesson{Name: "attempt/1/1", Commit: "c", At: noon, Tests: 1000, Term: time.Hour}
	for i := range MostTests + 1 {
		l.Failed = append(l.Failed, Test{Key: fmt.Sprint("t_", i)})
	}
	if news := (Book{}).Learn(l); len(news.Tests) != 0 || len(news.Entries) != 0 || news.Suite.Count != 1 {
		t.Fatalf("learnt: %+v", news)
	}
	l.Failed = l.Failed[1:]
	if news := (Book{}).Learn(l); len(news.Tests) != MostTests {
		t.Fatalf("%d of %d failures count", len(news.Tests), MostTests)
	}
}
