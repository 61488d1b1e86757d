package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// action is a composite action's action.yml.
type action struct {
	dir     string
	ref     usesRef
	inputs  []variable // with their defaults
	outputs []variable
	steps   []*step
}

// Where expressions of an action.yml stand decides what they may use.
var (
	actionStepContexts   = []string{"env", "github", "inputs", "job", "matrix", "runner", "steps", "strategy"}
	actionInputContexts  = []string{"github", "job", "matrix", "runner", "strategy"}
	actionConditionFuncs = []string{"always", "cancelled", "failure", "hashfiles", "success"}
)

// loadAction reads the action.yml of a folder; shown is its name in errors.
func loadAction(dir, shown string, ref usesRef) (*action, error) {
	for _, base := range []string{"action.yml", "action.yaml"} {
		src, err := os.ReadFile(filepath.Join(dir, base))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read action %s: %w", shown, err)
		}
		a, err := parseAction(shown+"/"+base, src)
		if err != nil {
			return nil, err
		}
		a.dir, a.ref = dir, ref
		return a, nil
	}
	return nil, fmt.Errorf("action %s has no action.yml", shown)
}

// actionParser reads an action.yml with the checks of a workflow's parser.
type actionParser struct {
	parser
}

func parseAction(file string, src []byte) (*action, error) {
	p := &actionParser{parser{file: file, lines: strings.Split(string(src), "\n")}}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s:1:1: the action is empty", file)
	}
	a := &action{}
	seen := p.walk(doc.Content[0], map[string]func(*yaml.Node){
		"name": p.ignore, "description": p.ignore, "author": p.ignore, "branding": p.ignore,
		"inputs":  func(n *yaml.Node) { a.inputs = p.inputs(n) },
		"outputs": func(n *yaml.Node) { a.outputs = p.outputs(n) },
		"runs":    func(n *yaml.Node) { a.steps = p.runs(n) },
	})
	if !seen["runs"] {
		p.failAt(doc.Content[0], "the action has no runs:")
	}
	if len(p.errors) > 0 {
		return nil, errors.Join(p.errors...)
	}
	return a, nil
}

func (p *actionParser) ignore(*yaml.Node) {}

func (p *actionParser) failAt(n *yaml.Node, form string, args ...any) {
	p.fail(&actionlint.Pos{Line: n.Line, Col: n.Column}, form, args...)
}

// walk gives each key of a mapping to its reader and refuses the others.
func (p *actionParser) walk(n *yaml.Node, readers map[string]func(*yaml.Node)) map[string]bool {
	seen := map[string]bool{}
	for key, value := range p.pairs(n) {
		read, ok := readers[key.Value]
		switch {
		case !ok:
			p.failAt(key, "key %q is not supported here", key.Value)
		case seen[key.Value]:
			p.failAt(key, "key %q stands twice", key.Value)
		default:
			seen[key.Value] = true
			read(value)
		}
	}
	return seen
}

// pairs ranges over the entries of a mapping; an empty value has none.
func (p *actionParser) pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		n := resolve(n)
		if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return
		}
		if n.Kind != yaml.MappingNode {
			p.failAt(n, "a mapping is expected here")
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], resolve(n.Content[i+1])) {
				return
			}
		}
	}
}

func (p *actionParser) string(n *yaml.Node) *actionlint.String {
	if n.Kind != yaml.ScalarNode {
		p.failAt(n, "a plain value is expected here")
	}
	if n.Tag == "!!null" {
		return &actionlint.String{Pos: &actionlint.Pos{Line: n.Line, Col: n.Column}}
	}
	return &actionlint.String{Value: n.Value, Pos: &actionlint.Pos{Line: n.Line, Col: n.Column}}
}

// textAt parses a text whose expressions may use these contexts.
func (p *actionParser) textAt(n *yaml.Node, contexts []string) *template {
	s := p.string(n)
	at := place{file: p.file, line: n.Line, col: n.Column, contexts: contexts, functions: []string{"hashfiles"}}
	t, err := parseTemplate(s.Value, at)
	if err != nil {
		p.errors = append(p.errors, err)
	}
	return t
}

func (p *actionParser) inputs(n *yaml.Node) []variable {
	var out []variable
	for key, value := range p.pairs(n) {
		in := variable{name: key.Value}
		p.walk(value, map[string]func(*yaml.Node){
			"description": p.ignore, "required": p.ignore, "type": p.ignore, "deprecationMessage": p.ignore,
			"default": func(n *yaml.Node) { in.value = p.textAt(n, actionInputContexts) },
		})
		out = append(out, in)
	}
	return out
}

