package queue

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Linked entries stand on others, or depend on them: none of them lands before
// those. The header names the living ones, so that a queue without any pays nothing.

// link notes whether a living entry is linked, and looks at those below it that
// are not in line yet: the wish for the top counts for them, too.
func (t *step) link(e *Entry) {
	t.noteLinked(e.PR.Number, len(e.below()) > 0 || len(e.PR.Needs)+len(e.PR.Strange) > 0)
	for _, n := range e.below() {
		if b := t.entries[n]; b == nil || b.Phase == Out && e.Wish.after(b.Wish) {
			t.lookAt(n)
		}
	}
}

func (t *step) noteLinked(pr int, is bool) {
	i, was := slices.BinarySearch(t.header.Linked, pr)
	if was == is {
		return
	}
	linked := slices.Clone(t.header.Linked)
	if is {
		linked = slices.Insert(linked, i, pr)
	} else if linked = slices.Delete(linked, i, i+1); len(linked) == 0 {
		linked = nil
	}
	t.header.Linked = linked
	t.touchHeader()
}

// linked are the living linked entries, by number.
func (t *step) linked() []*Entry {
	var all []*Entry
	for _, n := range t.header.Linked {
		if e := t.entries[n]; e != nil && !e.Phase.Ended() {
			all = append(all, e)
		}
	}
	return all
}

// standOn are the living entries that stand on a pull request.
func (t *step) standOn(pr int) []*Entry {
	return slices.DeleteFunc(t.linked(), func(e *Entry) bool { return !contains(e.below(), pr) })
}

// isBelow reports whether one counts without a label of its own.
func (t *step) isBelow(pr int) bool {
	e := t.entries[pr]
	return len(t.header.Linked) > 0 && t.top(pr) != nil || e != nil && e.For != 0 && !e.Phase.Ended()
}

// top is the living entry whose own wish counts for one below it; nil when there is none.
func (t *step) top(pr int) *Entry {
	for _, e := range t.standOn(pr) {
		if e.For == 0 && e.PR.Wish != nil && e.PR.Wish.MayWrite {
			return e
		}
	}
	return nil
}

// lend gives a reading of one below a stack's top the wish of that one, which counts
// until it is put out.
func (t *step) lend(pr *PullRequest, e *Entry) {
	if pr.Wish == nil && e != nil && e.For != 0 && !e.Phase.Ended() {
		wish := e.Wish
		pr.Wish = &wish
	}
}

// takeStack keeps of the last full reading what a reading does not say, and what of
// its stack has landed since: where its branch stayed, GitHub leaves the base at it.
func (t *step) takeStack(pr *PullRequest, was PullRequest, full bool) {
	if !full {
		pr.Stack = nil
		if pr.Base == was.Base {
			pr.Stack = was.Stack
		}
		for i, n := range pr.Needs {
			for _, known := range was.Needs {
				if known.PR == n.PR {
					pr.Needs[i] = known
				}
			}
		}
		return
	}
	s := pr.Stack
	if s == nil || was.Stack == nil {
		return
	}
	past, at := was.Stack.Past, t.entries[s.At]
	if contains(was.Stack.Below, s.At) && (s.Flaw == FlawMerged || at != nil && at.Phase == Landed) {
		past = append(slices.Clone(past), s.At)
	}
	if contains(past, s.At) { // where GitHub could not show it as merged it was closed
		pr.Stack = &Stack{Below: s.Below, Past: past, Base: was.Stack.Base, Native: s.Native}
	}
}

// borrows reports whether an entry is in line by its stack's top's wish alone; one
// below it may have been labelled since.
func (t *step) borrows(e *Entry) bool {
	top := t.entries[e.For]
	return e.For != 0 && top != nil && top.Wish.ID == e.Wish.ID
}

// lacking is the first that an entry needs and that neither landed nor is ahead of
// it; 0 when there is none. On says that it stands on that one.
func (t *step) lacking(e *Entry, ahead func(pr int) bool) (pr int, on bool) {
	if !e.linked() {
		return 0, false
	}
	for i := len(e.below()) - 1; i >= 0; i-- {
		n := e.below()[i]
		if b := t.entries[n]; (b == nil || b.Phase != Landed) && !ahead(n) {
			return n, true
		}
	}
	for _, need := range e.PR.Needs {
		if !t.met(need) && !ahead(need.PR) {
			return need.PR, false
		}
	}
	return 0, false
}

