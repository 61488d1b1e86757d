package runner

import (
	"fmt"
	"strings"

	"github.com/rhysd/actionlint"
)

// maxExpression is GitHub's own bound on an expression's length.
const maxExpression = 21000

// place is where a text stands: the file, the position, and which contexts and
// special functions an expression there may use.
type place struct {
	file      string
	line, col int
	contexts  []string
	functions []string
}

func (p place) errorf(form string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", p.file, p.line, p.col, fmt.Sprintf(form, args...))
}

// template is a text with ${{ }} in it, checked and ready to evaluate.
type template struct {
	place
	parts []part
}

// part is literal text, or an expression when node is set.
type part struct {
	text string
	node actionlint.ExprNode
}

// parseTemplate cuts a text into its parts and checks each expression.
func parseTemplate(s string, at place) (*template, error) {
	t := &template{place: at}
	for {
		start := strings.Index(s, "${{")
		if start < 0 {
			break
		}
		if start > 0 {
			t.parts = append(t.parts, part{text: s[:start]})
		}
		node, length, err := parseExpression(s[start+3:], at)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{node: node})
		s = s[start+3+length:]
	}
	if s != "" {
		t.parts = append(t.parts, part{text: s})
	}
	return t, nil
}

// parseExpression reads one expression up to its closing braces and says how
// long it was, braces included.
func parseExpression(s string, at place) (actionlint.ExprNode, int, error) {
	if len(s) > maxExpression {
		if end := strings.Index(s, "}}"); end < 0 || end > maxExpression {
			return nil, 0, at.errorf("an expression is longer than %d characters", maxExpression)
		}
		s = s[:maxExpression]
	}
	lexer := actionlint.NewExprLexer(s)
	node, bad := actionlint.NewExprParser().Parse(lexer)
	if bad != nil {
		return nil, 0, at.errorf("expression %q: %s", clip(s), bad.Message)
	}
	if err := checkExpression(node, at); err != nil {
		return nil, 0, err
	}
	return node, lexer.Offset(), nil
}

func clip(s string) string {
	if end := strings.Index(s, "}}"); end >= 0 {
		s = s[:end]
	}
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strings.TrimSpace(s)
}

// value evaluates the template: a lone expression keeps its type, anything else
// is text. A nil template is the empty text.
func (t *template) value(s *scope) (any, error) {
	if t == nil || len(t.parts) == 0 {
		return "", nil
	}
	if len(t.parts) == 1 && t.parts[0].node == nil {
		return t.parts[0].text, nil
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.node == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := evaluate(p.node, s)
		if err != nil {
			return nil, t.errorf("%v", err)
		}
		if len(t.parts) == 1 {
			return v, nil
		}
		b.WriteString(text(v))
		if b.Len() > maxText {
			return nil, t.errorf("the text is too long")
		}
	}
	return b.String(), nil
}

func (t *template) text(s *scope) (string, error) {
	v, err := t.value(s)
	return text(v), err
}

// flag evaluates a boolean; nil is the fallback.
func (t *template) flag(s *scope, fallback bool) (bool, error) {
	if t == nil {
		return fallback, nil
	}
	v, err := t.value(s)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if v == "true" || v == "false" {
			return v == "true", nil
		}
	}
	return false, t.errorf("%q is not a boolean", text(v))
}

// amount evaluates a number above zero; nil is 0.
func (t *template) amount(s *scope) (float64, error) {
	if t == nil {
		return 0, nil
	}
	v, err := t.value(s)
	if err != nil {
		return 0, err
	}
	if n := number(v); n > 0 {
		return n, nil
	}
	return 0, t.errorf("%q is not a number above zero", text(v))
}

// literal is the text of a template without expressions.
func (t *template) literal() (string, bool) {
	switch {
	case t == nil || len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].node == nil:
		return t.parts[0].text, true
	}
	return "", false
}

// condition is an `if:`; its nil is success().
type condition struct {
	*template
	asks bool // it calls a status function, so success() is not implied
}

// parseCondition reads an `if:`, with or without ${{ }} around it.
func parseCondition(s string, at place) (*condition, error) {
	trimmed := strings.TrimSpace(s)
	inner, braced := strings.CutPrefix(trimmed, "${{")
	if !braced {
		inner = trimmed + "}}"
	}
	node, length, err := parseExpression(inner, at)
	if err != nil {
		return nil, err
	}
	if rest := inner[length:]; rest != "" {
		return nil, at.errorf("if: has text around or behind its expression, which GitHub takes for true: %q", rest)
	}
	c := &condition{template: &template{place: at, parts: []part{{node: node}}}}
	actionlint.VisitExprNode(node, func(n, _ actionlint.ExprNode, entering bool) {
		if f, ok := n.(*actionlint.FuncCallNode); ok && entering {
			switch strings.ToLower(f.Callee) {
			case "success", "failure", "always", "cancelled":
				c.asks = true
			}
		}
	})
	return c, nil
}

func (c *condition) holds(s *scope) (bool, error) {
	if c == nil {
		return s.status.success, nil
	}
	if !c.asks && !s.status.success {
		return false, nil
	}
	v, err := c.value(s)
	return truthy(v), err
}
