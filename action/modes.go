package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// resultEmpty and resultUnknown are results of a step that no report has: there
// was nothing to run, or nobody told how it went.
const (
	resultEmpty   = "empty"
	resultUnknown = "unknown"
)

// run is mode run: cut, run, read, report. The tests alone decide.
func (j *job) run(ctx context.Context) (int, error) {
	// Half of the time for the server is kept for the report.
	s, err := j.cut(ctx, j.set.timeout/2)
	if err != nil {
		return exitUsage, err
	}
	if err := j.keep(s); err != nil {
		j.flow.warn(err.Error()) // nobody needs it to run the tests
	}
	j.tellSlice(s)
	setup := time.Since(j.began)
	var r suite.Results
	outcome := shard.OutcomeSkipped
	if len(s.run()) > 0 {
		asked := j.set.suite
		asked.Only = s.Only
		if r, err = asked.Run(ctx, s.Items, s.Untested, j.flow.out); err != nil {
			return exitUsage, err
		}
		outcome = shard.OutcomeSuccess
		if r.ExitCode != 0 {
			outcome = shard.OutcomeFailure
		}
		if ctx.Err() != nil {
			outcome = shard.OutcomeCancelled
		}
	}
	chunks := j.chunks(s, r, outcome, setup)
	v := shard.Judge(chunks, nil)
	j.conclude(ctx, s, r, chunks, v)
	if r.ExitCode == 0 && v.Result.Green() {
		return exitFine, nil
	}
	return exitRed, nil
}

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
		r = suite.Results{NotRun: s.Items, ExitCode: code}
		if code != 0 {
			r = j.set.suite.Outcome(s.Items, code)
		}
	}
	chunks := j.chunks(s, r, j.set.outcome, 0)
	v := shard.Judge(chunks, nil)
	if err != nil && v.Result.Green() {
		v.Result = shard.ResultError
	}
	if j.set.outcome == "" && err != nil {
		// Nobody said that anything ran; then there is nothing to tell either.
		j.flow.output("result", resultUnknown)
		return exitFine, nil
	}
	j.conclude(ctx, s, r, chunks, v)
	if j.set.outcome == "" || v.Result.Green() {
		return exitFine, nil
	}
	return exitRed, nil
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
		if strings.Contains(line, "...") || strings.HasPrefix(line, ".") || strings.ContainsAny(line, "!*?[{") {
			s.Items = nil // patterns, not a list
			return s
		}
		s.Items = append(s.Items, line)
	}
	s.Items = shard.Normalise(s.Items)
	return s
}

// read reads the results that the test step left.
func (j *job) read(s *slice, code int) (suite.Results, error) {
	if j.set.outcome == shard.OutcomeSkipped {
		return suite.Results{NotRun: s.Items}, nil
	}
	if j.set.results == "" || j.set.suite.Runner != suite.Go {
		return j.set.suite.Outcome(s.Items, code), nil
	}
	files, err := j.resultFiles()
	if err != nil {
		return suite.Results{}, err
	}
	r, err := j.set.suite.Read(files, s.Items, code)
	if err == nil && len(s.Items) == 0 && len(r.Extra) > 0 {
		// Nobody told what was to run; what did run is all we know.
		s.Items = r.Extra
		r, err = j.set.suite.Read(files, s.Items, code)
	}
	return r, err
}

// resultFiles lists the files of the results. One that is older than the plan
// was left by something else.
func (j *job) resultFiles() ([]string, error) {
	planned := time.Time{}
	if info, err := os.Stat(j.file("plan.json")); err == nil {
		planned = info.ModTime()
	}
	var files []string
	for line := range strings.Lines(j.set.results) {
		pattern := strings.TrimSpace(line)
		if pattern == "" {
			continue
		}
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(j.set.suite.Dir, pattern)
		}
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("results: no file %s", strings.TrimSpace(line))
		}
		files = append(files, found...)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().Before(planned) {
			return nil, fmt.Errorf("results: %s is older than the plan of this job", filepath.Base(file))
		}
	}
	return files, nil
}

// conclude tells everybody how it went: the report's file, the server, the
// summary, the outputs. Nothing in it changes the job's result.
func (j *job) conclude(ctx context.Context, s slice, r suite.Results, chunks []shard.Report, v shard.ShardVerdict) {
	defer j.guard("conclude")
	for _, text := range v.Warnings {
		j.flow.say("Mainstay: %s", text)
	}
	result := string(v.Result)
	if len(s.run()) == 0 && v.Result == shard.ResultPassed {
		result = resultEmpty
	}
	if j.set.outcome == "" && j.set.mode == modeReport && r.Blind {
		result = resultUnknown
	}
	j.annotateFailures(r)
	j.flow.output("result", result)
	j.writeReport(chunks)
	var url string
	if result != resultUnknown {
		url = j.send(ctx, chunks)
	}
	if j.set.summary {
		j.flow.summarise(summary(j.set, s, r, result, url))
	}
}

// writeReport keeps the report in a file: one chunk a line.
func (j *job) writeReport(chunks []shard.Report) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	for _, chunk := range chunks {
		if err := encoder.Encode(chunk); err != nil {
			j.flow.warn("the report could not be written: " + err.Error())
			return
		}
	}
	if err := os.WriteFile(j.file("report.json"), []byte(text.String()), 0o644); err != nil {
		j.flow.warn("the report could not be written: " + err.Error())
		return
	}
	j.flow.output("report-file", j.file("report.json"))
}

// send sends the report and returns the address of the batch, if there is one.
// A job that is being cancelled still has the seconds to say so.
func (j *job) send(ctx context.Context, chunks []shard.Report) string {
	if j.client == nil {
		return ""
	}
	if ctx.Err() != nil {
		j.client.left = min(j.client.left, 2*time.Second)
		ctx = context.WithoutCancel(ctx)
	}
	answer, err := j.client.report(ctx, chunks)
	if err != nil {
		j.flow.warn(fmt.Sprintf("the server could not be told (%v); this job's tests alone decide", err))
		return ""
	}
	if answer.Batch == nil {
		return ""
	}
	url := shard.CleanName(answer.Batch.URL)
	j.flow.say("Reported to batch %s: %s", shard.CleanName(answer.Batch.ID), url)
	return url
}

func tool() shard.Tool {
	return shard.Tool{Name: "mainstay-action", Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH}
}
