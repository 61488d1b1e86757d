package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// goal is how many mutants must be caught.
const goal = 30

// most is how many states of a world are walked. A world that is cut off there is
// not walked to its end: one that a mutant makes endless is caught by that.
const most = "60000"

func main() {
	only := flag.String("only", "", "only the mutants whose name holds this")
	together := flag.Int("together", runtime.NumCPU(), "how many at a time")
	flag.Parse()
	chosen := slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool { return !strings.Contains(m.name, *only) })
	missed, err := run(chosen, *together, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || missed > 0 {
		os.Exit(1)
	}
}

// run tries the mutants and reports each; missed counts those that no check caught.
func run(chosen []mutant, together int, w io.Writer) (missed int, err error) {
	dir, err := os.MkdirTemp("", "mainstay-mutants-")
	if err != nil {
		return 0, fmt.Errorf("make room for the copies: %w", err)
	}
	defer os.RemoveAll(dir)
	copies := make(chan string, together)
	for i := range together {
		at := filepath.Join(dir, fmt.Sprint(i))
		if err := copyModule(at); err != nil {
			return 0, fmt.Errorf("copy the module: %w", err)
		}
		copies <- at
	}
	first := <-copies
	if err := checkUnchanged(first, chosen); err != nil {
		return 0, err
	}
	copies <- first
	var done sync.WaitGroup
	var report sync.Mutex
	for _, m := range chosen {
		at := <-copies
		done.Go(func() {
			began := time.Now()
			result := try(at, m)
			copies <- at
			report.Lock()
			defer report.Unlock()
			if result != "caught" {
				missed++
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%.0f s\n", m.name, m.catch.world+m.catch.test, result, time.Since(began).Seconds())
		})
	}
	done.Wait()
	state := "ok"
	if missed > 0 || len(chosen) < goal {
		state = "short"
	}
	fmt.Fprintf(w, "mutants\t%d\tcaught of %d\t>= %d\t%s\n", len(chosen)-missed, len(chosen), goal, state)
	return missed, nil
}

// checkUnchanged holds the checks against the rules as they are: one that fails
// without a mutant would catch anything.
func checkUnchanged(at string, chosen []mutant) error {
	var worlds, tests []string
	for _, m := range chosen {
		if m.catch.world != "" {
			worlds = append(worlds, m.catch.world)
		} else {
			tests = append(tests, m.catch.test)
		}
	}
	for _, c := range []struct {
		check
		names []string
	}{{world(oneOf(worlds)), worlds}, {story(oneOf(tests)), tests}} {
		if len(c.names) == 0 {
			continue
		}
		if out, err := c.run(at); err != nil || bytes.Contains(out, []byte("no tests to run")) {
			return fmt.Errorf("run the checks on the rules as they are: %v\n%s", err, out)
		}
	}
	return nil
}

// oneOf is a pattern for each of these names.
func oneOf(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, regexp.QuoteMeta(strings.ReplaceAll(name, " ", "_")))
	}
	return "(" + strings.Join(quoted, "|") + ")"
}

// try puts a mutant into a copy, runs its check and takes it out again.
func try(at string, m mutant) string {
	file := filepath.Join(at, "queue", m.file)
	text, err := os.ReadFile(file)
	if err != nil || bytes.Count(text, []byte(m.old)) != 1 {
		return "MISSED: its text is not there once"
	}
	defer os.WriteFile(file, text, 0o644) //nolint:errcheck // the copy is thrown away
	if err := os.WriteFile(file, bytes.Replace(text, []byte(m.old), []byte(m.new), 1), 0o644); err != nil {
		return "MISSED: " + err.Error()
	}
	build := exec.Command("go", "build", "./queue/...")
	build.Dir = at
	if out, err := build.CombinedOutput(); err != nil {
		return "MISSED: it does not compile: " + strings.Join(strings.Fields(string(out)), " ")
	}
	c := m.catch
	if c.world != "" {
		c.world = oneOf([]string{c.world})
	}
	if _, err := c.run(at); err == nil {
		return "MISSED"
	}
	return "caught"
}

// run runs a check in a copy; its name is a pattern.
func (c check) run(at string) ([]byte, error) {
	args := []string{"test", "-count=1", "-vet=off", "-timeout=5m", "./queue", "-run=^" + c.test + "$"}
	if c.world != "" {
		args = []string{"test", "-count=1", "-vet=off", "-timeout=5m", "./queue/explore", "-run=^TestNoLawBreaks$/^" + c.world + "$",
			"-explore.full", "-explore.limit=" + most}
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = at
	return cmd.CombinedOutput()
}

// copyModule copies what package queue and its tests are built from.
func copyModule(to string) error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	root := strings.TrimSpace(string(out))
	if err := os.CopyFS(filepath.Join(to, "queue"), os.DirFS(filepath.Join(root, "queue"))); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
