package suite

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mpontillo/tap13"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// TAP: tap13 reads one level of one document. It wants a version line, takes a
// plan with a directive for none, and knows no tests within tests; this file
// cuts its input accordingly.

var (
	tapVersion = expression(`^TAP version \d+`)
	tapPoint   = expression(`^(not )?ok\b`) // tap13's own
	tapPlan    = expression(`^(1\.\.\d+)(\s*(#.*)?)$`)
	tapYAML    = expression(`^ {1,3}---\s*$`)
	tapYAMLEnd = expression(`^\s*\.\.\.$`)
	tapTime    = expression(`(?m)^\s*duration_ms:\s*['"]?([0-9.]+)`)
)

// errIncomplete is of results that say themselves that some are missing.
var errIncomplete = errors.New("incomplete")

// hash stands for an escaped "#", which tap13 takes for a directive's.
const hash = "\x01"

// tapNesting is how many tests may be within one another.
const tapNesting = 16

// readTAP calls take for each test of a file. Where fewer or more ran than were
// planned, or nobody planned, the error says so after take has got them all.
func readTAP(in io.Reader, take func(found) error) error {
	var lines []string
	var faults []error
	end := func() {
		if len(lines) > 0 {
			faults = append(faults, tapLevel(lines, "", 0, take))
		}
		lines = nil
	}
	seen := false
	reader := bufio.NewReader(in)
	for {
		line, err := readLine(reader)
		if err != nil && err != io.EOF {
			return err
		}
		if tapVersion().MatchString(line) {
			end()
			seen = true
		}
		if lines = append(lines, line); err == io.EOF {
			break
		}
	}
	if !seen && !strings.Contains("\n"+strings.Join(lines[:min(len(lines), 200)], "\n"), "\n1..") && !hasPoint(lines) {
		return errors.New("no TAP in it")
	}
	end()
	return errors.Join(faults...)
}

// readLine reads a line without its end; of a longer one than a message may be
// the rest is passed over.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, more, err := in.ReadLine()
		if room := shard.MaxMessage - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if err != nil || !more {
			return strings.TrimSuffix(string(line), "\r"), err
		}
	}
}

func hasPoint(lines []string) bool {
	for _, line := range lines {
		if tapPoint().MatchString(line) {
			return true
		}
	}
	return false
}

// tapLevel reads the tests at one level, and those within them first.
func tapLevel(lines []string, outer string, depth int, take func(found) error) error {
	if depth > tapNesting {
		return fmt.Errorf("more than %d tests within one another", tapNesting)
	}
	top, within, left := tapCut(lines)
	read := tap13.Parse(top)
	var faults []error
	for i, test := range read.Tests {
		name := strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(test.Description, hash, "#"), "- "))
		if name == "" {
			name = "test " + strconv.Itoa(i+1)
		}
		if outer != "" {
			name = outer + " > " + name
		}
		red := false
		if inner := within[i]; len(inner) > 0 {
			n := 0
			fault := tapLevel(inner, name, depth+1, func(f found) error {
				n++
				red = red || f.runs[0].Red()
				return take(f)
			})
			if faults = append(faults, fault); n > 0 && (red || !test.Failed) {
				continue // it stands for those within
			}
		}
		if i < read.TotalTests {
			if err := take(tapTest(test, name, i)); err != nil {
				return err
			}
		}
	}
	if hasPoint(left) {
		n := outer + " > (cut off)"
		faults = append(faults, tapLevel(left, strings.TrimPrefix(n, " > "), depth+1, take), fmt.Errorf("%w: it ends inside of a test", errCutOff))
	}
	return errors.Join(append(faults, tapComplete(read))...)
}

// tapCut separates the lines of a level from those of the tests within each of
// its tests. Left is what no test of the level came after.
func tapCut(lines []string) (top []string, within map[int][]string, left []string) {
	top, within = []string{"TAP version 13"}, map[int][]string{}
	points, yaml := 0, false
	for _, line := range lines {
		line = strings.ReplaceAll(line, `\#`, hash)
		switch {
		case yaml:
			yaml = !tapYAMLEnd().MatchString(line)
		case strings.HasPrefix(strings.TrimSpace(line), "Bail out!"):
			line = strings.TrimSpace(line)
		case strings.HasPrefix(line, "    "):
			left = append(left, line[4:])
			continue
		case tapPoint().MatchString(line):
			if len(left) > 0 {
				within[points] = left
				left = nil
			}
			points++
		case strings.HasPrefix(line, "# Subtest:"):
			continue // its name comes again after it
		case points > 0 && tapYAML().MatchString(line):
			yaml, line = true, strings.TrimRight(line, " ")
		case strings.HasPrefix(strings.TrimSpace(line), "---"), tapVersion().MatchString(line):
			continue
		default:
			if plan := tapPlan().FindStringSubmatch(line); plan != nil {
				line = plan[1]
			}
		}
		top = append(top, line)
	}
	return top, within, left
}

func tapTest(t tap13.Test, name string, i int) found {
	run := shard.Execution{Status: shard.Failed, Kind: shard.KindAssertion}
	switch {
	case t.Passed:
		run.Status = shard.Passed
	case t.Skipped, t.Todo:
		run.Status = shard.Skipped
	}
	if ms := tapTime().FindSubmatch(t.YamlBytes); ms != nil {
		if n, err := strconv.ParseFloat(string(ms[1]), 64); err == nil && n >= 0 && n < float64(longest.Milliseconds()) {
			run.MS = int64(n)
		}
	}
	if run.Status == shard.Failed {
		run.Message = strings.Join(t.Diagnostics, "\n") + "\n" + string(t.YamlBytes)
		run.Message = strings.TrimSpace(strings.ReplaceAll(run.Message, hash, `\#`))
		if run.Message == "" {
			run.Message = "not ok"
		}
		if strings.Contains(string(t.YamlBytes), "testTimeoutFailure") {
			run.Kind = shard.KindTimeout
		}
	}
	// A description need not be unique; the number is, and there are no re-runs.
	return found{name: name, apart: strconv.Itoa(i), line: -1, runs: []shard.Execution{run}}
}

// tapComplete compares what ran with the plan.
func tapComplete(r *tap13.Results) error {
	switch {
	case r.BailOut:
		return fmt.Errorf("%w: bailed out: %s", errIncomplete, shard.CleanName(r.BailOutReason))
	case r.ExpectedTests < 0:
		return fmt.Errorf("%w: no plan, saw %d", errIncomplete, len(r.Tests))
	case len(r.Tests) != r.ExpectedTests:
		return fmt.Errorf("%w: planned %d, saw %d", errIncomplete, r.ExpectedTests, len(r.Tests))
	}
	return nil
}
