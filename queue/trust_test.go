package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// reported is an attempt of one suite of two shards, both of which reported green
// from a run that GitHub lists as the push of the ticket, in jobs that are green.
func reported() *Attempt {
	a := &Attempt{ID: 41, Phase: AttemptTesting, New: "c", Ticket: "mainstay/main/41", PushedAt: dawn, SignAt: dawn, DoneAt: dawn, Plan: Plan{Suites: map[string]int{"unit": 2}}}
	a.Results = Results{ReadAt: dawn.Add(time.Hour), Runs: []Run{{ID: 100, Event: "push", Branch: a.Ticket, Suite: 9, Path: ".github/workflows/test.yml", Status: "completed", Conclusion: "success"}}}
	for i := range 2 {
		id := int64(900 + i)
		a.Results.Checks = append(a.Results.Checks, CheckResult{ID: id, Name: "test", App: ActionsApp, Suite: 9, Status: "completed", Conclusion: "success"})
		a.Shards = append(a.Shards, Shard{Suite: "unit", Index: i, Total: 2, CheckRun: id, RunID: 100, RunTry: 1, Result: shard.ResultPassed})
	}
	return a
}

// A green report is worth nothing by itself: green needs GitHub's own word on that
// job, of a run that GitHub lists as the push of the ticket.
func TestAReportCanLowerAndNeverRaise(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Attempt)
		want   verdictState
	}{
		"all as it should be":                {func(*Attempt) {}, passed},
		"the job is still under way":         {func(a *Attempt) { a.Results.Checks[1].Status, a.Results.Checks[1].Conclusion = "in_progress", "" }, pending},
		"the job failed":                     {func(a *Attempt) { a.Results.Checks[1].Conclusion = "failure" }, failed},
		"the job was skipped":                {func(a *Attempt) { a.Results.Checks[1].Conclusion = "skipped" }, failed},
		"the job is neutral":                 {func(a *Attempt) { a.Results.Checks[1].Conclusion = "neutral" }, failed},
		"the job was cancelled":              {func(a *Attempt) { a.Results.Checks[1].Conclusion = "cancelled" }, failed},
		"the job is stale":                   {func(a *Attempt) { a.Results.Checks[1].Conclusion = "stale" }, failed},
		"the job asks for action":            {func(a *Attempt) { a.Results.Checks[1].Conclusion = "action_required" }, failed},
		"the job has no conclusion":          {func(a *Attempt) { a.Results.Checks[1].Conclusion = "" }, failed},
		"the report is red, the job green":   {func(a *Attempt) { a.Shards[1].Result = shard.ResultFailed }, failed},
		"the report is an error":             {func(a *Attempt) { a.Shards[1].Result = shard.ResultError }, failed},
		"GitHub never listed the run":        {func(a *Attempt) { a.Results.Runs = nil }, pending},
		"the run is a pull request's":        {func(a *Attempt) { a.Results.Runs[0].Event = "pull_request" }, pending},
		"the run was started by hand":        {func(a *Attempt) { a.Results.Runs[0].Event = "workflow_dispatch" }, pending},
		"the run is of another branch":       {func(a *Attempt) { a.Results.Runs[0].Branch = "topic" }, pending},
		"the run is of another ticket":       {func(a *Attempt) { a.Results.Runs[0].Branch = "mainstay/main/40" }, pending},
		"the report is of an unlisted run":   {func(a *Attempt) { a.Shards[1].RunID = 101 }, pending},
		"the job is another run's":           {func(a *Attempt) { a.otherRun(); a.Shards[1].CheckRun = 910 }, pending},
		"the job is another App's check run": {func(a *Attempt) { a.Results.Checks[1].Suite = 77 }, pending},
		"only the run is known, and green":   {func(a *Attempt) { a.Shards[0].CheckRun, a.Shards[1].CheckRun = 0, 0 }, passed},
		"only the run is known, and running": {func(a *Attempt) {
			a.Shards[1].CheckRun, a.Results.Runs[0].Status, a.Results.Runs[0].Conclusion = 0, "in_progress", ""
		}, pending},
		"a second workflow reports half": {func(a *Attempt) {
			a.otherRun()
			a.Results.Runs[1].Status = "in_progress"
			a.Shards = append(a.Shards, a.otherShard(0))
		}, pending},
		"a second workflow reports all": {func(a *Attempt) {
			a.otherRun()
			a.Shards = append(a.Shards, a.otherShard(0), a.otherShard(1))
		}, passed},
		"one report for two of one index": {func(a *Attempt) { a.Shards[1].Index = 0 }, pending},
	} {
		t.Run(name, func(t *testing.T) {
			a := reported()
			c.change(a)
			if v := a.judgeFacts(dawn, Defaults()); v.state != c.want && !(c.want == pending && v.state == failed && v.tests == nil && strings.Contains(v.detail, "only ")) {
				t.Fatalf("judged %v (%s), want %v", v.state, v.detail, c.want)
			}
		})
	}
}

