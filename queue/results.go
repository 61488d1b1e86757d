package queue

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

func resultsKey(id int64) string { return fmt.Sprintf("results/%d", id) }

func (t *step) lookAtResults(a *Attempt) {
	// Statuses cost a call more: only where a named check is not among the check runs.
	// Actions posts one only where a workflow does by hand: asked once all have ended.
	statuses := false
	for _, c := range a.Plan.Checks {
		if state, _ := a.judgeCheck(c); state == pending && (c.App != ActionsApp || a.runsDone()) {
			statuses = true
		}
	}
	t.do(resultsKey(a.ID), ReadResults{Attempt: a.ID, Ticket: a.Ticket, Commit: a.New, Statuses: statuses})
}

// hintResults looks at an attempt's runs when something concluded. Runs that our
// own branch moves started are not needed: they are cancelled.
func (t *step) hintResults(f ResultsHinted) {
	if f.PullRun != 0 {
		for _, pr := range sortedKeys(t.entries) {
			if e := t.entries[pr]; e.PR.Head == f.Commit {
				t.seekPullReports(e, f.PullRun)
			}
		}
	}
	for _, a := range t.attempts {
		switch {
		case a.New == f.Commit && (a.Phase == AttemptTesting || a.Phase == AttemptPushing || a.Phase == AttemptChecking):
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
		a.DoneAt, a.SoughtAt = time.Time{}, time.Time{} // a re-run may leave what the run before did not
	} else if a.DoneAt.IsZero() {
		a.DoneAt = t.now
	}
	if len(a.counting()) > 0 || a.planSeen() {
		t.sign(a)
	}
	t.touchAttempt(a.ID)
	t.progress()
}

// planSeen reports whether any check the plan names has shown; others are nobody's sign of life.
func (a *Attempt) planSeen() bool {
	named := func(name string) bool {
		return slices.ContainsFunc(a.Plan.Checks, func(c NamedCheck) bool { return c.Name == name })
	}
	return slices.ContainsFunc(a.Results.Checks, func(c CheckResult) bool { return named(c.Name) }) ||
		slices.ContainsFunc(a.Results.Statuses, func(s StatusLine) bool { return named(s.Context) })
}

// noteShard books what the Action says of a shard; a later try of the same run wins,
// and another run's shard is another.
func (t *step) noteShard(commit string, sh Shard) {
	var a *Attempt
	for _, x := range t.attempts {
		if commit != "" && x.New == commit && x.live() {
			a = x
		}
	}
	if a == nil || a.Clash(sh) != "" {
		return
	}
	t.sign(a)
	t.touchAttempt(a.ID)
	t.progress()
	for i := range sh.Failed {
		if sh.Failed[i].Suite == "" {
			sh.Failed[i].Suite = sh.Suite
		}
	}
	for i := range a.Shards {
		have := &a.Shards[i]
		if !have.same(sh) {
			continue
		}
		if sh.RunTry < have.RunTry || sh.RunTry == have.RunTry && have.Result != "" {
			return
		}
		if sh.RunTry == have.RunTry {
			sh.Sought = have.Sought
			if sh.CheckRun == 0 {
				sh.CheckRun = have.CheckRun // a report found at GitHub does not name its job
			}
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
		if x.Index != y.Index {
			return x.Index < y.Index
		}
		return x.RunID < y.RunID
	})
	t.showProgress(a)
}
