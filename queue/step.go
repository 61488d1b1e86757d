package queue

import "time"

// Step takes one event into the queue and says what to do about it. It owns the
// state it is given, changes it and returns it. Equal states and events give
// equal states and effects.
func Step(s *State, e Event) (*State, []Effect) {
	t := &step{State: s, now: e.At}
	t.take(e.Fact)
	t.advance()
	t.setTimer()
	return s, t.effects
}

// step is one call of Step: the state, the event's time and the effects so far.
type step struct {
	*State
	now     time.Time
	effects []Effect
	placed  map[int]int // during a sweep: everybody's place in line, found by one walk
}

func (t *step) do(key string, task Task) { t.doAt(key, t.now, task) }

func (t *step) doAt(key string, due time.Time, task Task) {
	t.effects = append(t.effects, Effect{Key: key, Due: due, Task: task})
}

func (t *step) take(fact Fact) {
	switch f := fact.(type) {
	case PullRequestHinted:
		t.hintPullRequest(f)
	case PullRequestRead:
		t.readPullRequest(f)
	case WishesFound:
		t.compareWishes(f)
	case HeadSeen:
		t.takeHeadSeen(f)
	case CommandHinted:
		t.lookForCommands(f.Comment)
	case CommandsRead:
		t.readCommands(f)
	case ButtonHinted:
		t.lookAtPress(f)
	case ButtonPressed:
		t.takePress(f.Command)
	case LabelSet:
		t.noteLabel(f)
	case BaseHinted:
		t.hintBase(f)
	case BaseRead:
		t.readBase(f)
	case PauseAsked:
		t.pause(Pause{By: f.By, Reason: f.Reason, At: t.now})
	case ResumeAsked:
		t.header.Pause = nil
		t.progress()
	case LeaveAsked:
		if e := t.entries[f.PR]; e != nil && e.free() {
			end := End{Reason: Withdrawn, Detail: "Taken out by " + f.By + ".", By: f.By}
			if f.Lost {
				end = End{Reason: AppRemoved, Detail: "The App was taken off this repository.", Next: "Install it again, then set the label again."}
			}
			t.putOut(e, end)
		}
	case Restarted:
		t.header.SweepAt, t.header.WakeAt = t.now, time.Time{}
		t.touchHeader()
	case TimePassed:
		t.header.WakeAt = time.Time{}
		t.touchHeader()
	case CheckPosted:
		t.noteCheck(f)
	case Settled:
		t.settle(f)
	default:
		t.takeAttempt(fact)
	}
}

// takeAttempt takes facts about attempts; those of an unknown attempt are late and say nothing.
func (t *step) takeAttempt(fact Fact) {
	switch f := fact.(type) {
	case AttemptBuilt:
		t.takeBuilt(f)
	case BuildFailed:
		t.takeBuildFailed(f)
	case TicketPushed:
		t.takeTicket(f)
	case TicketFailed:
		t.takeTicketFailed(f)
	case ResultsHinted:
		t.hintResults(f)
	case ResultsRead:
		t.readResults(f)
	case ShardStarted:
		t.noteShard(f.Commit, f.Shard)
	case ShardReported:
		t.noteShard(f.Commit, f.Shard)
	case ReportsFound:
		t.takeReportsFound(f)
	case MembersRead:
		t.readMembers(f)
	case HeadsMoved:
		t.takeHeadsMoved(f)
	case LandingTried:
		t.takeLandingTried(f)
	case Abandoned:
		t.takeAbandoned(f)
	case Audited:
		t.takeAudit(f)
	}
}

// advance starts whatever the state allows now: verdicts first, then the next attempt.
func (t *step) advance() {
	t.watchRunners()
	t.judgeAttempts()
	for _, a := range t.attempts {
		if a.Phase == AttemptTesting {
			t.lookWhenQuiet(a)
		}
	}
	t.sendBackStranded()
	t.closeBatches()
	t.forgetLooks()
	t.sweepWhenDue()
	t.startNext()
}

// pause stops new batches and landings; an earlier pause stays as it is.
func (t *step) pause(p Pause) {
	if t.header.Pause != nil {
		return
	}
	t.header.Pause = &p
	t.progress()
	for _, b := range t.openBatches() {
		for _, pr := range b.Members {
			if e := t.entries[pr]; e != nil && e.Phase == Testing {
				t.show(e)
			}
		}
	}
}

// progress notes that something went on.
func (t *step) progress() {
	t.header.ProgressAt = t.now
	t.touchHeader()
}