// Linux reported green; the jobs of the same matrix on Windows have told nothing.
func TestAMatrixIsNotGreenBeforeItsOtherJobs(t *testing.T) {
	for name, c := range map[string]struct {
		job, status, conclusion, run string
		want                         verdictState
	}{
		"wait for a machine":         {"test (windows, 0)", "queued", "", "", pending},
		"run":                        {"test (windows, 0)", "in_progress", "", "", pending},
		"broke before they reported": {"test (windows, 0)", "completed", "failure", "failure", failed},
		"broke, the run goes on":     {"test (windows, 0)", "completed", "failure", "", pending},
		"were cancelled":             {"test (windows, 0)", "completed", "cancelled", "cancelled", failed},
		"may fail, by the workflow":  {"test (windows, 0)", "completed", "failure", "success", passed},
		"were skipped":               {"test (windows, 0)", "completed", "skipped", "success", passed},
		"are green":                  {"test (windows, 0)", "completed", "success", "success", passed},
		"are none: another job":      {"lint", "completed", "failure", "failure", passed},
		"are none: another matrix":   {"lint (windows)", "in_progress", "", "", passed},
	} {
		t.Run(name, func(t *testing.T) {
			a := reported()
			a.Results.Checks[0].Name, a.Results.Checks[1].Name = "test (linux, 0)", "test (linux, 1)"
			a.Results.Checks = append(a.Results.Checks, CheckResult{ID: 950, Name: c.job, App: ActionsApp, Suite: 9, Status: c.status, Conclusion: c.conclusion})
			if a.Results.Runs[0].Conclusion = c.run; c.run == "" {
				a.Results.Runs[0].Status = "in_progress"
			}
			if v := a.judgeFacts(dawn, Defaults()); v.state != c.want {
				t.Fatalf("judged %v (%s), want %v", v.state, v.detail, c.want)
			}
		})
	}
}

// otherRun adds a second workflow that the same push started, with a green job.
func (a *Attempt) otherRun() {
	a.Results.Runs = append(a.Results.Runs, Run{ID: 200, Event: "push", Branch: a.Ticket, Suite: 10, Path: ".github/workflows/other.yml", Status: "completed", Conclusion: "success"})
	a.Results.Checks = append(a.Results.Checks, CheckResult{ID: 910, Name: "other", App: ActionsApp, Suite: 10, Status: "completed", Conclusion: "success"},
		CheckResult{ID: 911, Name: "other", App: ActionsApp, Suite: 10, Status: "completed", Conclusion: "success"})
}

func (a *Attempt) otherShard(i int) Shard {
	return Shard{Suite: "unit", Index: i, Total: 2, CheckRun: int64(910 + i), RunID: 200, RunTry: 1, Result: shard.ResultPassed}
}

