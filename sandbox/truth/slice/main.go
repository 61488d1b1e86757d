// Command slice cuts GitHub's OpenAPI description down to the paths a list
// names and what these refer to, without prose and examples, and packs it:
//
//	slice description.json paths.txt >openapi.json.gz
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

type object = map[string]any

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: slice description.json paths.txt >openapi.json.gz")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "slice:", err)
		os.Exit(1)
	}
}

func run(description, list string, out io.Writer) error {
	raw, err := os.ReadFile(description)
	if err != nil {
		return fmt.Errorf("read the description: %w", err)
	}
	var whole object
	if err := json.Unmarshal(raw, &whole); err != nil {
		return fmt.Errorf("read the description: %w", err)
	}
	wanted, err := readList(list)
	if err != nil {
		return err
	}
	cut, err := slice(whole, wanted)
	if err != nil {
		return err
	}
	zip, _ := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err := json.NewEncoder(zip).Encode(cut); err != nil {
		return fmt.Errorf("write the slice: %w", err)
	}
	return zip.Close()
}

func readList(name string) ([]*regexp.Regexp, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the list of paths: %w", err)
	}
	defer file.Close()
	var list []*regexp.Regexp
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		pattern, err := regexp.Compile("^(?:" + line + ")$")
		if err != nil {
			return nil, fmt.Errorf("read the list of paths: %w", err)
		}
		list = append(list, pattern)
	}
	return list, nil
}

// slice keeps the wanted paths, and of the components what they reach.
func slice(whole object, wanted []*regexp.Regexp) (object, error) {
	all, _ := whole["paths"].(object)
	components, _ := whole["components"].(object)
	paths, kept := object{}, object{}
	used := make([]bool, len(wanted))
	for path, item := range all {
		for i, pattern := range wanted {
			if pattern.MatchString(path) {
				paths[path], used[i] = plain(item, false), true
			}
		}
	}
	for i, pattern := range wanted {
		if !used[i] {
			return nil, fmt.Errorf("no path of the description fits %s", pattern)
		}
	}
	for open := references(paths, nil); len(open) > 0; {
		section, name, _ := strings.Cut(strings.TrimPrefix(open[0], "#/components/"), "/")
		open = open[1:]
		have, _ := kept[section].(object)
		if have == nil {
			have = object{}
			kept[section] = have
		}
		if have[name] != nil {
			continue
		}
		from, _ := components[section].(object)
		if from[name] == nil {
			return nil, fmt.Errorf("the description has no %s/%s", section, name)
		}
		have[name] = plain(from[name], false)
		open = references(have[name], open)
	}
	return object{"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": kept}, nil
}

// prose is what validates nothing. `named` maps hold names and not keywords.
var (
	prose = map[string]bool{"description": true, "summary": true, "example": true, "examples": true, "externalDocs": true, "tags": true}
	named = map[string]bool{"properties": true, "patternProperties": true, "headers": true, "responses": true, "content": true}
)

// plain is the value without prose; names says that its keys are names.
func plain(value any, names bool) any {
	switch v := value.(type) {
	case object:
		o := object{}
		for key, inner := range v {
			switch {
			case key == "x-github" && !names:
				if about, _ := inner.(object); about["enabledForGitHubApps"] == false {
					o[key] = object{"enabledForGitHubApps": false}
				}
			case names || !prose[key]:
				o[key] = plain(inner, named[key] && !names)
			}
		}
		// A response must have a description.
		if _, ok := v["description"].(string); ok && !names && (v["content"] != nil || v["headers"] != nil || len(o) == 0) {
			o["description"] = ""
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i], false)
		}
		return list
	}
	return value
}

func references(value any, found []string) []string {
	switch v := value.(type) {
	case object:
		for key, inner := range v {
			if ref, ok := inner.(string); ok && key == "$ref" {
				found = append(found, ref)
			} else {
				found = references(inner, found)
			}
		}
	case []any:
		for _, inner := range v {
			found = references(inner, found)
		}
	}
	return found
}
