package queue

import "slices"

// Method is how a pull request's commits go onto the base.
type Method string

// The methods. The empty one is MethodRebase.
const (
	MethodRebase Method = "rebase" // each commit anew, one behind the other
	MethodSquash Method = "squash" // all in one commit
	MethodMerge  Method = "merge"  // a merge commit; the pull request's own stay as they are
)

// MethodLabel begins the labels that choose a method for one pull request, like
// merge:squash. They count where somebody set them who may write.
const MethodLabel = "merge:"

// Known reports whether there is such a method.
func (m Method) Known() bool { return m == MethodRebase || m == MethodSquash || m == MethodMerge }

// KeepsHead reports whether the pull request's head itself becomes part of the base,
// so that GitHub shows it as merged without its branch being moved.
func (m Method) KeepsHead() bool { return m == MethodMerge }

// Merging is how a queue lands pull requests, and how it words what it makes of
// them. Without a method it is the first that the rules allow; an empty template is
// the default, see the package message.
type Merging struct {
	Method Method `json:"method,omitempty"`
	Title  string `json:"title,omitempty"`
	Body   string `json:"body,omitempty"`
}

// Method is how a pull request lands whose label asks for this one, if for any.
func (h *Header) Method(label Method) Method {
	if label.Known() {
		return label
	}
	if h.Settings.Merge.Method.Known() {
		return h.Settings.Merge.Method
	}
	for _, m := range []Method{MethodRebase, MethodSquash, MethodMerge} {
		if h.Rules.allow(m) {
			return m
		}
	}
	return MethodRebase
}

// allow reports whether nothing speaks against a method.
func (r Rules) allow(m Method) bool {
	return !(m == MethodMerge && r.Linear) && (len(r.Methods) == 0 || slices.Contains(r.Methods, m))
}

// lacksMethod holds the method of an entry that is not built yet against the rules;
// of one that is, the push will tell.
func (h *Header) lacksMethod(e *Entry) *Lack {
	m := h.Method(e.Method)
	if h.Rules.allow(m) || e.Phase != Asking && e.Phase != Waiting {
		return nil
	}
	why := "a method that is allowed: it is to land by " + string(m) + ", which the settings of the repository or the rules of " + code(h.Branch) + " don't allow"
	if m == MethodMerge && h.Rules.Linear {
		why = "a method that is allowed: it is to land by merge, and the rules of " + code(h.Branch) + " ask for a linear history"
	}
	for _, other := range []Method{MethodRebase, MethodSquash, MethodMerge} {
		if h.Rules.allow(other) {
			why += ". Set the label " + code(MethodLabel+string(other)) + ", or say " + code("merge: "+string(other)) + " in the config"
			break
		}
	}
	return &Lack{Wait: NotApproved, What: why}
}

// merging is how the queue words what it makes, with its method settled.
func (h *Header) merging() Merging {
	m := h.Settings.Merge
	m.Method = h.Method("")
	return m
}

// wantsText reports whether descriptions of pull requests are needed.
func (h *Header) wantsText() bool { return h.Method("") != MethodRebase }

// PullText is what a commit's message may name of a pull request.
type PullText struct {
	PR     int    `json:"pr"`
	Title  string `json:"title,omitempty"`
	Body   string `json:"body,omitempty"`
	Author string `json:"author,omitempty"`
	Owner  string `json:"owner,omitempty"` // of the fork it comes from
	Branch string `json:"branch,omitempty"`
}

// textOf is what a message may name of an entry. It is fixed when an attempt
// begins, so that a second build gives the same commits.
func (e *Entry) textOf() PullText {
	return PullText{PR: e.PR.Number, Title: e.PR.Title, Body: e.PR.Body, Author: e.PR.Author.Login, Owner: e.PR.HeadOwner, Branch: e.PR.HeadRef}
}

// seeMethod takes from a reading which method a label asks for. It counts from the
// next attempt on: one that is built stays as it is.
func (t *step) seeMethod(e *Entry) {
	if e.PR.Wish.ID == 0 || e.Method == e.PR.Method {
		return // the last reading before a landing does not know who set a label
	}
	e.Method = e.PR.Method
	t.touchEntry(e.PR.Number)
}

// how says in a few words how a member goes onto the base, where it is not rebased.
func (m Member) how() string {
	switch {
	case m.Squashed:
		return ", as one commit: without its merges it conflicts"
	case m.Method == MethodSquash:
		return ", squashed"
	case m.Method == MethodMerge:
		return ", merged"
	}
	return ""
}

// squashedText tells of a landed entry that it was not rebased as it was to be.
func (e *Entry) squashedText() string {
	if !e.Squashed {
		return ""
	}
	return " It landed as one squashed commit: its own commits conflict when its merges are left out, as a rebase does, and all together they do not."
}
