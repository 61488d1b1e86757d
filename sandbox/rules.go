package sandbox

import (
	"fmt"
	"path"
	"strings"
)

// RequiredCheck is a check run or status that must be green on the pushed
// commit; AppID 0 takes it from anybody.
type RequiredCheck struct {
	Context string
	AppID   int64
}

// Rules is one ruleset for a branch. Several may stand on one branch; each has
// its own people and Apps whom it lets by.
type Rules struct {
	// RequiredApprovals above 0 also means that only pull requests may change the branch.
	RequiredApprovals int
	RequiredChecks    []RequiredCheck
	// RestrictPushesTo names who alone may push; nil is everyone with write.
	RestrictPushesTo []Actor
	LinearHistory    bool
	// NativeQueue puts GitHub's own merge queue on the branch. It is only told: it
	// queues nothing here.
	NativeQueue    bool
	AllowForcePush bool
	AllowDeletion  bool
	// What reviews are asked for besides; RequiredReviewers is by files, as code owners are.
	CodeOwnerReviews  bool
	LastPushApproval  bool
	ResolveThreads    bool
	RequiredReviewers map[string]*User
	// Other are types of rules that the forge only lists.
	Other []string
	// Bypass names whom all of this does not bind.
	Bypass []Actor
	// Classic makes it a branch protection: it is read from the protection
	// endpoint, which wants administration, and not from the rules of a branch.
	Classic bool
}

type ruleset struct {
	id      int64
	pattern string
	rules   Rules
}

// Protect puts rulesets on a branch in place of those it had; none lifts them.
// The branch may be a pattern: "*" within a name's part, "/**" for all below.
func (r *Repository) Protect(branch string, rules ...Rules) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	kept := r.rules[:0]
	for _, set := range r.rules {
		if set.pattern != branch {
			kept = append(kept, set)
		}
	}
	r.rules = kept
	for _, one := range rules {
		r.rules = append(r.rules, ruleset{r.forge.newID(), branch, one})
	}
	r.forge.touch()
}

func (s ruleset) covers(branch string) bool {
	if prefix, deep := strings.CutSuffix(s.pattern, "/**"); deep && strings.HasPrefix(branch, prefix+"/") {
		return true
	}
	matched, err := path.Match(s.pattern, branch)
	return s.pattern == branch || err == nil && matched
}

// rulesOf lists the rulesets of a branch; the lock is held.
func (r *Repository) rulesOf(branch string) []ruleset {
	var sets []ruleset
	for _, set := range r.rules {
		if set.covers(branch) {
			sets = append(sets, set)
		}
	}
	return sets
}

func among(actors []Actor, who account) bool {
	for _, actor := range actors {
		if actor.account().id == who.id {
			return true
		}
	}
	return false
}

// objections returns what the rules say against a move, in GitHub's words, as
// lines for the pusher; nil when there is nothing. The lock is held.
func (r *Repository) objections(who account, m refMove) []string {
	branch, ok := strings.CutPrefix(m.ref, "refs/heads/")
	if !ok {
		return nil
	}
	var lines []string
	for _, set := range r.rulesOf(branch) {
		if among(set.rules.Bypass, who) {
			continue
		}
		said := r.violations(set.rules, who, m)
		if len(said) == 0 {
			continue
		}
		if set.rules.Classic {
			lines = append(lines, fmt.Sprintf("error: GH006: Protected branch update failed for %s.", m.ref))
			for _, one := range said {
				lines = append(lines, "error: "+one)
			}
			continue
		}
		lines = append(lines, fmt.Sprintf("error: GH013: Repository rule violations found for %s.", m.ref), "")
		for _, one := range said {
			lines = append(lines, "- "+one, "")
		}
	}
	return lines
}

func (r *Repository) violations(rules Rules, who account, m refMove) []string {
	if m.new == "" {
		if rules.AllowDeletion {
			return nil
		}
		return []string{"Cannot delete this protected branch"}
	}
	var said []string
	if rules.RestrictPushesTo != nil && !among(rules.RestrictPushesTo, who) {
		said = append(said, "You're not authorized to push to this branch. Visit https://docs.github.com/articles/about-protected-branches for more information.")
	}
	if m.old != "" && !rules.AllowForcePush {
		if ok, err := r.objects.contains(m.new, m.old); err != nil || !ok {
			said = append(said, "Cannot force-push to this branch")
		}
	}
	if rules.asksPulls() && m.old != "" {
		said = append(said, "Changes must be made through a pull request.")
	}
	if rules.LinearHistory && r.hasMerge(m) {
		said = append(said, "This branch must not contain merge commits.")
	}
	if m.old != "" {
		for _, required := range rules.RequiredChecks {
			if state := r.standing(m.new, required); state != "" {
				said = append(said, fmt.Sprintf("Required status check %q is %s.", required.Context, state))
			}
		}
	}
	return said
}

// asksPulls reports whether only pull requests may change the branch.
func (rules Rules) asksPulls() bool {
	return rules.RequiredApprovals > 0 || rules.CodeOwnerReviews || rules.LastPushApproval || rules.ResolveThreads || len(rules.RequiredReviewers) > 0
}

func (r *Repository) hasMerge(m refMove) bool {
	only, _, err := r.objects.between(m.old, m.new)
	for _, sha := range only {
		if c, err := r.objects.commit(sha); err == nil && len(c.parents) > 1 {
			return true
		}
	}
	return err != nil
}

// standing says how a required check stands on a commit: "" is good enough,
// else expected, failing or in progress. The newest run of each App counts,
// and a status of that name as well.
func (r *Repository) standing(sha string, required RequiredCheck) string {
	worst, found := "", false
	judge := func(pending, good bool) {
		found = true
		switch {
		case pending && worst == "":
			worst = "in progress"
		case !pending && !good:
			worst = "failing"
		}
	}
	newest := map[int64]*check{}
	for _, c := range r.checks {
		if c.sha == sha && c.name == required.Context && (required.AppID == 0 || c.app.ID == required.AppID) {
			newest[c.app.ID] = c
		}
	}
	for _, c := range newest {
		judge(c.status != "completed", c.conclusion == "success" || c.conclusion == "neutral" || c.conclusion == "skipped")
	}
	var last *status
	for _, s := range r.statuses {
		if s.sha == sha && s.context == required.Context && (required.AppID == 0 || s.appID == required.AppID) {
			last = s
		}
	}
	if last != nil {
		judge(last.state == "pending", last.state == "success")
	}
	if !found {
		return "expected"
	}
	return worst
}
