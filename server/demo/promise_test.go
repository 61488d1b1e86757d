package demo

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// The demo must not call a show good in which somebody was blamed wrongly: each
// case spoils one end of a good show.
func TestTheDemoHoldsEachEndAgainstItsPromise(t *testing.T) {
	out := func(reason queue.Reason, tests ...string) queue.Entry {
		e := queue.Entry{Phase: queue.Out, End: &queue.End{Reason: reason}}
		for _, name := range tests {
			e.End.Tests = append(e.End.Tests, queue.FailedTest{Name: name})
		}
		return e
	}
	landed := queue.Entry{Phase: queue.Landed, Pinned: "new", End: &queue.End{}}
	flaky := []queue.Batch{{ID: 2, Flakes: []queue.Flake{{Attempt: 7, PRs: []int{1, 2}, Tests: []string{"TestFlaky"}}}}}
	for name, c := range map[string]struct {
		number  int
		end     queue.Entry
		batches []queue.Batch
		problem string
	}{
		"all well":                     {2, landed, flaky, ""},
		"the pair told by both names":  {4, out("conflicting_pair", "TestParcel"), flaky, ""},
		"the pair told by the test":    {4, out(queue.ChecksFailed, "TestParcel"), flaky, ""},
		"the pair not told the test":   {4, out(queue.ChecksFailed), flaky, "#4 is out without being told that TestParcel fails"},
		"the pair landed":              {4, landed, flaky, "#4 must go out"},
		"the first of the pair is out": {3, out(queue.ChecksFailed, "TestParcel"), flaky, "#3 of the pair did not land"},
		"a good one is blamed":         {2, out(queue.ChecksFailed, "TestFlaky"), flaky, "#2 is blamed for the flaky test TestFlaky"},
		"the flaky one is out":         {1, out(queue.TimedOut), flaky, "#1 is good, but is out"},
		"the flake is not on record":   {2, landed, nil, "nothing has the flake of TestFlaky on record"},
		"an old head landed":           {2, queue.Entry{Phase: queue.Landed, Pinned: "old", End: &queue.End{}}, flaky, "#2 landed at old"},
		"a pair is no word for others": {5, out("conflicting_pair"), flaky, "#5 must go out (conflict)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &show{pulls: []pull{{number: 1, promise: &promise{flake: "TestFlaky"}}, {number: 2, newest: "new", promise: &promise{}}, {number: 3, promise: &promise{}},
				{number: 4, promise: &promise{out: queue.ChecksFailed, test: "TestParcel", pair: 3}}, {number: 5, promise: &promise{out: queue.Conflict}}}}
			ended := map[int]queue.Entry{1: landed, 2: landed, 3: landed, 4: out(queue.ChecksFailed, "TestParcel"), 5: out(queue.Conflict)}
			ended[c.number] = c.end
			s.noteFlakes(queue.Rows{Batches: c.batches})
			s.noteFlakes(queue.Rows{Batches: c.batches}) // each reading tells of it again
			r := Result{Flakes: s.flakes}
			s.checkPromises(ended, &r)
			if c.problem == "" && len(r.Problems) > 0 || c.problem != "" && !slices.ContainsFunc(r.Problems, func(p string) bool { return strings.HasPrefix(p, c.problem) }) {
				t.Errorf("problems %q, want %q", r.Problems, c.problem)
			}
			if len(r.Flakes) > 1 || r.Pair == nil || r.Pair.Landed != 3 || r.Pair.Out != 4 {
				t.Errorf("flakes %v, pair %+v", r.Flakes, r.Pair)
			}
		})
	}
}

// The report says both in words.
func TestTheReportTellsThePairAndTheFlake(t *testing.T) {
	var text strings.Builder
	Result{
		Pair: &PairResult{Landed: 17, Out: 18, Reason: "checks_failed", Tests: []string{"TestAnOrderFitsOneParcel"}},
		Flakes: []FlakeResult{{Batch: 2, Attempt: 3, PullRequests: []int{4, 5}, Tests: []string{"TestRecount"}},
			{Batch: 4, Attempt: 6, PullRequests: []int{9}, Tests: []string{"TestSlow"}, Shard: "unit 2 of 4"}},
	}.tellPromises(&text)
	for _, want := range []string{"#17 landed; #18, green without it and red with it, is out: checks_failed TestAnOrderFitsOneParcel\n",
		"TestRecount was red once with #4 #5 and green after; all of them landed, nobody is blamed (on record in batch 2)\n",
		"TestSlow was red once with #9 and green when shard unit 2 of 4 ran it again; no run was lost, nobody is blamed (on record in batch 4)\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, text.String())
		}
	}
}

// A flake that a shard met and ran again is on record, too, once however often it is read.
func TestTheDemoNotesTheFlakesOfShards(t *testing.T) {
	// Given an attempt of two with a shard that ran a red test again
	rows := queue.Rows{Attempts: []queue.Attempt{{ID: 6, Batch: 4, Members: []queue.Member{{PR: 9}, {PR: 10}},
		Shards: []queue.Shard{{Suite: "unit", Total: 4}, {Suite: "unit", Index: 1, Total: 4, Flaky: []queue.FailedTest{{Name: "TestSlow"}}}}}}}
	s := &show{}
	// When it is read twice
	s.noteFlakes(rows)
	s.noteFlakes(rows)
	// Then it is there once
	want := FlakeResult{Batch: 4, Attempt: 6, PullRequests: []int{9, 10}, Tests: []string{"TestSlow"}, Shard: "unit 2 of 4"}
	if len(s.flakes) != 1 || !reflect.DeepEqual(s.flakes[0], want) {
		t.Errorf("noted %+v, want %+v", s.flakes, want)
	}
}
