package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// How long things may take, as on GitHub; the time that steps with always() get
// after a cancellation is shorter here.
const (
	jobTimeout  = 360 * time.Minute
	cancelGrace = 30 * time.Second
)

var (
	errJobTimeout  = errors.New("the job has exceeded its maximum execution time")
	errStepTimeout = errors.New("the step has timed out")
)

// execution is one job while it runs.
type execution struct {
	run   *run
	group *group
	in    *instance
	job   *job
	ctx   context.Context // ends when the job is cancelled or out of time
	top   *level

	workspace, temp, files string
	output                 *os.File // what processes print
	offset                 int64    // how much of it is in the journal
	journal                journal
	env                    environ // env: of workflow and job, and GITHUB_ENV
	paths                  []string
	number                 int   // of the step, for the names of its files
	left                   []int // process groups that outlived their step

	outputs               []Output
	tokenURL, tokenBearer string
}

// level is a list of steps that run one after the other: a job's, or those of a
// composite action.
type level struct {
	ctx    context.Context
	action *action // nil for a job
	inputs *object
	env    []envPair // of the steps that called this action
	steps  *object
	depth  int
	result string // success until a step fails or ctx ends
	until  time.Time
}

func (l *level) state() string {
	if l.ctx.Err() != nil {
		return Cancelled
	}
	return l.result
}

// execute runs the job from its set-up to its outputs.
func (x *execution) execute(ctx context.Context) JobResult {
	x.run.host.StartJob(x.in.id)
	x.journal.mask(x.run.spec.Token)
	conclusion := Failure
	if err := x.setUp(); err != nil {
		x.journal.fail(err)
	} else {
		conclusion = x.runJob(ctx)
	}
	for _, group := range x.left {
		killGroup(group)
	}
	if x.output != nil {
		x.drain()
		x.output.Close()
	}
	return JobResult{
		Conclusion:  conclusion,
		Log:         x.journal.log.String(),
		Summary:     x.journal.summary.String(),
		Annotations: x.journal.annotations,
		Outputs:     x.outputs,
	}
}

// setUp makes the job's folders and finds the actions it uses.
func (x *execution) setUp() error {
	dir := filepath.Join(x.run.spec.Dir, "jobs", strconv.FormatInt(x.run.serial.Add(1), 10))
	_, repo, _ := strings.Cut(x.run.spec.Repository, "/")
	if !filepath.IsLocal(repo) || strings.ContainsRune(repo, filepath.Separator) {
		repo = "repository"
	}
	x.workspace = filepath.Join(dir, "work", repo, repo)
	x.temp = filepath.Join(dir, "temp")
	x.files = filepath.Join(dir, "files")
	for _, d := range []string{x.workspace, x.temp, x.files} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("make the job's folders: %w", err)
		}
	}
	var err error
	if x.output, err = os.OpenFile(filepath.Join(dir, "output"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return fmt.Errorf("make the job's log: %w", err)
	}
	if x.job.idToken {
		x.tokenURL, x.tokenBearer = x.run.host.IDTokenRequest(x.in.id, x.in.job)
		x.journal.mask(x.tokenBearer)
	}
	return x.findActions(x.job.steps, 0)
}

// findActions fails for an action that the forge doesn't have, before anything
// runs, as GitHub does.
func (x *execution) findActions(steps []*step, depth int) error {
	if depth > maxActionDepth {
		return fmt.Errorf("actions use each other more than %d deep", maxActionDepth)
	}
	for _, s := range steps {
		if s.uses == "" {
			continue
		}
		ref, err := parseUses(s.uses)
		if err != nil {
			return s.errorf("uses: %v", err)
		}
		if ref.local != "" || ref.builtin() != "" {
			continue
		}
		a, err := x.run.remoteAction(s, ref)
		if err != nil {
			return err
		}
		if err := x.findActions(a.steps, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// runJob runs the steps and keeps the outputs.
func (x *execution) runJob(ctx context.Context) string {
	before := &scope{lookup: x.group.lookup(x.in)}
	minutes, err := x.job.timeout.amount(before)
	if err != nil {
		x.journal.fail(err)
		return Failure
	}
	ctx, stop := context.WithTimeoutCause(ctx, duration(minutes, jobTimeout), errJobTimeout)
	defer stop()
	x.ctx = ctx
	x.top = &level{ctx: ctx, steps: &object{}, result: Success}
	x.env = environ{}
	for _, vars := range [][]variable{x.run.spec.Workflow.env, x.job.env} {
		pairs, err := evaluateAll(vars, before)
		if err != nil {
			x.journal.fail(err)
			return Failure
		}
		x.env.add(pairs)
	}
	x.runSteps(x.top, x.job.steps)
	if x.top.result == Cancelled {
		x.journal.problem("error", "", x.whyCancelled())
	}
	x.keepOutputs()
	return x.top.result
}

func (x *execution) whyCancelled() string {
	switch cause := context.Cause(x.ctx); {
	case errors.Is(cause, errJobTimeout), errors.Is(cause, errFailFast):
		return "The operation was canceled: " + cause.Error()
	}
	return "The operation was canceled"
}

func duration(minutes float64, fallback time.Duration) time.Duration {
	d := time.Duration(minutes * float64(time.Minute))
	if d <= 0 || minutes > jobTimeout.Minutes() {
		return fallback
	}
	return d
}

func evaluateAll(vars []variable, s *scope) ([]envPair, error) {
	out := make([]envPair, len(vars))
	for i, v := range vars {
		value, err := v.value.text(s)
		if err != nil {
			return nil, err
		}
		out[i] = envPair{v.name, value}
	}
	return out, nil
}

// keepOutputs evaluates the job's outputs; one that holds a secret is dropped.
func (x *execution) keepOutputs() {
	if len(x.job.outputs) == 0 {
		return
	}
	pairs, err := evaluateAll(x.job.outputs, x.scope(x.top, nil, x.env))
	if err != nil {
		x.journal.fail(err)
		if x.top.result == Success {
			x.top.result = Failure
		}
		return
	}
	for i, p := range pairs {
		if x.journal.hide(p.value) != p.value {
			x.journal.problem("warning", "", fmt.Sprintf("Skip output '%s' since it may contain secret.", p.name))
			pairs[i].value = ""
		}
		x.outputs = append(x.outputs, Output{p.name, pairs[i].value})
	}
	x.group.keep(x.outputs)
}
