package sim

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
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

var dawn = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// busyLoop is how many events of one instant are too many; sweepPace is how often
// the list of labels is answered: nothing is lost here.
const (
	busyLoop  = 20_000
	sweepPace = time.Hour
	// What a run of a few tests costs of a full one's time, beside the tests' share.
	narrowRun  = 0.3
	suiteTests = 1000
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
	case queue.PostCheck, queue.PostComment, queue.ReadCommands, queue.FetchHead, queue.RemoveLabel, queue.LearnTests, queue.FindPullReports:
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
	case queue.FindReports:
		f.tell(queue.ReportsFound{Attempt: x.Attempt, At: x.At})
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
	s.Enter = queue.Enter{} // everybody finds room: what is measured is the tests
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
