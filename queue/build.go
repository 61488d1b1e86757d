package queue

import (
	"slices"
	"time"
)

// takeBuilt takes what git made of the members: those that conflict with the
// base are out, those that conflict only with a member ahead go back in line.
func (t *step) takeBuilt(f AttemptBuilt) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptBuilding {
		return
	}
	a.New, a.Tree, a.Members = f.New, f.Tree, slices.Clone(f.Members)
	for i, m := range a.Members {
		a.Members[i].Folders, a.Members[i].Guarded = nil, nil
		if e := t.entries[m.PR]; !slices.Equal(e.Folders, m.Folders) {
			e.Folders = m.Folders
			t.touchEntry(m.PR)
		}
	}
	for _, c := range f.Conflicts {
		if t.entries[c.PR].Phase.Ended() {
			continue // it went out with one on which it stands
		}
		if c.WithBase {
			t.hold(a, Held{PR: c.PR, Files: c.Files})
		} else {
			t.returnToLine(t.entries[c.PR], a, a.ID)
		}
	}
	for _, pr := range f.Contained {
		t.hold(a, Held{PR: pr, Contained: true})
	}
	if a.Phase == AttemptBuilding && !t.ordered(a) {
		t.abandon(a, AimRebuild, "not all that its members need is in it")
	}
	if a.Phase != AttemptBuilding || t.guardBuilt(a, f.Members) {
		return
	}
	if a.New == "" {
		t.setPhase(a, AttemptDead)
		t.setAside(a)
		return
	}
	if a.Plan = t.plan(); a.narrow() {
		a.Plan = t.narrowPlan(a)
	}
	t.setPhase(a, AttemptPushing)
	t.do(attemptKey(a.ID), PushTicket{Attempt: a.ID, Ticket: a.Ticket, Commit: a.New})
}

// hold puts a member out that can't be rebased onto the base. While that base is
// only about to be one, it goes back in line, and the word is kept until then.
func (t *step) hold(a *Attempt, h Held) {
	e := t.entries[h.PR]
	if !t.early(a) {
		e.Runs-- // it was not part of it after all
		t.putOut(e, h.end(t.header.Branch))
		return
	}
	h.Head = e.Pinned
	a.Held = append(a.Held, h)
	t.returnToLine(e, a, a.Parent)
}

func (h Held) end(branch string) End {
	if h.Contained {
		return End{Reason: AlreadyContained, Detail: "The base already has all of it; nothing is left to land.",
			Next: "Close the pull request, or push what is missing."}
	}
	return End{Reason: Conflict, Detail: "It conflicts with " + code(branch) + inFiles(h.Files) + ".",
		Next: "Rebase it, push, and set the label again."}
}

// tellHeld tells what was held back until this landing, if the base is what it stood on.
func (t *step) tellHeld(landed *Attempt) {
	for _, next := range append([]*Attempt(nil), t.attempts...) {
		if next.Parent != landed.ID || next.Old != t.header.Tip {
			continue
		}
		for _, h := range next.Held {
			if e := t.entries[h.PR]; e != nil && e.Phase == Waiting && e.Pinned == h.Head {
				t.putOut(e, h.end(t.header.Branch))
			}
		}
		next.Held = nil
		t.touchAttempt(next.ID)
	}
}

// returnToLine takes a member back out of an attempt that it conflicts with;
// while the other attempt lives it is not tried again.
func (t *step) returnToLine(e *Entry, a *Attempt, clash int64) {
	e.Runs-- // it was not part of it after all
	e.Clashes = append(t.liveClashes(e), clash)
	t.touchEntry(e.PR.Number)
	if b := t.batch(a.Batch); e.Batch == b.ID && b.leafOf(e.PR.Number) == a.Node {
		t.sendBack(e)
		t.countWhereTested(e)
	}
}

// plan is what an attempt must see green: the required checks minus our own,
// the named ones, the named suites and those seen on the base.
func (t *step) plan() Plan {
	h := &t.header
	p := Plan{Suites: map[string]int{}}
	p.Checks = append(p.Checks, h.Rules.Checks...)
	for _, c := range h.Settings.Checks {
		p.addCheck(c)
	}
	for suite, total := range h.Settings.Suites {
		p.Suites[suite] = total
	}
	if len(h.Settings.Suites) == 0 {
		for _, suite := range h.Suites {
			p.Suites[suite] = 0
		}
	}
	return p
}

// addCheck adds a check unless one that asks the same or more is there.
func (p *Plan) addCheck(c NamedCheck) {
	for _, have := range p.Checks {
		if have.Name == c.Name && (have.App == c.App || c.App == 0) {
			return
		}
	}
	p.Checks = append(p.Checks, c)
}

func (t *step) takeBuildFailed(f BuildFailed) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptBuilding {
		return
	}
	t.setPhase(a, AttemptDead)
	if e := t.entries[f.LargePR]; e != nil {
		t.putOut(e, End{Reason: RefusedByRule, Detail: "It is too large to be built: " + f.Detail + ".",
			Next: "Split it, or squash its commits, and set the label again."})
	} else if e := t.entries[f.MissingPR]; e != nil {
		t.putOut(e, End{Reason: Infrastructure, Detail: "Its head commit can't be fetched: " + f.Detail + ".",
			Next: "Push the branch again and set the label again."})
	} else {
		// What we knew of the base is wrong: read it again first, and ever more patiently.
		tries := 1
		if a.OnBase && t.header.Doubt != nil {
			t.amendDoubt().NextAt = t.now.Add(time.Minute)
		}
		if b := t.batch(a.Batch); b != nil {
			tries = len(b.Nodes[a.Node].Attempts)
		}
		t.header.BaseAt, t.header.BaseAsked = time.Time{}, t.now
		t.touchHeader()
		t.doAt("base", t.now.Add(backoff(tries)), ReadBase{})
	}
	t.setAside(a)
}

func (t *step) takeTicket(f TicketPushed) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptPushing {
		return
	}
	a.PushedAt = t.now
	t.setPhase(a, AttemptTesting)
	if f.Again {
		t.lookAtResults(a)
	}
	for _, m := range a.Members {
		t.showAt(t.entries[m.PR], t.now.Add(testingPace))
	}
}

// takeTicketFailed gives the attempt up: its name is somebody else's, or the push was refused.
func (t *step) takeTicketFailed(f TicketFailed) {
	a := t.attempt(f.Attempt)
	if a == nil || a.Phase != AttemptPushing {
		return
	}
	t.pause(Pause{By: "mainstay", At: t.now, Rule: f.Detail,
		Reason: "GitHub refused the branch " + code(a.Ticket) + "; allow the App to create mainstay/** branches, then resume."})
	t.abandon(a, AimRebuild, "its ticket was refused")
}
