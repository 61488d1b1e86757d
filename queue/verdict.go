package queue

import (
	"fmt"
	"sort"
	"time"
)

// verdict is what an attempt's facts come to. It is computed each time, never stored first.
type verdict struct {
	state  verdictState
	reason Reason
	detail string
	next   string
	tests  []FailedTest
	// seek: it would be red for want of a report which may lie at GitHub.
	seek bool
}

type verdictState int

const (
	pending verdictState = iota
	passed
	failed
)

// judge computes the verdict. Where it is red only for want of a report, it waits
// until GitHub was asked for one that did not reach us.
func (a *Attempt) judge(now time.Time, s Settings) verdict {
	v := a.judgeFacts(now, s)
	if v.state == failed && v.reason == ChecksFailed && len(v.tests) == 0 && a.awaitsReports(now) {
		return verdict{state: pending, seek: true}
	}
	return v
}

// judgeFacts is red as soon as anything that counts is red, green only when
// everything the plan names was seen green, never by absence.
func (a *Attempt) judgeFacts(now time.Time, s Settings) verdict {
	if v := a.judgeShards(); v.state == failed {
		return v
	}
	missing, shown := "", false
	for _, c := range a.Plan.Checks {
		switch state, detail := a.judgeCheck(c); state {
		case failed:
			return a.red(detail)
		case pending:
			missing, shown = "check "+code(c.Name), shown || detail != ""
		}
	}
	for _, suite := range sortedNames(a.Plan.Suites) {
		switch state, detail := a.judgeSuite(suite, a.Plan.Suites[suite], a.green); state {
		case failed:
			return a.red(detail)
		case pending:
			missing = "suite " + code(suite)
		}
	}
	if len(a.Plan.Suites) > 0 {
		switch state, detail := a.judgeSiblings(); state {
		case failed:
			return a.red(detail)
		case pending:
			if missing == "" {
				missing = detail
			}
		}
	}
	if !a.Plan.Named() {
		state, detail := a.judgeRuns()
		if state == failed {
			return a.red(detail)
		}
		if state == pending {
			missing = "its workflow runs"
		}
	}
	if missing == "" {
		return verdict{state: passed}
	}
	if !shown && a.runsDone() && !now.Before(a.DoneAt.Add(s.StartLimit)) {
		return verdict{state: failed, reason: NeverStarted, next: runWorkflow,
			detail: fmt.Sprintf("Its workflow runs ended, but %s never showed on %s.", missing, code(a.Ticket))}
	}
	return a.judgeTime(now, s, missing)
}

func (a *Attempt) red(detail string) verdict {
	return verdict{state: failed, reason: ChecksFailed, detail: detail, tests: a.failedTests(),
		next: mendIt}
}

const mendIt = "Mend it, push, and set the label again."

const runWorkflow = "Let a workflow run on this branch: on: {push: {branches: [\"mainstay/**\"]}}."

// judgeTime says whether an attempt has waited too long for what is missing.
func (a *Attempt) judgeTime(now time.Time, s Settings, missing string) verdict {
	switch {
	case a.SignAt.IsZero() && !now.Before(a.PushedAt.Add(s.StartLimit)):
		return verdict{state: failed, reason: NeverStarted, next: runWorkflow,
			detail: fmt.Sprintf("Nothing started on %s within %s.", code(a.Ticket), s.StartLimit)}
	case !a.SignAt.IsZero() && a.QueuedAt.IsZero() && !a.RunAt.IsZero() && !now.Before(a.RunAt.Add(a.runLimit(s))):
		return verdict{state: failed, reason: TimedOut, tests: a.failedTests(),
			detail: fmt.Sprintf("Still waiting for %s after running for %s.", missing, roughly(a.runLimit(s))),
			next:   "Look at the run, then set the label again."}
	}
	return verdict{state: pending}
}

