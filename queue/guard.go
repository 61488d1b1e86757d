package queue

import "strings"

// What decides how code is built, reviewed and landed is guarded: a pull request
// that changes it is tested by itself, and wants an approval of exactly its head by
// somebody who rules the repository. Git says what a head changes.

// Guards reports whether a path is guarded: all of .github, and the code owners
// wherever GitHub reads them.
func Guards(path string) bool {
	switch path {
	case ".github", "CODEOWNERS", "docs/CODEOWNERS":
		return true
	}
	return strings.HasPrefix(path, ".github/")
}

// MostGuarded is how many guarded paths of a head are kept, for people to read.
const MostGuarded = 3

// Guarded is what a head changes of what is guarded.
type Guarded struct {
	Head  string   `json:"head,omitempty"`
	Paths []string `json:"paths,omitempty"`
}

// guards reports whether the entry's present head changes what is guarded.
func (e *Entry) guards() bool { return len(e.Guarded.Paths) > 0 && e.Guarded.Head == e.PR.Head }

// takeHeadSeen takes what a head changes of what is guarded.
func (t *step) takeHeadSeen(f HeadSeen) {
	if e := t.entries[f.PR]; e != nil {
		t.seeGuarded(e, Guarded{Head: f.Head, Paths: f.Guarded})
	}
}

// seeGuarded judges an entry again by what its head changes. One that is tested
// with others, or without who has to approve it, goes back in line or waits.
func (t *step) seeGuarded(e *Entry, g Guarded) {
	if !e.free() || e.PR.Head != g.Head || len(g.Paths) == 0 || e.guards() || !t.header.Settings.Guard {
		return
	}
	e.Guarded = g
	t.touchEntry(e.PR.Number)
	if e.Phase == Testing {
		if e.Lacks(&t.header) == nil && !t.shares(e) {
			return
		}
		attempts := t.holders(e)
		t.sendBack(e)
		for _, a := range attempts {
			t.abandon(a, AimRebuild, pullName(e)+" is tested by itself")
		}
	}
	t.judge(e)
	t.show(e)
}

// guardBuilt has a fresh attempt given up where what was built must not be tested
// so, and reports whether it did: before anybody's CI sees it.
func (t *step) guardBuilt(a *Attempt, members []Member) bool {
	for _, m := range members {
		if e := t.entries[m.PR]; e != nil && len(m.Guarded) > 0 && e.Pinned == m.Head {
			t.seeGuarded(e, Guarded{Head: m.Head, Paths: m.Guarded})
		}
	}
	return !a.live()
}

// fetchHead brings a pinned head ahead of need, and asks what it changes.
func (t *step) fetchHead(e *Entry) FetchHead {
	if !t.header.Settings.Guard {
		return FetchHead{Head: e.Pinned}
	}
	return FetchHead{Head: e.Pinned, PR: e.PR.Number, Base: t.header.Tip}
}
