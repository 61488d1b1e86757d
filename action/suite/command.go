package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mattn/go-shellwords"
)

// The placeholders of a command.
const (
	holeTests     = "{tests}"      // the items; a word of its own becomes a word an item
	holeTestsFile = "{tests-file}" // a file with the items, one a line
	holeResults   = "{results}"    // a file to write results to
	holeBatch     = "{batch}"      // counts the runs of the command in one job
	holeRun       = "{run}"        // for go test's -run; empty where all tests are wanted
	holeSkip      = "{skip}"       // for go test's -skip; empty where none is left out
)

// splitWords cuts a command line into words as a shell would, quotes and
// backslashes included, and refuses what only a shell could do. The error is
// an ErrUsage.
func splitWords(line string) ([]string, error) {
	parser := shellwords.NewParser()
	parser.ParseEnv, parser.ParseBacktick = false, false
	words, err := parser.Parse(line)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: cannot split %q into words: quotes or brackets don't match", ErrUsage, line)
	case parser.Position >= 0:
		// The library stops at these without an error; running half a command is worse.
		return nil, fmt.Errorf("%w: %q has ; & | < or > and is run without a shell: quote it, or call a script", ErrUsage, line)
	case len(words) == 0:
		return nil, fmt.Errorf("%w: the command is empty", ErrUsage)
	}
	return words, nil
}

// CheckCommand says what is wrong with the command of a suite that is cut into
// total shards, or nil. The error is an ErrUsage.
func (s Suite) CheckCommand(total int) error {
	if s.Command == "" {
		if s.Runner != Generic {
			return nil
		}
		return fmt.Errorf("%w: command is empty", ErrUsage)
	}
	if _, err := splitWords(s.Command); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if total > 1 && !strings.Contains(s.Command, holeTests) && !strings.Contains(s.Command, holeTestsFile) {
		return fmt.Errorf("%w: command has neither {tests} nor {tests-file}, so each shard would run everything", ErrUsage)
	}
	return nil
}

// words is the command for the items, ready to be run, and the file it is to
// write results to, "" where it has none of its own.
func (s Suite) words(items []string) (words []string, results string, err error) {
	results = filepath.Join(s.Scratch, "run-results-"+strconv.Itoa(s.batch))
	// What an earlier run left must not be taken for ours.
	if err := os.Remove(results); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("remove old results: %w", err)
	}
	if s.Command == "" {
		return s.ownWords(items, results)
	}
	split, err := splitWords(s.Command)
	if err != nil {
		return nil, "", fmt.Errorf("command: %w", err)
	}
	list := filepath.Join(s.Scratch, "run-tests.txt")
	if strings.Contains(s.Command, holeTestsFile) {
		if err := os.WriteFile(list, []byte(strings.Join(items, "\n")+"\n"), 0o644); err != nil {
			return nil, "", fmt.Errorf("write the list of tests: %w", err)
		}
	}
	arguments := s.arguments(items)
	fill := strings.NewReplacer(holeTestsFile, list, holeResults, results, holeRun, s.pattern(), holeSkip, s.skipPattern(),
		holeBatch, strconv.Itoa(s.batch), holeTests, strings.Join(arguments, " "))
	for _, word := range split {
		if word == holeTests {
			words = append(words, arguments...)
			continue
		}
		words = append(words, fill.Replace(word))
	}
	if !strings.Contains(s.Command, holeResults) {
		results = ""
	}
	return words, results, nil
}

// ownWords is the runner's own command.
func (s Suite) ownWords(items []string, results string) ([]string, string, error) {
	switch s.Runner {
	case Pytest:
		words, err := s.pytest()
		if err != nil {
			return nil, "", err
		}
		// The files that JUnit names, and the tests that are left out, are then
		// relative to where we are.
		words = append(words, "--rootdir=.", "-o", "junit_family=xunit1", "--junitxml="+results)
		return append(words, s.arguments(items)...), results, nil
	case Jest:
		words := append(s.jest(), "--ci", "--json", "--outputFile="+results, "--testLocationInResults")
		if s.only != nil {
			words = append(words, "-t", jestPattern(s.only))
		}
		return append(append(words, "--runTestsByPath"), items...), results, nil
	}
	words := []string{"go", "test", "-json", "-count=1"}
	if pattern := s.pattern(); pattern != "" {
		words = append(words, "-run", pattern)
	}
	if pattern := s.skipPattern(); pattern != "" {
		words = append(words, "-skip", pattern)
	}
	return append(words, items...), "", nil
}

// childEnv is our environment without what was meant for us alone.
func childEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "INPUT_") && !strings.HasPrefix(entry, "MAINSTAY_") {
			env = append(env, entry)
		}
	}
	return env
}
