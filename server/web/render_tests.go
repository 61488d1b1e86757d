package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// TestReader is what the page of a repository's tests reads and changes.
type TestReader interface {
	TestSuites(ctx context.Context, repository int64) ([]flake.Name, error)
	Tests(ctx context.Context, repository int64, suite, variant string) (flake.Book, error)
	Timings(ctx context.Context, repository int64, suite, variant string) (shard.History, error)
	ChangeQuarantine(ctx context.Context, repository int64, suite, variant string, change func(flake.Book) ([]flake.Entry, error)) error
}

// tookText is a duration in a few characters; what took no whole millisecond is not "0s".
func tookText(ms int64) string {
	took := time.Duration(ms) * time.Millisecond
	switch {
	case ms < 1:
		return "under 1ms"
	case ms < 1000:
		return took.String()
	}
	return took.Round(10 * time.Millisecond).String()
}

// shownSlow is how many of the slowest items are shown.
const shownSlow = 10

type testsBody struct {
	Repository string
	Queue      link
	Suites     []bookView
}

type bookView struct {
	Suite, Variant string
	Runs           int
	Tests          int
	Health         string // how often flakes alone make a run red
	Carriers       []carrierView
	Held, Loose    []recordView // in quarantine, and not
	Slowest        []slowView
}

type carrierView struct{ Name, Rate string }

// recordView is one test that failed on good code, or is in quarantine.
type recordView struct {
	Key, Name, At string
	State         string
	Class         string // of the badge
	Rate          string
	Times         int
	Last          moment
	In            *entryView
	Nowhere       bool // nobody knows where it stands: it can't be excused
	Form          formView
}

// Ask is what the form for a quarantine does: one that stands is put in anew.
func (v recordView) Ask() string {
	switch {
	case v.In == nil:
		return "Quarantine"
	case v.In.Owner == "":
		return "Take over"
	}
	return "Renew"
}

// formView says what a record's forms are about.
type formView struct{ Path, ID, Suite, Variant string }

type entryView struct {
	Owner, Reason, By string
	Since             moment
	Until             string
}

type slowView struct{ Name, Took string }

// testsAt is the page of what is known of a repository's tests.
func (p *pages) testsAt(id int64) view {
	return func(ctx context.Context) (page, error) {
		s, err := p.scene(ctx, id, 1)
		if err != nil {
			return page{}, err
		}
		if p.Tests == nil {
			return page{}, queue.ErrNotFound
		}
		path := queuePath(s.place)
		body := testsBody{Repository: s.repository(), Queue: link{Text: s.place.Branch, URL: path}}
		names, err := p.Tests.TestSuites(ctx, s.place.Repository)
		if err != nil {
			return page{}, err
		}
		for _, name := range names {
			view, err := p.suite(ctx, s, name)
			if err != nil {
				return page{}, err
			}
			body.Suites = append(body.Suites, view)
		}
		return page{Name: "tests", Title: "Tests of " + s.repository(), Events: path + "/tests/events",
			Crumbs: []link{{Text: s.repository() + " " + s.place.Branch, URL: path}, {Text: "Tests"}}, Body: body}, nil
	}
}

func (p *pages) suite(ctx context.Context, s *scene, name flake.Name) (bookView, error) {
	book, err := p.Tests.Tests(ctx, s.place.Repository, name.Suite, name.Variant)
	if err != nil {
		return bookView{}, err
	}
	times, err := p.Tests.Timings(ctx, s.place.Repository, name.Suite, name.Variant)
	if err != nil {
		return bookView{}, err
	}
	v := bookView{Suite: name.Suite, Variant: name.Variant, Runs: int(book.Suite.Count), Tests: book.Suite.Tests}
	health := flake.Weigh(book, s.now)
	v.Health = percent(health.Red)
	for _, t := range health.Tests {
		v.Carriers = append(v.Carriers, carrierView{t.Name, percent(t.Rate(book.Suite, s.now))})
	}
	v.Held, v.Loose = s.records(book, formView{Path: queuePath(s.place) + "/tests", Suite: name.Suite, Variant: name.Variant})
	slices.SortStableFunc(times, func(a, b shard.Timing) int { return cmp.Compare(b.MS, a.MS) })
	for _, t := range times[:min(len(times), shownSlow)] {
		v.Slowest = append(v.Slowest, slowView{t.Item, tookText(t.MS)})
	}
	return v, nil
}

// records lists the tests worth looking at, by how often they fail: those in
// quarantine, and the others. One that is well again is history and left out.
func (s *scene) records(book flake.Book, form formView) (held, loose []recordView) {
	standing := map[string]flake.Entry{}
	for _, e := range book.Entries {
		if e.Stands(s.now) {
			standing[e.Key] = e
		}
	}
	tests := slices.Clone(book.Tests)
	slices.SortFunc(tests, func(a, b flake.Test) int {
		return cmp.Or(cmp.Compare(b.Rate(book.Suite, s.now), a.Rate(book.Suite, s.now)), cmp.Compare(a.Key, b.Key))
	})
	for _, t := range tests {
		v := s.record(book, t)
		v.Form = form
		v.Form.ID = strings.Join([]string{"quarantine", form.Suite, form.Variant, t.Key}, "-")
		if e, quarantined := standing[t.Key]; quarantined {
			v.In = &entryView{Owner: e.Owner, Reason: e.Reason, By: e.By, Since: s.since(e.Since), Until: e.Until.UTC().Format("2 Jan 2006")}
			v.Nowhere = !e.Placed()
			held = append(held, v)
		} else if v.State != string(flake.Healthy) {
			loose = append(loose, v)
		}
	}
	return held, loose
}

func (s *scene) record(book flake.Book, t flake.Test) recordView {
	state := t.State(book.Suite, s.now)
	return recordView{Key: t.Key, Name: t.Name, At: cmp.Or(t.File, t.Class), State: string(state), Class: badgeOf[state],
		Rate: percent(t.Rate(book.Suite, s.now)), Times: t.Times, Last: s.since(t.Last), Nowhere: !flake.Entry{File: t.File}.Placed()}
}

// badgeOf colours a state.
var badgeOf = map[flake.State]string{flake.Healthy: "good", flake.Suspect: "flaky", flake.Flaky: "flaky"}

// percent is a share in words short enough for a table.
func percent(share float64) string {
	switch {
	case share <= 0:
		return "0\u00a0%"
	case share < 0.001:
		return "<\u00a00.1\u00a0%"
	}
	return fmt.Sprintf("%.1f\u00a0%%", 100*share)
}
