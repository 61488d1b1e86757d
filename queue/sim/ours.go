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

// forge is GitHub, git and CI around the real queue.Step: it answers each effect
// with the fact that is true, at once, and knows of Step only events and effects.
type forge struct {
	*world
	clock
	state     *queue.State
	todo      []todo
	newest    map[string]int // by key: the effect that counts
	commits   map[string]*commit
	tip       string
	jobs      map[string]*job // by commit
	waiting   []*job
	free      int
	arrived   int
	oldest    int // every pull request before it has ended
	sweptAt   time.Duration
	narrow    map[int64][]queue.FailedTest // by attempt: the only tests it runs
	nextID    int64
	flakes    int
	atInstant int
}

type todo struct {
	queue.Effect
	number int
}

// commit is what one attempt made: its members on top of a parent.
type commit struct {
	parent  *commit
	members []int
	inBase  bool
	tested  bool // a full run of exactly this commit was green
}

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

var dawn = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// busyLoop is how many events of one instant are too many; sweepPace is how often
// the list of labels is answered: nothing is lost here.
const (
	busyLoop  = 20_000
	sweepPace = time.Hour
	narrowRun = 0.3 // of a full run's time
)

// playOurs runs a load through Step until every pull request has ended.
func playOurs(l Load) *world {
	f := &forge{
		world: newWorld(l), state: queue.NewState("main"), newest: map[string]int{}, free: l.Parallel, tip: "root",
		commits: map[string]*commit{"root": {inBase: true, tested: true}}, jobs: map[string]*job{}, narrow: map[int64][]queue.FailedTest{},
	}
	f.tell(queue.BaseHinted{})
	f.work()
	for f.left > 0 {
		if next := f.arrived; next < len(f.changes) && (len(f.moments) == 0 || f.changes[next].at <= f.moments[0].at) {
			f.arrived++
			f.pass(f.changes[next].at)
			f.tell(queue.PullRequestRead{PR: f.read(next)})
		} else {
			m, ok := f.next()
			if !ok {
				panic(fmt.Sprintf("the queue stands still with %d in line", f.left))
			}
			f.pass(m.at)
			m.do()
		}
		f.work()
	}
	return f.world
}

func (f *forge) pass(to time.Duration) {
	if to > f.now {
		f.now, f.atInstant = to, 0
	}
}

func (f *forge) clockTime() time.Time { return dawn.Add(f.now) }

// tell takes one fact through Step and keeps what is to be done.
func (f *forge) tell(fact queue.Fact) {
	if f.atInstant++; f.atInstant > busyLoop {
		panic(fmt.Sprintf("the queue runs in a busy loop at %s: %T", f.now, fact))
	}
	state, effects := queue.Step(f.state, queue.Event{At: f.clockTime(), Fact: fact})
	f.state = state
	changes := state.TakeChanges()
	for _, e := range changes.Ended {
		if e.Phase == queue.Out {
			f.putOut(e.PR.Number - 1)
		}
	}
	for i := range changes.Attempts {
		if a := &changes.Attempts[i]; len(a.Narrow) > 0 {
			f.narrow[a.ID] = a.Narrow
		}
	}
	for _, e := range effects {
		f.keep(e)
	}
}

// keep puts an effect in the place of an earlier one of its key; those that only
// tell people something are dropped.
func (f *forge) keep(e queue.Effect) {
	switch e.Task.(type) {
	case queue.PostCheck, queue.PostComment, queue.FetchHead, queue.RemoveLabel:
		return
	}
	f.nextID++
	kept := todo{e, int(f.nextID)}
	f.newest[e.Key] = kept.number
	if due := e.Due.Sub(dawn); due > f.now {
		f.at(due, func() { f.todo = append(f.todo, kept) })
		return
	}
	f.todo = append(f.todo, kept)
}

// work does all that is due.
func (f *forge) work() {
	for i := 0; i < len(f.todo); i++ {
		e := f.todo[i]
		if f.newest[e.Key] != e.number {
			continue
		}
		delete(f.newest, e.Key)
		f.perform(e.Task)
	}
	f.todo = f.todo[:0]
}

