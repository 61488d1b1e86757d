package runner

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/rhysd/actionlint"
)

// This machine in GitHub's words.
var (
	runnerOS   = map[string]string{"linux": "Linux", "darwin": "macOS"}[runtime.GOOS]
	runnerArch = map[string]string{"amd64": "X64", "arm64": "ARM64", "386": "X86", "arm": "ARM"}[runtime.GOARCH]
)

const (
	runnerName        = "sandbox"
	runnerEnvironment = "self-hosted"
)

// refNames are the short name and the type of a full ref.
func refNames(ref string) (name, kind string) {
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		return tag, "tag"
	}
	for _, prefix := range []string{"refs/heads/", "refs/pull/"} {
		if rest, ok := strings.CutPrefix(ref, prefix); ok {
			return rest, "branch"
		}
	}
	return ref, "branch"
}

// facts are what the github context and the GITHUB_ variables both say of a
// run, by the context's names.
func (r *run) facts() []envPair {
	s := &r.spec
	name, kind := refNames(s.Event.Ref)
	return []envPair{
		{"ref", s.Event.Ref},
		{"sha", s.SHA},
		{"repository", s.Repository},
		{"repository_id", strconv.FormatInt(s.RepositoryID, 10)},
		{"repository_owner", s.Owner},
		{"run_id", strconv.FormatInt(s.RunID, 10)},
		{"run_number", strconv.FormatInt(s.RunNumber, 10)},
		{"run_attempt", strconv.FormatInt(s.Attempt, 10)},
		{"actor", s.Actor},
		{"triggering_actor", s.Actor},
		{"workflow", s.Workflow.name},
		{"workflow_ref", s.Repository + "/" + s.Workflow.path + "@" + s.Event.Ref},
		{"workflow_sha", s.SHA},
		{"head_ref", s.Event.HeadRef},
		{"base_ref", s.Event.BaseRef},
		{"event_name", s.Event.Name},
		{"event_path", r.eventPath},
		{"ref_name", name},
		{"ref_type", kind},
		{"server_url", s.ServerURL},
		{"api_url", s.APIURL},
		{"graphql_url", s.APIURL + "/graphql"},
	}
}

// github is the github context of the run, before any job is known.
func (r *run) github() *object {
	o := &object{}
	for _, f := range r.facts() {
		o.members = append(o.members, member{f.name, f.value})
	}
	o.members = append(o.members, member{"token", r.spec.Token}, member{"event", r.event})
	return o
}

// lookup answers for the contexts that a whole job has, before its steps.
func (g *group) lookup(in *instance) func(string) (any, bool) {
	return func(name string) (any, bool) {
		switch name {
		case "github":
			o := g.run.github()
			if in != nil {
				o.members = append(o.members, member{"job", g.job.key})
			}
			return o, true
		case "needs":
			return g.needs, true
		case "inputs":
			return g.run.inputs, true
		case "vars":
			return &object{}, true
		case "secrets":
			return &object{members: []member{{"GITHUB_TOKEN", g.run.spec.Token}}}, true
		case "strategy", "matrix":
			if in == nil {
				return nil, false
			}
			return in.context(g, name), true
		}
		return nil, false
	}
}

func (in *instance) context(g *group, name string) any {
	if name == "matrix" {
		if in.matrix == nil {
			return nil
		}
		return in.matrix
	}
	return &object{members: []member{
		{"fail-fast", g.failFast},
		{"job-index", float64(in.job.Index)},
		{"job-total", float64(in.job.Total)},
		{"max-parallel", float64(g.maxParallel)},
	}}
}

