package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// maxFindings bounds how many errors, and how many warnings, are told.
const maxFindings = 20

// reader walks one file and collects what it finds.
type reader struct {
	file     string
	warnings []Warning
	errors   Errors
}

func (r *reader) fail(at *token.Position, key, text string) {
	if len(r.errors) < maxFindings {
		r.errors = append(r.errors, r.finding(at, key, text))
	}
}

func (r *reader) warn(at *token.Position, key, text string) {
	if len(r.warnings) < maxFindings {
		r.warnings = append(r.warnings, r.finding(at, key, text))
	}
}

func (r *reader) finding(at *token.Position, key, text string) Warning {
	return Warning{File: r.file, Line: at.Line, Column: at.Column, Key: key, Text: text}
}

func (r *reader) want(n ast.Node, key, wanted string) {
	r.fail(position(n), key, "want "+wanted+", got "+got(n))
}

// field reads the value of one key.
type field func(n ast.Node, key string)

// fields are the keys of one mapping. A nil field is one that is not built yet.
type fields map[string]field

// mapping reads each key that is known and warns of each that is not.
func (r *reader) mapping(n ast.Node, prefix string, known fields) {
	values, ok := pairs(n)
	if !ok {
		r.want(n, prefix, "a mapping of "+words(known))
		return
	}
	for _, v := range values {
		name := v.Key.GetToken().Value
		if s, ok := v.Key.(*ast.StringNode); ok {
			name = s.Value
		}
		read, ok := known[name]
		switch {
		case !ok:
			r.warn(position(v), join(prefix, fmt.Sprintf("%q", short(name, maxQuote))), "unknown key: ignored (known are "+words(known)+")")
		case read == nil:
			r.warn(position(v), join(prefix, name), "not built yet: ignored")
		default:
			read(v.Value, join(prefix, name))
		}
	}
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

// words lists the keys that do something, for messages.
func words(known fields) string {
	var names []string
	for name, read := range known {
		if read != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// list gives the items of a list of at most so many; false when it is none.
func (r *reader) list(n ast.Node, key, wanted string, most int) ([]ast.Node, bool) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.want(n, key, wanted)
		return nil, false
	}
	if len(s.Values) > most {
		r.fail(position(s.Values[most]), key, fmt.Sprintf("want at most %d items, got %d", most, len(s.Values)))
		return nil, false
	}
	return s.Values, true
}

// name reads one line of text of at most so many characters; false when it is none.
func (r *reader) name(n ast.Node, key string, most int) (string, bool) {
	s, ok := text(n)
	if !ok {
		hint := ""
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			hint = " (put it in quotes)"
		}
		r.fail(position(n), key, "want text, got "+got(n)+hint)
		return "", false
	}
	plain := s != "" && strings.TrimSpace(s) == s && strings.IndexFunc(s, unicode.IsControl) < 0
	if !plain || len([]rune(s)) > most {
		r.want(n, key, fmt.Sprintf("one line of 1 to %d characters without spaces around", most))
		return "", false
	}
	return s, true
}

// number reads a whole number between two bounds, or the given word as 0.
func (r *reader) number(n ast.Node, key, word string, low, high int) (int, bool) {
	if s, ok := text(n); ok && word != "" && s == word {
		return 0, true
	}
	if i, ok := n.(*ast.IntegerNode); ok {
		if v, ok := whole(i); ok && v >= low && v <= high {
			return v, true
		}
	}
	wanted := fmt.Sprintf("a number from %d to %d", low, high)
	if word != "" {
		wanted = word + " or " + wanted
	}
	r.want(n, key, wanted)
	return 0, false
}

func whole(n *ast.IntegerNode) (int, bool) {
	switch v := n.Value.(type) {
	case int64:
		return int(v), v >= math.MinInt32 && v <= math.MaxInt32
	case uint64:
		return int(v), v <= math.MaxInt32
	}
	return 0, false
}

// duration reads one like 90s, 10m or 1h30m between two bounds, or the given word as 0.
func (r *reader) duration(n ast.Node, key, word string, low, high time.Duration) (time.Duration, bool) {
	s, ok := text(n)
	if ok && word != "" && s == word {
		return 0, true
	}
	if i, isNumber := n.(*ast.IntegerNode); isNumber {
		v, whole := whole(i)
		s, ok = "0", whole && v == 0 // the one number that needs no unit
	}
	if ok {
		if d, err := parseDuration(s); err == nil && d >= low && d <= high {
			return d, true
		}
	}
	wanted := fmt.Sprintf("a duration like 10m, from %s to %s", brief(low), brief(high))
	if word != "" {
		wanted = word + " or " + wanted
	}
	r.want(n, key, wanted)
	return 0, false
}

// parseDuration takes days, too.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * maxDay, err
	}
	return time.ParseDuration(s)
}

// brief is a bound without its zeros: 24h and not 24h0m0s.
func brief(d time.Duration) string {
	s := d.String()
	s = strings.TrimSuffix(s, "m0s") + map[bool]string{true: "m"}[strings.HasSuffix(s, "m0s")]
	return strings.TrimSuffix(s, "h0m") + map[bool]string{true: "h"}[strings.HasSuffix(s, "h0m")]
}

func (r *reader) truth(n ast.Node, key string) (value, ok bool) {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.want(n, key, "true or false")
		return false, false
	}
	return b.Value, true
}
