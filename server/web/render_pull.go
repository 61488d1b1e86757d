package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

type pullBody struct {
	pullView
	Repository link
	Queue      link
	Batch      link
	Class      string // calm, busy, good, bad
	Sign       string
	State      string
	More       string // one sentence below the state
	Pause      *pauseView
	Red        *redView
	End        *endView
	Head       link
	Runs       int
	Attempt    *attemptView
	Story      []storyLine
	Earlier    []outRow
	Own        []ownRun
	Audit      []auditRow
}

type storyLine struct {
	At   moment
	Text string
	Link link
}

// pullAt is the page of one pull request of a queue.
func (p *pages) pullAt(id int64, number int) view {
	return func(ctx context.Context) (page, error) {
		s, err := p.scene(ctx, id, readEnded)
		if err != nil {
			return page{}, err
		}
		lives := s.lives(number)
		if len(lives) == 0 { // long ago, or never
			if s, err = p.scene(ctx, id, readLongAgo); err != nil {
				return page{}, err
			}
			lives = s.lives(number)
		}
		if len(lives) == 0 {
			return page{}, fmt.Errorf("pull request %d: %w", number, queue.ErrNotFound)
		}
		path := queuePath(s.place)
		title := fmt.Sprintf("#%d", number)
		body := s.pullPage(lives)
		reports, err := p.Reader.PullReports(ctx, id, number, shownReports)
		if err != nil {
			return page{}, fmt.Errorf("read the reports of pull request %d: %w", number, err)
		}
		body.Own = s.ownRuns(reports)
		rulings, err := p.Reader.RulingsOfPull(ctx, id, number, shownRulings)
		if err != nil {
			return page{}, fmt.Errorf("read the audit of pull request %d: %w", number, err)
		}
		body.Audit = s.audit(rulings)
		return page{Name: "pull", Title: title + " " + plainLine(lives[0].PR.Title, 80), Events: pullPath(s.place, number) + "/events",
			Crumbs: []link{{Text: s.repository() + " " + s.place.Branch, URL: path}, {Text: title}}, Body: body}, nil
	}
}

// lives are a pull request's entries, the newest first: one per wish.
func (s *scene) lives(number int) []queue.Entry {
	var lives []queue.Entry
	add := func(e queue.Entry) {
		if e.PR.Number == number && !slices.ContainsFunc(lives, func(x queue.Entry) bool { return x.Wish.ID == e.Wish.ID && x.Order == e.Order }) {
			lives = append(lives, e)
		}
	}
	for _, e := range s.rows.Entries {
		add(e)
	}
	for _, e := range s.ended {
		add(e)
	}
	return lives
}

func (s *scene) pullPage(lives []queue.Entry) pullBody {
	e := lives[0]
	body := pullBody{pullView: s.pull(e.PR.Number), Repository: link{Text: s.repository(), URL: s.at()},
		Queue: link{Text: s.place.Branch, URL: queuePath(s.place)}, Batch: s.batchLink(e.Batch), Head: s.commit(headOf(e)), Runs: e.Runs}
	body.Became = s.commit(e.Became)
	s.state(&body, e)
	if !e.Phase.Ended() {
		body.Pause, body.Red = s.pause(), s.red()
	}
	for _, a := range s.rows.Attempts {
		if a.ID == e.Attempt && live(a) && holds(a, e.PR.Number) {
			v := s.attempt(a)
			body.Attempt = &v
		}
	}
	body.Story = s.story(e)
	for _, old := range lives[1:] {
		body.Earlier = append(body.Earlier, outRow{s.pull(e.PR.Number), s.end(old.End)})
	}
	return body
}

