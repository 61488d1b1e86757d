package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Every process list shows command lines: no secret may be in one, neither the
// server's own nor any of git's and of what git starts. Git's own trace tells them all.
func TestNoSecretIsInAnyCommandLine(t *testing.T) {
	t.Parallel()
	// Given a git that writes down each command line below it.
	w := foundWithoutServer(t, scene{})
	git, err := exec.LookPath("git")
	w.must(err)
	bin, trace := t.TempDir(), filepath.Join(t.TempDir(), "trace")
	script := fmt.Sprintf("#!/bin/sh\nGIT_TRACE2_EVENT=%q exec %q \"$@\"\n", trace, git)
	w.must(os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755))

	// When a pull request lands.
	m := newMortal(w)
	m.path = bin
	m.live(moment{})
	own, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", m.child.Process.Pid))
	if err != nil {
		t.Logf("this system does not show command lines: %v", err)
	}
	pr := w.opens("topic")
	w.label(pr)
	w.until("it is merged", func() bool { return w.pull(pr).Merged })
	m.kill()

	// Then nothing secret is anywhere.
	lines, err := os.ReadFile(trace)
	w.must(err)
	for _, want := range []string{`"push"`, `"fetch"`, `"remote-http"`} {
		if !bytes.Contains(lines, []byte(want)) {
			t.Errorf("the trace has no %s: it can't tell", want)
		}
	}
	w.seekIn("git's command lines", lines)
	w.seekIn("the server's command line", own)
	w.seekSecrets()
}
