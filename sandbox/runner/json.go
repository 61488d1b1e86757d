package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth bounds nested JSON, so that a hostile value can't exhaust the stack.
const maxDepth = 100

// parseJSON reads one JSON value and keeps the order of members.
func parseJSON(s string) (any, error) {
	d := json.NewDecoder(strings.NewReader(s))
	v, err := readJSON(d, 0)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read JSON: more text behind the value")
	}
	return v, nil
}

func readJSON(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		a := &array{}
		for d.More() {
			item, err := readJSON(d, depth+1)
			if err != nil {
				return nil, err
			}
			a.items = append(a.items, item)
		}
		_, err = d.Token()
		return a, err
	case json.Delim('{'):
		return readObject(d, depth)
	}
	return token, nil
}

func readObject(d *json.Decoder, depth int) (any, error) {
	o := &object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := readJSON(d, depth+1)
		if err != nil {
			return nil, err
		}
		o.set(name.(string), value)
	}
	_, err := d.Token()
	return o, err
}

// formatJSON writes a value as toJSON does: two spaces, members in order.
func formatJSON(v any) string {
	var b strings.Builder
	writeJSON(&b, v, "\n")
	return b.String()
}

func writeJSON(b *strings.Builder, v any, indent string) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		b.WriteString(quoteJSON(v))
	case *array:
		for i, item := range v.items {
			b.WriteString(separator(i, "["))
			b.WriteString(indent + "  ")
			writeJSON(b, item, indent+"  ")
		}
		b.WriteString(closing(len(v.items), "[]", indent))
	case *object:
		for i, m := range v.members {
			b.WriteString(separator(i, "{"))
			b.WriteString(indent + "  " + quoteJSON(m.name) + ": ")
			writeJSON(b, m.value, indent+"  ")
		}
		b.WriteString(closing(len(v.members), "{}", indent))
	default:
		b.WriteString(text(v))
	}
}

func separator(i int, open string) string {
	if i == 0 {
		return open
	}
	return ","
}

func closing(n int, pair, indent string) string {
	if n == 0 {
		return pair
	}
	return indent + pair[1:]
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plain turns a value into what encoding/json would have made of it.
func plain(v any) any {
	switch v := v.(type) {
	case *array:
		items := make([]any, len(v.items))
		for i, item := range v.items {
			items[i] = plain(item)
		}
		return items
	case *object:
		members := make(map[string]any, len(v.members))
		for _, m := range v.members {
			members[m.name] = plain(m.value)
		}
		return members
	}
	return v
}
