package runner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// maxMatrix is GitHub's bound on the jobs of one matrix.
const maxMatrix = 256

// matrix is the matrix: of a job: a tree of values with templates at its leaves.
type matrix struct {
	place
	root any // *array, *object, *template or a plain scalar
}

// parseMatrix reads the matrix from the file's own nodes: the library's tree
// has lost the types of scalars, the case of keys and their order.
func (p *parser) parseMatrix(j *actionlint.Job) *matrix {
	m := &matrix{place: p.at(j.Strategy.Matrix.Pos, "jobs.<job_id>.strategy")}
	node := p.root.Content[0]
	for _, name := range []string{"jobs", j.ID.Value, "strategy", "matrix"} {
		if node = child(node, name); node == nil {
			p.errors = append(p.errors, m.errorf("matrix: not found in the file"))
			return m
		}
	}
	m.root = p.tree(node, m.place)
	return m
}

// child is the value under a key of a mapping; nil when there is none.
func child(n *yaml.Node, name string) *yaml.Node {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolve(n.Content[i+1])
		}
	}
	return nil
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// tree turns nodes into values; a text with ${{ }} becomes a template.
func (p *parser) tree(n *yaml.Node, at place) any {
	n = resolve(n)
	at.line, at.col = n.Line, n.Column
	switch n.Kind {
	case yaml.SequenceNode:
		a := &array{}
		for _, c := range n.Content {
			a.items = append(a.items, p.tree(c, at))
		}
		return a
	case yaml.MappingNode:
		o := &object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			o.set(n.Content[i].Value, p.tree(n.Content[i+1], at))
		}
		return o
	}
	if n.Tag == "!!str" && strings.Contains(n.Value, "${{") {
		t, err := parseTemplate(n.Value, at)
		if err != nil {
			p.errors = append(p.errors, err)
		}
		return t
	}
	return scalar(n)
}

// scalar gives a YAML scalar its type in expressions.
func scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		var f float64
		if err := n.Decode(&f); err == nil {
			return f
		}
	}
	return n.Value
}

// fill evaluates the templates of a matrix tree.
func fill(v any, s *scope) (any, error) {
	switch v := v.(type) {
	case *template:
		return v.value(s)
	case *array:
		out := &array{}
		for _, item := range v.items {
			one, err := fill(item, s)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, one)
		}
		return out, nil
	case *object:
		out := &object{}
		for _, m := range v.members {
			one, err := fill(m.value, s)
			if err != nil {
				return nil, err
			}
			out.members = append(out.members, member{m.name, one})
		}
		return out, nil
	}
	return v, nil
}

// expand evaluates the matrix and lists its combinations in GitHub's order.
func (m *matrix) expand(s *scope) ([]*object, error) {
	v, err := fill(m.root, s)
	if err != nil {
		return nil, err
	}
	combinations, err := combine(v)
	if err != nil {
		return nil, m.errorf("matrix: %v", err)
	}
	return combinations, nil
}

// combine multiplies the rows, takes out what exclude names and adds include.
func combine(v any) ([]*object, error) {
	o, ok := v.(*object)
	if !ok {
		return nil, fmt.Errorf("it is %q, not a mapping", text(v))
	}
	rows := &object{}
	var include, exclude []*object
	for _, m := range o.members {
		list, err := entries(m)
		if err != nil {
			return nil, err
		}
		switch strings.ToLower(m.name) {
		case "include":
			include, err = objects(m.name, list)
		case "exclude":
			exclude, err = objects(m.name, list)
		default:
			if len(list) == 0 {
				return nil, fmt.Errorf("%s has no values", m.name)
			}
			rows.members = append(rows.members, m)
		}
		if err != nil {
			return nil, err
		}
	}
	combinations, err := multiply(rows)
	if err != nil {
		return nil, err
	}
	combinations = slices.DeleteFunc(combinations, func(c *object) bool {
		return slices.ContainsFunc(exclude, func(e *object) bool { return within(e, c) })
	})
	combinations = extend(combinations, rows, include)
	switch {
	case len(combinations) == 0:
		return nil, errors.New("it has no combination")
	case len(combinations) > maxMatrix:
		return nil, fmt.Errorf("it has %d combinations, more than %d", len(combinations), maxMatrix)
	}
	return combinations, nil
}

func entries(m member) ([]any, error) {
	a, ok := m.value.(*array)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", m.name)
	}
	return a.items, nil
}

func objects(name string, items []any) ([]*object, error) {
	var out []*object
	for _, item := range items {
		o, ok := item.(*object)
		if !ok {
			return nil, fmt.Errorf("%s has an entry that is not a mapping", name)
		}
		out = append(out, o)
	}
	return out, nil
}

func multiply(rows *object) ([]*object, error) {
	if len(rows.members) == 0 {
		return nil, nil
	}
	combinations := []*object{{}}
	for _, row := range rows.members {
		values := row.value.(*array).items
		if len(combinations)*len(values) > 1<<16 {
			return nil, errors.New("it has too many combinations")
		}
		var next []*object
		for _, c := range combinations {
			for _, v := range values {
				longer := c.clone()
				longer.members = append(longer.members, member{row.name, v})
				next = append(next, longer)
			}
		}
		combinations = next
	}
	return combinations, nil
}

// extend lays each include over every combination of the rows whose own values
// it would not change; one that fits nowhere is a combination of its own.
func extend(combinations []*object, rows *object, include []*object) []*object {
	original := len(combinations)
	for _, in := range include {
		fits := false
		for i := range original {
			if !agrees(in, combinations[i], rows) {
				continue
			}
			fits = true
			for _, m := range in.members {
				combinations[i].set(m.name, m.value)
			}
		}
		if !fits {
			combinations = append(combinations, in.clone())
		}
	}
	return combinations
}

func agrees(in, combination, rows *object) bool {
	for _, m := range in.members {
		if _, isRow := rows.get(m.name); !isRow {
			continue
		}
		if v, ok := combination.get(m.name); !ok || !same(v, m.value) {
			return false
		}
	}
	return true
}

// within says whether c has everything that part names.
func within(part, c *object) bool {
	for _, m := range part.members {
		if v, ok := c.get(m.name); !ok || !same(v, m.value) {
			return false
		}
	}
	return true
}

// same compares by content, so that objects in a matrix can be named too.
func same(a, b any) bool {
	if primitive(a) && primitive(b) {
		return equal(a, b)
	}
	return formatJSON(a) == formatJSON(b)
}

// label is what stands in parentheses behind a matrix job's name.
func label(v any) string {
	if primitive(v) {
		return text(v)
	}
	var parts []string
	for _, c := range children(v) {
		parts = append(parts, label(c))
	}
	return strings.Join(parts, ", ")
}
