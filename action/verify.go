package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// The states of a verdict.
const (
	statePending    = "pending"
	statePassed     = "passed"
	stateFailed     = "failed"
	stateIncomplete = "incomplete"
	stateCancelled  = "cancelled"
	stateNone       = "none"
)

// The time between two questions for a verdict: the first few come quickly.
const (
	firstPoll = time.Second
	lastPoll  = 30 * time.Second
)

// verify is mode verify: it waits for what all suites of the commit come to. A
// verdict can hold the job back and never lets it pass by itself: the jobs that
// ran the tests must have succeeded as well. Where the server cannot be asked,
// and for a commit that is no batch's, they alone count.
func (j *job) verify(ctx context.Context) (int, error) {
	answer, err := j.await(ctx)
	switch {
	case ctx.Err() != nil:
		return exitRed, errors.New("the job was cancelled while it waited for the verdict")
	case err != nil:
		j.flow.warn(fmt.Sprintf("the server could not be asked for the verdict (%v); the outcome of the other jobs alone decides", err))
		return j.follow(resultUnknown), nil
	case answer.State == stateNone:
		j.flow.say("Mainstay: this commit is no batch's; the outcome of the other jobs decides")
		return j.follow(resultUnknown), nil
	}
	detail := shard.CleanName(answer.Detail)
	if answer.Reason != "" {
		detail = shard.CleanName(answer.Reason) + ": " + detail
	}
	j.flow.say("Mainstay: %s %s %s", answer.State, detail, shard.CleanName(answer.URL))
	switch answer.State {
	case statePassed:
		return j.follow(string(shard.ResultPassed)), nil
	case statePending:
		// The other jobs are over; what they have not told by now may never have run.
		j.flow.output("result", string(shard.ResultIncomplete))
		return exitRed, fmt.Errorf("the suites of this commit came to nothing within %s: %s", j.set.timeout, detail)
	case stateIncomplete:
		j.flow.output("result", string(shard.ResultIncomplete))
	case stateCancelled:
		j.flow.output("result", string(shard.ResultError))
	default:
		j.flow.output("result", string(shard.ResultFailed))
	}
	return exitRed, fmt.Errorf("the suites of this commit are %s: %s", answer.State, detail)
}

// follow is the exit code where the other jobs' outcome decides.
func (j *job) follow(result string) int {
	if j.set.outcome == shard.OutcomeSuccess {
		j.flow.output("result", result)
		return exitFine
	}
	j.flow.fail(fmt.Sprintf("the outcome of the jobs before is %s", j.set.outcome))
	j.flow.output("result", string(shard.ResultFailed))
	return exitRed
}

// await asks until there is a verdict or the time is up. An error means that
// there is no server to ask: it was away for as long as we wait for one.
func (j *job) await(ctx context.Context) (answer shard.VerdictAnswer, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a fault of Mainstay's own: %v", fault)
		}
	}()
	if j.client == nil {
		return answer, errors.New("there is no server that can be asked")
	}
	ctx, cancel := context.WithTimeout(ctx, j.set.timeout)
	defer cancel()
	patience := min(j.set.timeout, defaultTimeout)
	poll, left := firstPoll, patience
	for {
		asked := time.Now()
		now, fault := j.client.verdict(ctx, left)
		var refused *final
		switch {
		case fault == nil && !isVerdict(now.State):
			return answer, fmt.Errorf("it answers %.40q", now.State)
		case fault == nil && now.State != statePending:
			return now, nil
		case fault == nil:
			answer, left = now, patience
		case errors.As(fault, &refused):
			return answer, fault
		}
		wait := poll
		if fault != nil {
			wait = firstPoll
		}
		ended := !pause(ctx, wait)
		if fault != nil {
			left -= time.Since(asked)
		}
		if ended || left <= 0 {
			return answer, fault
		}
		poll = min(poll*3/2, lastPoll)
	}
}

func isVerdict(state string) bool {
	switch state {
	case statePending, statePassed, stateFailed, stateIncomplete, stateCancelled, stateNone:
		return true
	}
	return false
}