// state says where the entry stands, in a heading and a sentence.
func (s *scene) state(body *pullBody, e queue.Entry) {
	switch e.Phase {
	case queue.Asking:
		body.Class, body.Sign, body.State = "calm", "○", waitText(e, s.rows.Header)
		body.More = "It enters the line as soon as the branch’s rules are met."
	case queue.Waiting:
		body.Class, body.Sign = "calm", "○"
		for _, row := range s.line(s.openBatches()) {
			if row.Number == e.PR.Number {
				body.State, body.More = ordinal(row.Place)+" in line", row.Waits+"."
				if row.Guess != "" {
					body.State += ", " + row.Guess
				}
			}
		}
	case queue.Testing:
		body.Class, body.Sign, body.State = "busy", "◐", "Waiting for the rest of its batch"
		body.More = "Its part of the batch is set aside; its turn comes."
		for _, a := range s.rows.Attempts {
			if a.ID == e.Attempt && live(a) && holds(a, e.PR.Number) {
				body.State, body.More = phaseText(a, s.place.Branch), ""
			}
		}
	case queue.Landing:
		body.Class, body.Sign, body.State = "good", "◕", "Landing"
		body.More = "It was tested green and is on its way into " + s.place.Branch + "."
	case queue.Landed:
		body.Class, body.Sign, body.State = "good", "✓", "Landed"
	case queue.Out:
		end := s.end(e.End)
		body.Class, body.Sign, body.State, body.End = "bad", "✕", "Out: "+lowerFirst(end.Reason), &end
	}
}

func (s *scene) openBatches() int {
	n := 0
	for _, b := range s.rows.Batches {
		if b.Closed.IsZero() {
			n++
		}
	}
	return n
}

func headOf(e queue.Entry) string {
	if e.Pinned != "" {
		return e.Pinned
	}
	return e.PR.Head
}

func holds(a queue.Attempt, number int) bool {
	return slices.ContainsFunc(a.Members, func(m queue.Member) bool { return m.PR == number })
}

// story is the entry's life as far as it is known, the oldest first.
func (s *scene) story(e queue.Entry) []storyLine {
	type event struct {
		at   time.Time
		text string
		link link
	}
	var events []event
	tell := func(at time.Time, text string, l link) {
		if !at.IsZero() {
			events = append(events, event{at, text, l})
		}
	}
	tell(e.Wish.At, "Asked to land by "+e.Wish.By.Login, link{})
	tell(e.EnteredAt, "Seen by the queue", link{})
	if e.Phase == queue.Waiting {
		tell(e.Since, "In line at", s.commit(e.Pinned))
	}
	for _, a := range s.rows.Attempts {
		if !holds(a, e.PR.Number) || a.At.Before(e.EnteredAt) {
			continue
		}
		name := fmt.Sprintf("Attempt %d", a.ID)
		tell(a.At, name+company(a, e.PR.Number)+narrowText(a)+" built on", s.commit(a.Old))
		tell(a.PushedAt, name+" on GitHub as", s.commit(a.New))
		tell(a.SignAt, name+": CI started", link{})
		tell(a.IntentAt, name+" is green: landing", link{})
		switch {
		case a.Phase == queue.AttemptLanded:
		case a.Cause != "":
			tell(a.Since, name+" ended: "+strings.TrimSuffix(a.Cause, ".")+"; "+aimText[a.Aim], link{})
		}
	}
	if e.End != nil && e.Phase == queue.Landed {
		tell(e.End.At, "Landed "+methodText(e)+"as", s.commit(e.Became))
	} else if e.End != nil {
		tell(e.End.At, "Out: "+strings.TrimSuffix(e.End.Detail, "."), link{})
	}
	slices.SortStableFunc(events, func(x, y event) int { return x.at.Compare(y.at) })
	var lines []storyLine
	for _, ev := range events {
		lines = append(lines, storyLine{s.since(ev.at), ev.text, ev.link})
	}
	return lines
}

// company names who an attempt tested a pull request with.
func company(a queue.Attempt, number int) string {
	var others []string
	for _, m := range a.Members {
		if m.PR != number {
			others = append(others, fmt.Sprintf("#%d", m.PR))
		}
	}
	switch {
	case len(others) == 0:
		return ", by itself,"
	case len(others) > 4:
		return fmt.Sprintf(" with %d others", len(others))
	}
	return " with " + strings.Join(others, ", ")
}

// narrowText says that an attempt runs a few tests only.
func narrowText(a queue.Attempt) string {
	text := ""
	switch n := len(a.Narrow); {
	case n == 1:
		text = ", only to run " + a.Narrow[0].Name + ","
	case n > 1:
		text = fmt.Sprintf(", only to run %s and %d more,", a.Narrow[0].Name, n-1)
	}
	if len(a.Members) == 1 {
		return strings.TrimPrefix(text, ",") // "by itself," has the comma
	}
	return text
}

// lowerFirst fits words into a sentence; initials stay as they are.
func lowerFirst(text string) string {
	if len(text) < 2 || text[1] < 'a' || text[1] > 'z' {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
