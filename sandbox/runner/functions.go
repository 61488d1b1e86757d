package runner

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rhysd/actionlint"
)

// maxText bounds what one function may build (GitHub's bound is of this order).
const maxText = 10 << 20

// function is one we know: how many arguments it takes and what it does.
type function struct {
	least, most int
	do          func(args []any, s *scope) (any, error)
}

var functions = map[string]function{
	"contains":   {2, 2, func(a []any, _ *scope) (any, error) { return contains(a[0], a[1]), nil }},
	"startswith": {2, 2, func(a []any, _ *scope) (any, error) { return affix(strings.HasPrefix, a), nil }},
	"endswith":   {2, 2, func(a []any, _ *scope) (any, error) { return affix(strings.HasSuffix, a), nil }},
	"format":     {1, 255, func(a []any, _ *scope) (any, error) { return format(text(a[0]), a[1:]) }},
	"join":       {1, 2, func(a []any, _ *scope) (any, error) { return join(a) }},
	"tojson":     {1, 1, func(a []any, _ *scope) (any, error) { return bounded(formatJSON(a[0])) }},
	"fromjson":   {1, 1, func(a []any, _ *scope) (any, error) { return parseJSON(text(a[0])) }},
	"hashfiles":  {1, 255, hashFiles},
	"always":     {0, 0, func([]any, *scope) (any, error) { return true, nil }},
	"success":    {0, 0, func(_ []any, s *scope) (any, error) { return s.status.success, nil }},
	"failure":    {0, 0, func(_ []any, s *scope) (any, error) { return s.status.failure, nil }},
	"cancelled":  {0, 0, func(_ []any, s *scope) (any, error) { return s.status.cancelled, nil }},
}

func callFunction(n *actionlint.FuncCallNode, s *scope) (any, error) {
	f, ok := functions[strings.ToLower(n.Callee)]
	if !ok {
		return nil, fmt.Errorf("function %s is not supported", n.Callee)
	}
	args := make([]any, len(n.Args))
	for i, arg := range n.Args {
		v, err := evaluate(arg, s)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	v, err := f.do(args, s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Callee, err)
	}
	return v, nil
}

func contains(where, what any) bool {
	if a, ok := where.(*array); ok {
		for _, item := range a.items {
			if equal(item, what) {
				return true
			}
		}
		return false
	}
	if !primitive(where) || !primitive(what) {
		return false
	}
	return strings.Contains(strings.ToUpper(text(where)), strings.ToUpper(text(what)))
}

func affix(has func(s, part string) bool, args []any) bool {
	if !primitive(args[0]) || !primitive(args[1]) {
		return false
	}
	return has(strings.ToUpper(text(args[0])), strings.ToUpper(text(args[1])))
}

func bounded(s string) (any, error) {
	if len(s) > maxText {
		return nil, errors.New("the result is too long")
	}
	return s, nil
}

func join(args []any) (any, error) {
	glue := ","
	if len(args) > 1 && primitive(args[1]) {
		glue = text(args[1])
	}
	a, ok := args[0].(*array)
	if !ok {
		if primitive(args[0]) {
			return text(args[0]), nil
		}
		return "", nil
	}
	var b strings.Builder
	for i, item := range a.items {
		if i > 0 {
			b.WriteString(glue)
		}
		b.WriteString(text(item))
		if b.Len() > maxText {
			break
		}
	}
	return bounded(b.String())
}

// format fills {0}, {1}, ...; {{ and }} stand for braces.
func format(pattern string, args []any) (any, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c != '{' && c != '}' {
			b.WriteByte(c)
			continue
		}
		if i+1 < len(pattern) && pattern[i+1] == c {
			b.WriteByte(c)
			i++
			continue
		}
		end := strings.IndexByte(pattern[i:], '}')
		if c == '}' || end < 0 {
			return nil, fmt.Errorf("the format string has a lone %q", c)
		}
		index, err := strconv.ParseUint(pattern[i+1:i+end], 10, 16)
		if err != nil || int(index) >= len(args) {
			return nil, fmt.Errorf("the format string names {%s}, there are %d values", pattern[i+1:i+end], len(args))
		}
		b.WriteString(text(args[index]))
		if b.Len() > maxText {
			break
		}
		i += end
	}
	return bounded(b.String())
}
