package runner

import (
	"fmt"
	"math"

	"github.com/rhysd/actionlint"
)

// status is what success(), failure() and cancelled() answer.
type status struct {
	success, failure, cancelled bool
}

// scope is what an expression may see. A nil lookup has no contexts; an empty
// workspace makes hashFiles an error.
type scope struct {
	lookup    func(name string) (any, bool)
	status    status
	workspace string
}

// evaluate computes the value of a checked expression tree. It fails for what
// only the values show: bad JSON, a bad format string, too long a text.
func evaluate(n actionlint.ExprNode, s *scope) (any, error) {
	switch n := n.(type) {
	case *actionlint.NullNode:
		return nil, nil
	case *actionlint.BoolNode:
		return n.Value, nil
	case *actionlint.IntNode:
		return float64(n.Value), nil
	case *actionlint.FloatNode:
		return n.Value, nil
	case *actionlint.StringNode:
		return n.Value, nil
	case *actionlint.VariableNode:
		if s.lookup != nil {
			if v, ok := s.lookup(n.Name); ok {
				return v, nil
			}
		}
		return nil, fmt.Errorf("context %q does not exist here", n.Name)
	case *actionlint.NotOpNode:
		v, err := evaluate(n.Operand, s)
		return !truthy(v), err
	case *actionlint.LogicalOpNode:
		return evaluateLogical(n, s)
	case *actionlint.CompareOpNode:
		return evaluateCompare(n, s)
	case *actionlint.FuncCallNode:
		return callFunction(n, s)
	}
	return evaluateAccess(n, s)
}

func evaluateLogical(n *actionlint.LogicalOpNode, s *scope) (any, error) {
	v, err := evaluate(n.Left, s)
	if err != nil || truthy(v) == (n.Kind == actionlint.LogicalOpNodeKindOr) {
		return v, err
	}
	return evaluate(n.Right, s)
}

func evaluateCompare(n *actionlint.CompareOpNode, s *scope) (any, error) {
	a, err := evaluate(n.Left, s)
	if err != nil {
		return nil, err
	}
	b, err := evaluate(n.Right, s)
	if err != nil {
		return nil, err
	}
	switch n.Kind {
	case actionlint.CompareOpNodeKindEq:
		return equal(a, b), nil
	case actionlint.CompareOpNodeKindNotEq:
		return !equal(a, b), nil
	case actionlint.CompareOpNodeKindGreater:
		return greater(a, b), nil
	case actionlint.CompareOpNodeKindGreaterEq:
		return greater(a, b) || equal(a, b), nil
	case actionlint.CompareOpNodeKindLess:
		return greater(b, a), nil
	case actionlint.CompareOpNodeKindLessEq:
		return greater(b, a) || equal(a, b), nil
	}
	return nil, fmt.Errorf("comparison %q is not known", n.Kind)
}

func evaluateAccess(n actionlint.ExprNode, s *scope) (any, error) {
	switch n := n.(type) {
	case *actionlint.ObjectDerefNode:
		v, err := evaluate(n.Receiver, s)
		return reach(v, n.Property), err
	case *actionlint.ArrayDerefNode:
		v, err := evaluate(n.Receiver, s)
		return spread(v), err
	case *actionlint.IndexAccessNode:
		v, err := evaluate(n.Operand, s)
		if err != nil {
			return nil, err
		}
		index, err := evaluate(n.Index, s)
		return reach(v, index), err
	}
	return nil, fmt.Errorf("expression node %T is not known", n)
}

// reach is v[index]; nil where there is nothing, as on GitHub.
func reach(v, index any) any {
	if a, ok := v.(*array); ok && a.filtered {
		out := &array{filtered: true}
		for _, item := range a.items {
			if found, ok := at(item, index); ok {
				out.items = append(out.items, found)
			}
		}
		return out
	}
	found, _ := at(v, index)
	return found
}

func at(v, index any) (any, bool) {
	switch v := v.(type) {
	case *object:
		if primitive(index) {
			return v.get(text(index))
		}
	case *array:
		i := math.Floor(number(index))
		if i >= 0 && i < float64(len(v.items)) { // false for NaN
			return v.items[int(i)], true
		}
	}
	return nil, false
}

// spread is v.*
func spread(v any) any {
	out := &array{filtered: true}
	if a, ok := v.(*array); ok && a.filtered {
		for _, item := range a.items {
			out.items = append(out.items, children(item)...)
		}
		return out
	}
	if primitive(v) {
		return nil
	}
	out.items = children(v)
	return out
}

func children(v any) []any {
	switch v := v.(type) {
	case *array:
		return v.items
	case *object:
		values := make([]any, len(v.members))
		for i, m := range v.members {
			values[i] = m.value
		}
		return values
	}
	return nil
}
