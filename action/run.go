package main

import (
	"context"
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// maxRounds is how often tests are run again at the server's word.
const maxRounds = 3

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
	asked := j.set.suite
	asked.Only, asked.Sliced = s.Only, s.Leased || len(s.Items) < s.Suite
	session := asked.Begin(j.flow.out)
	defer session.Close()
	session.Expect(s.Items, s.expected(j.set.at.Index))
	r, err := j.execute(ctx, session, s)
	if err != nil {
		return exitUsage, err
	}
	report := func(round int) ([]shard.Report, shard.ReportAnswer) {
		chunks := j.chunks(s, r, outcome(ctx, s, r), setup, round)
		j.writeReport(chunks)
		return chunks, j.send(ctx, chunks)
	}
	chunks, answer := report(0)
	for round := 1; round <= maxRounds && answer.Next.Action == shard.NextRerun && chunks[0].Reruns && ctx.Err() == nil; round++ {
		if r, err = session.Rerun(ctx, r, answer.Next.Tests); err != nil {
			j.flow.warn("tests could not be run again: " + err.Error())
		}
		chunks, answer = report(round)
	}
	v := j.judge(s, r, chunks)
	j.conclude(s, r, v, answer)
	return j.exit(v), nil
}

// execute runs what is this shard's to run.
func (j *job) execute(ctx context.Context, session *suite.Session, s slice) (suite.Results, error) {
	if s.Leased {
		return j.runLeased(ctx, session, s)
	}
	if len(s.run()) == 0 {
		return suite.Results{}, nil
	}
	return session.Run(ctx, s.Units, s.Untested)
}

// outcome is how the run went, in GitHub's words for a step.
func outcome(ctx context.Context, s slice, r suite.Results) shard.Outcome {
	switch {
	case ctx.Err() != nil:
		return shard.OutcomeCancelled
	case len(s.run())+len(r.Items)+len(r.NotRun) == 0:
		return shard.OutcomeSkipped
	case r.ExitCode != 0:
		return shard.OutcomeFailure
	}
	return shard.OutcomeSuccess
}