// met reports whether a dependency has landed, or was merged elsewhere.
func (t *step) met(n Need) bool {
	e := t.entries[n.PR]
	return n.Status == Merged || e != nil && e.Phase == Landed || n.Head != "" && slices.Contains(t.header.Landed, n.Head)
}

func (e *Entry) linked() bool { return len(e.below()) > 0 || len(e.PR.Needs) > 0 }

// needs are those that must land before an entry and have not yet.
func (t *step) needs(e *Entry) (prs []int) {
	if e.linked() {
		t.lacking(e, func(pr int) bool { prs = append(prs, pr); return true })
	}
	return prs
}

// after are those of some members that an entry needs.
func (t *step) after(e *Entry, members []int) (prs []int) {
	for _, n := range t.needs(e) {
		if contains(members, n) {
			prs = append(prs, n)
		}
	}
	return prs
}

// underWay reports whether one is under test or landing, so that others may follow it.
func (t *step) underWay(pr int) bool {
	e := t.entries[pr]
	return e != nil && (e.Phase == Testing || e.Phase == Landing) && !e.held()
}

// gathered reports whether everybody of an entry's stack has been read, so that they
// start together.
func (t *step) gathered(e *Entry) bool {
	top := t.entries[e.For]
	if e.For == 0 || top == nil || top.Phase.Ended() {
		return true
	}
	return !slices.ContainsFunc(top.below(), func(n int) bool { return t.entries[n] == nil })
}

// footed are those of some members that can be tested on an attempt: what they need
// landed, or is on its path, or before them.
func (t *step) footed(members []int, on int64) []int {
	if len(t.header.Linked) == 0 {
		return members
	}
	var below, kept []int
	if parent := t.attempt(on); parent != nil {
		below = t.allOf(parent)
	}
	for _, pr := range members {
		e := t.entries[pr]
		if n, _ := t.lacking(e, func(pr int) bool { return contains(below, pr) || contains(kept, pr) }); n == 0 && len(e.PR.Strange) == 0 {
			kept = append(kept, pr)
		}
	}
	return kept
}

// ordered reports whether every member of an attempt comes after all that it needs.
func (t *step) ordered(a *Attempt) bool {
	if len(t.header.Linked) == 0 {
		return true
	}
	var before []int
	for _, pr := range t.allOf(a) {
		e := t.entries[pr]
		if e == nil || len(e.PR.Strange) > 0 {
			return false
		}
		if n, _ := t.lacking(e, func(pr int) bool { return contains(before, pr) }); n != 0 {
			return false
		}
		before = append(before, pr)
	}
	return true
}

// keepOrder gives up what tests an entry without all that it needs by now.
func (t *step) keepOrder(e *Entry) {
	for _, a := range t.holders(e) {
		if !t.ordered(a) {
			t.abandon(a, AimRebuild, pullName(e)+" does not land without what it needs")
		}
	}
}

// sendBackStranded puts those back in line who wait in a batch for one that is not in it any more.
func (t *step) sendBackStranded() {
	for _, e := range t.linked() {
		if e.Phase != Testing {
			continue
		}
		if n, _ := t.lacking(e, t.underWay); n != 0 || len(e.PR.Strange) > 0 {
			t.giveUpWith(e, fmt.Sprintf("%s waits for #%d", pullName(e), n))
			t.sendBack(e)
			t.show(e)
		}
	}
}

