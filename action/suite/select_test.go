package suite

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// What -run is given must never leave out a test that was asked for.
func TestPatternNamesTopLevels(t *testing.T) {
	for _, c := range []struct {
		only []string
		want string
	}{
		{nil, ""},
		{[]string{"TestA"}, "^(TestA)$"},
		{[]string{"TestB/two/deep", "TestA", "TestB/one", "ExampleC", "FuzzÄ_1/seed#0"}, "^(ExampleC|FuzzÄ_1|TestA|TestB)$"},
		{[]string{"TestA", "[build failed]"}, ""},
		{[]string{"TestA", "go test ./..."}, ""},
		{[]string{"Test.*"}, ""},
		{[]string{"TestA|B"}, ""},
		{[]string{""}, ""},
	} {
		if got := (Suite{Only: c.only}).pattern(); got != c.want {
			t.Errorf("%q: pattern %q, want %q", c.only, got, c.want)
		}
	}
}

// A narrow run runs the tests asked for and nothing beside them, also with a
// command that says where the pattern goes.
func TestOnlyTheTestsAskedForAreRun(t *testing.T) {
	s := module(t, map[string]string{
		"a/a_test.go": testFile("a", "func TestIn(t *testing.T) {\n\tt.Run(\"sub\", func(t *testing.T) {})\n}\n\nfunc TestBeside(t *testing.T) { t.Fatal(\"not asked for\") }"),
		"b/b_test.go": testFile("b", "func TestElse(t *testing.T) { t.Fatal(\"not asked for\") }"),
	})
	for _, command := range []string{"", "go test -json -count=1 -run {run} {tests}"} {
		// Given tests of which one is not there at all: the pull request that brings it is elsewhere
		s.Command, s.Only = command, []string{"TestIn/sub", "TestNotThere"}
		var out bytes.Buffer
		// When they are run in both packages
		r, err := s.Run(context.Background(), []string{"example.com/m/a", "example.com/m/b"}, nil, &out)
		if err != nil {
			t.Fatal(err)
		}
		// Then the packages are green and one test and its subtest ran
		var ran []string
		for _, test := range r.Tests {
			ran = append(ran, test.Name)
		}
		slices.Sort(ran)
		if v := judge(t, s, r); v.Result != shard.ResultPassed || strings.Join(ran, " ") != "TestIn TestIn/sub" || len(r.Items) != 2 {
			t.Errorf("%q: %s, ran %q, items %v\n%s", command, v.Result, ran, r.Items, &out)
		}
	}
	// And without a list everything is
	s.Command, s.Only = "go test -json -count=1 -run {run} {tests}", nil
	r, v, _ := runAll(t, s)
	if len(r.Failing()) != 2 || v.Result != shard.ResultFailed {
		t.Errorf("%s, failing %+v", v.Result, r.Failing())
	}
}
