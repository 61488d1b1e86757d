package queue

import (
	"fmt"
	"strings"
	"time"
)

// landPatience is how long an unanswered or delayed landing is repeated.
const landPatience = 10 * time.Minute

func (t *step) checkMembers(a *Attempt, due time.Time) {
	task := ReadMembers{Attempt: a.ID, Label: t.header.Settings.Label, Labels: t.header.Settings.Labels, Asks: t.header.asks()}
	task.Asks.Priority = "" // the line is behind them
	if len(a.Plan.Checks) > 0 {
		task.Commit = a.New
	}
	for _, x := range t.path(a) {
		task.Numbers = append(task.Numbers, x.numbers()...)
		for _, m := range x.Members {
			if t.entries[m.PR].For != 0 {
				task.Below = append(task.Below, m.PR)
			}
			if m.HeadRef == "" {
				task.Unleased = append(task.Unleased, m.PR)
			}
		}
	}
	task.Numbers = append(task.Numbers, t.topsOf(task.Numbers)...)
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
			pr.Body, pr.Described = e.PR.Body, e.PR.Described // not read once more: only the next attempt could use it
			if pr.Wish == nil && e.For != 0 {
				pr.Wish = &Wish{} // that of the top, who is read as well
			}
			t.takeStack(&pr, e.PR, false)
			e.PR = pr
			t.touchEntry(pr.Number)
			t.judge(e)
		}
	}
	if a.Phase != AttemptChecking {
		return // somebody went out, or the base moved: abandoned
	}
	if f.Statuses != nil {
		a.Results.Statuses = f.Statuses
	}
	if len(read) < len(t.allOf(a)) {
		t.askAfter(a, read)
		return
	}
	for _, pr := range t.allOf(a) {
		if t.entries[pr].Lacks(&t.header).unread() { // the rules ask for more than was read
			t.checkMembers(a, t.now)
			return
		}
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
	for _, pr := range t.allOf(a) {
		if !read[pr] {
			t.lookAt(pr)
		}
	}
	t.checkMembers(a, t.now.Add(5*time.Second))
}

// writeIntent is the point of no return, for the attempt and all that it stands on.
func (t *step) writeIntent(a *Attempt) {
	task := MoveHeads{Attempt: a.ID, Commit: a.New, Title: "Tested: landing",
		Summary: "This commit was tested green under its own SHA and is landing on " + code(t.header.Branch) + "."}
	for _, x := range t.path(a) {
		if x.live() && x.Phase != AttemptAbandoning { // else it is red, and its ticket is being deleted
			x.IntentAt = t.now
			t.setPhase(x, AttemptCarried)
		}
		for _, m := range x.Members {
			e := t.entries[m.PR]
			if e.Phase == Waiting {
				t.claim(e, x)
			}
			e.Attempt = x.ID // others may have tested it, too
			t.move(e, Landing, InLanding)
			if m.HeadRef != "" && m.Became != m.Head {
				task.Moves = append(task.Moves, Move{PR: m.PR, Ref: m.HeadRef, Old: m.Head, New: m.Became})
			}
			if s := e.PR.Stack; s != nil && !s.Native && e.PR.Base != t.header.Branch {
				task.Retargets = append(task.Retargets, Retarget{PR: m.PR, From: e.PR.Base, To: t.header.Branch})
			}
		}
	}
	t.setPhase(a, AttemptMoving)
	t.do(attemptKey(a.ID), task)
	t.dropAside(a)
}

// dropAside gives up what stands on a part of a landing path but is not on its
// way: once the whole path is in the base it can't follow.
func (t *step) dropAside(landing *Attempt) {
	for _, a := range t.attempts {
		if a.narrow() && !t.sharesPath(a, landing) {
			continue // it never follows, and only tells
		}
		if a.running() && a != landing && !t.above(a, landing) {
			t.abandon(a, AimDrop, fmt.Sprintf("attempt %d lands without it", landing.ID))
		}
	}
}

