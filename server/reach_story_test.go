package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// A renamed repository is the same one: what is under test goes on and lands, by
// API and by git, though the old name leads nowhere.
func TestARenamedRepositoryGoesOn(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]bool{"told by webhook": true, "webhook lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := found(t, scene{})
			w.ci.hold()
			pr := w.opens("topic")
			w.label(pr)
			w.until("it is under test", func() bool { return len(w.tickets()) == 1 })
			if !told {
				w.forge.Faults.Plan(func(d sandbox.Delivery) []sandbox.Delivery {
					if d.Event == "repository" {
						return nil
					}
					return []sandbox.Delivery{d}
				})
			}

			w.repo.Rename("gadgets")
			if told {
				w.until("the server knows the new name", func() bool { return w.placeNow().Name == "gadgets" })
			}
			w.ci.release()

			w.awaitEnds(ends{pr: landed})
			if p := w.placeNow(); p.Name != "gadgets" {
				t.Errorf("the queue is still %s/%s", p.Owner, p.Name)
			}
		})
	}
}

func (w *town) placeNow() queue.Place {
	place, _, _, err := w.server.store.Load(context.Background(), w.place.ID)
	w.must(err)
	return place
}

// Archived, or the App suspended: the queue stands still, keeps everything and asks
// GitHub nothing. When that is over it goes on where it was.
func TestARepositoryOutOfReachStandsStill(t *testing.T) {
	t.Parallel()
	for name, close := range map[string]func(w *town, closed bool){
		"archived":  func(w *town, closed bool) { w.repo.Archive(closed) },
		"suspended": func(w *town, closed bool) { w.repo.Suspend(w.app, closed) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := found(t, scene{})
			w.ci.hold()
			pr := w.opens("topic")
			w.label(pr)
			w.until("it is under test", func() bool { return len(w.tickets()) == 1 })

			close(w, true)
			w.until("the queue says why it stands still", func() bool {
				p := w.rows().Header.Pause
				return p != nil && strings.HasPrefix(p.Reason, outOfReach)
			})
			w.ci.release()
			w.must(w.server.engine.Tell(t.Context(), w.place.ID, queue.BaseHinted{}))
			w.until("the look at the base is put off", func() bool {
				pending, err := w.server.store.Pending(t.Context(), w.place.ID)
				w.must(err)
				return slices.ContainsFunc(pending, func(e queue.DueEffect) bool { return e.Key == "base" && e.Tries > 0 })
			})
			if e := w.entry(pr); e.Phase != queue.Testing {
				t.Fatalf("#%d is %s, want it kept as it was", pr, e.Phase)
			}
			close(w, false)

			w.awaitEnds(ends{pr: landed})
			if p := w.rows().Header.Pause; p != nil {
				t.Errorf("the pause stays: %+v", p)
			}
		})
	}
}

// The App is taken off: whoever is in line is out with that reason, the clone is
// gone. Put on again it takes new wishes.
func TestWhereTheAppIsTakenOffEverythingEnds(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	w.ci.hold()
	prs := w.underTest(2)
	clone := filepath.Join(w.dir, "server", "clones")
	if found, err := os.ReadDir(clone); err != nil || len(found) == 0 {
		t.Fatalf("there is no clone to delete: %v", err)
	}

	w.repo.Uninstall(w.app)

	w.until("both are out", func() bool {
		return w.outFor(prs[0], queue.AppRemoved) && w.outFor(prs[1], queue.AppRemoved)
	})
	w.until("the clone is deleted", func() bool {
		found, err := filepath.Glob(filepath.Join(clone, "*.git"))
		return err == nil && len(found) == 0
	})
	w.repo.Install(w.app)
	w.until("the queue goes on", func() bool { return w.rows().Header.Pause == nil })
	w.ci.release()
	fresh := w.opens("fresh")
	w.label(fresh)
	w.awaitEnds(ends{fresh: landed})
}

func (w *town) outFor(pr int, reason queue.Reason) bool {
	e := w.entry(pr)
	return e.End != nil && e.End.Reason == reason
}
