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
}

type verdictState int

const (
	pending verdictState = iota
	passed
	failed
)

// judge computes the verdict: red as soon as anything that counts is red, green
// only when everything the plan names was seen green, never by absence.
func (a *Attempt) judge(now time.Time, s Settings) verdict {
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
		switch state, detail := a.judgeSuite(suite, a.Plan.Suites[suite]); state {
		case failed:
			return a.red(detail)
		case pending:
			missing = "suite " + code(suite)
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
		next: "Mend it, push, and set the label again."}
}

const runWorkflow = "Let a workflow run on this branch: on: {push: {branches: [\"mainstay/**\"]}}."

// judgeTime says whether an attempt has waited too long for what is missing.
func (a *Attempt) judgeTime(now time.Time, s Settings, missing string) verdict {
	switch {
	case a.SignAt.IsZero() && !now.Before(a.PushedAt.Add(s.StartLimit)):
		return verdict{state: failed, reason: NeverStarted, next: runWorkflow,
			detail: fmt.Sprintf("Nothing started on %s within %s.", code(a.Ticket), s.StartLimit)}
	case !a.SignAt.IsZero() && !now.Before(a.SignAt.Add(s.runLimit())):
		return verdict{state: failed, reason: TimedOut, tests: a.failedTests(),
			detail: fmt.Sprintf("Still waiting for %s after %s.", missing, s.runLimit()),
			next:   "Look at the run, then set the label again."}
	}
	return verdict{state: pending}
}

