package suite

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/joshdk/go-junit"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// flush has go-junit read the piece.
func (c *cutter) flush() error {
	if len(c.beside) == 0 {
		return nil
	}
	suites, err := junit.IngestReader(io.MultiReader(strings.NewReader("<testsuite>"), &c.piece, strings.NewReader("</testsuite>")))
	beside := c.beside
	c.beside = nil
	c.piece.Reset()
	if err == nil && (len(suites) != 1 || len(suites[0].Tests) != len(beside)) {
		err = errors.New("go-junit counts other cases")
	}
	if err != nil {
		return fmt.Errorf("read a piece of JUnit: %w", err)
	}
	for i, test := range suites[0].Tests {
		if err := c.take(c.found(test, beside[i])); err != nil {
			return err
		}
	}
	return nil
}

// found is the case as all formats tell it, with its re-runs in order: those
// that passed in the end failed first, those of a red case came after.
func (c *cutter) found(t junit.Test, beside aside) found {
	run := shard.Execution{MS: clampMS(t.Duration)}
	switch t.Status {
	case junit.StatusPassed:
		run.Status = shard.Passed
		switch t.Properties["status"] + "/" + t.Properties["result"] {
		case "notrun/", "notrun/suppressed", "disabled/", "ignored/", "skipped/", "/skipped", "run/skipped":
			run.Status = shard.Skipped
		}
	case junit.StatusSkipped:
		run.Status = shard.Skipped
	case junit.StatusFailed:
		run.Status = shard.Failed
	case junit.StatusError:
		run.Status = shard.Errored
	}
	if problem, ok := t.Error.(junit.Error); ok {
		run.Message = saying(problem.Type, problem.Message, problem.Body)
		run.Kind = kindOf(run.Status, run.Message)
	}
	f := found{
		doc: &c.doc, suite: beside.suite, class: t.Classname, name: t.Name, file: t.Properties["file"], runs: []shard.Execution{run},
	}
	if f.file == "" {
		f.file = t.Properties["filepath"]
	}
	if f.class == "" {
		f.class = t.Properties["class"]
	}
	f.line = -1
	if line, err := strconv.Atoi(t.Properties["line"]); err == nil && line >= 0 && line < math.MaxInt32 {
		f.line = line
	}
	if len(beside.again) > 0 && run.Red() {
		f.runs = append(f.runs, beside.again...)
	} else if len(beside.again) > 0 {
		f.runs = append(slices.Clone(beside.again), run)
	}
	return f
}

// saying puts together what an element says of a failure: its text, after the
// message where the text does not hold it; the type where there is neither.
func saying(kind, message, text string) string {
	text = strings.TrimRight(strings.TrimLeft(text, "\r\n"), " \t\r\n")
	message = strings.TrimSpace(message)
	if message != "" && !strings.Contains(text, strings.TrimSpace(shard.Cut(firstLine(message), 200))) {
		text = strings.TrimSpace(message + "\n" + text)
	}
	if text == "" {
		text = kind
	}
	return ending(text)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// kindOf guesses how an execution failed.
func kindOf(status shard.Status, message string) shard.Kind {
	first := strings.ToLower(shard.Cut(message, 300))
	switch {
	case strings.Contains(first, "timed out") || strings.Contains(first, "timeout"):
		return shard.KindTimeout
	case status == shard.Failed:
		return shard.KindAssertion
	}
	return ""
}

// milliseconds reads seconds as people write them: 1,234.5 too.
func milliseconds(text string) int64 {
	s, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), 64)
	if err != nil || math.IsNaN(s) || s < 0 || s > longest.Seconds() {
		return 0
	}
	return int64(s * 1000)
}

// longest is what a test may take; more is a broken clock, and told as nothing.
const longest = 30 * 24 * time.Hour

func clampMS(d time.Duration) int64 {
	if d < 0 || d > longest {
		return 0
	}
	return d.Milliseconds()
}
