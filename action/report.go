package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// report is mode report: another step ran the tests, and its outcome decides.
func (j *job) report(ctx context.Context) (int, error) {
	s := j.recall()
	code := 0
	if j.set.outcome == shard.OutcomeFailure {
		code = 1
	}
	r, err := j.read(&s, code)
	if err != nil {
		// Results that cannot be read are no results: the items never ran.
		j.flow.warn(err.Error())
		if len(r.Failing()) == 0 {
			r = suite.Results{NotRun: s.Items, ExitCode: code}
			if code != 0 {
				r = j.set.suite.Outcome(s.Items, code)
			}
		}
	}
	chunks := j.chunks(s, r, j.set.outcome, 0, 0)
	v := j.judge(s, r, chunks)
	if err != nil && v.Result.Green() {
		v.Result = shard.ResultError
	}
	if j.set.outcome == "" && err != nil {
		// Nobody said that anything ran; then there is nothing to tell either.
		j.flow.output("result", resultUnknown)
		return exitFine, nil
	}
	j.writeReport(chunks)
	answer := shard.ReportAnswer{}
	if j.set.outcome != "" || !r.Blind {
		answer = j.send(ctx, chunks)
	}
	j.conclude(s, r, v, answer)
	if j.set.outcome == "" {
		return exitFine, nil
	}
	return j.exit(v), nil
}

// recall reads what mode plan left, or takes the list from the inputs: in a
// matrix that another job planned, the list comes with the matrix.
func (j *job) recall() slice {
	var s slice
	text, err := os.ReadFile(j.file("plan.json"))
	if err == nil && json.Unmarshal(text, &s) == nil {
		return s
	}
	s = slice{Source: shard.SourceFallback, Scope: shard.ScopeSlice}
	for line := range strings.Lines(j.set.suite.Tests) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.Contains(line, "...") || strings.HasPrefix(line, ".") || strings.ContainsAny(line, "!*?[{") || j.standsForFiles(line) {
			s.Items = nil // patterns, not a list
			return s
		}
		s.Items = append(s.Items, line)
	}
	s.Items = shard.Normalise(s.Items)
	return s
}

// standsForFiles tells whether a line of tests is a folder of pytest's, which is
// no item but stands for its files.
func (j *job) standsForFiles(line string) bool {
	info, err := os.Stat(filepath.Join(j.set.suite.Dir, line))
	return j.set.suite.Runner == suite.Pytest && err == nil && info.IsDir()
}

// read reads the results that the test step left.
func (j *job) read(s *slice, code int) (suite.Results, error) {
	if j.set.outcome == shard.OutcomeSkipped {
		return suite.Results{NotRun: s.Items}, nil
	}
	if j.set.suite.Results == "" {
		return j.set.suite.Outcome(s.Items, code), nil
	}
	// What is older than the plan was left by something else.
	planned := time.Time{}
	if info, err := os.Stat(j.file("plan.json")); err == nil {
		planned = info.ModTime()
	}
	files, err := j.set.suite.ResultFiles(planned)
	if err != nil {
		return suite.Results{}, err
	}
	read := func() (suite.Results, error) {
		return j.set.suite.ReadResults(files, j.set.suite.Format, s.Items, code)
	}
	r, err := read()
	if err == nil && len(s.Items) == 0 && len(r.Extra) > 0 {
		// Nobody told what was to run; what did run is all we know.
		s.Items = r.Extra
		r, err = read()
	}
	return r, err
}
