package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
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

// judge gives the verdict on this shard by its own tests and by what the plan
// excuses: a list that could not be had excuses nothing.
func (j *job) judge(s slice, r suite.Results, chunks []shard.Report) shard.ShardVerdict {
	var excused map[string]bool
	if j.set.failOn != failAny && j.set.suite.TestsAlone(r.ExitCode) {
		excused = make(map[string]bool, len(s.Quarantine))
		for _, key := range s.Quarantine {
			excused[key] = true
		}
	}
	return shard.Judge(chunks, excused)
}

// exit is the exit code of a verdict.
func (j *job) exit(v shard.ShardVerdict) int {
	if v.Result.Green() || j.set.failOn == failNever {
		return exitFine
	}
	return exitRed
}

// conclude tells people how it went: the annotations, the outputs, the summary.
// Nothing in it changes the job's result.
func (j *job) conclude(s slice, r suite.Results, v shard.ShardVerdict, answer shard.ReportAnswer) {
	defer j.guard("conclude")
	for _, text := range append(v.Warnings, r.Notes...) {
		j.flow.say("Mainstay: %s", text)
	}
	result := string(v.Result)
	if len(s.run())+len(r.Items)+len(r.NotRun) == 0 && v.Result == shard.ResultPassed {
		result = resultEmpty
	}
	if j.set.outcome == "" && j.set.mode == modeReport && r.Blind {
		result = resultUnknown
	}
	j.annotateFailures(v)
	j.flow.output("result", result)
	if j.set.summary {
		j.flow.summarise(summary(j.set, s, r, v, result, answer))
	}
}

// writeReport keeps the report in a file: one chunk a line.
func (j *job) writeReport(chunks []shard.Report) {
	if err := writeLines(j.file("report.json"), chunks); err != nil {
		j.flow.warn("the report could not be written: " + err.Error())
		return
	}
	j.flow.output("report-file", j.file("report.json"))
}

// writeLines writes chunk by chunk: a large report is not held twice.
func writeLines(path string, chunks []shard.Report) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	for _, chunk := range chunks {
		if err := encoder.Encode(chunk); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return file.Close()
}

// send sends the report and returns the answer, which is zero where there is
// none. A job that is being cancelled still has the seconds to say so.
func (j *job) send(ctx context.Context, chunks []shard.Report) shard.ReportAnswer {
	defer j.guard("report")
	if j.client == nil {
		if j.set.server != "" {
			j.tellSent(false)
		}
		return shard.ReportAnswer{}
	}
	if ctx.Err() != nil {
		j.client.left = min(j.client.left, 2*time.Second)
		ctx = context.WithoutCancel(ctx)
	}
	answer, err := j.client.report(ctx, chunks)
	j.tellSent(err == nil)
	if err != nil {
		j.flow.warn(fmt.Sprintf("the server could not be told (%v); this job's tests alone decide", err))
		return shard.ReportAnswer{}
	}
	if answer.Batch != nil {
		j.flow.say("Reported to batch %s: %s", shard.CleanName(answer.Batch.ID), shard.CleanName(answer.Batch.URL))
	}
	return answer
}

func tool() shard.Tool {
	return shard.Tool{Name: "mainstay-action", Version: version, OS: runtime.GOOS, Arch: runtime.GOARCH}
}
