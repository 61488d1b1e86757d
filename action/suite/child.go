package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// waitDelay is how long a child that was told to end, or its children that
// still hold the output open, may take.
const waitDelay = 5 * time.Second

// runChild runs words and returns their exit code. It fails only where they
// could not be started.
func (s Suite) runChild(ctx context.Context, words []string, out, err io.Writer) (int, error) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.Dir, childEnv(), out, err
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = waitDelay
	fault := cmd.Run()
	if cmd.ProcessState == nil {
		return 0, fmt.Errorf("start %s: %w", words[0], fault)
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	code := cmd.ProcessState.ExitCode()
	// Output that could not be read to its end may hide failures; an orphan that
	// holds the pipe open does not.
	if code == 0 && fault != nil && !errors.Is(fault, exec.ErrWaitDelay) {
		return 1, nil
	}
	return code, nil
}

// maxLine is where a line without an end is cut in two.
const maxLine = 4 << 20

// lineWriter calls line for each line written to it, without its end.
type lineWriter struct {
	line func([]byte)
	rest []byte
}

// Write never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	written := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		if len(w.rest) > 0 {
			w.rest = append(w.rest, p[:end]...)
			w.line(w.rest)
			w.rest = w.rest[:0]
		} else {
			w.line(p[:end])
		}
		p = p[end+1:]
	}
	w.rest = append(w.rest, p...)
	if len(w.rest) > maxLine {
		w.flush()
	}
	return written, nil
}

// flush hands out what came after the last end of a line.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.line(w.rest)
		w.rest = w.rest[:0]
	}
}

// clip keeps the beginning and the end of a text, at most size bytes of each.
type clip struct {
	size       int
	head, tail []byte
	lost       bool
}

// Write never fails.
func (c *clip) Write(p []byte) (int, error) {
	written := len(p)
	if room := c.size - len(c.head); room > 0 {
		n := min(room, len(p))
		c.head, p = append(c.head, p[:n]...), p[n:]
	}
	c.tail = append(c.tail, p...)
	if len(c.tail) > 2*c.size {
		c.lost = true
		c.tail = append(c.tail[:0], c.tail[len(c.tail)-c.size:]...)
	}
	return written, nil
}

// text is what was kept, with a mark where something is missing.
func (c *clip) text() string {
	if c == nil {
		return ""
	}
	if !c.lost {
		return string(c.head) + string(c.tail)
	}
	return string(c.head) + "\n[… cut …]\n" + string(c.tail)
}
