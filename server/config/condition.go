package config

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/ext"

	"github.com/mainstay-ci/mainstay/queue"
)

// maxCost bounds one evaluation, in CEL's own units: a term over the labels of a pull
// request takes some dozens, a search through the longest description some thousands.
const maxCost = 100_000

// pull is what conditions may speak of, as `pr`.
type pull struct {
	Number    int64    `cel:"number"`
	Title     string   `cel:"title"`
	Body      string   `cel:"body"`
	Author    string   `cel:"author"`
	Bot       bool     `cel:"bot"`
	Labels    []string `cel:"labels"`
	Files     int64    `cel:"files"`
	Additions int64    `cel:"additions"`
	Deletions int64    `cel:"deletions"`
	Draft     bool     `cel:"draft"`
	Fork      bool     `cel:"fork"`
	Base      string   `cel:"base"`
	Head      string   `cel:"head"` // the branch
	Approvals int64    `cel:"approvals"`
}

func facts(pr queue.PullRequest) pull {
	p := pull{Number: int64(pr.Number), Title: pr.Title, Body: pr.Body, Author: pr.Author.Login, Bot: pr.Author.Bot, Labels: []string{},
		Draft: pr.Draft, Fork: pr.Fork, Base: pr.Base, Head: pr.HeadRef, Approvals: int64(pr.Approvals)}
	if t := pr.Traits; t != nil {
		p.Labels = append(p.Labels, t.Labels...)
		p.Files, p.Additions, p.Deletions = int64(t.Files), int64(t.Additions), int64(t.Deletions)
	}
	return p
}

// environment is CEL with `pr` and nothing else of ours: no clock, no network.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(ext.NativeTypes(ext.ParseStructTags(true), reflect.TypeFor[pull]()), ext.Strings(),
		cel.Variable("pr", cel.ObjectType("config.pull")))
})

// Term is a compiled CEL term about one pull request. It is safe for concurrent use.
type Term struct {
	text    string
	program cel.Program
	parts   []*Term // of a condition: what is joined by &&, in order; none where that is one
}

// termFault is what is wrong with a term, and where in it.
type termFault struct {
	line, column int // from 1
	text         string
}

func (f termFault) Error() string { return fmt.Sprintf("%d:%d: %s", f.line, f.column, f.text) }

// CompileWhen compiles a condition.
func CompileWhen(source string) (*Term, error) {
	t, tree, err := compile(source, cel.BoolType, "true or false")
	if err != nil {
		return nil, err
	}
	for _, part := range conjuncts(tree.NativeRep().Expr()) {
		text, err := cel.ExprToString(part, tree.NativeRep().SourceInfo())
		if err != nil {
			return t, nil
		}
		one, _, err := compile(text, cel.BoolType, "true or false")
		if err != nil {
			return t, nil // only its explanation is poorer
		}
		t.parts = append(t.parts, one)
	}
	return t, nil
}

// CompilePriority compiles a term that gives a whole number.
func CompilePriority(source string) (*Term, error) {
	t, _, err := compile(source, cel.IntType, "a whole number")
	return t, err
}

func compile(source string, want *cel.Type, wanted string) (*Term, *cel.Ast, error) {
	env, err := environment()
	if err != nil {
		return nil, nil, termFault{1, 1, "CEL could not be set up: " + err.Error()}
	}
	tree, issues := env.Compile(source)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, nil, termFault{max(1, first.Location.Line()), first.Location.Column() + 1, short(strings.Map(visible, first.Message), 200)}
	}
	if !tree.OutputType().IsExactType(want) {
		return nil, nil, termFault{1, 1, fmt.Sprintf("want a term that is %s, this is %s", wanted, tree.OutputType())}
	}
	program, err := env.Program(tree, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, nil, termFault{1, 1, short(strings.Map(visible, err.Error()), 200)}
	}
	return &Term{text: source, program: program}, tree, nil
}

// conjuncts are the parts of a condition that all must hold.
func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{e}
	}
	var all []ast.Expr
	for _, arg := range e.AsCall().Args() {
		all = append(all, conjuncts(arg)...)
	}
	return all
}

// Unmet says why a condition does not hold for a pull request; empty when it holds.
// What cannot be evaluated does not hold.
func (t *Term) Unmet(pr queue.PullRequest) string {
	p := facts(pr)
	value, _, err := t.program.Eval(map[string]any{"pr": p})
	switch {
	case err != nil:
		return "it can't be evaluated: " + short(strings.Map(visible, err.Error()), 200)
	case value.Value() == true:
		return ""
	case len(t.parts) < 2:
		return "it does not hold"
	}
	for _, part := range t.parts {
		if value, _, err := part.program.Eval(map[string]any{"pr": p}); err == nil && value.Value() == false {
			return "`" + short(part.text, 100) + "` does not hold"
		}
	}
	return "it does not hold"
}

// Worth is the priority that a term gives a pull request, within what labels may be
// worth. Labels count where somebody set them who may write. What cannot be evaluated is worth 0.
func (t *Term) Worth(pr queue.PullRequest) int {
	p := facts(pr)
	p.Labels = []string{}
	if pr.Traits != nil {
		p.Labels = append(p.Labels, pr.Traits.Trusted...)
	}
	value, _, err := t.program.Eval(map[string]any{"pr": p})
	if err != nil {
		return 0
	}
	n, _ := value.Value().(int64)
	return int(min(max(n, -maxWorth), maxWorth))
}
