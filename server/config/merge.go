package config

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/message"
)

// maxTemplate bounds a part of a message's template, in characters.
const maxTemplate = 4000

// merging reads a method, or {method, title, body}.
func (r *reader) merging(n ast.Node, key string) queue.Merging {
	m := queue.Defaults().Merge
	if _, ok := text(n); ok {
		m.Method = r.method(n, key)
		return m
	}
	if _, ok := pairs(n); !ok {
		r.want(n, key, "auto, rebase, squash or merge, or a mapping like {method: squash, title: \"{title} (#{number})\"}")
		return m
	}
	r.mapping(n, key, fields{
		"method": func(n ast.Node, key string) { m.Method = r.method(n, key) },
		"title": func(n ast.Node, key string) {
			if title, ok := r.name(n, key, maxName); ok {
				m.Title = r.template(n, key, title)
			}
		},
		"body": func(n ast.Node, key string) {
			m.Body = r.template(n, key, r.paragraphs(n, key))
		},
	})
	return m
}

func (r *reader) method(n ast.Node, key string) queue.Method {
	word, _ := text(n)
	if m := queue.Method(word); m.Known() {
		return m
	}
	if word == "auto" {
		return ""
	}
	r.want(n, key, "auto, rebase, squash or merge")
	return ""
}

func (r *reader) template(n ast.Node, key, part string) string {
	if err := message.Check(part); err != nil {
		r.fail(position(n), key, err.Error())
		return ""
	}
	return part
}

// paragraphs reads text of several lines.
func (r *reader) paragraphs(n ast.Node, key string) string {
	s, ok := text(n)
	odd := strings.IndexFunc(s, func(c rune) bool { return c != '\n' && c != '\t' && unicode.IsControl(c) }) >= 0
	if !ok || strings.TrimSpace(s) == "" || odd || len([]rune(s)) > maxTemplate {
		r.want(n, key, fmt.Sprintf("text of 1 to %d characters", maxTemplate))
		return ""
	}
	return s
}

// onOff reads a switch, as a word or as YAML's own.
func (r *reader) onOff(n ast.Node, key string) bool {
	if b, ok := n.(*ast.BoolNode); ok {
		return b.Value
	}
	word, _ := text(n)
	if word != "on" && word != "off" {
		r.want(n, key, "on or off")
	}
	return word == "on"
}
