package runner

import (
	"strings"

	"github.com/rhysd/actionlint"
)

// job is one entry under jobs:, before its matrix is expanded.
type job struct {
	place
	key             string
	name            *template
	needs           []*job
	ancestors       []*job // needs, their needs, and so on
	cond            *condition
	env             []variable
	timeout         *template
	continueOnError *template
	outputs         []variable
	steps           []*step
	matrix          *matrix
	failFast        *template
	maxParallel     *template
	idToken         bool

	needKeys []*actionlint.String
}

// step is one entry under steps:, of a job or of a composite action.
type step struct {
	place
	id, name        string
	title           *template
	cond            *condition
	env             []variable
	timeout         *template
	continueOnError *template

	run   *template // a script, or else uses
	shell string    // "", bash or sh
	dir   *template

	uses string
	with []variable
}

func (p *parser) parseJob(j *actionlint.Job, defaults *actionlint.Defaults) *job {
	const key = "jobs.<job_id>."
	out := &job{key: j.ID.Value, place: p.at(j.Pos, key+"if"), needKeys: j.Needs}
	p.refuseJobParts(j)
	out.idToken = p.grantsIDToken(j.Permissions)
	out.name = p.template(j.Name, key+"name")
	out.cond = p.condition(j.If, key+"if")
	out.env = p.env(j.Env, key+"env")
	out.timeout = p.amount(j.TimeoutMinutes, key+"timeout-minutes")
	out.continueOnError = p.flag(j.ContinueOnError, key+"continue-on-error")
	if j.Strategy != nil {
		out.failFast = p.flag(j.Strategy.FailFast, key+"strategy")
		out.maxParallel = p.count(j.Strategy.MaxParallel, key+"strategy")
		if j.Strategy.Matrix != nil {
			out.matrix = p.parseMatrix(j)
		}
	}
	if j.RunsOn != nil {
		for _, label := range append(j.RunsOn.Labels, j.RunsOn.LabelsExpr, j.RunsOn.Group) {
			p.template(label, key+"runs-on") // any label runs here; its expressions must be sound
		}
	}
	for _, name := range p.sortedOutputs(j.Outputs) {
		out.outputs = append(out.outputs, variable{name.Name.Value, p.template(name.Value, key+"outputs.<output_id>")})
	}
	run := p.runDefaults(defaults, j.Defaults)
	for _, s := range j.Steps {
		out.steps = append(out.steps, p.parseStep(s, run, key+"steps."))
	}
	p.nameSteps(out.steps)
	return out
}

// refuseJobParts names what a job can't have here.
func (p *parser) refuseJobParts(j *actionlint.Job) {
	const why = " is not supported: steps run as processes of this machine"
	if j.WorkflowCall != nil {
		p.fail(j.WorkflowCall.Uses.Pos, "uses: of a job (a reusable workflow) is not supported")
	}
	if j.Container != nil {
		p.fail(j.Container.Pos, "container:%s", why)
	}
	if j.Services != nil {
		p.fail(j.Services.Pos, "services:%s", why)
	}
	if j.Snapshot != nil {
		p.fail(j.Pos, "snapshot:%s", why)
	}
	if j.Environment != nil {
		p.fail(j.Environment.Pos, "environment: is not supported: there are no protection rules here")
	}
	p.refuseConcurrency(j.Concurrency)
}

func (p *parser) count(n *actionlint.Int, key string) *template {
	switch {
	case n == nil:
		return nil
	case n.Expression != nil:
		return p.template(n.Expression, key)
	}
	return &template{place: p.at(n.Pos, key), parts: []part{{text: numberText(float64(n.Value))}}}
}

// connect resolves needs: and refuses unknown names and circles.
func (p *parser) connect(jobs []*job) {
	byKey := map[string]*job{}
	for _, j := range jobs {
		byKey[strings.ToLower(j.key)] = j
	}
	for _, j := range jobs {
		for _, need := range j.needKeys {
			other, ok := byKey[strings.ToLower(need.Value)]
			if !ok {
				p.fail(need.Pos, "needs: there is no job %q", need.Value)
				continue
			}
			j.needs = append(j.needs, other)
		}
	}
	for _, j := range jobs {
		seen := map[*job]bool{}
		var visit func(*job)
		visit = func(k *job) {
			for _, need := range k.needs {
				if !seen[need] {
					seen[need] = true
					j.ancestors = append(j.ancestors, need)
					visit(need)
				}
			}
		}
		visit(j)
		if seen[j] {
			p.errors = append(p.errors, j.errorf("needs: job %q waits for itself", j.key))
		}
	}
}
