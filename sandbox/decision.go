package sandbox

import (
	"path"
	"strings"
)

// thread is a conversation on a pull request.
type thread struct {
	by       account
	resolved bool
}

// Discuss begins a conversation on a pull request.
func (r *Repository) Discuss(number int64, by Actor) error {
	return r.onPull(number, "discuss", func(p *pull) error {
		p.threads = append(p.threads, &thread{by: by.account()})
		p.updated = r.forge.now()
		p.addReview(by.account(), "COMMENTED", "What about this?")
		return nil
	})
}

// ResolveAll resolves every conversation of a pull request.
func (r *Repository) ResolveAll(number int64, by Actor) error {
	return r.onPull(number, "resolve the conversations of", func(p *pull) error {
		p.updated = r.forge.now()
		for i, t := range p.threads {
			if !t.resolved {
				t.resolved = true
				p.sendThread(&credential{who: by.account()}, "resolved", i)
			}
		}
		return nil
	})
}

// SetCodeOwners says who owns which files, by patterns as path.Match has them or
// folders that end in a slash, in place of a CODEOWNERS file.
func (r *Repository) SetCodeOwners(owners map[string]*User) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.owners = owners
}

// decision is GitHub's own verdict on the reviews, "" where no rule asks for one.
// Approvals of older heads are stale here, as with dismiss_stale_reviews_on_push.
func (p *pull) decision() string {
	need, asked := 0, false
	var owners []account
	lastPush := false
	for _, set := range p.repo.rulesOf(p.baseRef) {
		need = max(need, set.rules.RequiredApprovals)
		lastPush = lastPush || set.rules.LastPushApproval
		if set.rules.CodeOwnerReviews {
			owners = append(owners, p.ownersAsked(p.repo.owners)...)
		}
		owners = append(owners, p.ownersAsked(set.rules.RequiredReviewers)...)
	}
	asked = need > 0 || lastPush || len(owners) > 0
	newest := map[int64]string{}
	for _, v := range p.reviews {
		switch {
		case v.state == "COMMENTED" || v.by.id == p.author.id || roleRank[p.repo.role(v.by.id)] < roleRank["write"]:
		case v.state == "APPROVED" && v.commit != p.headSHA:
			delete(newest, v.by.id)
		default:
			newest[v.by.id] = v.state
		}
	}
	approvals, other := 0, false
	for id, state := range newest {
		switch state {
		case "CHANGES_REQUESTED":
			return state
		case "APPROVED":
			approvals++
			other = other || id != p.pushedBy.id
		}
	}
	met := approvals >= need && (!lastPush || other)
	for _, owner := range owners {
		met = met && newest[owner.id] == "APPROVED"
	}
	switch {
	case !asked:
		return ""
	case met:
		return "APPROVED"
	}
	return "REVIEW_REQUIRED"
}

// ownersAsked are those whose files the pull request touches.
func (p *pull) ownersAsked(owners map[string]*User) []account {
	if len(owners) == 0 {
		return nil
	}
	_, common, err := p.repo.objects.between(p.baseSHA, p.headSHA)
	if err != nil {
		return nil
	}
	files, err := p.repo.changedFiles(common, p.headSHA)
	if err != nil {
		return nil
	}
	var asked []account
	for pattern, owner := range owners {
		for _, file := range files {
			name, _ := file["filename"].(string)
			fits, _ := path.Match(pattern, name)
			if fits || strings.HasSuffix(pattern, "/") && strings.HasPrefix(name, pattern) {
				asked = append(asked, owner.account())
				break
			}
		}
	}
	return asked
}