// scope is what an expression of a step sees; env is the environment there.
func (x *execution) scope(l *level, s *step, env environ) *scope {
	outer := x.group.lookup(x.in)
	return &scope{
		workspace: x.workspace,
		status:    status{success: l.state() == Success, failure: l.state() == Failure, cancelled: x.ctx.Err() != nil},
		lookup: func(name string) (any, bool) {
			switch name {
			case "github":
				return x.github(l, s), true
			case "env":
				return env.context(), true
			case "steps":
				return l.steps, true
			case "inputs":
				if l.action != nil {
					return l.inputs, true
				}
			case "job":
				return &object{members: []member{{"status", x.top.state()}, {"check_run_id", float64(x.in.id)}}}, true
			case "runner":
				return x.runner(), true
			}
			return outer(name)
		},
	}
}

func (x *execution) runner() *object {
	return &object{members: []member{
		{"os", runnerOS}, {"arch", runnerArch}, {"name", runnerName}, {"environment", runnerEnvironment},
		{"tool_cache", x.run.toolCache}, {"temp", x.temp}, {"workspace", filepath.Dir(x.workspace)},
	}}
}

func (x *execution) github(l *level, s *step) *object {
	o := x.run.github()
	o.set("job", x.job.key)
	o.set("workspace", x.workspace)
	for _, p := range actionFacts(l, s) {
		o.set(p.name, p.value)
	}
	if l.action != nil {
		o.set("action_status", l.state())
	}
	return o
}

// actionFacts name the step, and the composite action it belongs to.
func actionFacts(l *level, s *step) []envPair {
	var out []envPair
	if s != nil {
		out = append(out, envPair{"action", s.name})
	}
	if a := l.action; a != nil {
		out = append(out, envPair{"action_path", a.dir})
		if a.ref.local == "" {
			out = append(out, envPair{"action_repository", a.ref.name()}, envPair{"action_ref", a.ref.ref})
		}
	}
	return out
}

// variables are the GITHUB_ and RUNNER_ variables of a step, which nothing in a
// workflow can change.
func (x *execution) variables(l *level, s *step, files commandFiles) []envPair {
	out := []envPair{
		{"GITHUB_ACTIONS", "true"},
		{"GITHUB_JOB", x.job.key},
		{"GITHUB_WORKSPACE", x.workspace},
		{"GITHUB_OUTPUT", files.output},
		{"GITHUB_ENV", files.env},
		{"GITHUB_PATH", files.path},
		{"GITHUB_STEP_SUMMARY", files.summary},
		{"GITHUB_STATE", files.state},
		{"RUNNER_OS", runnerOS},
		{"RUNNER_ARCH", runnerArch},
		{"RUNNER_NAME", runnerName},
		{"RUNNER_ENVIRONMENT", runnerEnvironment},
		{"RUNNER_TEMP", x.temp},
		{"RUNNER_TOOL_CACHE", x.run.toolCache},
		{"RUNNER_WORKSPACE", filepath.Dir(x.workspace)},
	}
	for _, f := range append(x.run.facts(), actionFacts(l, s)...) {
		out = append(out, envPair{"GITHUB_" + strings.ToUpper(f.name), f.value})
	}
	if x.tokenURL != "" {
		out = append(out, envPair{"ACTIONS_ID_TOKEN_REQUEST_URL", x.tokenURL}, envPair{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", x.tokenBearer})
	}
	return out
}

// dispatchInputs is the inputs context of a workflow_dispatch, typed as the
// workflow declares it.
func dispatchInputs(w *Workflow, e Event, payload any) (*object, error) {
	o := &object{}
	if e.Name != "workflow_dispatch" {
		return o, nil
	}
	given := reach(payload, "inputs")
	for _, in := range w.inputs {
		v := reach(given, in.name)
		if v == nil {
			v = in.fallback
		}
		switch in.kind {
		case actionlint.WorkflowDispatchEventInputTypeBoolean:
			v = strings.EqualFold(text(v), "true")
		case actionlint.WorkflowDispatchEventInputTypeNumber:
			v = number(v)
		default:
			if !primitive(v) {
				return nil, fmt.Errorf("input %q is not a plain value", in.name)
			}
			v = text(v)
		}
		o.set(in.name, v)
	}
	return o, nil
}
