package queue

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// What a job that waits for its suites is told: reports decide, GitHub's word can
// lower them, and no other check is waited for.
func TestWhatTheSuitesOfAnAttemptComeTo(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Attempt)
		state  SuiteState
		says   string
	}{
		"all green":                      {func(*Attempt) {}, SuitesPassed, ""},
		"the jobs' end is not seen yet":  {func(a *Attempt) { a.Results = Results{} }, SuitesPassed, ""},
		"another check is under way":     {func(a *Attempt) { a.Plan.Checks = []NamedCheck{{Name: "verify"}} }, SuitesPassed, ""},
		"flaky is green":                 {func(a *Attempt) { a.Shards[0].Result = shard.ResultFlaky }, SuitesPassed, ""},
		"a shard runs":                   {func(a *Attempt) { a.Shards[1].Result, a.Results = "", Results{} }, SuitesPending, "shard 2 of 2"},
		"a shard never began":            {func(a *Attempt) { a.Shards, a.Results = a.Shards[:1], Results{} }, SuitesPending, "suite `unit`"},
		"nothing began":                  {func(a *Attempt) { a.Shards, a.Results = nil, Results{} }, SuitesPending, "suite `unit`"},
		"nothing is planned or began":    {func(a *Attempt) { a.Shards, a.Plan, a.Results = nil, Plan{}, Results{} }, SuitesPending, ""},
		"an unplanned suite runs":        {func(a *Attempt) { a.Shards = append(a.Shards, Shard{Suite: "web", Total: 1}) }, SuitesPending, "`web`"},
		"a red report":                   {func(a *Attempt) { a.Shards[1].Result = shard.ResultFailed }, SuitesFailed, "shard 2 of 2"},
		"a red report, a shard runs":     {func(a *Attempt) { a.Shards[1].Result, a.Shards[0].Result = shard.ResultFailed, "" }, SuitesFailed, "shard 2 of 2"},
		"an error":                       {func(a *Attempt) { a.Shards[1].Result = shard.ResultError }, SuitesFailed, "without naming a test"},
		"green, but its job failed":      {func(a *Attempt) { a.Results.Checks[0].Conclusion = "failure" }, SuitesFailed, "concluded failure"},
		"a report is lost, being sought": {func(a *Attempt) { a.Shards[1].Result, a.Shards[1].Sought, a.SeekingAt = "", true, dawn }, SuitesPending, "shard 2 of 2"},
		"a report is lost for good":      {func(a *Attempt) { a.Shards[1].Result, a.Shards[1].Sought = "", true }, SuitesIncomplete, "without a report"},
		"another total":                  {func(a *Attempt) { a.Shards[1].Total = 3 }, SuitesIncomplete, "2 were expected"},
		"another list of tests":          {func(a *Attempt) { a.Shards[0].Inventory, a.Shards[1].Inventory = "a", "b" }, SuitesIncomplete, "same list"},
		"given up meanwhile": {func(a *Attempt) {
			a.Phase, a.Cause, a.Shards[1].Result, a.Results = AttemptAbandoning, "the base moved", "", Results{}
		}, SuitesCancelled, "the base moved"},
		"red and given up": {func(a *Attempt) { a.Phase, a.Shards[1].Result = AttemptDead, shard.ResultFailed }, SuitesFailed, ""},
		"landed":           {func(a *Attempt) { a.Phase, a.Shards = AttemptLanded, nil }, SuitesPassed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := reported()
			c.change(a)
			if v := a.SuiteVerdict(); v.State != c.state || !strings.Contains(v.Detail, c.says) {
				t.Fatalf("told %+v, want %s and %q", v, c.state, c.says)
			}
		})
	}
}

// One job is one shard of a suite, and one shard is one job.
func TestOneJobIsOneShard(t *testing.T) {
	job := func(change func(*Shard)) Shard {
		sh := Shard{Suite: "unit", Index: 0, Total: 2, CheckRun: 900, RunID: 100, RunTry: 1}
		change(&sh)
		return sh
	}
	for name, c := range map[string]struct {
		shard Shard
		fine  bool
	}{
		"itself again":                   {job(func(*Shard) {}), true},
		"another shard":                  {job(func(s *Shard) { s.Index = 1 }), false},
		"another variant":                {job(func(s *Shard) { s.Variant = "windows" }), false},
		"another suite":                  {job(func(s *Shard) { s.Suite = "web" }), true},
		"another job":                    {job(func(s *Shard) { s.CheckRun = 955 }), false},
		"another job, run again":         {job(func(s *Shard) { s.CheckRun, s.RunTry = 955, 2 }), true},
		"the job's shard when run again": {job(func(s *Shard) { s.CheckRun, s.RunTry, s.Index = 955, 2, 1 }), true},
		"another workflow's":             {job(func(s *Shard) { s.CheckRun, s.RunID = 955, 200 }), true},
		"a job GitHub does not name":     {job(func(s *Shard) { s.CheckRun = 0 }), true},
	} {
		t.Run(name, func(t *testing.T) {
			a := reported()
			if says := a.Clash(c.shard); (says == "") != c.fine {
				t.Fatalf("told %q", says)
			}
		})
	}
	// What came too close to be refused at the door is not booked either.
	a := reported()
	s := step{State: &State{attempts: []*Attempt{a}}, now: dawn}
	s.noteShard("c", job(func(s *Shard) { s.Index, s.RunTry = 7, 1 }))
	if len(a.Shards) != 2 {
		t.Fatalf("booked %+v", a.Shards)
	}
}

// What GitHub told of a run is held against what a job of it says.
func TestARunIsWhatGitHubSaysItIs(t *testing.T) {
	a := reported()
	a.Results.Runs = append(a.Results.Runs, Run{ID: 101, Event: "pull_request", Branch: a.Ticket}, Run{ID: 102, Event: "push", Branch: "topic"}, Run{ID: 103, Event: "push", Branch: a.Ticket})
	const own = ".github/workflows/test.yml"
	for name, c := range map[string]struct {
		run      int64
		workflow string
		disowned bool
	}{
		"the run":                     {100, own, false},
		"another workflow":            {100, ".github/workflows/fake.yml", true},
		"a token without a workflow":  {100, "", false},
		"a run without a path":        {103, own, false},
		"of another event":            {101, own, true},
		"of another branch":           {102, own, true},
		"not told of yet":             {999, own, false},
		"not told of, of a workflow?": {999, ".github/workflows/fake.yml", false},
	} {
		if got := a.Disowns(c.run, c.workflow); got != c.disowned {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// An attempt takes so many shards and no more, whatever a job says it is.
func TestShardsOfAnAttemptAreBounded(t *testing.T) {
	a := reported()
	s := step{State: &State{attempts: []*Attempt{a}}, now: dawn}
	for i := range mostShards + 50 {
		s.noteShard("c", Shard{Suite: "flood", Index: i, Total: 10000, RunID: 100, RunTry: 1})
	}
	if len(a.Shards) != mostShards {
		t.Fatalf("booked %d shards", len(a.Shards))
	}
	s.noteShard("c", Shard{Suite: "flood", Index: 0, Total: 10000, RunID: 100, RunTry: 1, Result: shard.ResultFailed})
	if v := a.judgeFacts(dawn, Defaults()); v.state != failed {
		t.Fatalf("a known shard's report was dropped: %+v", v)
	}
}
