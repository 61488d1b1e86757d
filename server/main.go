// Command mainstay is the merge queue's server, and its demo. This package is
// settings, wiring and subcommands, the only place that knows every other; it is
// not a place for decisions (queue.Step) or for adapters (the folders beside it).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is what can be typed.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run the server for a GitHub App."`
	Doctor   doctorCommand   `cmd:"" help:"Say what would hang or be refused in a repository, and the setting that mends it. Exit code 2 where something would."`
	Config   configCommand   `cmd:"" help:"Check, explain and describe the settings file."`
	Audit    auditCommand    `cmd:"" help:"Say who asked for what, and what refused it."`
	Demo     demoCommand     `cmd:"" help:"Watch pull requests go from label to landed on real git, on this machine."`
	Bench    benchCommand    `cmd:"" help:"Print the figures of docs/performance.md, a line each."`
	Simulate simulateCommand `cmd:"" help:"Play a load against this queue and others in virtual time: waits, runs, good changes thrown out."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	parsed := kong.Parse(&cli, kong.Name("mainstay"),
		kong.Description("A merge queue that only ever moves the base branch to a commit that was tested green under its own SHA."),
		kong.ShortUsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		var code exitCode
		if errors.As(err, &code) {
			os.Exit(int(code))
		}
		fmt.Fprintln(os.Stderr, "mainstay: "+err.Error())
		os.Exit(1)
	}
}

// exitCode ends the process with a code and no further word.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

type versionCommand struct{}

// Run prints what the binary was built from.
func (versionCommand) Run() error {
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	fmt.Println("mainstay " + version + revision)
	return nil
}