// judgeShards finds a red shard; a report can lower a result, never raise one.
func (a *Attempt) judgeShards() verdict {
	for _, sh := range a.Shards {
		if sh.Result != "" && !sh.Result.Green() {
			detail := fmt.Sprintf("%s failed.", sh.label())
			if len(sh.Failed) == 0 {
				detail = fmt.Sprintf("%s ended in error without naming a test.", sh.label())
			}
			return a.red(detail)
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

func (sh Shard) label() string {
	name := fmt.Sprintf("shard %d of %d of %s", sh.Index+1, sh.Total, code(sh.Suite))
	if sh.Variant != "" {
		name += " (" + code(sh.Variant) + ")"
	}
	return name
}

// job is GitHub's own word on a shard's job, from a run that counts.
func (a *Attempt) job(sh Shard) (verdictState, string) {
	counting := a.counting()
	if sh.CheckRun != 0 {
		for _, c := range a.Results.Checks {
			if c.ID == sh.CheckRun && counting[c.Suite] {
				return concluded(c.Status, c.Conclusion, false), c.Conclusion
			}
		}
		return pending, ""
	}
	for _, r := range a.Results.Runs {
		if r.ID == sh.RunID && counting[r.Suite] {
			return concluded(r.Status, r.Conclusion, false), r.Conclusion
		}
	}
	return pending, ""
}

// counting is the check suites of runs that count: event push, on the ticket.
func (a *Attempt) counting() map[int64]bool {
	suites := map[int64]bool{}
	for _, r := range a.Results.Runs {
		if r.Event == "push" && r.Branch == a.Ticket {
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
		if s.Context != c.Name || c.App != 0 {
			continue
		}
		seen = true
		switch s.State {
		case "failure", "error":
			return failed, fmt.Sprintf("Status %s is %s.", code(c.Name), s.State)
		case "pending":
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

// judgeSuite adds a suite's shards up, each variant for itself.
func (a *Attempt) judgeSuite(suite string, total int) (verdictState, string) {
	variants := map[string][]Shard{}
	for _, sh := range a.Shards {
		if sh.Suite == suite {
			variants[sh.Variant] = append(variants[sh.Variant], sh)
		}
	}
	if len(variants) == 0 {
		if a.runsDone() && a.quiet() {
			return failed, fmt.Sprintf("The workflow runs ended, but suite %s did not report.", code(suite))
		}
		return pending, ""
	}
	state := passed
	for _, variant := range sortedNames(variants) {
		s, detail := a.judgeVariant(variants[variant], total)
		if s == failed {
			return failed, detail
		}
		if s == pending {
			state = pending
		}
	}
	return state, ""
}

func (a *Attempt) judgeVariant(shards []Shard, total int) (verdictState, string) {
	want := shards[0].Total
	if total > 0 {
		want = total
	}
	green := 0
	for _, sh := range shards {
		if sh.Total != want {
			return failed, fmt.Sprintf("%s is one of %d; %d were expected.", sh.label(), sh.Total, want)
		}
		if sh.Inventory != "" && shards[0].Inventory != "" && sh.Inventory != shards[0].Inventory {
			return failed, fmt.Sprintf("The shards of %s did not see the same list of tests.", code(sh.Suite))
		}
		if state, _ := a.job(sh); state == passed && sh.Result.Green() {
			green++
		}
	}
	if green == want {
		return passed, ""
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
		if r.Event != "push" || r.Branch != a.Ticket {
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
		if r.Event == "push" && r.Branch == a.Ticket && concluded(r.Status, r.Conclusion, false) == failed {
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
	for _, sh := range a.Shards {
		tests = append(tests, sh.Failed...)
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

// judgeAttempt acts on an attempt's verdict.
func (t *step) judgeAttempt(a *Attempt) {
	v := a.judge(t.now, t.header.Settings)
	switch {
	case v.state == passed && t.mayLand(a) && t.now.Sub(a.CheckedAt) <= memberAge:
		t.writeIntent(a)
	case v.state == passed && t.mayLand(a), v.state == pending && t.mayLand(a) && a.CheckedAt.IsZero() && a.reported():
		t.setPhase(a, AttemptChecking)
		t.checkMembers(a, t.now)
	case v.state == failed && !t.early(a): // it may be red because of what never lands
		t.condemn(a, v)
	}
}

// mayLand reports whether the attempt may take its intent now: the base is known
// to be what it stands on, and no other landing is under way.
func (t *step) mayLand(a *Attempt) bool {
	return t.header.Pause == nil && !t.header.Missing && a.Old == t.header.Tip && !t.early(a)
}

// memberAge is how old the last reading of members and base may be at the intent.
const memberAge = 10 * time.Second

// reported reports whether every named suite's shards reported green, so that
// only GitHub's own word on their jobs is awaited: reading the members later
// than now would only make everybody wait for it.
func (a *Attempt) reported() bool {
	for _, suite := range sortedNames(a.Plan.Suites) {
		green, total := 0, a.Plan.Suites[suite]
		for _, sh := range a.Shards {
			if sh.Suite == suite && sh.Result.Green() {
				green, total = green+1, max(total, sh.Total)
			}
		}
		if green == 0 || green < total {
			return false
		}
	}
	return len(a.Plan.Suites) > 0 && len(a.Plan.Checks) == 0
}

// condemn acts on a red attempt: one member alone is out, more are split; where
// nothing started there is no culprit to look for, and all are told.
func (t *step) condemn(a *Attempt, v verdict) {
	b := t.batch(a.Batch)
	n := &b.Nodes[a.Node]
	n.Red = testNames(v.tests)
	t.touchBatch(b.ID)
	a.Ending = &End{Reason: v.reason, Detail: v.detail, Next: v.next, By: "mainstay", Tests: v.tests}
	aim := AimSplit
	if len(n.Members) == 1 || v.reason == NeverStarted {
		aim = AimEject
	}
	t.abandon(a, aim, v.detail)
}

func testNames(tests []FailedTest) []string {
	var names []string
	for _, f := range tests {
		names = append(names, f.Name)
	}
	return names
}

func (a *Attempt) numbers() []int {
	var prs []int
	for _, m := range a.Members {
		prs = append(prs, m.PR)
	}
	return prs
}

func resultsKey(id int64) string { return fmt.Sprintf("results/%d", id) }

func (t *step) lookAtResults(a *Attempt) {
	// Statuses cost a call more: only where a named check is not among the check runs.
	statuses := false
	for _, c := range a.Plan.Checks {
		if state, _ := a.judgeCheck(c); state == pending && c.App == 0 {
			statuses = true
		}
	}
	t.do(resultsKey(a.ID), ReadResults{Attempt: a.ID, Ticket: a.Ticket, Commit: a.New, Statuses: statuses})
}

// hintResults looks at an attempt's runs when something concluded. Runs that our
// own branch moves started are not needed: they are cancelled.
func (t *step) hintResults(f ResultsHinted) {
	for _, a := range t.attempts {
		switch {
		case a.New == f.Commit && (a.Phase == AttemptTesting || a.Phase == AttemptPushing || a.Phase == AttemptChecking):
			t.sign(a)
			if f.Done {
				t.lookAtResults(a)
			}
		case !f.Done && (a.Phase == AttemptMoving || a.Phase == AttemptLanding || a.Phase == AttemptLanded):
			// On the moved branch only: the base runs its own workflows on that commit.
			if ref := a.movedTo(f.Commit); ref != "" {
				t.do("cancel/"+f.Commit, CancelRuns{Commits: []string{f.Commit}, Ticket: ref})
			}
		}
	}
}

// movedTo is the branch that we move to a commit, if there is one.
func (a *Attempt) movedTo(commit string) string {
	for _, m := range a.Members {
		if m.Became == commit && m.Became != m.Head {
			return m.HeadRef
		}
	}
	return ""
}

// lookWhenQuiet reads an attempt's runs once more when the quiet time is over.
func (t *step) lookWhenQuiet(a *Attempt) {
	quiet := a.NewRunAt.Add(quietTime)
	if a.needsQuiet() && a.runsDone() && !t.now.Before(quiet) && a.Results.ReadAt.Before(quiet) {
		t.lookAtResults(a)
	}
}

// sign notes the first sign of life of an attempt's CI.
func (t *step) sign(a *Attempt) {
	if a.SignAt.IsZero() {
		a.SignAt = t.now
		t.touchAttempt(a.ID)
	}
}

func (t *step) readResults(f ResultsRead) {
	a := t.attempt(f.Attempt)
	if a == nil || !a.live() || f.Results.ReadAt.Before(a.Results.ReadAt) {
		return
	}
	a.Results = f.Results
	if n := len(a.counting()); n > a.RunsSeen {
		a.RunsSeen, a.NewRunAt = n, t.now
	}
	if !a.runsDone() {
		a.DoneAt = time.Time{}
	} else if a.DoneAt.IsZero() {
		a.DoneAt = t.now
	}
	if len(a.Results.Runs) > 0 || len(a.Results.Checks) > 0 {
		t.sign(a)
	}
	t.touchAttempt(a.ID)
	t.progress()
}

// noteShard books what the Action says of a shard; a later try of the same run wins.
func (t *step) noteShard(commit string, sh Shard) {
	var a *Attempt
	for _, x := range t.attempts {
		if commit != "" && x.New == commit && x.live() {
			a = x
		}
	}
	if a == nil {
		return
	}
	t.sign(a)
	t.touchAttempt(a.ID)
	t.progress()
	for i := range a.Shards {
		have := &a.Shards[i]
		if have.Suite != sh.Suite || have.Variant != sh.Variant || have.Index != sh.Index {
			continue
		}
		if sh.RunTry < have.RunTry || sh.RunTry == have.RunTry && have.Result != "" {
			return
		}
		sh.StartedAt = have.StartedAt
		*have = sh
		t.showProgress(a)
		return
	}
	a.Shards = append(a.Shards, sh)
	sort.Slice(a.Shards, func(i, j int) bool {
		x, y := a.Shards[i], a.Shards[j]
		if x.Suite != y.Suite {
			return x.Suite < y.Suite
		}
		if x.Variant != y.Variant {
			return x.Variant < y.Variant
		}
		return x.Index < y.Index
	})
	t.showProgress(a)
}
