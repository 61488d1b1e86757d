package suite

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Run runs the items, shows what happens on out, and reads the results. The
// untested packages are compiled along with them. It fails only where nothing could
// be run; failing tests stand in the results.
func (s Suite) Run(ctx context.Context, items, untested []string, out io.Writer) (Results, error) {
	began := time.Now()
	run := s.runFiles
	if s.Runner == Go {
		run = s.runGo
	}
	results, err := run(ctx, items, untested, out)
	results.Wall = time.Since(began)
	return results, err
}

// runFiles runs a command whose results, if there are any, are in files.
func (s Suite) runFiles(ctx context.Context, items, _ []string, out io.Writer) (Results, error) {
	words, own, err := s.words(items)
	if err != nil {
		return Results{}, err
	}
	began := time.Now()
	fmt.Fprintf(out, "Running %s: %s\n", count(len(items), "item"), shard.Harmless(s.commandName()))
	kept := &clip{size: shard.MaxMessage}
	// What the command prints is shown as it is: it is the workflow's own command.
	both := io.MultiWriter(out, kept)
	code, err := s.runChild(ctx, words, both, both)
	if err != nil {
		return Results{}, fmt.Errorf("run the tests: %w", err)
	}
	fmt.Fprintf(out, "\n%s after %s\n", exitText(code), time.Since(began).Round(10*time.Millisecond))
	results, err := s.readFiles(own, began, past{items: items, code: code, output: kept.text(), handed: s.takesWords()})
	switch {
	case err == nil && !results.Blind:
	case err != nil:
		// What leaves no whole results proves nothing, green as it may be.
		fmt.Fprintln(out, shard.Harmless(shard.CleanName(err.Error())))
		if results.ExitCode = code; code != 0 && len(results.Failing()) == 0 {
			results = s.byExitCode(items, code, kept.text())
		} else if len(results.Items) == 0 {
			results.NotRun = shard.Normalise(items)
		}
	default:
		results = s.byExitCode(items, code, kept.text())
	}
	if len(results.Items) == 1 && results.Items[0].MS == 0 {
		results.Items[0].MS = ms(time.Since(began))
	}
	return results, nil
}

// readFiles reads the results that a command left in its own file, or in those
// that Results names. Results are blind where nothing was to be left.
func (s Suite) readFiles(own string, began time.Time, run past) (Results, error) {
	files, format := []string{own}, s.Format
	switch {
	case s.Command == "" && s.Runner == Jest:
		return s.readJest(own, run)
	case s.Command == "":
		format = FormatJUnit
	case own == "" && s.Results == "":
		return Results{Blind: true}, nil
	case own == "":
		var err error
		// Some file systems count whole seconds.
		if files, err = s.ResultFiles(began.Truncate(time.Second)); err != nil {
			return Results{}, err
		}
	}
	results, err := s.read(files, format, run)
	if s.Runner == Pytest && run.code == pytestNothing && !s.Sliced {
		// Of a whole suite without a test nobody may say that it passed.
		results.ExitCode = run.code
		results.Tests = append(results.Tests, s.exitTest("", s.commandName(), run.code, run.output))
	}
	return results, err
}

// ResultFiles lists the files that Results names. One that is older than since
// was left by something else. {batch} in a pattern stands for the run's number.
func (s Suite) ResultFiles(since time.Time) ([]string, error) {
	var files []string
	for _, line := range lines(s.Results) {
		pattern := strings.ReplaceAll(line, holeBatch, strconv.Itoa(s.batch))
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(s.Dir, pattern)
		}
		found, err := doublestar.FilepathGlob(pattern, doublestar.WithFilesOnly())
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("results: no file %s", line)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.ModTime().Before(since) {
			return nil, fmt.Errorf("results: %s is older than the run", filepath.Base(file))
		}
	}
	return files, nil
}

func (s Suite) runGo(ctx context.Context, items, untested []string, out io.Writer) (Results, error) {
	words, file, err := s.words(append(append([]string{}, items...), untested...))
	if err != nil {
		return Results{}, err
	}
	stream := newGoStream(out, len(items)+len(untested))
	stdout := &lineWriter{line: stream.feed}
	if file != "" {
		stdout.line = stream.show
	}
	stderr := &lineWriter{line: stream.aside}
	code, err := s.runChild(ctx, words, stdout, stderr)
	stdout.flush()
	stderr.flush()
	var unread error
	if err == nil && file != "" {
		unread = stream.readFile(file)
	}
	if end := stream.close(); err == nil {
		err = end
	}
	if err != nil {
		return Results{}, fmt.Errorf("run the tests: %w", err)
	}
	stream.summary()
	if unread != nil && code == 0 {
		// A green command that leaves no results proves nothing.
		stream.print(unread.Error())
		return Results{NotRun: shard.Normalise(items)}, nil
	}
	return s.goResults(stream, items, code), nil
}

// Read reads the results of a run of the items by somebody else, from files of
// go test -json. The error says which file is missing, empty or cut off.
func (s Suite) Read(files, items []string, code int) (Results, error) {
	stream := newGoStream(io.Discard, 0)
	var err error
	for _, file := range files {
		if err = stream.readFile(file); err != nil {
			break
		}
	}
	if end := stream.close(); err == nil {
		err = end
	}
	if err != nil {
		return Results{}, err
	}
	results := s.goResults(stream, items, code)
	results.Wall = stream.elapsed()
	return results, nil
}

// Outcome makes results of nothing but a step's outcome.
func (s Suite) Outcome(items []string, code int) Results {
	return s.byExitCode(items, code, "")
}

func exitText(code int) string {
	switch {
	case code == 0:
		return "Exit code 0"
	case code > 128:
		return "Killed by signal " + strconv.Itoa(code-128)
	}
	return "Exit code " + strconv.Itoa(code)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
