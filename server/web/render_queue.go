package web

import (
	"context"
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

type queueBody struct {
	Path       string
	Repository link
	Branch     link
	Tip        link
	Progress   moment
	Problem    string
	Tests      string // the address of the page of tests
	Missing    bool
	Pause      *pauseView
	Red        *redView // the base is red by itself
	Label      string
	Chain      *chainView // where attempts run side by side
	Batches    []batchView
	Line       []lineRow
	Landed     []landedRow
	Out        []outRow
}

type redView struct{ Title, Text string }

type pauseView struct {
	By, Reason, Rule string
	At               moment
	Path             string // where it is resumed; empty: not from here
}

type batchView struct {
	ID       int64
	Path     string
	Size     int
	Opened   moment
	Attempts []attemptView
	Tree     nodeView
	Searched bool // cut at least once: the tree says something
	Aside    []pullView
}

type lineRow struct {
	pullView
	Place int // 0: not yet eligible
	Waits string
	Since moment
	Guess string
}

type landedRow struct {
	Commit link
	Pulls  []pullView
	At     moment
}

type outRow struct {
	pullView
	endView
}

// endView is how an entry ended.
type endView struct {
	Reason, Detail, Next, By string
	Tests                    []queue.FailedTest
	At                       moment
}

func (s *scene) end(e *queue.End) endView {
	if e == nil {
		return endView{}
	}
	return endView{Reason: reasonText(e.Reason), Detail: upperFirst(e.Detail), Next: e.Next, By: e.By, Tests: e.Tests, At: s.since(e.At)}
}

// queueAt is the page of one queue.
func (p *pages) queueAt(id int64) view {
	return func(ctx context.Context) (page, error) {
		s, err := p.scene(ctx, id, readEnded)
		if err != nil {
			return page{}, err
		}
		path := queuePath(s.place)
		body := s.queue(path)
		if p.Tests != nil {
			body.Tests = path + "/tests"
		}
		return page{Name: "queue", Title: s.repository() + " " + s.place.Branch, Events: path + "/events",
			Crumbs: []link{{Text: s.repository() + " " + s.place.Branch}}, Body: body}, nil
	}
}

func (s *scene) queue(path string) queueBody {
	h := s.rows.Header
	body := queueBody{Path: path, Repository: link{Text: s.repository(), URL: s.at()}, Branch: s.branch(s.place.Branch),
		Tip: s.commit(h.Tip), Progress: s.since(h.ProgressAt), Problem: h.Problem, Missing: h.Missing, Label: h.Settings.Label,
		Pause: s.pause(), Red: s.red()}
	if body.Pause != nil {
		body.Pause.Path = path
	}
	for _, b := range s.rows.Batches {
		if b.Closed.IsZero() {
			body.Batches = append(body.Batches, s.batch(b))
		}
	}
	if s.running() > 1 {
		body.Chain = s.chain(0)
	}
	body.Line = s.line(len(body.Batches))
	for _, r := range s.receipts {
		row := landedRow{Commit: s.commit(r.Commit), At: s.since(r.At)}
		for _, m := range r.Members {
			row.Pulls = append(row.Pulls, s.pull(m.PR))
		}
		body.Landed = append(body.Landed, row)
	}
	for _, e := range s.ended {
		if e.Phase == queue.Out && len(body.Out) < shownEnded {
			body.Out = append(body.Out, outRow{s.pull(e.PR.Number), s.end(e.End)})
		}
	}
	return body
}

func (s *scene) red() *redView {
	title, text := queue.RedBase(s.rows.Header)
	if title == "" {
		return nil
	}
	return &redView{title, text}
}

func (s *scene) pause() *pauseView {
	p := s.rows.Header.Pause
	if p == nil {
		return nil
	}
	return &pauseView{By: p.By, Reason: p.Reason, Rule: p.Rule, At: s.since(p.At)}
}

func (s *scene) batch(b queue.Batch) batchView {
	v := batchView{ID: b.ID, Path: batchPath(s.place, b.ID), Size: len(b.Members), Opened: s.since(b.Opened), Tree: s.tree(b), Searched: len(b.Nodes) > 1}
	var tested []int
	for _, a := range s.rows.Attempts {
		if a.Batch == b.ID && live(a) {
			v.Attempts = append(v.Attempts, s.attempt(a))
			for _, m := range a.Members {
				tested = append(tested, m.PR)
			}
		}
	}
	for _, pr := range b.Members {
		if !slices.Contains(tested, pr) && !slices.Contains(b.Landed, pr) && !slices.Contains(b.Out, pr) {
			v.Aside = append(v.Aside, s.pull(pr))
		}
	}
	return v
}

// line is everybody who waits, in the order of their turns; only the eligible have a place.
func (s *scene) line(openBatches int) []lineRow {
	var rows []lineRow
	entries := slices.Clone(s.rows.Entries)
	turn := map[int]int{}
	for i, pr := range queue.LineOf(s.rows) {
		turn[pr] = i
	}
	slices.SortStableFunc(entries, func(x, y queue.Entry) int { return turn[x.PR.Number] - turn[y.PR.Number] })
	place := 0
	for _, e := range entries {
		row := lineRow{pullView: s.pull(e.PR.Number), Waits: waitText(e, s.rows.Header), Since: s.since(e.Since)}
		switch e.Phase {
		case queue.Asking:
		case queue.Waiting:
			if e.Wait == queue.OnHold {
				break
			}
			place++
			row.Place, row.Guess = place, waitGuess(s.rows.Header, place, openBatches)
		default:
			continue
		}
		rows = append(rows, row)
	}
	return rows
}
