package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// run is one execution of a workflow.
type run struct {
	spec      Spec
	host      Host
	event     any
	eventPath string
	toolCache string
	inputs    *object
	serial    atomic.Int64 // numbers the folders of jobs

	mu      sync.Mutex
	actions map[string]*action // by folder
}

// Run executes the workflow and returns its conclusion when every job has
// ended. When ctx ends, running processes are interrupted and killed, as on
// GitHub; steps and jobs whose if: holds all the same still run, for a while.
// What goes wrong inside a job stands in that job's log. A nil Workflow panics.
func Run(ctx context.Context, spec Spec, host Host) string {
	r := &run{spec: spec, host: host, actions: map[string]*action{}}
	if err := r.prepare(); err != nil {
		for _, j := range spec.Workflow.jobs {
			g := &group{run: r, job: j}
			g.endAtOnce(Failure, err)
		}
		return Failure
	}
	return conclude(ctx, r.schedule(ctx))
}

// prepare makes the files that all jobs share.
func (r *run) prepare() error {
	dir, err := filepath.Abs(r.spec.Dir)
	if err != nil {
		return fmt.Errorf("find the run's folder: %w", err)
	}
	r.spec.Dir = dir
	r.toolCache = filepath.Join(dir, "tools")
	r.eventPath = filepath.Join(dir, "event.json")
	payload := r.spec.Event.Payload
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if r.event, err = parseJSON(string(payload)); err != nil {
		return fmt.Errorf("read the event's payload: %w", err)
	}
	if r.inputs, err = dispatchInputs(r.spec.Workflow, r.spec.Event, r.event); err != nil {
		return err
	}
	if err := os.MkdirAll(r.toolCache, 0o755); err != nil {
		return fmt.Errorf("make the run's folder: %w", err)
	}
	if err := os.WriteFile(r.eventPath, payload, 0o644); err != nil {
		return fmt.Errorf("write the event: %w", err)
	}
	return nil
}

// schedule starts each job as soon as its needs have ended, in the order of the
// file, and returns when all have ended.
func (r *run) schedule(ctx context.Context) []*group {
	jobs := r.spec.Workflow.jobs
	started := make(map[*job]*group, len(jobs))
	finished := make(chan *group)
	running := 0
	for {
		for again := true; again; {
			again = false
			for _, j := range jobs {
				if started[j] != nil || !ended(j.needs, started) {
					continue
				}
				g := r.plan(ctx, j, started)
				started[j] = g
				if len(g.instances) == 0 {
					again = true // it ended at once, others may wait for it
					continue
				}
				running++
				go func() {
					g.execute(ctx)
					finished <- g
				}()
			}
		}
		if running == 0 {
			break
		}
		g := <-finished
		g.ended = true
		running--
	}
	groups := make([]*group, len(jobs))
	for i, j := range jobs {
		groups[i] = started[j]
	}
	return groups
}

func ended(needs []*job, started map[*job]*group) bool {
	for _, need := range needs {
		if g := started[need]; g == nil || !g.ended {
			return false
		}
	}
	return true
}

// plan decides whether a job runs, expands its matrix and announces its jobs.
func (r *run) plan(ctx context.Context, j *job, started map[*job]*group) *group {
	g := &group{run: r, job: j, needs: &object{}, outputs: &object{}, failFast: true}
	cancelled := ctx.Err() != nil
	st := status{success: !cancelled, cancelled: cancelled}
	for _, a := range j.ancestors {
		st.success = st.success && started[a].result == Success
		st.failure = st.failure || started[a].result == Failure
	}
	for _, need := range j.needs {
		n := started[need]
		g.needs.set(need.key, &object{members: []member{{"result", n.result}, {"outputs", n.outputs}}})
	}
	s := &scope{lookup: g.lookup(nil), status: st}
	holds, err := j.cond.holds(s)
	switch {
	case err != nil:
		g.endAtOnce(Failure, err)
		return g
	case !holds && cancelled:
		g.endAtOnce(Cancelled, nil)
		return g
	case !holds:
		g.endAtOnce(Skipped, nil)
		return g
	}
	g.survives, err = j.cond.holds(&scope{lookup: s.lookup, status: status{failure: st.failure, cancelled: true}})
	if err = errors.Join(err, g.expand(s)); err != nil {
		g.instances = nil
		g.endAtOnce(Failure, err)
		return g
	}
	for _, in := range g.instances {
		if !in.kept {
			in.id = r.host.QueueJob(in.job)
		}
	}
	return g
}

// conclude adds the jobs up.
func conclude(ctx context.Context, groups []*group) string {
	count := map[string]int{}
	for _, g := range groups {
		count[g.result]++
	}
	switch {
	case count[Cancelled] > 0 && ctx.Err() != nil:
		return Cancelled
	case count[Failure] > 0:
		return Failure
	case count[Cancelled] > 0:
		return Cancelled
	case count[Success] == 0 && len(groups) > 0:
		return Skipped
	}
	return Success
}

// action reads a composite action once per run.
func (r *run) action(dir, shown string, ref usesRef) (*action, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := dir + "@" + ref.ref
	if a := r.actions[key]; a != nil && ref.local == "" {
		return a, nil
	}
	a, err := loadAction(dir, shown, ref)
	if err == nil {
		r.actions[key] = a
	}
	return a, err
}

// remoteAction finds the local folder of an owner/name action.
func (r *run) remoteAction(s *step, ref usesRef) (*action, error) {
	for name, dir := range r.spec.Actions {
		if strings.EqualFold(name, ref.name()) {
			return r.action(filepath.Join(dir, ref.path), filepath.Join(ref.name(), ref.path), ref)
		}
	}
	return nil, s.errorf("uses: the action %s is not known here", ref.name())
}
