package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// childDeadline is how long one git child, or one answer of a resident one, may take.
const childDeadline = 2 * time.Minute

// gitCommand prepares a git child that reads no settings but the repository's.
func gitCommand(ctx context.Context, gitDir string, args ...string) *exec.Cmd {
	full := append([]string{"-c", "core.fsync=none", "-c", "gc.auto=0", "--git-dir=" + gitDir}, args...)
	cmd := exec.CommandContext(ctx, "git", full...)
	cmd.Env = gitEnv()
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func gitEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "TZ=UTC"}
}

// runGit runs one child to its end and returns what it printed.
func runGit(ctx context.Context, gitDir string, stdin io.Reader, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, childDeadline)
	defer cancel()
	cmd := gitCommand(ctx, gitDir, args...)
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return out.Bytes(), nil
}

// resident is a git child that answers line by line for as long as it lives,
// and is started again when it died. It is not safe for concurrent use.
type resident struct {
	dir       string
	args      []string
	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *bufio.Reader
	complaint bytes.Buffer
}

// ask writes the question and lets answer read; whatever fails ends the child,
// so that the next question meets a fresh one.
func (r *resident) ask(question string, answer func(*bufio.Reader) error) error {
	if r.cmd == nil {
		if err := r.start(); err != nil {
			return err
		}
	}
	late := time.AfterFunc(childDeadline, func() { _ = r.cmd.Process.Kill() })
	defer late.Stop()
	_, err := io.WriteString(r.in, question)
	if err == nil {
		err = answer(r.out)
	}
	if err == nil {
		return nil
	}
	r.close()
	if said := strings.TrimSpace(r.complaint.String()); said != "" {
		err = errors.New(said)
	}
	return fmt.Errorf("git %s: %w", r.args[0], err)
}

func (r *resident) start() error {
	cmd := gitCommand(context.Background(), r.dir, r.args...)
	r.complaint.Reset()
	cmd.Stderr = &r.complaint
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start git %s: %w", r.args[0], err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start git %s: %w", r.args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start git %s: %w", r.args[0], err)
	}
	r.cmd, r.in, r.out = cmd, in, bufio.NewReaderSize(out, 64<<10)
	return nil
}

func (r *resident) close() {
	if r.cmd == nil {
		return
	}
	_ = r.in.Close()
	late := time.AfterFunc(5*time.Second, func() { _ = r.cmd.Process.Kill() })
	_, _ = io.Copy(io.Discard, r.out)
	_ = r.cmd.Wait()
	late.Stop()
	r.cmd = nil
}
