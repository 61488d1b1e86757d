package suite

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// What is read at most. go test -json is not held and may be long; of the others
// people would not read more either.
const (
	maxFile   = 10 << 20  // bytes of a file
	maxFiles  = 128 << 20 // bytes of all files
	maxGoFile = 1 << 30   // bytes of a file of go test -json
	memory    = 40 << 20  // above this much, memory is taken back at once
)

// past is a run of the items that ended.
type past struct {
	items  []string
	code   int
	output string // what it printed, where we heard it
	handed bool   // we gave it the items, so that it cannot have left one out unasked
}

// ReadResults reads the results of one run of the items by somebody else; all
// files together are one shard's. The error says which file is missing, empty,
// not understood, incomplete or cut off, and then the run proves nothing: no
// item of the results counts as passed, while the tests hold what could be made
// out, so that people see it.
func (s Suite) ReadResults(files []string, format Format, items []string, code int) (Results, error) {
	return s.read(files, format, past{items: items, code: code})
}

func (s Suite) read(files []string, format Format, run past) (Results, error) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memory))
	files, err := byAge(files)
	if err != nil {
		return Results{}, err
	}
	var stream, others []string
	formats := make([]Format, len(files))
	var faults []error
	for i, file := range files {
		if formats[i] = format; format == FormatAuto || format == "" {
			if formats[i], err = s.sniff(file); err != nil {
				faults = append(faults, err)
				continue
			}
		}
		if formats[i] == FormatGoJSON {
			stream = append(stream, file)
		} else {
			others = append(others, file)
		}
	}
	switch {
	case len(stream) > 0 && len(others) > 0:
		return Results{}, fmt.Errorf("read results: %s is go test -json and %s is not: name one of them", filepath.Base(stream[0]), filepath.Base(others[0]))
	case len(stream) > 0 && len(faults) == 0:
		return s.Read(stream, run.items, run.code)
	}
	g := newGather(s, run.items)
	budget := int64(maxFiles)
	for i, file := range files {
		if formats[i] == FormatJUnit || formats[i] == FormatTAP {
			if err := g.readFile(file, formats[i], &budget); err != nil {
				faults = append(faults, fmt.Errorf("read results %s: %w", filepath.Base(file), err))
			}
		}
	}
	err = errors.Join(faults[:min(len(faults), 10)]...)
	return g.results(run, err), err
}

// byAge puts files in the order in which they were written: what was run again
// was written later, whatever its name. Files of one time keep their order.
func byAge(files []string) ([]string, error) {
	type aged struct {
		name string
		at   int64
	}
	list := make([]aged, len(files))
	for i, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("read results %s: it is no file", filepath.Base(file))
		}
		list[i] = aged{file, info.ModTime().UnixNano()}
	}
	slices.SortStableFunc(list, func(a, b aged) int { return cmp.Compare(a.at, b.at) })
	sorted := make([]string, len(list))
	for i, file := range list {
		sorted[i] = file.name
	}
	return sorted, nil
}

var (
	looksTAP = regexp.MustCompile(`(?m)^(TAP version \d+|1\.\.\d+\s*(#.*)?$|(not )?ok( \d| - |$))`)
	looksGo  = regexp.MustCompile(`(?m)^\{.*"Action":"`)
)

// sniff looks into a file for its format.
func (s Suite) sniff(name string) (Format, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read results: %w", err)
	}
	defer file.Close()
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", fmt.Errorf("read results: %w", err)
	}
	head = head[:n]
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(text, []byte("<")), bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return FormatJUnit, nil
	case looksGo.Match(head):
		return FormatGoJSON, nil
	case looksTAP.Match(bytes.ReplaceAll(head, []byte("\r"), nil)):
		return FormatTAP, nil
	case s.Runner == Go:
		return FormatGoJSON, nil // output of other kinds may come first
	case len(text) == 0:
		return "", fmt.Errorf("read results %s: it is empty", filepath.Base(name))
	}
	return "", fmt.Errorf("read results %s: neither JUnit XML nor go test -json nor TAP", filepath.Base(name))
}

func (g *gather) readFile(name string, format Format, budget *int64) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := &limited{in: file, left: min(maxFile, *budget)}
	read := readJUnit
	if format == FormatTAP {
		read = readTAP
	}
	err = read(in, g.add)
	if *budget -= in.read; errors.Is(err, errTooLarge) {
		return fmt.Errorf("%w: at most %d MiB of a file are read, and %d MiB of all", errTooLarge, maxFile>>20, maxFiles>>20)
	}
	return err
}

var errTooLarge = errors.New("too large")

// limited is a reader that fails, and does not end, where there is too much.
type limited struct {
	in         io.Reader
	left, read int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		var one [1]byte
		if n, err := l.in.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	n, err := l.in.Read(p[:min(int64(len(p)), l.left)])
	l.left, l.read = l.left-int64(n), l.read+int64(n)
	return n, err
}