func (f *forge) perform(task queue.Task) {
	switch x := task.(type) {
	case queue.ReadPullRequest:
		f.tell(queue.PullRequestRead{PR: f.read(x.Number - 1)})
	case queue.ReadBase:
		f.tell(f.readBase())
	case queue.FindWishes:
		f.sweep()
	case queue.BuildAttempt:
		f.tell(f.build(x))
	case queue.PushTicket:
		f.push(x)
	case queue.ReadResults:
		if j := f.jobs[x.Commit]; j != nil {
			f.tell(f.results(j))
		}
	case queue.ReadMembers:
		read := queue.MembersRead{Attempt: x.Attempt, Base: f.readBase()}
		for _, n := range x.Numbers {
			read.PRs = append(read.PRs, f.read(n-1))
		}
		f.tell(read)
	case queue.MoveHeads:
		f.tell(queue.HeadsMoved{Attempt: x.Attempt, Moved: x.Moves})
	case queue.MoveBase:
		f.tell(f.moveBase(x))
	case queue.AbandonAttempt:
		f.tell(queue.Abandoned{Attempt: x.Attempt, Tip: f.tip, Contains: f.commits[x.Commit].inBase})
	case queue.CancelRuns:
		for _, c := range x.Commits {
			f.cancel(f.jobs[c])
		}
	case queue.SettleLanded:
		f.tell(queue.Settled{PR: x.PR, Status: queue.Merged})
	case queue.AuditLanding:
		f.tell(queue.Audited{Attempt: x.Attempt, Tip: f.tip, Contains: f.commits[x.Commit].inBase, TreeOK: true})
	case queue.Wake:
		f.tell(queue.TimePassed{})
	default:
		panic(fmt.Sprintf("the simulator does not know %T", task))
	}
}

func (f *forge) read(c int) queue.PullRequest {
	pr := queue.PullRequest{
		Number: c + 1, Author: queue.Actor{ID: int64(c%20) + 1, Login: "author"}, Head: "h" + strconv.Itoa(c+1),
		HeadRef: "topic", Base: "main", Status: queue.Open, ReadAt: f.clockTime(),
	}
	switch f.end[c] {
	case landed:
		pr.Status = queue.Merged
	case open:
		pr.Wish = &queue.Wish{ID: int64(c) + 1, By: pr.Author, MayWrite: true, At: dawn.Add(f.changes[c].at)}
	}
	return pr
}

func (f *forge) readBase() queue.BaseRead {
	s := queue.Defaults()
	s.Parallel, s.MoveBranches, s.RunLimit = f.Parallel, false, 24*time.Hour
	return queue.BaseRead{Tip: f.tip, Settings: s, ReadAt: f.clockTime(),
		Rules: queue.Rules{Checks: []queue.NamedCheck{{Name: "build", App: queue.ActionsApp}}}}
}

func (f *forge) sweep() {
	if f.now-f.sweptAt < sweepPace {
		return
	}
	f.sweptAt = f.now
	for f.oldest < f.arrived && f.end[f.oldest] != open {
		f.oldest++
	}
	found := queue.WishesFound{}
	for c := f.oldest; c < f.arrived; c++ {
		if f.end[c] == open {
			found.Numbers = append(found.Numbers, c+1)
		}
	}
	f.tell(found)
}

// Git.

func (f *forge) build(x queue.BuildAttempt) queue.Fact {
	parent := f.commits[x.Old]
	have := parent.unlanded()
	id := "c" + strconv.FormatInt(x.Attempt, 10)
	c := &commit{parent: parent}
	built := queue.AttemptBuilt{Attempt: x.Attempt}
	for _, m := range x.Members {
		if n := m.PR - 1; f.end[n] == landed || slices.Contains(have, n) {
			built.Contained = append(built.Contained, m.PR)
			continue
		}
		c.members = append(c.members, m.PR-1)
		m.Became = id + "." + strconv.Itoa(m.PR)
		m.Commits = []string{m.Became}
		built.Members = append(built.Members, m)
	}
	if len(built.Members) == 0 && !x.Empty {
		return built
	}
	if n := len(built.Members); n > 0 && !x.Empty {
		id = built.Members[n-1].Became
	}
	built.New, built.Tree = id, id
	f.commits[id] = c
	return built
}

// unlanded is what a commit has beyond the base.
func (c *commit) unlanded() []int {
	var set []int
	for ; !c.inBase; c = c.parent {
		set = append(set, c.members...)
	}
	return set
}

// moveBase is the landing push: only to what was tested, and never a red tree.
func (f *forge) moveBase(x queue.MoveBase) queue.Fact {
	c := f.commits[x.New]
	var chain []*commit
	below := c
	for ; !below.inBase; below = below.parent {
		chain = append(chain, below)
	}
	if f.tip != x.Old || below != f.commits[f.tip] {
		return queue.LandingTried{Attempt: x.Attempt, Outcome: queue.OutcomeElsewhere, Tip: f.tip}
	}
	if set := c.unlanded(); !c.tested || !f.sound(set) {
		f.untested += len(set)
	}
	for _, part := range slices.Backward(chain) {
		part.inBase = true
		for _, m := range part.members {
			f.land(m)
		}
	}
	f.tip = x.New
	return queue.LandingTried{Attempt: x.Attempt, Outcome: queue.OutcomeLanded, Tip: f.tip}
}

// CI.

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
		took := takes(f.rand, j.green)
		if f.narrow[j.Attempt] != nil {
			took = time.Duration(narrowRun * float64(took))
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
		StartedAt: dawn.Add(j.began), EndedAt: f.clockTime(), Result: shard.ResultPassed, Tests: 1000, Failed: j.failed}
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
