package web

import (
	"fmt"

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
	shown := s.standing()
	var grow func(on int64) []linkView
	grow = func(on int64) []linkView {
		var views []linkView
		for _, a := range s.rows.Attempts {
			if !shown[a.ID] || on != 0 && a.Parent != on || on == 0 && shown[a.Parent] {
				continue
			}
			v := s.link(a, page)
			v.Above = grow(a.ID)
			views = append(views, v)
		}
		return views
	}
	return &chainView{Branch: s.place.Branch, Base: s.commit(s.rows.Header.Tip), Links: grow(0)}
}

// standing are the attempts that run, and those they stand on that are not in
// the base: a red one may still land with one above it that is green.
func (s *scene) standing() map[int64]bool {
	byID := map[int64]queue.Attempt{}
	for _, a := range s.rows.Attempts {
		byID[a.ID] = a
	}
	shown := map[int64]bool{}
	for _, a := range s.rows.Attempts {
		if !runs(a) {
			continue
		}
		for known := true; known && a.Phase != queue.AttemptLanded && !shown[a.ID]; a, known = byID[a.Parent] {
			shown[a.ID] = true
		}
	}
	return shown
}

// runs reports whether an attempt is tested or about to land, and not being cleared away.
func runs(a queue.Attempt) bool { return live(a) && a.Phase != queue.AttemptAbandoning }

func (s *scene) link(a queue.Attempt, page int64) linkView {
	v := linkView{testView: s.test(a), Suites: suites(a)}
	v.On = "" // the picture says it
	if a.Batch != page && a.Batch != 0 {
		v.Batch = s.batchLink(a.Batch)
		v.Batch.URL += fmt.Sprintf("#attempt-%d", a.ID)
	}
	for _, m := range a.Members {
		v.Members = append(v.Members, s.pull(m.PR))
	}
	return v
}

// running is how many attempts run.
func (s *scene) running() int {
	n := 0
	for _, a := range s.rows.Attempts {
		if runs(a) {
			n++
		}
	}
	return n
}
