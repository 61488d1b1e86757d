package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// interruptGrace is how long an interrupted step may take to end by itself
// before its process group is killed.
const interruptGrace = 2 * time.Second

// process is one program to run as a step.
type process struct {
	argv   []string // argv[0] is an absolute path
	dir    string
	env    []string
	output *os.File
}

// run starts the process as the leader of a group of its own and waits for it.
// When ctx ends first, the group is interrupted, then killed. It returns the
// exit code and the group's id, which is 0 when nothing of the group is left.
func (p process) run(ctx context.Context) (code, group int, err error) {
	cmd := exec.Cmd{
		Path: p.argv[0], Args: p.argv, Dir: p.dir, Env: p.env,
		Stdout: p.output, Stderr: p.output,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, fmt.Errorf("start the step's process: %w", err)
	}
	group = cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = endGroup(group, ended)
		group = 0
	}
	if group != 0 && syscall.Kill(-group, 0) != nil {
		group = 0
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal()), group, nil
		}
		return exit.ExitCode(), group, nil
	}
	if err != nil {
		return 0, group, fmt.Errorf("wait for the step's process: %w", err)
	}
	return 0, group, nil
}

// endGroup interrupts a group, gives its leader a moment, and kills the rest.
func endGroup(group int, ended <-chan error) error {
	_ = syscall.Kill(-group, syscall.SIGINT)
	timer := time.NewTimer(interruptGrace)
	defer timer.Stop()
	select {
	case err := <-ended:
		killGroup(group) // what the leader left behind
		return err
	case <-timer.C:
		killGroup(group)
		return <-ended
	}
}

// killGroup kills a process group; one that is gone already is no error.
func killGroup(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }
