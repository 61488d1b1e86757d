package queue

import (
	"fmt"
	"slices"
	"strings"
)

// Rules are what the base branch's protection asks, in the parts that Step decides on.
type Rules struct {
	Approvals int          `json:"approvals"` // of exactly the head, by writers
	Checks    []NamedCheck `json:"checks,omitempty"`
	// Reviews names what only GitHub's own review decision answers: code owners and the like.
	Reviews []string `json:"reviews,omitempty"`
	// Threads says that every conversation must be resolved.
	Threads bool `json:"threads,omitempty"`
	// Linear asks for a history without merges; Methods are those that may be used, none
	// where all may.
	Linear  bool     `json:"linear,omitempty"`
	Methods []Method `json:"methods,omitempty"`
	// Unknown names rules we cannot judge: the push will tell.
	Unknown []string `json:"unknown,omitempty"`
}

// Decision is GitHub's own verdict on a pull request's reviews.
type Decision string

// The decisions. NoDecision says that no rule asks for a review of this one.
const (
	DecidedApproved Decision = "approved"
	DecidedRequired Decision = "review_required"
	DecidedChanges  Decision = "changes_requested"
	NoDecision      Decision = "none"
)

// Review is what GitHub itself says of a pull request's reviews, at the head that was read.
type Review struct {
	Decision   Decision `json:"decision"`
	Unresolved int      `json:"unresolved,omitempty"` // conversations
}

// Condition is what came of a condition of the config.
type Condition struct {
	Source string `json:"source"`          // as the config had it
	Unmet  string `json:"unmet,omitempty"` // why it does not hold; empty: it holds
}

// Traits are facts of a pull request that only conditions ask for.
type Traits struct {
	Labels    []string `json:"labels,omitempty"`
	Trusted   []string `json:"trusted,omitempty"` // those of Labels that somebody set who may write
	Files     int      `json:"files"`
	Additions int      `json:"additions"`
	Deletions int      `json:"deletions"`
}

// Asks is what a reading is to find out beyond the usual, since a rule or the config asks for it.
type Asks struct {
	Review   bool   `json:"review,omitempty"` // costs a call
	When     string `json:"when,omitempty"`
	Priority string `json:"priority,omitempty"`
}

// Any reports whether anything is asked.
func (a Asks) Any() bool { return a != Asks{} }

func (h *Header) asks() Asks {
	return Asks{Review: h.Rules.asksReview(), When: h.Settings.When, Priority: h.Settings.Priority}
}

func (r Rules) asksReview() bool { return len(r.Reviews) > 0 || r.Threads }

// same compares what rules ask of a pull request.
func (r Rules) same(o Rules) bool {
	return r.Approvals == o.Approvals && r.Threads == o.Threads && slices.Equal(r.Reviews, o.Reviews) &&
		r.Linear == o.Linear && slices.Equal(r.Methods, o.Methods)
}

// Lack is what a pull request waits for before it may be tested.
type Lack struct {
	Wait Wait
	What string // goes on from "Waiting for"
	next string // what a person does about it
}

// Lacks says what an entry's pull request lacks by the rules and the config; nil
// when it lacks nothing. Facts that nobody has read yet lack, too.
func (e *Entry) Lacks(h *Header) *Lack {
	pr := e.PR
	switch {
	case len(pr.ChangesRequested) > 0:
		return notApproved("changes were requested by " + code(strings.Join(pr.ChangesRequested, ", ")))
	case pr.Approvals < h.Rules.Approvals:
		return notApproved(missingApprovals(pr, h.Rules.Approvals))
	case h.Rules.asksReview() && pr.Review == nil:
		return &Lack{Wait: GitHubUnavailable, What: "GitHub's word on its reviews"}
	}
	if lack := lacksReview(h.Rules, pr.Review); lack != nil {
		return lack
	}
	if h.Settings.Guard && e.guards() && pr.Rulers == 0 {
		return notApproved(fmt.Sprintf("it changes %s, so an admin or a maintainer has to approve %s", code(e.Guarded.Paths[0]), short(pr.Head)))
	}
	if lack := h.lacksMethod(e); lack != nil {
		return lack
	}
	if e.Phase == Asking && h.Method(e.Method) != MethodRebase && !pr.Described {
		return &Lack{Wait: GitHubUnavailable, What: "its description, which its commit is worded by"}
	}
	switch when := h.Settings.When; {
	case when == "":
	case pr.When == nil || pr.When.Source != when:
		return &Lack{Wait: GitHubUnavailable, What: "what " + code("when: "+when) + " asks of it"}
	case pr.When.Unmet != "":
		return &Lack{Wait: ConditionUnmet, What: code("when: "+when) + ", and " + pr.When.Unmet,
			next: "It goes on by itself once the condition holds."}
	}
	return nil
}

func notApproved(why string) *Lack {
	return &Lack{Wait: NotApproved, What: "approval: " + why, next: "Ask for approval of the present head, then set the label again."}
}

func missingApprovals(pr PullRequest, need int) string {
	why := fmt.Sprintf("%d of %d approvals of %s", pr.Approvals, need, short(pr.Head))
	if pr.StaleApprovals == 0 {
		return why
	}
	why += fmt.Sprintf(" (%d of an older head", pr.StaleApprovals)
	if pr.StaleHead != "" {
		why += fmt.Sprintf(": approved at %s, needs %s", short(pr.StaleHead), short(pr.Head))
	}
	return why + ")"
}

// lacksReview holds the rules that only GitHub can judge against its word. Where
// it has no decision to make, no rule asks for a review of this pull request.
func lacksReview(rules Rules, said *Review) *Lack {
	if said == nil {
		return nil
	}
	asked := code(strings.Join(rules.Reviews, ", "))
	switch {
	case len(rules.Reviews) == 0:
	case said.Decision == DecidedChanges:
		return notApproved("GitHub says that changes were requested")
	case said.Decision != DecidedApproved && said.Decision != NoDecision:
		return notApproved("GitHub still asks for a review (" + asked + ")")
	}
	if rules.Threads && said.Unresolved > 0 {
		what := "the resolution of 1 conversation"
		if said.Unresolved > 1 {
			what = fmt.Sprintf("the resolution of %d conversations", said.Unresolved)
		}
		return &Lack{Wait: NotApproved, What: what, next: "Resolve it, then set the label again."}
	}
	return nil
}

// unread reports whether it is only that nobody has read a fact yet.
func (l *Lack) unread() bool { return l != nil && l.Wait == GitHubUnavailable }

// writeRules says what a branch asks of each pull request, and what nobody can judge beforehand.
func (h *Header) writeRules(b *strings.Builder) {
	var asks []string
	switch n := h.Rules.Approvals; n {
	case 0:
	case 1:
		asks = append(asks, "an approval of exactly its head")
	default:
		asks = append(asks, fmt.Sprintf("%d approvals of exactly its head", n))
	}
	if len(h.Rules.Reviews) > 0 {
		asks = append(asks, "GitHub's own word on "+code(strings.Join(h.Rules.Reviews, ", ")))
	}
	if h.Rules.Threads {
		asks = append(asks, "every conversation resolved")
	}
	if h.Settings.When != "" {
		asks = append(asks, code("when: "+h.Settings.When))
	}
	if len(asks) > 0 {
		fmt.Fprintf(b, "\n%s asks for %s.\n", code(h.Branch), strings.Join(asks, "; "))
	}
	if len(h.Rules.Unknown) > 0 {
		fmt.Fprintf(b, "\nIts rules also ask for %s, which can't be judged beforehand: the push will tell.\n",
			code(strings.Join(h.Rules.Unknown, ", ")))
	}
}
