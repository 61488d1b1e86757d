package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/mainstay-ci/mainstay/queue"
)

// called is a label's name as the file has it.
type called struct {
	at        ast.Node
	key, name string
}

// labels reads the names of the labels that say how a wish is treated.
func (r *reader) labels(n ast.Node, key string, labels *queue.Labels) []called {
	var named []called
	into := func(label *string) field {
		return func(n ast.Node, key string) {
			if name, ok := r.name(n, key, maxLabel); ok {
				*label = name
				named = append(named, called{n, key, name})
			}
		}
	}
	r.mapping(n, key, fields{"hotfix": into(&labels.Hotfix), "hold": into(&labels.Hold), "solo": into(&labels.Solo)})
	return named
}

// distinct refuses one name for two meanings; GitHub knows no case in labels.
func (r *reader) distinct(named []called, s queue.Settings) {
	meanings := []called{
		{key: "label", name: s.Label}, {key: "labels.hotfix", name: s.Labels.Hotfix},
		{key: "labels.hold", name: s.Labels.Hold}, {key: "labels.solo", name: s.Labels.Solo},
	}
	for _, c := range named {
		for _, m := range meanings {
			if m.key != c.key && strings.EqualFold(m.name, c.name) {
				r.fail(position(c.at), c.key, fmt.Sprintf("%q is %s, too: give them different names", short(c.name, maxQuote), m.key))
				return
			}
		}
	}
}

// priority reads what labels are worth, in hours of waiting, or a term that says so.
func (r *reader) priority(n ast.Node, key string, s *queue.Settings) {
	if _, ok := text(n); ok {
		s.Priority = r.term(n, key, CompilePriority)
		s.Labels.All = s.Priority != ""
		return
	}
	values, ok := pairs(n)
	if !ok {
		r.want(n, key, "a mapping of labels to numbers, like {security: 10}, or a term")
		return
	}
	if len(values) > maxRanked {
		r.fail(position(values[maxRanked]), key, fmt.Sprintf("want at most %d labels, got %d", maxRanked, len(values)))
		return
	}
	s.Labels.Priority = make(map[string]int, len(values))
	for _, v := range values {
		name, ok := r.name(v.Key, key, maxLabel)
		if !ok {
			continue
		}
		if hours, ok := r.number(v.Value, join(key, short(name, maxQuote)), "", -maxWorth, maxWorth); ok {
			s.Labels.Priority[name] = hours
		}
	}
}

// term reads a CEL term; what is wrong with it is told at its place in the file.
func (r *reader) term(n ast.Node, key string, compile func(string) (*Term, error)) string {
	source, ok := text(n)
	if !ok {
		r.want(n, key, "a term in CEL, like '"+"pr.files < 500"+"'")
		return ""
	}
	source = strings.TrimSpace(source)
	if source == "" {
		r.fail(position(n), key, "want a term in CEL, got nothing")
		return ""
	}
	_, err := compile(source)
	var fault termFault
	if errors.As(err, &fault) {
		r.fail(within(n, fault.line, fault.column), key, fault.text)
		return ""
	}
	return source
}

// within is a place inside a text that stands in one line of the file; else its beginning.
func within(n ast.Node, line, column int) *token.Position {
	at := *position(n)
	s, plain := n.(*ast.StringNode)
	if !plain || strings.Contains(s.Value, "\n") || line != 1 {
		return &at
	}
	if s.Token != nil && (s.Token.Type == token.SingleQuoteType || s.Token.Type == token.DoubleQuoteType) {
		at.Column++
	}
	at.Column += column - 1
	return &at
}
