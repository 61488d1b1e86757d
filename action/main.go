package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/mainstay-ci/mainstay/action/suite"
)

// The exit codes.
const (
	exitFine  = 0 // or our own fault
	exitRed   = 1 // the tests are red
	exitUsage = 2 // the workflow asks for what cannot be done
)

// memory is above what memory is taken back at once: the tests need it more.
const memory = 48 << 20

// version is set by the linker.
var version = "dev"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("mainstay-action", version)
		return
	}
	debug.SetMemoryLimit(memory)
	// The runner asks a cancelled job to end by these two.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := act(ctx, os.Getenv, os.Stdout)
	stop()
	os.Exit(code)
}

// act does what the inputs ask for and returns the exit code.
func act(ctx context.Context, getenv func(string) string, out io.Writer) int {
	flow := newWorkflow(getenv, out)
	set, err := readSettings(flow)
	if err != nil {
		flow.fail(err.Error())
		return exitUsage
	}
	job := newJob(set, flow)
	var code int
	switch set.mode {
	case modePlan:
		code, err = job.plan(ctx)
	case modeRun:
		code, err = job.run(ctx)
	case modeReport:
		code, err = job.report(ctx)
	case modeVerify:
		code, err = job.verify(ctx)
	}
	if err != nil {
		flow.fail(err.Error())
		if code == exitFine {
			code = exitRed
		}
		if errors.Is(err, suite.ErrUsage) {
			code = exitUsage
		}
	}
	return code
}