// sharesPath reports whether one of an attempt's members lands with another.
func (t *step) sharesPath(a, landing *Attempt) bool {
	for _, pr := range t.allOf(landing) {
		if a.holds(pr) {
			return true
		}
	}
	return false
}

func (t *step) takeHeadsMoved(f HeadsMoved) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptMoving {
		return
	}
	a.Moved, a.Retargeted = f.Moved, f.Retargeted
	if len(f.Elsewhere) > 0 {
		// Git has a newer head than GitHub's answer had: not approved as landed.
		t.abandon(a, AimRebuild, "a head moved at the last moment")
		return
	}
	t.setPhase(a, AttemptLanding)
	t.pushBase(a, t.now)
}

func (t *step) pushBase(a *Attempt, due time.Time) {
	task := MoveBase{Attempt: a.ID, Old: t.root(a), New: a.New}
	for _, x := range t.path(a) {
		if x.live() && x.Phase != AttemptAbandoning {
			task.Tickets = append(task.Tickets, Ticketed{Ticket: x.Ticket, Commit: x.New})
		}
	}
	t.doAt(attemptKey(a.ID), due, task)
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

// land books a landing: the base is at the tested commit, with all of its path.
func (t *step) land(a *Attempt, tip string) {
	h := &t.header
	if tip == "" {
		tip = a.New
	}
	path := t.path(a)
	old := path[0].Old
	var members []Member
	for _, x := range path {
		x.EndAt = t.now
		t.setPhase(x, AttemptLanded)
		if x != a {
			x.Audits = len(auditAfter) // the tip is looked back at
		}
		members = append(members, x.Members...)
	}
	h.BaseAt = t.now // older readings of the base are of before
	t.seeTip(tip)
	t.baseLanded(a)
	t.tellHeld(a)
	t.learn(a, members)
	for _, m := range members {
		t.landMember(a, m)
	}
	for _, x := range path {
		t.learnTests(x.ID, x.New, false)
		t.setAside(x)
	}
	t.dirty.receipts = append(t.dirty.receipts, Receipt{
		Attempt: a.ID, Batch: a.Batch, Branch: h.Branch, Old: old, Commit: a.New, Tree: a.Tree,
		Members: members, Shards: a.Shards, Runs: a.Results.Runs, At: t.now,
	})
	t.ejectGuilty()
	t.releaseInnocent()
	t.audit(a)
}

func (t *step) landMember(a *Attempt, m Member) {
	e := t.entries[m.PR]
	if e == nil || e.Phase.Ended() || e.Pinned != m.Head {
		return
	}
	e.Became, e.Attempt, e.Method, e.Squashed = m.Became, a.ID, m.Method, m.Squashed
	e.End = &End{Detail: "Landed as " + short(m.Became) + ".", By: "mainstay", At: t.now}
	t.move(e, Landed, "")
	t.dirty.ended = append(t.dirty.ended, *e)
	if b := t.batch(e.Batch); b != nil { // nil: it was landed by hand after it went back in line
		b.drop(m.PR)
		b.Landed = append(b.Landed, m.PR)
		t.touchBatch(b.ID)
	}
	t.leaveFacts([]int{m.PR}, nil)
	t.header.Rates.good()
	t.settleLater(e)
	t.undelegatePull(m.PR)
	t.unsay(m.PR, landedText(t.header.Branch, short(m.Became)), true)
	t.leaveStack(e)
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

// learnTests has an attempt's reports learnt from; reports of a few tests only
// say nothing of the rest.
func (t *step) learnTests(attempt int64, commit string, red bool) {
	t.do(fmt.Sprintf("learn/%d", attempt), LearnTests{Attempt: attempt, Commit: commit, At: t.now, Red: red, Term: t.header.Settings.Quarantine})
}

// learn keeps what the next attempts need of a green one.
func (t *step) learn(a *Attempt, members []Member) {
	h := &t.header
	for _, m := range members {
		h.Landed = append(h.Landed, m.Head)
	}
	h.Rates.green()
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