// A pull request that adds a workflow which says "all green" first cannot silence
// the suite: each run's shards stand for themselves, and red stays red.
func TestAnotherWorkflowCannotSilenceASuite(t *testing.T) {
	// Given that a workflow of the pull request's own reported all of the suite green
	a := reported()
	a.otherRun()
	a.Shards = []Shard{a.otherShard(0), a.otherShard(1)}
	s := step{State: &State{attempts: []*Attempt{a}}, now: dawn}
	// When the real one reports shard 1 red
	s.noteShard("c", Shard{Suite: "unit", Index: 1, Total: 2, CheckRun: 901, RunID: 100, RunTry: 1, Result: shard.ResultFailed, Failed: []FailedTest{{Name: "TestPay"}}})
	// Then the attempt is red
	if v := a.judgeFacts(dawn, Defaults()); v.state != failed || len(v.tests) != 1 || v.tests[0].Name != "TestPay" {
		t.Fatalf("judged %+v", v)
	}
}

// Two checks of one name must both pass, and so must a status of that name.
func TestAllChecksOfOneNameMustPass(t *testing.T) {
	type look struct{ status, conclusion string }
	green, red, busy := look{"completed", "success"}, look{"completed", "failure"}, look{"in_progress", ""}
	for name, c := range map[string]struct {
		checks  []look
		states  []string
		skipped bool
		want    verdictState
	}{
		"none":                              {want: pending},
		"one green":                         {checks: []look{green}, want: passed},
		"both green":                        {checks: []look{green, green}, want: passed},
		"first red":                         {checks: []look{red, green}, want: failed},
		"second red":                        {checks: []look{green, red}, want: failed},
		"one under way":                     {checks: []look{green, busy}, want: pending},
		"one red, one under way":            {checks: []look{busy, red}, want: failed},
		"one skipped":                       {checks: []look{green, {"completed", "skipped"}}, want: failed},
		"one skipped where that is fine":    {checks: []look{green, {"completed", "skipped"}}, skipped: true, want: passed},
		"one neutral":                       {checks: []look{green, {"completed", "neutral"}}, want: failed},
		"one cancelled, skips being fine":   {checks: []look{green, {"completed", "cancelled"}}, skipped: true, want: failed},
		"one stale":                         {checks: []look{green, {"completed", "stale"}}, want: failed},
		"one that timed out":                {checks: []look{green, {"completed", "timed_out"}}, want: failed},
		"one that could not start":          {checks: []look{green, {"completed", "startup_failure"}}, want: failed},
		"one with a word nobody knows":      {checks: []look{green, {"completed", "fine"}}, want: failed},
		"waiting for a person":              {checks: []look{green, {"waiting", ""}}, want: pending},
		"a status, green":                   {states: []string{"success"}, want: passed},
		"a status with a word nobody knows": {states: []string{"perhaps"}, want: pending},
		"a status without a word":           {states: []string{""}, want: pending},
		"a check and a status, one red":     {checks: []look{green}, states: []string{"failure"}, want: failed},
		"a check and a status, one pending": {checks: []look{green}, states: []string{"pending"}, want: pending},
		"two statuses, one in error":        {states: []string{"success", "error"}, want: failed},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Attempt{Ticket: "mainstay/main/41", Results: Results{Runs: []Run{{ID: 1, Event: "push", Branch: "mainstay/main/41", Suite: 9}}}}
			for i, l := range c.checks {
				a.Results.Checks = append(a.Results.Checks, CheckResult{ID: int64(i), Name: "build", App: ActionsApp, Suite: 9, Status: l.status, Conclusion: l.conclusion})
			}
			for _, s := range c.states {
				a.Results.Statuses = append(a.Results.Statuses, StatusLine{Context: "build", State: s})
			}
			if got, detail := a.judgeCheck(NamedCheck{Name: "build", SkippedOK: c.skipped}); got != c.want {
				t.Fatalf("judged %v (%s), want %v", got, detail, c.want)
			}
		})
	}
}
