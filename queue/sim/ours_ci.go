package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// The simulator's CI: a workflow run for each ticket, on so many executors.

// job is the workflow run of one ticket.
type job struct {
	queue.PushTicket
	commit *commit
	run    queue.Run
	check  queue.CheckResult
	began  time.Duration
	failed []queue.FailedTest
	green  bool
}

// GitHub's words for a run.
const (
	queued     = "queued"
	inProgress = "in_progress"
	completed  = "completed"
)

func (f *forge) push(x queue.PushTicket) {
	f.nextID += 2
	j := &job{PushTicket: x, commit: f.commits[x.Commit]}
	j.run = queue.Run{ID: f.nextID, Name: "ci", Event: "push", Branch: x.Ticket, Suite: f.nextID, Status: queued, CreatedAt: f.clockTime()}
	j.check = queue.CheckResult{ID: f.nextID + 1, Name: "build", App: queue.ActionsApp, Suite: j.run.Suite, Status: queued}
	f.jobs[x.Commit] = j
	f.waiting = append(f.waiting, j)
	f.tell(queue.TicketPushed{Attempt: x.Attempt})
	f.employ()
	f.tell(f.results(j))
}

// employ starts waiting jobs on free executors.
func (f *forge) employ() {
	for f.free > 0 && len(f.waiting) > 0 {
		j := f.waiting[0]
		f.waiting = f.waiting[1:]
		f.free--
		f.runs++
		j.began, j.run.Status, j.check.Status = f.now, inProgress, inProgress
		f.decide(j)
		only := f.narrow[j.Attempt]
		took := takes(f.rand, j.green || only != nil)
		if only != nil {
			share := float64(len(only)) / suiteTests
			took = time.Duration((narrowRun + (1-narrowRun)*share) * float64(took))
		}
		f.at(f.now+took, func() { f.finish(j) })
	}
}

// decide draws how a job will end: red where the tree is bad, or by a flake.
func (f *forge) decide(j *job) {
	set := j.commit.unlanded()
	only := f.narrow[j.Attempt]
	flaky := only == nil
	if f.Evidence {
		for _, name := range f.failing(set) {
			j.fail(name, only)
		}
		flaky = flaky || slices.ContainsFunc(only, func(t queue.FailedTest) bool { return strings.HasPrefix(t.Name, "TestFlaky") })
		j.green = len(j.failed) == 0
	} else {
		j.green = f.sound(set)
	}
	if j.green && flaky && f.rand.Float64() < f.Flake {
		j.green = false
		f.flakes++
		j.fail("TestFlaky"+strconv.Itoa(f.flakes), nil)
	}
}

// fail notes a failing test, where the job runs it.
func (j *job) fail(name string, only []queue.FailedTest) {
	if only == nil || slices.ContainsFunc(only, func(t queue.FailedTest) bool { return t.Name == name }) {
		j.failed = append(j.failed, queue.FailedTest{Name: name, Suite: "unit"})
	}
}

// failing are the tests that a set's members and their conflicts break, each its own.
func (f *forge) failing(set []int) []string {
	var names []string
	for i, c := range set {
		if f.changes[c].bad {
			names = append(names, "TestOf"+strconv.Itoa(c+1))
		}
		for _, r := range f.changes[c].rivals {
			if f.end[r] == landed || slices.Contains(set[:i], r) {
				names = append(names, fmt.Sprintf("TestPair%d_%d", min(c, r)+1, max(c, r)+1))
			}
		}
	}
	return names
}

func (f *forge) finish(j *job) {
	if j.run.Status != inProgress {
		return
	}
	f.spent += f.now - j.began
	f.free++
	j.conclude("failure")
	if j.green {
		j.conclude("success")
		j.commit.tested = f.narrow[j.Attempt] == nil
	}
	if f.Evidence {
		f.tell(queue.ShardReported{Commit: j.Commit, Shard: f.report(j)})
	}
	f.tell(f.results(j))
	f.employ()
}

func (f *forge) report(j *job) queue.Shard {
	sh := queue.Shard{Suite: "unit", Total: 1, CheckRun: j.check.ID, RunID: j.run.ID, RunTry: 1, Inventory: "all",
		StartedAt: dawn.Add(j.began), EndedAt: f.clockTime(), Result: shard.ResultPassed, Tests: suiteTests, Failed: j.failed}
	if !j.green {
		sh.Result = shard.ResultFailed
	}
	return sh
}

func (f *forge) cancel(j *job) {
	if j == nil || j.run.Status == completed {
		return
	}
	if j.run.Status == inProgress {
		f.spent += f.now - j.began
		f.free++
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(x *job) bool { return x == j })
	j.conclude("cancelled")
	f.employ()
}

func (j *job) conclude(how string) {
	j.run.Status, j.run.Conclusion = completed, how
	j.check.Status, j.check.Conclusion = completed, how
}

func (f *forge) results(j *job) queue.ResultsRead {
	return queue.ResultsRead{Attempt: j.Attempt, Results: queue.Results{
		Runs: []queue.Run{j.run}, Checks: []queue.CheckResult{j.check}, ReadAt: f.clockTime()}}
}
