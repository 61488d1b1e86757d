package queue

import (
	"fmt"
	"strings"
	"time"
)

// landPatience is how long an unanswered or delayed landing is repeated.
const landPatience = 10 * time.Minute

func (t *step) checkMembers(a *Attempt, due time.Time) {
	task := ReadMembers{Attempt: a.ID, Numbers: a.numbers(), Label: t.header.Settings.Label, Labels: t.header.Settings.Labels}
	for _, m := range a.Members {
		if m.HeadRef == "" {
			task.Unleased = append(task.Unleased, m.PR)
		}
	}
	t.doAt(attemptKey(a.ID), due, task)
}

// readMembers holds every member and the base against the last reading, then
// writes the intent. From there on there is no cancel.
func (t *step) readMembers(f MembersRead) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptChecking {
		return
	}
	if !f.Base.ReadAt.Before(t.header.BaseAt) {
		t.header.BaseAt, t.header.Missing = f.Base.ReadAt, f.Base.Missing
		t.touchHeader()
	}
	if !f.Base.Missing && f.Base.ReadAt.Equal(t.header.BaseAt) {
		t.header.Rules = f.Base.Rules
		t.seeTip(f.Base.Tip)
	}
	read := map[int]bool{}
	for _, pr := range f.PRs {
		read[pr.Number] = true
		if e := t.entries[pr.Number]; e != nil && e.free() && !pr.ReadAt.Before(e.PR.ReadAt) {
			e.PR = pr
			t.touchEntry(pr.Number)
			t.judge(e)
		}
	}
	if a.Phase != AttemptChecking {
		return // somebody went out, or the base moved: abandoned
	}
	if len(read) < len(a.Members) {
		t.askAfter(a, read)
		return
	}
	for _, c := range t.header.Rules.Checks {
		a.Plan.addCheck(c)
	}
	if t.mayLand(a) {
		a.CheckedAt = f.Base.ReadAt
	}
	if !t.mayLand(a) || a.judge(t.now, t.header.Settings).state != passed {
		t.setPhase(a, AttemptTesting) // judged again when that changes
		return
	}
	t.writeIntent(a)
}

// askAfter looks at members that the last reading did not show: they may be gone.
func (t *step) askAfter(a *Attempt, read map[int]bool) {
	for _, pr := range a.numbers() {
		if !read[pr] {
			t.lookAt(pr)
		}
	}
	t.checkMembers(a, t.now.Add(5*time.Second))
}

func (t *step) writeIntent(a *Attempt) {
	a.IntentAt = t.now
	t.setPhase(a, AttemptMoving)
	task := MoveHeads{Attempt: a.ID, Commit: a.New, Title: "Tested: landing",
		Summary: "This commit was tested green under its own SHA and is landing on " + code(t.header.Branch) + "."}
	for _, m := range a.Members {
		t.move(t.entries[m.PR], Landing, InLanding)
		if m.HeadRef != "" && m.Became != m.Head {
			task.Moves = append(task.Moves, Move{PR: m.PR, Ref: m.HeadRef, Old: m.Head, New: m.Became})
		}
	}
	t.do(attemptKey(a.ID), task)
}

func (t *step) takeHeadsMoved(f HeadsMoved) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptMoving {
		return
	}
	a.Moved = f.Moved
	if len(f.Elsewhere) > 0 {
		// Git has a newer head than GitHub's answer had: not approved as landed.
		t.abandon(a, AimRebuild, "a head moved at the last moment")
		return
	}
	t.setPhase(a, AttemptLanding)
	t.pushBase(a, t.now)
}

func (t *step) pushBase(a *Attempt, due time.Time) {
	t.doAt(attemptKey(a.ID), due, MoveBase{Attempt: a.ID, Old: a.Old, New: a.New, Ticket: a.Ticket})
}

// takeLandingTried goes on from each of the five outcomes. Every way out but
// "landed" leads through the deleted ticket.
func (t *step) takeLandingTried(f LandingTried) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptLanding {
		return
	}
	late := t.now.Sub(a.IntentAt) >= landPatience
	switch {
	case f.Outcome == OutcomeLanded:
		t.land(a, f.Tip)
	case f.Outcome == OutcomeElsewhere:
		t.abandon(a, AimRebuild, "the base moved")
	case f.Outcome == OutcomeRefused && (late || !t.delay(a, f.Rule)):
		a.Cause = f.Rule
		t.abandon(a, AimPause, f.Rule)
	case f.Outcome == OutcomeTransient && late:
		t.abandon(a, AimRebuild, "the landing could not be pushed for "+landPatience.String())
	default:
		a.Tries++
		t.touchAttempt(a.ID)
		t.pushBase(a, t.now.Add(backoff(a.Tries)))
	}
}

// delay reports whether a refusal only says that GitHub has not yet seen what we
// see: it names a check that is green here, or our own.
func (t *step) delay(a *Attempt, rule string) bool {
	if strings.Contains(rule, `"Mainstay"`) {
		return true
	}
	for _, c := range a.Plan.Checks {
		if strings.Contains(rule, `"`+c.Name+`"`) {
			state, _ := a.judgeCheck(c)
			return state == passed
		}
	}
	return false
}

