package suite

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// doubled numbers the later ones of several tests with one name.
const doubled = " #"

// Limits of what jest may leave behind.
const (
	maxJestFile  = 128 << 20
	maxJestTests = 100_000
)

// jestFile is one test file in what jest --json writes.
type jestFile struct {
	Name             string
	Status           string
	Message          string
	StartTime        float64
	EndTime          float64
	AssertionResults []jestTest
}

type jestTest struct {
	FullName        string
	Status          string
	Duration        float64
	FailureMessages []string
	Invocations     int
	RetryReasons    []string // of earlier tries, where jest was told to try again and to say why
	Location        *struct{ Line int }
}

// readJest reads what jest --json wrote of a run of the items. The error says
// that the file is missing, too large or cut off.
func (s Suite) readJest(file string, run past) (Results, error) {
	f, err := os.Open(file)
	if err != nil {
		return Results{}, fmt.Errorf("read results: %w", err)
	}
	defer f.Close()
	return s.jestResults(f, run)
}

func (s Suite) jestResults(in io.Reader, run past) (Results, error) {
	limited := &io.LimitedReader{R: in, N: maxJestFile}
	r := Results{ExitCode: run.code}
	tests := 0
	err := eachJestFile(limited, func(found jestFile) error {
		if tests += len(found.AssertionResults); tests > maxJestTests {
			return fmt.Errorf("more than %d tests", maxJestTests)
		}
		s.addJestFile(&r, found, run.items)
		return nil
	})
	if err != nil && limited.N <= 0 {
		err = fmt.Errorf("it has more than %d MiB", maxJestFile>>20)
	}
	if err != nil {
		return Results{}, fmt.Errorf("read results of jest: %w", err)
	}
	ran := map[string]bool{}
	for _, item := range r.Items {
		ran[item.ID] = true
	}
	for _, item := range shard.Normalise(run.items) {
		if !ran[item] {
			r.NotRun = append(r.NotRun, item)
		}
	}
	if run.code != 0 && len(r.Failing()) == 0 {
		r.Tests = append(r.Tests, s.exitTest("", s.commandName(), run.code, run.output))
	}
	return r, nil
}

// eachJestFile calls add for each element of testResults, one at a time: the
// whole would not fit in memory. A text that ends early is an error.
func eachJestFile(in io.Reader, add func(jestFile) error) error {
	d := json.NewDecoder(in)
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return errors.New("not what jest --json writes")
	}
	found := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key != "testResults" {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if token, err := d.Token(); err != nil || token != json.Delim('[') {
			return errors.New("testResults is no list")
		}
		found = true
		for d.More() {
			var file jestFile
			if err := d.Decode(&file); err != nil {
				return err
			}
			if err := add(file); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if !found {
		return errors.New("not what jest --json writes")
	}
	return nil
}

func (s Suite) addJestFile(r *Results, f jestFile, items []string) {
	item := cmp.Or(shard.CleanName(s.relative(filepath.FromSlash(f.Name))), "[no file]")
	result := shard.ItemResult{ID: item, Status: shard.Passed, MS: jestMS(f.EndTime - f.StartTime)}
	names := map[string]int{}
	broken := f.Status == "failed"
	for _, found := range f.AssertionResults {
		name := shard.CleanName(found.FullName)
		if name == "" {
			name = "(no name)"
		}
		// Two tests of one name are two tests: one must not pass for the other.
		if names[name]++; names[name] > 1 {
			name = shard.Cut(name, shard.MaxName-16) + doubled + strconv.Itoa(names[name])
		}
		t := shard.Test{Key: s.key(item, name), Class: item, Name: name, File: s.fromRoot(item), Executions: s.jestExecutions(found, item)}
		if t.Failed() {
			result.Status, broken = shard.Failed, false
		}
		r.Tests = append(r.Tests, slim(t))
	}
	if broken {
		// It failed and no test did: it could not be loaded, or what surrounds them broke.
		result.Status = shard.Errored
		e := shard.Execution{Status: shard.Errored, Kind: shard.KindBuild, Message: shard.CleanMessage(ending(escapes().ReplaceAllString(f.Message, "")))}
		e.File, e.Line = s.jestLine(item, f.Message)
		r.Tests = append(r.Tests, shard.Test{Key: s.key(item, nameLoad), Class: item, Name: nameLoad, File: s.fromRoot(item), Executions: []shard.Execution{e}})
	}
	for _, planned := range items {
		if planned == item {
			r.Items = append(r.Items, result)
			return
		}
	}
	r.Extra = append(r.Extra, item)
}

// jestExecutions lists the tries of a test, the last one last.
func (s Suite) jestExecutions(t jestTest, item string) []shard.Execution {
	var tries []shard.Execution
	for _, reason := range t.RetryReasons[:min(len(t.RetryReasons), shard.MaxExecutions-1)] {
		tries = append(tries, s.jestFailure(reason, item, t))
	}
	for len(tries) < min(t.Invocations, shard.MaxExecutions)-1 {
		tries = append(tries, s.jestFailure("It failed, and jest tried it again.", item, t))
	}
	last := shard.Execution{Status: shard.Skipped}
	switch t.Status {
	case "passed":
		last.Status = shard.Passed
	case "failed":
		last = s.jestFailure(strings.Join(t.FailureMessages, "\n\n"), item, t)
	}
	last.MS = jestMS(t.Duration)
	return append(tries, last)
}

func (s Suite) jestFailure(message, item string, t jestTest) shard.Execution {
	message = escapes().ReplaceAllString(message, "")
	e := shard.Execution{Status: shard.Failed, Kind: shard.KindAssertion, Message: shard.CleanMessage(ending(message))}
	if strings.Contains(message, "Exceeded timeout of") {
		e.Kind = shard.KindTimeout
	}
	e.File, e.Line = s.jestLine(item, message)
	if e.Line == 0 && t.Location != nil && t.Location.Line > 0 {
		e.File, e.Line = s.fromRoot(item), t.Location.Line
	}
	return e
}

var jestFrame = expression(`([^\s()]+):([0-9]{1,7}):[0-9]+\)?\s*$`)

// jestLine looks for the first line of a stack that is in the test file.
func (s Suite) jestLine(item, message string) (string, int) {
	for line := range strings.Lines(message) {
		frame := jestFrame().FindStringSubmatch(strings.TrimSpace(line))
		if frame == nil || s.relative(filepath.FromSlash(frame[1])) != item {
			continue
		}
		if n, err := strconv.Atoi(frame[2]); err == nil && n > 0 {
			return s.fromRoot(item), n
		}
	}
	return "", 0
}

// fromRoot names an item's file from the repository's root, as the wire does.
func (s Suite) fromRoot(item string) string {
	if s.Root == "" {
		return item
	}
	folder, err := filepath.Rel(absolute(s.Root), absolute(s.Dir))
	if err != nil || !filepath.IsLocal(folder) {
		return item
	}
	return shard.CleanName(path.Join(filepath.ToSlash(folder), item))
}

// underDir names a file of the repository from the suite's folder; "" where it
// is not in it.
func (s Suite) underDir(file string) string {
	prefix := s.fromRoot(".")
	if prefix == "." {
		return file
	}
	inside, ok := strings.CutPrefix(file, prefix+"/")
	if !ok {
		return ""
	}
	return inside
}

// jestMS is a time as jest tells it; one without sense is none.
func jestMS(ms float64) int64 {
	if !(ms > 0 && ms <= float64(longest.Milliseconds())) {
		return 0
	}
	return int64(ms)
}