func (p *actionParser) outputs(n *yaml.Node) []variable {
	var out []variable
	for key, value := range p.pairs(n) {
		one := variable{name: key.Value}
		p.walk(value, map[string]func(*yaml.Node){
			"description": p.ignore,
			"value":       func(n *yaml.Node) { one.value = p.textAt(n, actionStepContexts) },
		})
		if one.value == nil {
			p.failAt(key, "output %q has no value:", key.Value)
		}
		out = append(out, one)
	}
	return out
}

func (p *actionParser) runs(n *yaml.Node) []*step {
	var steps []*step
	using := ""
	seen := p.walk(n, map[string]func(*yaml.Node){
		"using": func(n *yaml.Node) {
			if using = n.Value; using != "composite" {
				p.failAt(n, "an action using %q is not supported, only composite ones", using)
			}
		},
		"steps": func(n *yaml.Node) { steps = p.steps(n) },
		// Named only so that a JavaScript or container action says one thing.
		"main": p.ignore, "pre": p.ignore, "post": p.ignore, "pre-if": p.ignore, "post-if": p.ignore, "image": p.ignore,
		"args": p.ignore, "env": p.ignore, "entrypoint": p.ignore, "pre-entrypoint": p.ignore, "post-entrypoint": p.ignore,
	})
	if using == "composite" && (len(seen) != 2 || len(steps) == 0) {
		p.failAt(n, "a composite action has using: and steps:, nothing else")
	}
	if using == "" {
		p.failAt(n, "the action has no using:")
	}
	return steps
}

func (p *actionParser) steps(n *yaml.Node) []*step {
	if n.Kind != yaml.SequenceNode {
		p.failAt(n, "steps: is a list")
		return nil
	}
	var out []*step
	for _, c := range n.Content {
		out = append(out, p.step(resolve(c)))
	}
	p.nameSteps(out)
	return out
}

func (p *actionParser) step(n *yaml.Node) *step {
	s := &step{place: place{file: p.file, line: n.Line, col: n.Column}}
	templateOf := func(into **template) func(*yaml.Node) {
		return func(n *yaml.Node) { *into = p.textAt(n, actionStepContexts) }
	}
	var uses *actionlint.String
	seen := p.walk(n, map[string]func(*yaml.Node){
		"id":                func(n *yaml.Node) { s.id = p.string(n).Value },
		"name":              templateOf(&s.title),
		"if":                func(n *yaml.Node) { s.cond = p.conditionAt(n) },
		"env":               func(n *yaml.Node) { s.env = p.variables(n) },
		"continue-on-error": templateOf(&s.continueOnError),
		"run":               templateOf(&s.run),
		"shell":             func(n *yaml.Node) { s.shell = p.shell(p.string(n), nil) },
		"working-directory": templateOf(&s.dir),
		"uses":              func(n *yaml.Node) { uses = p.string(n) },
		"with":              func(n *yaml.Node) { s.with = p.variables(n) },
	})
	p.checkStep(n, s, seen)
	if uses != nil {
		s.uses = uses.Value
		p.checkUses(&actionlint.ExecAction{Uses: uses}, s)
	}
	return s
}

func (p *actionParser) checkStep(n *yaml.Node, s *step, seen map[string]bool) {
	switch {
	case seen["run"] == seen["uses"]:
		p.failAt(n, "a step has either run: or uses:")
	case seen["run"] && !seen["shell"]:
		p.failAt(n, "a run: step of a composite action needs a shell:")
	case seen["run"] && seen["with"], seen["uses"] && (seen["shell"] || seen["working-directory"]):
		p.failAt(n, "with: goes with uses:, shell: and working-directory: go with run:")
	}
	if s.continueOnError != nil {
		if v, fixed := s.continueOnError.literal(); fixed {
			if low := strings.ToLower(v); slices.Contains([]string{"true", "false"}, low) {
				s.continueOnError.parts = []part{{text: low}}
				return
			}
			p.failAt(n, "continue-on-error: %q is not a boolean", v)
		}
	}
}

func (p *actionParser) conditionAt(n *yaml.Node) *condition {
	at := place{file: p.file, line: n.Line, col: n.Column, contexts: actionStepContexts, functions: actionConditionFuncs}
	c, err := parseCondition(p.string(n).Value, at)
	if err != nil {
		p.errors = append(p.errors, err)
	}
	return c
}

func (p *actionParser) variables(n *yaml.Node) []variable {
	var out []variable
	for key, value := range p.pairs(n) {
		out = append(out, variable{key.Value, p.textAt(value, actionStepContexts)})
	}
	return out
}
