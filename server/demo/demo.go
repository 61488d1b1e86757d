package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// Options say which demo to show. Start, Out and Binaries are package main's.
type Options struct {
	Start    StartServer
	Out      io.Writer
	Live     bool // Out is a terminal: bars are redrawn in place
	Binaries string
	Log      *slog.Logger

	// Watch, when given, sets how a test looks at the sandbox.
	Watch func(*sandbox.Options)

	Parallel int // attempts side by side in the demo's own repository; one when 0

	Dir  string // kept when given; a temporary folder otherwise
	Keep bool   // leave everything running until ctx ends

	// Repository, when given, is a git repository whose last Pulls merge commits
	// become the pull requests; it is only read.
	Repository string
	Pulls      int
	Branch     string // of Repository; its HEAD when empty
	Test       string // the command that tests a ticket; passes when empty
	BatchSize  int    // for Repository; the server's own choice when 0
}

// ErrUnfinished says that a demo ran to its end, but not as promised: a pull
// request without an end, or a base that is not the tested commit.
var ErrUnfinished = errors.New("not every promise of the demo held")

// Show runs a demo to its end. ErrUnfinished comes after the table was printed.
func Show(ctx context.Context, o Options) error {
	dir := o.Dir
	if dir == "" {
		tmp, err := os.MkdirTemp("", "mainstay-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if o.Dir != "" {
		if err := clearDir(dir); err != nil {
			return err
		}
	}
	s := &show{Options: o, dir: dir, began: time.Now(), labelled: map[int]time.Time{}}
	if o.Repository == "" {
		err = s.openShop(ctx)
	} else {
		err = s.openHistory(ctx)
	}
	if s.world != nil {
		defer s.world.close()
	}
	if err != nil {
		return err
	}
	if err := s.watch(ctx); err != nil {
		return err
	}
	result, err := s.result(ctx)
	if err != nil {
		return err
	}
	if err := s.report(result); err != nil {
		return err
	}
	if o.Keep {
		fmt.Fprintf(o.Out, "\nLeft running: %s  (Ctrl-C ends it)\n", s.page())
		<-ctx.Done()
	}
	if !result.Holds {
		return ErrUnfinished
	}
	return nil
}

// demoMark is the file by which a folder of an earlier demo is known.
const demoMark = ".mainstay-demo"

// clearDir makes a folder ready for a demo: a new or empty one, or one that an
// earlier demo filled, which is emptied of what that one left.
func clearDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	mark := filepath.Join(dir, demoMark)
	if _, err := os.Stat(mark); err != nil && len(left) > 0 {
		return fmt.Errorf("%s is not empty and not of an earlier demo: give an empty folder with --dir", dir)
	}
	for _, name := range []string{"origin.git", "forge", "server", "action", "mainstay-action", "flake", "result.json"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return os.WriteFile(mark, nil, 0o644)
}

// show is one demo under way.
type show struct {
	Options
	dir   string
	world *world
	began time.Time
	pulls []pull
	// labelled is when each pull request was asked to land.
	labelled map[int]time.Time
	ask      func(ctx context.Context) // labels, in its own time
	screen   screen
	flakes   []FlakeResult // as the batches recorded them
}

// pull is one pull request as the demo follows it.
type pull struct {
	number int
	title  string
	note   string
	newest string // the head it was pushed to while in line, which is what must land
	*promise
}

func (s *show) page() string {
	return fmt.Sprintf("%s/q/%s/%s", s.world.server.URL, s.world.repo.FullName(), s.world.repo.DefaultBranch())
}

// openShop makes the demo's own repository and its twenty pull requests.
func (s *show) openShop(ctx context.Context) error {
	fmt.Fprintln(s.Out, "Making a small Go repository with real tests, twenty pull requests, and a forge to keep them in …")
	flake := filepath.Join(s.dir, "flake")
	w, err := newWorld(ctx, worldOptions{
		dir: s.dir, owner: "demo", name: "shop", adopt: filepath.Join(s.dir, "origin.git"), branch: "main",
		jobEnv: []string{"DEMO_FLAKE_FILE=" + flake}, maxJobs: 8, start: s.Start, log: s.Log, binaries: s.Binaries, watch: s.Watch,
	})
	if err != nil {
		return err
	}
	s.world = w
	if err := w.serve(ctx); err != nil {
		return err
	}
	if err := w.seedShop(shopFiles(w.server.URL, s.Parallel)); err != nil {
		return err
	}
	if err := w.awaitQueue(ctx); err != nil {
		return err
	}
	pulls := shopPulls()
	numbers, err := w.openShop(pulls)
	if err != nil {
		return err
	}
	for i, p := range pulls {
		s.pulls = append(s.pulls, pull{number: numbers[i], title: p.title, note: p.note, promise: &pulls[i].promise})
	}
	s.ask = func(ctx context.Context) { s.labelShop(ctx, pulls) }
	return nil
}

// labelShop labels the first pull request, the others when that one is under
// test, and has one pushed to while it waits in line.
func (s *show) labelShop(ctx context.Context, pulls []shopPull) {
	for i, p := range s.pulls {
		if i == 1 {
			_ = s.world.forge.WaitFor(ctx, func() bool { return len(s.world.repo.WorkflowRuns()) > 0 })
		}
		s.label(p.number)
		if !pulls[i].push {
			continue
		}
		s.awaitPinned(ctx, p.number)
		pr, _ := s.world.repo.PullRequest(int64(p.number))
		if commit, err := s.world.repo.Commit(pr.HeadSHA, map[string]string{"NOTES.md": "One more thought.\n"}, "One more thought"); err == nil {
			s.pulls[i].newest = commit
			s.complain(s.world.repo.Push(s.world.author, refUpdate("refs/heads/"+pr.HeadRef, commit)))
		}
	}
}

func (s *show) label(number int) {
	s.labelled[number] = time.Now()
	s.complain(s.world.repo.Label(int64(number), s.world.owner, "merge-queue"))
}

// complain shows an error of the demo's own people where it can be seen.
func (s *show) complain(err error) {
	if err != nil {
		fmt.Fprintln(s.Out, "demo:", err)
	}
}
