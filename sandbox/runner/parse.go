package runner

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// Workflow is a parsed workflow file, ready to run any number of times.
type Workflow struct {
	path     string
	name     string
	triggers []trigger
	inputs   []dispatchInput
	env      []variable
	jobs     []*job // in the order of the file
}

// Name is the workflow's name:, or its path when it has none.
func (w *Workflow) Name() string { return w.name }

// Dependants lists the ids of the jobs that need this one, directly or by another.
func (w *Workflow) Dependants(key string) []string {
	var keys []string
	for _, j := range w.jobs {
		if slices.ContainsFunc(j.ancestors, func(a *job) bool { return a.key == key }) {
			keys = append(keys, j.key)
		}
	}
	return keys
}

// variable is a name with a text to evaluate: an env entry, an output, an input.
type variable struct {
	name  string
	value *template
}

// dispatchInput is one declared input of workflow_dispatch.
type dispatchInput struct {
	name, fallback string
	kind           actionlint.WorkflowDispatchEventInputType
}

// parser collects every error of one file.
type parser struct {
	file   string
	lines  []string
	root   *yaml.Node // the same file as nodes; read only where a matrix needs it
	errors []error
}

// Parse reads a workflow file; path is its place in the repository. Whatever
// this runner doesn't know is an error that names file:line:col, all of them
// joined.
func Parse(path string, src []byte) (*Workflow, error) {
	p := &parser{file: path, lines: strings.Split(string(src), "\n")}
	tree, bad := actionlint.Parse(src)
	for _, e := range bad {
		p.fail(&actionlint.Pos{Line: e.Line, Col: e.Column}, "%s", e.Message)
	}
	if len(bad) > 0 {
		return nil, errors.Join(p.errors...)
	}
	p.root = &yaml.Node{}
	if err := yaml.Unmarshal(src, p.root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w := p.parseWorkflow(tree)
	if len(p.errors) > 0 {
		return nil, errors.Join(p.errors...)
	}
	return w, nil
}

func (p *parser) fail(pos *actionlint.Pos, form string, args ...any) {
	p.errors = append(p.errors, place{file: p.file, line: pos.Line, col: pos.Col}.errorf(form, args...))
}

func (p *parser) parseWorkflow(tree *actionlint.Workflow) *Workflow {
	w := &Workflow{path: p.file, name: p.file}
	if tree.Name != nil && tree.Name.Value != "" {
		w.name = tree.Name.Value
	}
	for _, event := range tree.On {
		if t, ok := p.parseTrigger(event); ok {
			w.triggers = append(w.triggers, t)
		}
		if dispatch, ok := event.(*actionlint.WorkflowDispatchEvent); ok {
			w.inputs = p.parseDispatchInputs(dispatch)
		}
	}
	p.refuseConcurrency(tree.Concurrency)
	w.env = p.env(tree.Env, "env")
	granted := p.grantsIDToken(tree.Permissions)
	for _, j := range tree.Jobs {
		one := p.parseJob(j, tree.Defaults)
		if j.Permissions == nil {
			one.idToken = granted
		}
		w.jobs = append(w.jobs, one)
	}
	slices.SortFunc(w.jobs, func(a, b *job) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col))
	})
	p.connect(w.jobs)
	return w
}

func (p *parser) parseDispatchInputs(e *actionlint.WorkflowDispatchEvent) []dispatchInput {
	var inputs []dispatchInput
	for _, in := range e.Inputs {
		one := dispatchInput{name: in.Name.Value, kind: in.Type}
		if in.Default != nil {
			one.fallback = in.Default.Value
		}
		inputs = append(inputs, one)
	}
	slices.SortFunc(inputs, func(a, b dispatchInput) int { return cmp.Compare(a.name, b.name) })
	return inputs
}

func (p *parser) refuseConcurrency(c *actionlint.Concurrency) {
	if c != nil {
		p.fail(c.Pos, "concurrency: is not supported: runs here never wait for each other")
	}
}

// grantsIDToken says whether permissions give id-token: write. Nothing else of
// them has an effect here: the token is the forge's.
func (p *parser) grantsIDToken(granted *actionlint.Permissions) bool {
	if granted == nil {
		return false
	}
	if granted.All != nil {
		if v := granted.All.Value; v != "read-all" && v != "write-all" {
			p.fail(granted.All.Pos, "permissions: %q is neither read-all nor write-all", v)
		}
		return granted.All.Value == "write-all"
	}
	for _, s := range granted.Scopes {
		if !slices.Contains([]string{"read", "write", "none"}, s.Value.Value) {
			p.fail(s.Value.Pos, "permissions: %q is not read, write or none", s.Value.Value)
		}
	}
	scope := granted.Scopes["id-token"]
	return scope != nil && scope.Value.Value == "write"
}

// at is the place of a text; key is its name in GitHub's table of which
// contexts are available where.
func (p *parser) at(pos *actionlint.Pos, key string) place {
	contexts, functions := actionlint.WorkflowKeyAvailability(key)
	return place{file: p.file, line: pos.Line, col: pos.Col, contexts: contexts, functions: functions}
}

// template parses a text; nil stays nil.
func (p *parser) template(s *actionlint.String, key string) *template {
	if s == nil {
		return nil
	}
	t, err := parseTemplate(s.Value, p.at(s.Pos, key))
	if err != nil {
		p.errors = append(p.errors, err)
	}
	return t
}

func (p *parser) condition(s *actionlint.String, key string) *condition {
	if s == nil {
		return nil
	}
	c, err := parseCondition(s.Value, p.at(s.Pos, key))
	if err != nil {
		p.errors = append(p.errors, err)
	}
	return c
}

func (p *parser) flag(b *actionlint.Bool, key string) *template {
	switch {
	case b == nil:
		return nil
	case b.Expression != nil:
		return p.template(b.Expression, key)
	}
	// The library reads True and TRUE, which YAML allows, as false.
	value := b.Value || strings.HasPrefix(strings.ToLower(p.source(b.Pos)), "true")
	return &template{place: p.at(b.Pos, key), parts: []part{{text: fmt.Sprint(value)}}}
}

func (p *parser) source(pos *actionlint.Pos) string {
	if pos.Line < 1 || pos.Line > len(p.lines) || pos.Col < 1 || pos.Col > len(p.lines[pos.Line-1]) {
		return ""
	}
	return p.lines[pos.Line-1][pos.Col-1:]
}

func (p *parser) amount(f *actionlint.Float, key string) *template {
	switch {
	case f == nil:
		return nil
	case f.Expression != nil:
		return p.template(f.Expression, key)
	}
	return &template{place: p.at(f.Pos, key), parts: []part{{text: numberText(f.Value)}}}
}

// env reads an env: mapping in the order of the file.
func (p *parser) env(e *actionlint.Env, key string) []variable {
	if e == nil {
		return nil
	}
	if e.Expression != nil {
		p.fail(e.Expression.Pos, "env: as one expression is not supported: name the variables")
		return nil
	}
	vars := make([]*actionlint.EnvVar, 0, len(e.Vars))
	for _, v := range e.Vars {
		vars = append(vars, v)
	}
	slices.SortFunc(vars, func(a, b *actionlint.EnvVar) int { return comparePositions(a.Name, b.Name) })
	out := make([]variable, len(vars))
	for i, v := range vars {
		out[i] = variable{v.Name.Value, p.template(v.Value, key)}
	}
	return out
}

func comparePositions(a, b *actionlint.String) int {
	return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col), cmp.Compare(a.Value, b.Value))
}
