package queue

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
// them. An empty template is the default; see the package message.
type Merging struct {
	Method Method `json:"method,omitempty"`
	Title  string `json:"title,omitempty"`
	Body   string `json:"body,omitempty"`
}

// or is the method a pull request's label chose, or the queue's.
func (m Merging) or(label Method) Method {
	switch {
	case label.Known():
		return label
	case m.Method.Known():
		return m.Method
	}
	return MethodRebase
}

// wantsText reports whether descriptions of pull requests are needed.
func (m Merging) wantsText() bool { return m.or("") != MethodRebase }

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