// judgeShards finds a red shard; a report can lower a result, never raise one.
func (a *Attempt) judgeShards() verdict {
	for _, sh := range a.Shards {
		if sh.Result != "" && !sh.Result.Green() {
			return a.red(sh.redText())
		}
		if state, conclusion := a.job(sh); state == failed {
			return a.red(fmt.Sprintf("The job of %s concluded %s.", sh.label(), conclusion))
		}
		if state, _ := a.job(sh); state == passed && sh.Result == "" {
			return a.red(fmt.Sprintf("The job of %s ended without a report.", sh.label()))
		}
	}
	return verdict{}
}

func (sh Shard) redText() string {
	if len(sh.Failed) == 0 {
		return fmt.Sprintf("%s ended in error without naming a test.", sh.label())
	}
	return fmt.Sprintf("%s failed.", sh.label())
}

func (sh Shard) label() string {
	name := fmt.Sprintf("shard %d of %d of %s", sh.Index+1, sh.Total, code(sh.Suite))
	if sh.Variant != "" {
		name += " (" + code(sh.Variant) + ")"
	}
	return name
}

// job is GitHub's own word on a shard's job, from a run that counts: the shard's
// own, which GitHub lists as started by the push of the ticket. Without that there
// is no word, whatever was reported.
func (a *Attempt) job(sh Shard) (verdictState, string) {
	run := a.run(sh.RunID)
	switch {
	case run == nil || !a.counts(*run):
		return pending, ""
	case sh.CheckRun == 0:
		return concluded(run.Status, run.Conclusion, false), run.Conclusion
	}
	for _, c := range a.Results.Checks {
		if c.ID == sh.CheckRun && c.Suite == run.Suite {
			return concluded(c.Status, c.Conclusion, false), c.Conclusion
		}
	}
	return pending, ""
}

// run is the workflow run of an id; nil when GitHub has not listed it.
func (a *Attempt) run(id int64) *Run {
	for i := range a.Results.Runs {
		if a.Results.Runs[i].ID == id {
			return &a.Results.Runs[i]
		}
	}
	return nil
}

// counts reports whether the push of the ticket started a run.
func (a *Attempt) counts(r Run) bool { return r.Event == "push" && r.Branch == a.Ticket }

// green reports whether a shard passed by its own report and by GitHub's word.
func (a *Attempt) green(sh Shard) bool {
	state, _ := a.job(sh)
	return state == passed && sh.Result.Green()
}

// counting is the check suites of runs that count: event push, on the ticket.
func (a *Attempt) counting() map[int64]bool {
	suites := map[int64]bool{}
	for _, r := range a.Results.Runs {
		if a.counts(r) {
			suites[r.Suite] = true
		}
	}
	return suites
}

// concluded reads GitHub's words: skipped, neutral, cancelled and stale are not green.
func concluded(status, conclusion string, skippedOK bool) verdictState {
	switch {
	case status != "completed":
		return pending
	case conclusion == "success", skippedOK && (conclusion == "skipped" || conclusion == "neutral"):
		return passed
	}
	return failed
}

// judgeCheck looks a named check up among check runs and statuses; all of one name must pass.
func (a *Attempt) judgeCheck(c NamedCheck) (verdictState, string) {
	counting := a.counting()
	seen, state := false, passed
	for _, r := range a.Results.Checks {
		if r.Name != c.Name || c.App != 0 && r.App != c.App || r.App == ActionsApp && !counting[r.Suite] {
			continue
		}
		seen = true
		switch concluded(r.Status, r.Conclusion, c.SkippedOK) {
		case failed:
			return failed, fmt.Sprintf("Check %s concluded %s.", code(c.Name), r.Conclusion)
		case pending:
			state = pending
		}
	}
	for _, s := range a.Results.Statuses {
		if s.Context != c.Name || c.App != 0 && s.App != c.App {
			continue
		}
		seen = true
		switch s.State {
		case "failure", "error":
			return failed, fmt.Sprintf("Status %s is %s.", code(c.Name), s.State)
		case "success":
		default:
			state = pending
		}
	}
	if seen && state == pending {
		return pending, fmt.Sprintf("Check %s is under way.", code(c.Name))
	}
	if !seen {
		return pending, ""
	}
	return state, ""
}

