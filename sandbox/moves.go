package sandbox

import (
	"slices"
	"strings"
)

// refMove is one ref's way from old to new; "" is no commit.
type refMove struct {
	ref, old, new string
}

func (m refMove) branch() (string, bool) { return strings.CutPrefix(m.ref, "refs/heads/") }

// followMoves lets everything follow from refs that moved together: first what
// the push itself tells, then pull requests. The lock is held.
func (r *Repository) followMoves(by *credential, moves []refMove) {
	f := r.forge
	for _, m := range moves {
		if !strings.HasPrefix(m.ref, "refs/heads/") && !strings.HasPrefix(m.ref, "refs/tags/") {
			continue
		}
		f.sendPush(r, by, m)
	}
	movedNow := map[*pull]bool{}
	for _, p := range r.pullsOfHead() {
		if i := slices.IndexFunc(moves, func(m refMove) bool { return m.ref == "refs/heads/"+p.headRef && m.new != "" }); i >= 0 {
			movedNow[p] = true
			p.headMoved(by, moves[i].new)
		}
	}
	for _, m := range moves {
		if branch, ok := m.branch(); ok && m.new != "" {
			r.baseMoved(by, branch, m, movedNow)
		}
	}
	for p := range movedNow {
		p.closeIfEmpty(by)
	}
	for _, m := range moves {
		if branch, ok := m.branch(); ok && m.new == "" {
			r.branchDeleted(by, branch)
		}
	}
	if by.job == nil {
		for _, m := range moves {
			r.startPushRuns(by, m)
		}
	}
}

// pullsOfHead lists the open pull requests whose head branch lives here, in
// this repository and in the one it was forked from.
func (r *Repository) pullsOfHead() []*pull {
	var open []*pull
	for _, base := range r.forge.repos {
		for _, p := range base.pulls {
			if p.state == "open" && p.headRepo == r {
				open = append(open, p)
			}
		}
	}
	return open
}

// headMoved shows the new head; a fork's commits are fetched first.
func (p *pull) headMoved(by *credential, head string) {
	before := p.headSHA
	if err := p.takeHead(head); err != nil {
		p.repo.forge.log.Error("the fork's head could not be fetched", "pull", p.number, "error", err)
		return
	}
	p.pushedBy = by.account()
	p.record(by.account(), "head_ref_force_pushed", func(e *issueEvent) { e.commit = head }, !p.contains(head, before))
	p.updated = p.repo.forge.now()
	p.sendAction(by, "synchronize", object{"before": before, "after": head})
}

func (p *pull) contains(tip, ancestor string) bool {
	ok, err := p.repo.objects.contains(tip, ancestor)
	return err == nil && ok
}

// baseMoved finds the pull requests whose head the base now contains.
func (r *Repository) baseMoved(by *credential, branch string, m refMove, movedNow map[*pull]bool) {
	var arrived map[string]bool
	for _, p := range r.pulls {
		if p.state != "open" || p.baseRef != branch {
			continue
		}
		if arrived == nil {
			only, _, err := r.objects.between(m.old, m.new)
			if err != nil {
				r.forge.log.Error("the base's new commits could not be read", "branch", branch, "error", err)
				return
			}
			arrived = map[string]bool{}
			for _, sha := range only {
				arrived[sha] = true
			}
		}
		if !arrived[p.headSHA] {
			continue
		}
		outcome := Merged
		if movedNow[p] {
			outcome = r.forge.Faults.togetherOutcome()
		}
		switch outcome {
		case Merged:
			p.merge(by, m)
		case ClosedUnmerged:
			p.close(by)
		case StillOpen:
			delete(movedNow, p)
		}
	}
}

// mergePoint is the commit of the base's own line that brought the head.
func (r *Repository) mergePoint(m refMove, head string) string {
	point := m.new
	for at := m.new; at != "" && at != m.old; {
		if at == head {
			return head
		}
		if ok, err := r.objects.contains(at, head); err != nil || !ok {
			break
		}
		point = at
		c, err := r.objects.commit(at)
		if err != nil || len(c.parents) == 0 {
			break
		}
		at = c.parents[0]
	}
	return point
}

// closeIfEmpty closes a pull request whose head was set back into its base:
// there is nothing left to ask for.
func (p *pull) closeIfEmpty(by *credential) {
	if p.state != "open" {
		return
	}
	if base := p.repo.refs["refs/heads/"+p.baseRef]; base != "" && p.contains(base, p.headSHA) {
		p.close(by)
	}
}

// branchDeleted closes what came from the branch or went to it. What went to the branch
// of a merged pull request goes to that one's base from now on.
func (r *Repository) branchDeleted(by *credential, branch string) {
	for _, p := range r.pullsOfHead() {
		if p.headRef == branch {
			p.record(by.account(), "head_ref_deleted", nil, true)
			p.close(by)
		}
	}
	merged := r.mergedFrom(branch)
	for _, p := range r.pulls {
		switch {
		case p.state != "open" || p.baseRef != branch:
		case merged == nil || p.retarget(by, merged.baseRef) != nil:
			p.close(by)
		}
	}
}

// mergedFrom is the newest pull request that was merged from a branch here; nil when there is none.
func (r *Repository) mergedFrom(branch string) *pull {
	for _, p := range slices.Backward(r.pulls) {
		if p.merged && p.headRepo == r && p.headRef == branch {
			return p
		}
	}
	return nil
}