// results makes results of what was gathered. With a fault nothing is proved.
func (g *gather) results(run past, fault error) Results {
	r := Results{ExitCode: run.code, Tests: g.tests, Notes: g.notes()}
	if run.code != 0 && !slices.ContainsFunc(g.tests, shard.Test.Failed) {
		g.distrustDoubles()
	}
	if g.s.Runner == Pytest && run.code == pytestNothing && g.sum.cases == 0 && fault == nil {
		// Other slices have tests. A suite is not red because of how it was cut.
		r.ExitCode = 0
		r.Notes = append(r.Notes, "pytest collected no test in this slice")
	}
	for at, t := range g.tests {
		if item := g.owner[at]; item != nil && t.Failed() {
			lower(item, t.Last())
		}
	}
	g.judgeItems(&r, run, fault)
	if g.s.Runner == Go {
		r.Tests = withoutParents(r.Tests)
	}
	for extra := range g.extra {
		r.Extra = append(r.Extra, extra)
	}
	slices.Sort(r.Extra)
	if r.ExitCode != 0 && len(r.Failing()) == 0 {
		name := g.s.commandName()
		if _, taken := g.index[g.s.key("", name)]; taken {
			name = nameExit
		}
		r.Tests = append(r.Tests, g.s.exitTest("", name, r.ExitCode, run.output))
	}
	slices.SortStableFunc(r.Tests, func(a, b shard.Test) int { return strings.Compare(a.Class, b.Class) })
	return r
}

// nameExit stands for the command where a test is called as that is.
const nameExit = "[the command itself]"

// distrustDoubles lets the red execution of a test that was told twice count.
// The run is red: so these were no re-runs but two tests of one name.
func (g *gather) distrustDoubles() {
	for at := range g.tests {
		t := &g.tests[at]
		if !g.double[at] || !t.Flaky() {
			continue
		}
		red := slices.IndexFunc(t.Executions, shard.Execution.Red)
		e := t.Executions[red]
		t.Executions = append(slices.Delete(t.Executions, red, red+1), e)
	}
}

// withoutParents leaves out Go tests that failed with their subtests: naming
// those is enough.
func withoutParents(tests []shard.Test) []shard.Test {
	type named struct{ class, name string }
	parents := map[named]bool{}
	for _, t := range tests {
		if !t.Failed() {
			continue
		}
		for name := t.Name; ; {
			i := strings.LastIndexByte(name, '/')
			if i < 0 || parents[named{t.Class, name[:i]}] {
				break
			}
			name = name[:i]
			parents[named{t.Class, name}] = true
		}
	}
	return slices.DeleteFunc(tests, func(t shard.Test) bool { return t.Failed() && parents[named{t.Class, t.Name}] })
}

func (g *gather) judgeItems(r *Results, run past, fault error) {
	failing := slices.ContainsFunc(g.tests, shard.Test.Failed)
	for _, id := range g.where.items {
		item := g.items[id]
		if item == nil {
			if status := g.quiet(id, run, failing, fault); status != "" {
				item = &shard.ItemResult{ID: id, Status: status}
			}
		}
		if item == nil || fault != nil && item.Status != shard.Failed && item.Status != shard.Errored {
			r.NotRun = append(r.NotRun, id)
			continue
		}
		r.Items = append(r.Items, *item)
	}
}

// pytestNothing is pytest's exit code where it collected no test.
const pytestNothing = 5

// quiet decides on an item that no test was told of: how it ended, or "" where
// it must be taken for one that never ran.
func (g *gather) quiet(id string, run past, failing bool, fault error) shard.Status {
	if fault != nil {
		return ""
	}
	if g.sum.cases > 0 && (g.loose && g.s.Runner != Pytest || !g.placed && !g.where.onDisk()) {
		// The results do not name all files, or the items are none: the exit code is
		// all that is known of each.
		switch {
		case run.code == 0:
			return shard.Passed
		case failing:
			return shard.Failed
		}
		return shard.Errored
	}
	followed := len(g.extra) == 0 // it ran nothing that it was not asked for
	switch g.s.Runner {
	case Pytest:
		// One that came to its end went through all that it was given; tests that
		// were deselected are not told of.
		ended := run.code == 0 || run.code == pytestNothing
		if g.where.holdsNoTest(id, pythonTest) || ended && run.handed && followed {
			return shard.Skipped
		}
	case Generic:
		if g.where.holdsNoTest(id, anyTest) {
			return shard.Skipped
		}
	}
	// jest takes a file without tests for red, and go test is asked for packages that have some.
	return ""
}

var (
	pythonTest = regexp.MustCompile(`(?m)^\s*(async\s+)?def\s+\w*test|^\s*class\s|>>>|import\s+\*`)
	anyTest    = regexp.MustCompile(`(?i)test|\bit\b|describe|spec\b|scenario|example|should|import|require|include`)
)

// notes says what a person should know though it changes nothing.
func (g *gather) notes() []string {
	var notes []string
	for _, n := range []struct {
		count int
		text  string
	}{
		{g.sum.unnamed, "without a name in the results; they cannot be told apart"},
		{g.sum.alike, "called like another; they were numbered in order"},
		{g.sum.unlisted, "more than can be listed; red ones are never among them unless others are red"},
	} {
		if n.count > 0 {
			notes = append(notes, count(n.count, "test")+" "+n.text)
		}
	}
	return notes
}
