package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/mainstay-ci/mainstay/server/demo"
)

// demoCommand is `mainstay demo`.
type demoCommand struct {
	Repo     string `type:"existingdir" help:"An existing git repository, bare or not (only read): its last merge commits become the pull requests."`
	PRs      int    `name:"prs" default:"20" help:"How many, with --repo."`
	Branch   string `help:"Which branch of --repo; its HEAD when not given."`
	Test     string `help:"The command that tests a ticket, with --repo; without it every test passes."`
	Batch    int    `help:"Pull requests tested together, with --repo; the server's own choice when not given."`
	Parallel int    `default:"1" help:"Attempts side by side, without --repo: the dashboard then shows what stands on what."`
	Dir      string `help:"Keep the forge's repository (origin.git), the database and result.json in this folder."`
	Keep     bool   `help:"Leave everything running at the end, to look around."`
	Verbose  bool   `help:"Log what server and forge say."`
}

// Run shows the demo; exit code 1 when a promise did not hold.
func (c demoCommand) Run(ctx context.Context) error {
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	start := startForDemo
	if c.Verbose {
		start = startLoudly
	}
	err := demo.Show(ctx, demo.Options{
		Start: start, Out: os.Stdout, Live: isTerminal(os.Stdout), Binaries: binaries(), Log: log,
		Dir: c.Dir, Keep: c.Keep, Repository: c.Repo, Pulls: c.PRs, Branch: c.Branch, Test: c.Test, BatchSize: c.Batch, Parallel: c.Parallel,
	})
	if errors.Is(err, demo.ErrUnfinished) {
		return exitCode(1)
	}
	return err
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
