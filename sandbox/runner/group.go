package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// group is one job of the file with all its matrix combinations.
type group struct {
	run         *run
	job         *job
	needs       *object
	instances   []*instance
	failFast    bool
	maxParallel int
	survives    bool // its if: holds even when the run is cancelled

	mu      sync.Mutex
	outputs *object
	result  string // what needs.<id>.result says
	ended   bool
}

// instance is one job after matrix expansion.
type instance struct {
	job        Job
	id         int64
	matrix     *object // nil without a matrix
	conclusion string
	tolerated  bool // continue-on-error: its failure doesn't count
	kept       bool // it ended in an earlier attempt
}

var errFailFast = errors.New("another job of the matrix failed")

// endAtOnce announces a job that never starts and ends it.
func (g *group) endAtOnce(conclusion string, why error) {
	var j journal
	j.mask(g.run.spec.Token)
	if why != nil {
		j.fail(why)
	}
	name := g.job.key
	if literal, ok := g.job.name.literal(); ok && literal != "" {
		name = literal
	}
	id := g.run.host.QueueJob(Job{Key: g.job.key, Name: name, Total: 1})
	g.run.host.FinishJob(id, JobResult{Conclusion: conclusion, Log: j.log.String(), Annotations: j.annotations})
	g.result, g.ended = conclusion, true
	if g.outputs == nil {
		g.outputs = &object{}
	}
}

// expand evaluates the strategy and makes one instance per combination.
func (g *group) expand(s *scope) error {
	j := g.job
	combinations := []*object{nil}
	if j.matrix != nil {
		var err error
		if combinations, err = j.matrix.expand(s); err != nil {
			return err
		}
	}
	failFast, err := j.failFast.flag(s, true)
	if err != nil {
		return err
	}
	parallel, err := j.maxParallel.amount(s)
	if err != nil {
		return err
	}
	g.failFast, g.maxParallel = failFast, len(combinations)
	if parallel > 0 && int(parallel) < len(combinations) {
		g.maxParallel = max(1, int(parallel))
	}
	for i, c := range combinations {
		in := &instance{matrix: c, job: Job{Key: j.key, Index: i, Total: len(combinations)}}
		if c != nil {
			in.job.Matrix, _ = plain(c).(map[string]any)
		}
		inner := &scope{lookup: g.lookup(in), status: s.status}
		if in.job.Name, err = g.nameOf(in, inner); err != nil {
			return err
		}
		if in.tolerated, err = j.continueOnError.flag(inner, false); err != nil {
			return err
		}
		g.takeOver(in)
		g.instances = append(g.instances, in)
	}
	return nil
}

// takeOver ends an instance as it ended in an earlier attempt, where it did and
// is not run again.
func (g *group) takeOver(in *instance) {
	for _, k := range g.run.spec.Kept {
		if k.Key == in.job.Key && k.Name == in.job.Name {
			in.kept, in.conclusion = true, k.Conclusion
			g.keep(k.Outputs)
		}
	}
}

// nameOf is the job's name as GitHub shows it: the matrix's values stand behind
// it unless the name has an expression of its own.
func (g *group) nameOf(in *instance, s *scope) (string, error) {
	name, err := g.job.name.text(s)
	if err != nil {
		return "", err
	}
	if name == "" {
		name = g.job.key
	}
	if _, fixed := g.job.name.literal(); !fixed || in.matrix == nil {
		return name, nil
	}
	var values []string
	for _, m := range in.matrix.members {
		if v := label(m.value); v != "" {
			values = append(values, v)
		}
	}
	return fmt.Sprintf("%s (%s)", name, strings.Join(values, ", ")), nil
}

// execute runs the instances, as many at once as allowed, and adds them up.
func (g *group) execute(ctx context.Context) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	jobContext := ctx
	if g.survives {
		jobContext = context.WithoutCancel(ctx)
	}
	parallel := make(chan struct{}, g.maxParallel)
	var all sync.WaitGroup
	for _, in := range g.instances {
		if in.kept {
			continue
		}
		release, ok := acquire(jobContext, parallel, g.run.spec.JobSlots)
		if !ok {
			in.conclusion = Cancelled
			g.run.host.FinishJob(in.id, JobResult{Conclusion: Cancelled})
			continue
		}
		all.Go(func() {
			defer release()
			x := &execution{run: g.run, group: g, in: in, job: g.job}
			result := x.execute(jobContext)
			in.conclusion = result.Conclusion
			g.run.host.FinishJob(in.id, result)
			if in.conclusion == Failure && !in.tolerated && g.failFast {
				stop(errFailFast)
			}
		})
	}
	all.Wait()
	g.result = g.sum()
}

// acquire takes a place in each of the channels, in order; a nil one is free.
func acquire(ctx context.Context, places ...chan struct{}) (release func(), ok bool) {
	var taken []chan struct{}
	release = func() {
		for _, place := range taken {
			<-place
		}
	}
	for _, place := range places {
		if place == nil {
			continue
		}
		select {
		case place <- struct{}{}:
			taken = append(taken, place)
		case <-ctx.Done():
			release()
			return nil, false
		}
	}
	if ctx.Err() != nil {
		release()
		return nil, false
	}
	return release, true
}

func (g *group) sum() string {
	result := Success
	for _, in := range g.instances {
		switch {
		case in.conclusion == Failure && !in.tolerated:
			return Failure
		case in.conclusion == Cancelled:
			result = Cancelled
		}
	}
	return result
}

// keep adds a job's outputs to what needs: sees; of several matrix jobs the
// last one to end counts, an empty output never does.
func (g *group) keep(outputs []Output) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range outputs {
		if _, known := g.outputs.get(o.Name); o.Value != "" || !known {
			g.outputs.set(o.Name, o.Value)
		}
	}
}
