package web

import (
	"fmt"
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// chainView is what runs now, from the base up.
type chainView struct {
	Branch string
	Base   link
	Links  []linkView
}

// linkView is an attempt that runs now, and those that stand on it.
type linkView struct {
	testView
	Batch   link // where it is another than the page's
	Members []pullView
	Suites  []suiteView
	Above   []linkView
}

// chain lays out what runs now: an attempt whose parent has landed stands on
// the base. Page is the batch whose page it is; 0: the queue's.
func (s *scene) chain(page int64) *chainView {
	var grow func(on int64) []linkView
	grow = func(on int64) []linkView {
		var views []linkView
		for _, a := range s.rows.Attempts {
			if live(a) && s.parent(a) == on {
				v := s.link(a, page)
				v.Above = grow(a.ID)
				views = append(views, v)
			}
		}
		return views
	}
	return &chainView{Branch: s.place.Branch, Base: s.commit(s.rows.Header.Tip), Links: grow(0)}
}

// parent is the living attempt that one stands on; 0: the base.
func (s *scene) parent(a queue.Attempt) int64 {
	if slices.ContainsFunc(s.rows.Attempts, func(p queue.Attempt) bool { return p.ID == a.Parent && p.ID < a.ID && live(p) }) {
		return a.Parent
	}
	return 0
}

func (s *scene) link(a queue.Attempt, page int64) linkView {
	v := linkView{testView: s.test(a), Suites: suites(a)}
	v.On = "" // the picture says it
	if a.Batch != page {
		v.Batch = s.batchLink(a.Batch)
		v.Batch.URL += fmt.Sprintf("#attempt-%d", a.ID)
	}
	for _, m := range a.Members {
		v.Members = append(v.Members, s.pull(m.PR))
	}
	return v
}

// running is how many attempts are alive.
func (s *scene) running() int {
	n := 0
	for _, a := range s.rows.Attempts {
		if live(a) {
			n++
		}
	}
	return n
}