// judgeSuite adds a suite's shards up, each variant of each run for itself: a
// workflow that a pull request adds can't speak in place of another. What makes a
// shard green is the caller's to say.
func (a *Attempt) judgeSuite(suite string, total int, green func(Shard) bool) (verdictState, string) {
	variants := a.wholes(suite)
	if len(variants) == 0 {
		if a.runsDone() && a.quiet() {
			return failed, fmt.Sprintf("The workflow runs ended, but suite %s did not report.", code(suite))
		}
		return pending, ""
	}
	state := passed
	for _, variant := range sortedNames(variants) {
		s, detail := a.judgeVariant(variants[variant], total, green)
		if s == failed {
			return failed, detail
		}
		if s == pending {
			state = pending
		}
	}
	return state, ""
}

// wholes are a suite's shards, each variant of each run for itself.
func (a *Attempt) wholes(suite string) map[string][]Shard {
	wholes := map[string][]Shard{}
	for _, sh := range a.Shards {
		if sh.Suite == suite {
			key := fmt.Sprintf("%s\x1f%d", sh.Variant, sh.RunID)
			wholes[key] = append(wholes[key], sh)
		}
	}
	return wholes
}

func (a *Attempt) judgeVariant(shards []Shard, total int, green func(Shard) bool) (verdictState, string) {
	want := shards[0].Total
	if total > 0 {
		want = total
	}
	ended := map[int]bool{}
	for _, sh := range shards {
		if sh.Total != want {
			return failed, fmt.Sprintf("%s is one of %d; %d were expected.", sh.label(), sh.Total, want)
		}
		if sh.Inventory != "" && shards[0].Inventory != "" && sh.Inventory != shards[0].Inventory {
			return failed, fmt.Sprintf("The shards of %s did not see the same list of tests.", code(sh.Suite))
		}
		if green(sh) {
			ended[sh.Index] = true
		}
	}
	if len(ended) == want {
		return covered(shards)
	}
	if a.runsDone() && a.quiet() && len(shards) < want {
		return failed, fmt.Sprintf("The workflow runs ended, but only %d of %d shards of %s reported.",
			len(shards), want, code(shards[0].Suite))
	}
	return pending, ""
}

// runsDone reports whether there was a counting run and all have concluded.
func (a *Attempt) runsDone() bool {
	n := 0
	for _, r := range a.Results.Runs {
		if !a.counts(r) {
			continue
		}
		if r.Status != "completed" {
			return false
		}
		n++
	}
	return n > 0
}

// quiet reports whether no workflow run appeared for a while, as seen by a reading
// made after that while: another workflow may be slow to show.
func (a *Attempt) quiet() bool { return a.Results.ReadAt.Sub(a.NewRunAt) >= quietTime }

// needsQuiet reports whether the verdict may hang on the quiet time: where nothing
// is named, and before a suite is said to be missing.
func (a *Attempt) needsQuiet() bool { return !a.Plan.Named() || len(a.Plan.Suites) > 0 }

// judgeRuns is the plan that names nothing: every counting run green, at least
// one, and none new for a while as seen by a reading made after that while.
func (a *Attempt) judgeRuns() (verdictState, string) {
	for _, r := range a.Results.Runs {
		if a.counts(r) && concluded(r.Status, r.Conclusion, false) == failed {
			return failed, fmt.Sprintf("Workflow %s concluded %s.", code(r.Name), r.Conclusion)
		}
	}
	if a.runsDone() && a.quiet() {
		return passed, ""
	}
	return pending, ""
}

func (a *Attempt) failedTests() []FailedTest {
	var tests []FailedTest
	seen := map[string]bool{} // a test that fails in two variants is one
	for _, sh := range a.Shards {
		for _, f := range sh.Failed {
			if key := f.key(); !seen[key] {
				seen[key] = true
				tests = append(tests, f)
			}
		}
	}
	return tests
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
