package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// screen prints what happens: a line for each pull request that ended, and
// below, on a terminal, a bar for the batch under test, redrawn in place.
type screen struct {
	mu   sync.Mutex
	out  io.Writer
	live bool
	bar  string
	told map[int]bool
}

func (s *screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live && s.bar != "" {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	fmt.Fprintln(s.out, text)
	if s.live {
		fmt.Fprint(s.out, s.bar)
	}
}

func (s *screen) draw(bar string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bar == s.bar {
		return
	}
	was := s.bar
	s.bar = bar
	switch {
	case s.live:
		fmt.Fprint(s.out, "\r\x1b[K"+bar)
	case bar != "" && attemptOf(bar) != attemptOf(was):
		fmt.Fprintln(s.out, bar) // without a terminal: once an attempt
	}
}

// attemptOf is a bar without its progress.
func attemptOf(bar string) string {
	var heads []string
	for _, one := range strings.Split(bar, " | ") {
		head, _, _ := strings.Cut(one, "[")
		heads = append(heads, head)
	}
	return strings.Join(heads, "|")
}

// watch labels, and follows the queue until every pull request ended.
func (s *show) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.screen = screen{out: s.Out, live: s.Live, told: map[int]bool{}}
	fmt.Fprintf(s.Out, "Dashboard: %s\n\n", s.page())
	changed, stop, err := s.world.server.Watch(ctx, s.world.repo.ID, s.world.repo.DefaultBranch())
	if err != nil {
		return err
	}
	defer stop()
	asked := make(chan struct{})
	go func() { defer close(asked); s.ask(ctx) }()
	for done := false; ; {
		forge := s.world.forge.Changed() // taken first, so that no change slips by
		snap, err := s.world.snapshot(ctx)
		if err != nil {
			return err
		}
		s.tell(snap)
		if done && s.allEnded(snap) {
			s.screen.draw("")
			return nil
		}
		select {
		case <-changed:
		case <-forge:
		case <-asked:
			asked, done = nil, true
		case <-ctx.Done():
			return fmt.Errorf("the demo was stopped: %w", ctx.Err())
		}
	}
}

// allEnded reports whether each pull request has its end, and GitHub-in-a-box shows it.
func (s *show) allEnded(snap Snapshot) bool {
	ended := endings(snap.Ended)
	for _, p := range s.pulls {
		e, ok := ended[p.number]
		if !ok {
			return false
		}
		if pr, _ := s.world.repo.PullRequest(int64(p.number)); e.Phase == queue.Landed && pr.State == "open" {
			return false
		}
	}
	return true
}

// endings is each pull request's last end; the list is newest first.
func endings(list []queue.Entry) map[int]queue.Entry {
	ended := map[int]queue.Entry{}
	for _, e := range list {
		if _, seen := ended[e.PR.Number]; !seen {
			ended[e.PR.Number] = e
		}
	}
	return ended
}

func (s *show) tell(snap Snapshot) {
	s.noteFlakes(snap.Rows)
	for i := len(snap.Ended) - 1; i >= 0; i-- {
		e := snap.Ended[i]
		if s.screen.told[e.PR.Number] {
			continue
		}
		s.screen.told[e.PR.Number] = true
		s.screen.line(fmt.Sprintf("%6.1f s  #%-3d %-8s %s", time.Since(s.began).Seconds(), e.PR.Number, e.Phase, s.describe(e)))
	}
	s.screen.draw(batchBar(snap.Rows))
}

func (s *show) describe(e queue.Entry) string {
	text := clip(e.PR.Title, 44)
	if e.Phase == queue.Landed {
		return fmt.Sprintf("%-44s %.7s", text, e.Became)
	}
	return fmt.Sprintf("%-44s %s", text, because(e))
}

// because is why an entry went out, in a few words.
func because(e queue.Entry) string {
	if e.End == nil {
		return ""
	}
	why := string(e.End.Reason)
	if len(e.End.Tests) > 0 {
		why += ": " + e.End.Tests[0].Name
	}
	return why
}

// batchBar is what is under test as one line.
func batchBar(rows queue.Rows) string {
	var bars []string
	for _, a := range rows.Attempts {
		if a.Phase != queue.AttemptLanded && a.Phase != queue.AttemptDead && a.Phase != queue.AttemptAbandoning {
			bars = append(bars, attemptBar(a))
		}
	}
	if len(bars) == 0 {
		return ""
	}
	return "          " + strings.Join(bars, " | ")
}

func attemptBar(a queue.Attempt) string {
	var prs []string
	for _, m := range a.Members {
		prs = append(prs, fmt.Sprintf("#%d", m.PR))
	}
	if len(prs) > 8 {
		prs = append(prs[:7], fmt.Sprintf("… %d in all", len(a.Members)))
	}
	on := ""
	if a.Parent != 0 {
		on = fmt.Sprintf(" on %d", a.Parent)
	}
	return fmt.Sprintf("attempt %d%s: %s [%s] %s", a.ID, on, strings.Join(prs, " "), cells(a.Shards), a.Phase)
}

func cells(shards []queue.Shard) string {
	total := 0
	for _, sh := range shards {
		total = max(total, sh.Total)
	}
	var row []byte
	for i := range max(total, 4) {
		cell := byte('.')
		for _, sh := range shards {
			if sh.Index != i {
				continue
			}
			switch {
			case sh.Result == "":
				cell = '>'
			case sh.Result.Green():
				cell = '#'
			default:
				cell = 'x'
			}
		}
		row = append(row, cell)
	}
	return string(row)
}

func clip(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// awaitPinned waits until the queue has a pull request in line.
func (s *show) awaitPinned(ctx context.Context, number int) {
	changed, stop, err := s.world.server.Watch(ctx, s.world.repo.ID, s.world.repo.DefaultBranch())
	if err != nil {
		return
	}
	defer stop()
	for {
		snap, err := s.world.snapshot(ctx)
		if err != nil {
			return
		}
		for _, e := range snap.Rows.Entries {
			if e.PR.Number == number && e.Pinned != "" {
				return
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
