package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// memberView is a member, where it is, and why in one sentence.
type memberView struct {
	pullView
	State, Sign, Where, Why string
	Tests                   []queue.FailedTest
}

// members says of everybody who was in a batch where it is now, and why.
func (s *scene) members(b queue.Batch) []memberView {
	all := slices.Concat(b.Members, b.Back)
	if len(b.Nodes) > 0 { // a guess has members who count elsewhere
		all = slices.Concat(b.Nodes[0].PRs, all)
	}
	var views []memberView
	var seen []int
	for _, pr := range all {
		if !slices.Contains(seen, pr) {
			seen = append(seen, pr)
			views = append(views, s.member(b, pr))
		}
	}
	return views
}

func (s *scene) member(b queue.Batch, pr int) memberView {
	v := memberView{pullView: s.pull(pr)}
	set := func(state, sign, where, why string) memberView {
		v.State, v.Sign, v.Where, v.Why = state, sign, where, why
		return v
	}
	e, known := s.entryIn(b, pr)
	switch {
	case slices.Contains(b.Landed, pr):
		why := "It was tested green."
		if e.Became != "" {
			why = fmt.Sprintf("It is `%s` in %s.", short(e.Became), s.place.Branch)
			if e.Attempt != 0 {
				why = fmt.Sprintf("Attempt %d was green. ", e.Attempt) + why
			}
		}
		return set("passed", signs["passed"], "Landed", why)
	case slices.Contains(b.Out, pr):
		end := s.end(e.End)
		why := end.Detail // of a pair it names both, and the test
		if e.End == nil || e.End.Reason != queue.ConflictingPair {
			why, v.Tests = strings.TrimSpace(end.Reason+". "+end.Detail), end.Tests
		}
		return set("failed", signs["failed"], "Out", why)
	case !known:
		return set("waiting", "", "Gone", "It is not in the queue any more.")
	case e.Phase == queue.Landing:
		return set("passed", signs["passed"], "Landing", fmt.Sprintf("Attempt %d is green and on its way into %s.", e.Attempt, s.place.Branch))
	case e.Wait == queue.OnHold:
		return set("waiting", "", "Held", waitWords[queue.OnHold]+".")
	case e.Phase == queue.Testing:
		if text := s.testedBy(pr); text != "" {
			return set("running", signs["running"], "Being tested", text)
		}
		return set("waiting", "", "Set aside", s.asideWhy(pr))
	}
	return set("waiting", "↩", "Back in line", "Nothing speaks against it any more; it kept its place.")
}

// entryIn is a member's entry: the living one, or the one that ended in this batch.
func (s *scene) entryIn(b queue.Batch, pr int) (queue.Entry, bool) {
	for _, list := range [][]queue.Entry{s.rows.Entries, s.ended} {
		for _, e := range list {
			if e.PR.Number == pr && (e.Batch == b.ID || !e.Phase.Ended()) {
				return e, true
			}
		}
	}
	return queue.Entry{}, false
}

// testedBy names the attempts that test a pull request now.
func (s *scene) testedBy(pr int) string {
	standing := s.standing()
	var parts []string
	for _, a := range s.rows.Attempts {
		if !runs(a) || !holds(a, pr) {
			continue
		}
		part := fmt.Sprintf("attempt %d%s", a.ID, strings.TrimSuffix(company(a, pr), ","))
		if standing[a.Parent] {
			part += fmt.Sprintf(" on attempt %d", a.Parent)
		}
		_, _, text := verdictText(a)
		parts = append(parts, part+" ("+text+")")
	}
	return upperFirst(joinAnd(parts))
}

// asideWhy says why nothing tests a member just now.
func (s *scene) asideWhy(pr int) string {
	if h := s.rows.Header; h.Doubt != nil && slices.Contains(h.Doubt.PRs, pr) {
		return fmt.Sprintf("It was red; before it is blamed, %s itself is asked whether it passes the same tests.", s.place.Branch)
	}
	for _, r := range s.rows.Header.Reds {
		if slices.Contains(r.Members, pr) {
			return fmt.Sprintf("It was in attempt %d, which was red. Nobody is blamed yet; its turn comes.", r.Run)
		}
	}
	return "It waits until there is room to test it."
}

// joinAnd lists some things in a sentence.
func joinAnd(parts []string) string {
	switch n := len(parts); {
	case n == 0:
		return ""
	case n == 1:
		return parts[0] + "."
	default:
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1] + "."
	}
}