// leaveStack has the end of an entry told to those it was linked with: who stands on
// it is out as well, and so is what was asked for by its wish alone, if that was taken back.
func (t *step) leaveStack(e *Entry) {
	pr := e.PR.Number
	t.noteLinked(pr, false)
	if len(t.header.Linked) == 0 && len(e.below()) == 0 {
		return
	}
	if e.Phase == Out {
		for _, x := range t.standOn(pr) {
			if x.free() {
				t.putOut(x, End{Reason: Withdrawn, By: "mainstay",
					Detail: fmt.Sprintf("#%d, on which it stands, went out: %s", pr, lowerFirst(e.End.Detail)),
					Next:   fmt.Sprintf("When #%d is mended, set the label again on the uppermost that is to land.", pr)})
			}
		}
		t.takeWishBack(e)
	}
	for _, x := range t.linked() {
		if x.Phase == Landing {
			continue // it lands with it
		}
		if contains(x.below(), pr) || slices.ContainsFunc(x.PR.Needs, func(n Need) bool { return n.PR == pr }) {
			t.lookAt(x.PR.Number)
		}
	}
	t.tellWaiting(pr)
}

// tellWaiting has those who wait for one say so, or that they do no more.
func (t *step) tellWaiting(pr int) {
	for _, x := range t.linked() {
		if x.Phase != Waiting || !contains(x.below(), pr) && !contains(x.dependsOn(), pr) {
			continue
		}
		if title, _ := t.title(x); title != x.Check.Title && (strings.HasPrefix(title, "Waiting") || strings.HasPrefix(x.Check.Title, "Waiting")) {
			t.show(x)
		}
	}
}

// takeWishBack puts those out that were asked for by one wish alone, which a person took back.
func (t *step) takeWishBack(top *Entry) {
	end := top.End
	if top.For != 0 || end.Reason != LabelRemoved && end.Reason != Closed && (end.Reason != Withdrawn || end.By == "mainstay") {
		return
	}
	for _, n := range top.below() {
		b := t.entries[n]
		if b == nil || !b.free() || b.For != top.PR.Number {
			continue
		}
		if other := t.top(n); other != nil {
			b.For, b.Wish = other.PR.Number, other.Wish
			t.touchEntry(n)
			continue
		}
		t.putOut(b, End{Reason: end.Reason, By: end.By, Detail: fmt.Sprintf("It was asked for with #%d, in whose stack it is, and that went out: %s", top.PR.Number, lowerFirst(end.Detail))})
	}
}

// cycle is the way on which an entry comes back to itself, by what each stands on or
// depends on; nil when there is none.
func (t *step) cycle(e *Entry) []int {
	seen := map[int]bool{}
	var walk func(pr int, way []int) []int
	walk = func(pr int, way []int) []int {
		x := t.entries[pr]
		if x == nil || x.Phase.Ended() {
			return nil
		}
		for _, n := range t.needs(x) {
			if n == e.PR.Number {
				return append(way, n)
			}
			if !seen[n] {
				seen[n] = true
				if found := walk(n, append(way, n)); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return walk(e.PR.Number, []int{e.PR.Number})
}

// breakCycle puts out everybody on a cycle, and reports whether there was one.
func (t *step) breakCycle(e *Entry) bool {
	way := t.cycle(e)
	if way == nil {
		return false
	}
	var names []string
	for _, pr := range way {
		names = append(names, "#"+strconv.Itoa(pr))
	}
	end := End{Reason: Conflict, Detail: "They wait for each other: " + strings.Join(names, " → ") + ".",
		Next: "Take one " + code("Depends-On") + " out of a description, then set the label again."}
	for _, pr := range way[1:] {
		if x := t.entries[pr]; x != nil && x.free() {
			t.putOut(x, end)
		}
	}
	return true
}

// topsOf are the tops by whose wishes some pull requests are in line and who are not
// among them: their wish must stand, too.
func (t *step) topsOf(prs []int) (tops []int) {
	for _, pr := range prs {
		e := t.entries[pr]
		if top := t.entries[e.For]; e.For != 0 && top != nil && top.free() && !contains(prs, e.For) && !contains(tops, e.For) {
			tops = append(tops, e.For)
		}
	}
	return tops
}

// lookAtDependents looks again at those that wait for a pull request that is not in line.
func (t *step) lookAtDependents(pr int) {
	for _, e := range t.linked() {
		if contains(e.dependsOn(), pr) || contains(e.below(), pr) {
			t.lookAt(e.PR.Number)
		}
	}
}