// backoff doubles from half a second to a minute.
func backoff(tries int) time.Duration {
	return min(time.Minute, 500*time.Millisecond<<min(tries-1, 10))
}

// land books a landing: the base is at the tested commit.
func (t *step) land(a *Attempt, tip string) {
	h := &t.header
	if tip == "" {
		tip = a.New
	}
	a.EndAt = t.now
	t.setPhase(a, AttemptLanded)
	h.BaseAt = t.now // older readings of the base are of before
	t.seeTip(tip)
	t.tellHeld(a)
	t.learn(a)
	b := t.batch(a.Batch)
	for _, m := range a.Members {
		t.landMember(a, b, m)
	}
	b.tidy(a.Node)
	t.touchBatch(b.ID)
	t.dirty.receipts = append(t.dirty.receipts, Receipt{
		Attempt: a.ID, Batch: a.Batch, Branch: h.Branch, Old: a.Old, Commit: a.New, Tree: a.Tree,
		Members: a.Members, Shards: a.Shards, Runs: a.Results.Runs, At: t.now,
	})
	t.audit(a)
}

func (t *step) landMember(a *Attempt, b *Batch, m Member) {
	e := t.entries[m.PR]
	if e == nil || e.Phase.Ended() || e.Attempt != a.ID {
		return
	}
	e.Became = m.Became
	e.End = &End{Detail: "Landed as " + short(m.Became) + ".", By: "mainstay", At: t.now}
	t.move(e, Landed, "")
	t.dirty.ended = append(t.dirty.ended, *e)
	b.drop(m.PR)
	b.Landed = append(b.Landed, m.PR)
	t.settleLater(e)
}

// landedKept is how many landed heads are remembered for pull requests that grew out of them.
const landedKept = 200

func (a *Attempt) heads() []string {
	var heads []string
	for _, m := range a.Members {
		heads = append(heads, m.Head)
	}
	return heads
}

// learn keeps what the next attempts need of a green one.
func (t *step) learn(a *Attempt) {
	h := &t.header
	h.Landed = append(h.Landed, a.heads()...)
	h.Landed = append([]string(nil), h.Landed[max(0, len(h.Landed)-landedKept):]...)
	suites := map[string]bool{}
	for _, sh := range a.Shards {
		suites[sh.Suite] = true
	}
	h.Suites = sortedNames(suites)
	t.learnRun(a)
	took := a.Since.Sub(a.PushedAt)
	if h.TestTime == 0 {
		h.TestTime = took
	}
	h.TestTime += (took - h.TestTime) / 4
}

// abandon gives an attempt up. Its ticket is deleted first, until GitHub
// confirms: the fence behind which no late push of ours can land it.
func (t *step) abandon(a *Attempt, aim Aim, cause string) {
	if a.Phase == AttemptAbandoning {
		if aim == AimRebuild {
			return
		}
	}
	a.Cause, a.Aim = cause, aim
	if a.Phase == AttemptBuilding {
		t.setPhase(a, AttemptDead) // nothing of it ever left this machine
		t.setAside(a)
		return
	}
	t.setPhase(a, AttemptAbandoning)
	t.do(attemptKey(a.ID), AbandonAttempt{Attempt: a.ID, Ticket: a.Ticket, Commit: a.New, Moved: a.Moved})
	if !a.SignAt.IsZero() {
		t.do(fmt.Sprintf("cancel/%d", a.ID), CancelRuns{Commits: []string{a.New}, Ticket: a.Ticket})
	}
}

// takeAbandoned goes on once the ticket is gone for certain.
func (t *step) takeAbandoned(f Abandoned) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptAbandoning {
		return
	}
	if f.Contains {
		t.land(a, f.Tip)
		return
	}
	t.setPhase(a, AttemptDead)
	t.header.BaseAt = t.now
	if f.Tip == "" {
		t.header.Missing = true
		t.lookAtBase()
	}
	t.seeTip(f.Tip)
	members := a.numbers()
	for _, pr := range members {
		if e := t.entries[pr]; e != nil && e.Phase == Landing {
			t.move(e, Testing, InTest)
			e.PR.ReadAt = t.now // readings begun before may show the head as we moved it
			t.lookAt(pr)        // hints were left aside while the intent stood
		}
	}
	b := t.batch(a.Batch)
	switch a.Aim {
	case AimSplit:
		if len(b.Nodes[a.Node].Members) > 1 {
			b.split(a.Node)
			t.touchBatch(b.ID)
			for _, pr := range members {
				if e := t.entries[pr]; e != nil && e.Phase == Testing {
					e.Attempt = 0
					t.show(e)
				}
			}
			break
		}
		t.setAside(a) // all but one went out meanwhile: test that one alone
	case AimEject:
		for _, pr := range append([]int(nil), b.Nodes[a.Node].Members...) {
			t.putOut(t.entries[pr], *a.Ending)
		}
		b.tidy(a.Node)
	case AimPause:
		t.setAside(a)
		t.pause(Pause{By: "GitHub", At: t.now, Rule: a.Cause,
			Reason: "GitHub refused to move " + code(t.header.Branch) + ": " + a.Cause +
				" Let the App bypass that rule, or mend it, then resume."})
	default:
		t.setAside(a)
	}
}
