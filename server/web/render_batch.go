package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// batchBody is the page of one batch: what was tested on what, and why.
type batchBody struct {
	ID       int64
	Queue    link
	Sum      string // what came of its members, in a sentence
	Opened   moment
	Closed   moment
	Pause    *pauseView
	Kept     bool // its tree is still there
	Chain    *chainView
	Tree     nodeView
	Red      *redView // the base is red by itself
	Facts    []factView
	Flakes   []flakeView
	Members  []memberView
	Attempts []attemptView
}

// factView is a red set that nobody has explained yet.
type factView struct {
	Tests []string
	Left  []pullView
	Text  string
}

// flakeView is a red run of good code.
type flakeView struct {
	Tests []string
	Pulls []pullView
	Text  string
}

func batchPath(place queue.Place, id int64) string {
	return fmt.Sprintf("%s/batch/%d", queuePath(place), id)
}

func (s *scene) batchLink(id int64) link {
	if id == 0 {
		return link{}
	}
	return link{Text: fmt.Sprintf("Batch %d", id), URL: batchPath(s.place, id)}
}

// batchAt is the page of one batch of a queue. Its tree is kept until its
// landings were looked back at; afterwards its members' ends still tell of it.
func (p *pages) batchAt(id int64, number int) view {
	return func(ctx context.Context) (page, error) {
		s, err := p.scene(ctx, id, readLongAgo)
		if err != nil {
			return page{}, err
		}
		body, ok := s.batchPage(int64(number))
		if !ok {
			return page{}, fmt.Errorf("batch %d: %w", number, queue.ErrNotFound)
		}
		title := fmt.Sprintf("Batch %d", number)
		return page{Name: "batch", Title: title + " of " + s.repository() + " " + s.place.Branch, Events: batchPath(s.place, int64(number)) + "/events",
			Crumbs: []link{{Text: s.repository() + " " + s.place.Branch, URL: queuePath(s.place)}, {Text: title}}, Body: body}, nil
	}
}

func (s *scene) batchPage(id int64) (batchBody, bool) {
	body := batchBody{ID: id, Queue: link{Text: s.repository() + " " + s.place.Branch, URL: queuePath(s.place)}}
	i := slices.IndexFunc(s.rows.Batches, func(b queue.Batch) bool { return b.ID == id })
	b := queue.Batch{ID: id}
	if i >= 0 {
		b, body.Kept = s.rows.Batches[i], true
	} else {
		b = s.remembered(id)
	}
	if i < 0 && len(b.Members) == 0 {
		return body, false
	}
	body.Opened, body.Closed = s.since(b.Opened), s.since(b.Closed)
	body.Members = s.members(b)
	body.Sum = s.sum(b, body.Members)
	if body.Kept {
		body.Tree, body.Facts, body.Flakes = s.tree(b), s.facts(b), s.flakes(b)
	}
	if b.Closed.IsZero() && body.Kept {
		body.Pause, body.Red = s.pause(), s.red()
		if s.running() > 0 {
			body.Chain = s.chain(id)
		}
		for _, a := range s.rows.Attempts {
			if a.Batch == id && live(a) {
				body.Attempts = append(body.Attempts, s.attempt(a))
			}
		}
	}
	return body, true
}

// remembered is what the ends of its members tell of a batch that is no longer kept.
func (s *scene) remembered(id int64) queue.Batch {
	b := queue.Batch{ID: id}
	for _, e := range s.ended {
		if e.Batch != id || slices.Contains(b.Members, e.PR.Number) {
			continue
		}
		b.Members = append(b.Members, e.PR.Number)
		if e.Phase == queue.Landed {
			b.Landed = append(b.Landed, e.PR.Number)
		} else {
			b.Out = append(b.Out, e.PR.Number)
		}
		if e.End != nil && e.End.At.After(b.Closed) {
			b.Closed = e.End.At
		}
	}
	slices.Sort(b.Members)
	return b
}

// sum counts what came of the members.
func (s *scene) sum(b queue.Batch, members []memberView) string {
	count := map[string]int{}
	for _, m := range members {
		count[m.Where]++
	}
	var parts []string
	for _, where := range []string{"Landed", "Landing", "Out", "Being tested", "Set aside", "Held", "Back in line"} {
		if n := count[where]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ToLower(where)))
		}
	}
	text := strings.Join(parts, ", ")
	runs := 0
	for _, a := range s.rows.Attempts {
		if a.Batch == b.ID && !a.PushedAt.IsZero() {
			runs++
		}
	}
	if runs > 0 {
		text += "; " + plural(runs, "test run") + " so far"
		if !b.Closed.IsZero() {
			text = strings.TrimSuffix(text, " so far") + " in all"
		}
	}
	return text
}

// facts are the unexplained red sets that touch a batch.
func (s *scene) facts(b queue.Batch) []factView {
	var views []factView
	for _, r := range s.rows.Header.Reds {
		run := s.redRun(r.Run)
		members := slices.Concat(r.Members, r.Cleared)
		if run.Batch != b.ID && !slices.ContainsFunc(members, func(pr int) bool { return slices.Contains(b.Members, pr) }) {
			continue
		}
		v := factView{Text: factText(run, r.Times, len(members), len(r.Cleared))}
		switch {
		case r.Error:
			v.Text += " It named no test: one of these is bad, or the infrastructure failed."
		case r.Passed:
			v.Text += " Its tests passed for each of them since: it was a flake, or something that only some of them do together."
		case len(r.Members) == 1:
			v.Text += " Only one is left: it goes out if it stays red, and lands if it does not."
		default:
			v.Text += " One of these is bad, or the run was a flake. Nobody is blamed yet."
		}
		for _, t := range run.Ending.Tests {
			v.Tests = append(v.Tests, t.Name)
		}
		for _, pr := range r.Members {
			v.Left = append(v.Left, s.pull(pr))
		}
		views = append(views, v)
	}
	return views
}

// redRun is what is remembered of a red attempt.
func (s *scene) redRun(id int64) queue.RedRun {
	for _, r := range s.rows.Header.RedRuns {
		if r.Attempt == id {
			return r
		}
	}
	return queue.RedRun{Attempt: id}
}

// factText says how often a set was red, and how many of it are cleared: those
// who landed or left, and those for whom its tests passed.
func factText(run queue.RedRun, times, left, passed int) string {
	text := fmt.Sprintf("Attempt %d was red.", run.Attempt)
	if times > 1 {
		text = fmt.Sprintf("%d runs were red, attempt %d the first.", times, run.Attempt)
	}
	if gone := len(run.PRs) - left; gone > 0 {
		text += fmt.Sprintf(" Of the %d in it, %s cleared since.", len(run.PRs), areOf(gone))
	}
	if passed > 0 {
		text += fmt.Sprintf(" Its tests passed for %d more.", passed)
	}
	return text
}

func areOf(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

func (s *scene) flakes(b queue.Batch) []flakeView {
	var views []flakeView
	for _, f := range b.Flakes {
		v := flakeView{Tests: f.Tests, Text: fmt.Sprintf("Red once, in attempt %d, and green after: flaky. All who were in it landed, and nobody is blamed.", f.Attempt)}
		for _, pr := range f.PRs {
			pull := s.pull(pr)
			pull.Fate = "landed"
			v.Pulls = append(v.Pulls, pull)
		}
		views = append(views, v)
	}
	return views
}
