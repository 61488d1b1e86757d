package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// runSteps runs the steps of a level in order; its result is in the level.
func (x *execution) runSteps(l *level, steps []*step) {
	for _, s := range steps {
		outcome, conclusion, outputs := x.runStep(l, s)
		if s.id != "" {
			l.steps.set(s.id, &object{members: []member{
				{"outputs", outputs}, {"outcome", outcome}, {"conclusion", conclusion},
			}})
		}
		switch {
		case l.ctx.Err() != nil:
			l.result = Cancelled
		case conclusion == Failure && l.result == Success:
			l.result = Failure
		}
	}
}

// runStep decides whether a step runs, and runs it.
func (x *execution) runStep(l *level, s *step) (outcome, conclusion string, outputs *object) {
	outputs = &object{}
	env := x.env.clone()
	env.add(l.env)
	own, err := evaluateAll(s.env, x.scope(l, s, env))
	if err != nil {
		x.journal.fail(err)
		return Failure, Failure, outputs
	}
	env.add(own)
	sc := x.scope(l, s, env)
	holds, err := s.cond.holds(sc)
	if err != nil {
		x.journal.fail(err)
		return Failure, Failure, outputs
	}
	if !holds {
		return Skipped, Skipped, outputs
	}
	minutes, err := s.timeout.amount(sc)
	tolerated, errFlag := s.continueOnError.flag(sc, false)
	if err = errors.Join(err, errFlag); err != nil {
		x.journal.fail(err)
		return Failure, Failure, outputs
	}
	ctx, stop := x.stepContext(l, x.survives(sc, s), minutes)
	defer stop()
	outcome, err = x.perform(&call{ctx: ctx, level: l, step: s, env: env, scope: sc, outputs: outputs})
	outcome = x.judge(ctx, outcome, err)
	if outcome == Failure && tolerated {
		return outcome, Success, outputs
	}
	return outcome, outcome, outputs
}

// survives says whether the step's if: holds when the job is cancelled meanwhile.
func (x *execution) survives(sc *scope, s *step) bool {
	holds, err := s.cond.holds(&scope{lookup: sc.lookup, workspace: sc.workspace, status: status{cancelled: true}})
	return err == nil && holds
}

// stepContext ends when the step has to stop: with its level, or, for a step
// that a cancellation doesn't stop, some time after; and at its own timeout.
func (x *execution) stepContext(l *level, survives bool, minutes float64) (context.Context, context.CancelFunc) {
	ctx, stop := l.ctx, context.CancelFunc(func() {})
	switch {
	case l.ctx.Err() != nil:
		if l.until.IsZero() {
			l.until = time.Now().Add(cancelGrace)
		}
		ctx, stop = context.WithDeadline(context.WithoutCancel(l.ctx), l.until)
	case survives:
		inner, cancel := context.WithCancel(context.WithoutCancel(l.ctx))
		detach := context.AfterFunc(l.ctx, func() { time.AfterFunc(cancelGrace, cancel) })
		ctx, stop = inner, func() { detach(); cancel() }
	}
	if minutes <= 0 {
		return ctx, stop
	}
	limited, cancel := context.WithTimeoutCause(ctx, duration(minutes, jobTimeout), errStepTimeout)
	return limited, func() { cancel(); stop() }
}

// judge turns what a step gave into its outcome.
func (x *execution) judge(ctx context.Context, outcome string, err error) string {
	switch {
	case errors.Is(context.Cause(ctx), errStepTimeout):
		x.journal.problem("error", "", "The step has timed out.")
		return Failure
	case ctx.Err() != nil:
		return Cancelled
	case err != nil:
		x.journal.fail(err)
		return Failure
	}
	return outcome
}

// call is one step with all it needs to run.
type call struct {
	ctx     context.Context
	level   *level
	step    *step
	env     environ
	scope   *scope
	outputs *object
}

// perform runs the script or the action of a step.
func (x *execution) perform(c *call) (outcome string, err error) {
	title, err := c.step.title.text(c.scope)
	if err != nil {
		return Failure, err
	}
	if c.step.run != nil {
		return x.runScript(c, title)
	}
	if title == "" {
		title = "Run " + c.step.uses
	}
	x.journal.note("##[group]%s\n##[endgroup]", title)
	with, err := evaluateAll(c.step.with, c.scope)
	if err != nil {
		return Failure, err
	}
	ref, err := parseUses(c.step.uses)
	if err != nil {
		return Failure, fmt.Errorf("uses: %w", err)
	}
	switch ref.builtin() {
	case checkout:
		return Success, x.checkout(c.ctx, with)
	case upload:
		return Success, x.upload(c, with)
	case setupGo:
		x.journal.note("setup-go does nothing here: the machine's Go is used")
		return Success, nil
	}
	return x.runAction(c, ref, with)
}
