package queue

import (
	"fmt"
	"slices"
)

// A red base stops the queue by itself, and only a hotfix gets through: the one
// that mends it. It ends by itself, too.

// stopForBase stops the queue: the base fails these tests by itself. Nobody is
// blamed for them, what runs without a chance is given up, and everybody stays in line.
func (t *step) stopForBase(failed []FailedTest) {
	d := t.amendDoubt()
	d.Red, d.Tests, d.PRs, d.Since, d.Tip = true, commonTests(d.Tests, failed), nil, t.now, t.header.Tip
	d.NextAt = t.now.Add(baseAgain)
	t.forgetTests(failed, false)
	for _, a := range append([]*Attempt(nil), t.attempts...) {
		if a.running() && a.Phase != AttemptChecking && !a.OnBase && !t.fixes(a) {
			t.abandon(a, AimRebuild, t.redTitle())
		}
	}
	t.progress()
	t.showStopped()
}

// showStopped tells those who are under test; those in line hear of it with their place.
func (t *step) showStopped() {
	for _, b := range t.openBatches() {
		for _, pr := range b.Members {
			if e := t.entries[pr]; e != nil && e.Phase == Testing {
				t.show(e)
			}
		}
	}
}

// fixes reports whether an attempt tests a hotfix, which a red base lets through.
func (t *step) fixes(a *Attempt) bool {
	for _, pr := range t.allOf(a) {
		if e := t.entries[pr]; e == nil || !e.Turn.Front {
			return false
		}
	}
	return !a.OnBase
}

// failsWithBase sends a hotfix that is no fix of a red base back in line, and
// reports whether it was that: it is not tested again before the base is another.
func (t *step) failsWithBase(a *Attempt, v verdict) bool {
	if !t.baseRed() || len(commonTests(v.tests, t.header.Doubt.Tests)) == 0 {
		return false
	}
	d := t.amendDoubt()
	t.abandon(a, AimSearch, v.detail)
	for _, pr := range a.numbers() {
		if e := t.entries[pr]; e != nil && e.Phase == Testing {
			d.Tried = append(slices.Clone(d.Tried), e.Pinned)
			t.sendBack(e)
			t.show(e)
		}
	}
	return true
}

// triedOnRed reports whether an entry was tested on a red base, and failed like it.
func (t *step) triedOnRed(e *Entry) bool {
	return t.baseRed() && slices.Contains(t.header.Doubt.Tried, e.Pinned)
}

// startFix tests the hotfix whose turn it is, while the base is red.
func (t *step) startFix() {
	fix := t.hotfix()
	if fix == nil {
		fix = t.fixAside()
	}
	if fix == nil || !t.slotFree() {
		return
	}
	for _, a := range t.attempts {
		if a.live() && !a.OnBase {
			return // one after the other
		}
	}
	t.start([]int{fix.PR.Number}, 0, nil)
}

// fixAside is a hotfix that was red by something else, and has its test again.
func (t *step) fixAside() *Entry {
	for _, b := range t.openBatches() {
		for _, n := range b.Nodes {
			if n.State == NodeAside && len(n.Members) == 1 && t.entries[n.Members[0]].Turn.Front {
				return t.entries[n.Members[0]]
			}
		}
	}
	return nil
}

// RedBase says that the base is red by itself, in one line, and what is done
// about it; empty while it is not.
func RedBase(h Header) (title, text string) {
	d := h.Doubt
	if d == nil || !d.Red {
		return "", ""
	}
	title = plain(h.Branch) + " itself fails"
	if len(d.Tests) > 0 {
		title += " " + plain(d.Tests[0].Name)
		if len(d.Tests) > 1 {
			title += fmt.Sprintf(" and %d more", len(d.Tests)-1)
		}
	}
	return title, fmt.Sprintf("Nobody in line is blamed, and nobody loses the place. The base is tested again at %s and whenever it moves; "+
		"the queue goes on by itself as soon as it passes. A pull request with the label %s is tested and landed meanwhile: let that be the fix.",
		d.NextAt.UTC().Format("15:04 UTC"), code(plain(h.Settings.Labels.Hotfix)))
}

func (t *step) redTitle() string {
	title, _ := RedBase(t.header)
	return title
}
