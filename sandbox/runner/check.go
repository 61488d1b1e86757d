package runner

import (
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// properties are what the contexts of fixed shape have here. Anything else is
// an error at Parse: on GitHub it might have a value, here it would be empty.
var properties = map[string][]string{
	"github": {"action", "action_path", "action_ref", "action_repository", "action_status", "actor", "api_url", "base_ref",
		"event", "event_name", "event_path", "graphql_url", "head_ref", "job", "ref", "ref_name", "ref_type", "repository",
		"repository_id", "repository_owner", "run_attempt", "run_id", "run_number", "server_url", "sha", "token",
		"triggering_actor", "workflow", "workflow_ref", "workflow_sha", "workspace"},
	"runner":   {"arch", "environment", "name", "os", "temp", "tool_cache", "workspace"},
	"strategy": {"fail-fast", "job-index", "job-total", "max-parallel"},
	"job":      {"check_run_id", "status"},
}

// specialFunctions stand only where GitHub allows them.
var specialFunctions = []string{"always", "cancelled", "failure", "hashfiles", "success"}

// checkExpression finds what could not be evaluated: unknown functions, contexts
// that don't exist at this place, and what this runner doesn't have.
func checkExpression(root actionlint.ExprNode, at place) error {
	var err error
	actionlint.VisitExprNode(root, func(n, _ actionlint.ExprNode, entering bool) {
		if err == nil && entering {
			err = checkNode(n, at)
		}
	})
	return err
}

func checkNode(n actionlint.ExprNode, at place) error {
	switch n := n.(type) {
	case *actionlint.VariableNode:
		if !slices.Contains(at.contexts, n.Name) {
			return at.errorf("context %q does not exist here", n.Name)
		}
	case *actionlint.FuncCallNode:
		return checkCall(n, at)
	case *actionlint.CompareOpNode:
		// The parser reads a == b == c from the right, GitHub from the left,
		// and the tree doesn't show parentheses.
		if _, chained := n.Right.(*actionlint.CompareOpNode); chained {
			return at.errorf("a comparison on the right of another comparison is not supported: split it with && or ||")
		}
	case *actionlint.ObjectDerefNode:
		return checkProperty(n.Receiver, n.Property, at)
	case *actionlint.IndexAccessNode:
		if name, ok := n.Index.(*actionlint.StringNode); ok {
			return checkProperty(n.Operand, name.Value, at)
		}
	}
	return nil
}

func checkCall(n *actionlint.FuncCallNode, at place) error {
	name := strings.ToLower(n.Callee)
	f, ok := functions[name]
	switch {
	case !ok:
		return at.errorf("function %s is not supported", n.Callee)
	case slices.Contains(specialFunctions, name) && !slices.Contains(at.functions, name):
		return at.errorf("function %s is not available here", n.Callee)
	case len(n.Args) < f.least || len(n.Args) > f.most:
		return at.errorf("function %s takes %d to %d arguments, not %d", n.Callee, f.least, f.most, len(n.Args))
	}
	return nil
}

func checkProperty(receiver actionlint.ExprNode, name string, at place) error {
	v, ok := receiver.(*actionlint.VariableNode)
	if !ok {
		return nil
	}
	known, fixed := properties[v.Name]
	if fixed && !slices.Contains(known, strings.ToLower(name)) {
		return at.errorf("%s.%s is not supported", v.Name, name)
	}
	return nil
}
