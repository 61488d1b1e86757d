package queue

import (
	"fmt"
	"time"
)

// A report that did not reach us may lie at GitHub, as an artifact of its run:
// the server was down, or the job has no identity. Before an attempt is red for
// want of a report, GitHub is asked for it once.

// seekLimit is how long an attempt waits for that answer.
const seekLimit = 2 * time.Minute

// awaitsReports reports whether reports are missing that GitHub has not been asked
// for, or has not answered yet.
func (a *Attempt) awaitsReports(now time.Time) bool {
	if !a.SeekingAt.IsZero() && now.Before(a.SeekingAt.Add(seekLimit)) {
		return true
	}
	for _, sh := range a.Shards {
		if a.lost(sh) && !sh.Sought {
			return true
		}
	}
	return a.SoughtAt.IsZero() && a.lacksShards()
}

// lost reports whether a shard's job ended and its report is not here.
func (a *Attempt) lost(sh Shard) bool {
	state, _ := a.job(sh)
	return sh.Result == "" && state != pending
}

// lacksShards reports whether all runs ended and a suite that must report did not, or not whole.
func (a *Attempt) lacksShards() bool {
	if !a.runsDone() || !a.quiet() {
		return false
	}
	for _, suite := range sortedNames(a.Plan.Suites) {
		wholes := a.wholes(suite)
		for _, key := range sortedNames(wholes) {
			if shards := wholes[key]; len(shards) < max(a.Plan.Suites[suite], shards[0].Total) {
				return true
			}
		}
		if len(wholes) == 0 {
			return true
		}
	}
	return false
}

// seekReports asks GitHub for what is missing, each shard once and once more when
// all runs have ended.
func (t *step) seekReports(a *Attempt) {
	fresh := false
	for i := range a.Shards {
		if sh := &a.Shards[i]; a.lost(*sh) && !sh.Sought {
			sh.Sought, fresh = true, true
		}
	}
	if a.SoughtAt.IsZero() && a.lacksShards() {
		a.SoughtAt, fresh = t.now, true
	}
	if !fresh {
		return
	}
	a.SeekingAt = t.now
	t.touchAttempt(a.ID)
	var runs []int64
	for _, r := range a.Results.Runs {
		if a.counts(r) {
			runs = append(runs, r.ID)
		}
	}
	t.do(fmt.Sprintf("reports/%d", a.ID), FindReports{Attempt: a.ID, Commit: a.New, Ticket: a.Ticket, Runs: runs, At: t.now})
}

// takeReportsFound ends the wait: what was found was told before, a fact a shard.
func (t *step) takeReportsFound(f ReportsFound) {
	if a := t.attempt(f.Attempt); a != nil && a.SeekingAt.Equal(f.At) {
		a.SeekingAt = time.Time{}
		t.touchAttempt(a.ID)
	}
}

// seekPullReports keeps what a fork's runs reported, for its page: a fork's jobs
// have no identity, so they leave their reports at GitHub. Nothing is decided by them.
func (t *step) seekPullReports(e *Entry, run int64) {
	if !e.PR.Fork {
		return
	}
	t.do(fmt.Sprintf("reports/pr/%d/%d", e.PR.Number, run), FindPullReports{PR: e.PR.Number, Head: e.PR.Head, Run: run})
}
