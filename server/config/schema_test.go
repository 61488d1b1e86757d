package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mainstay.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mainstay.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bySchema is what an editor would say of a file.
func bySchema(t *testing.T, s *jsonschema.Schema, src string) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(src), &value); err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	plain, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// Every key that the reader knows is in the schema, and none besides.
func TestTheSchemaHasTheReadersKeys(t *testing.T) {
	var schema struct {
		Properties map[string]json.RawMessage
		Defs       struct {
			Queue struct{ Properties map[string]json.RawMessage }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	have := slices.Collect(maps.Keys(schema.Properties))
	for key, raw := range schema.Defs.Queue.Properties {
		inner := innerKeys(t, raw)
		if len(inner) == 0 || key == "merge" {
			have = append(have, key)
		}
		for _, name := range inner {
			have = append(have, key+"."+name)
		}
	}
	want := slices.Collect(maps.Keys(fieldsOf(t)))
	if !slices.Contains(want, "merge") {
		want = append(want, "merge") // has keys of its own, and a short form
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the schema has\n%v\nthe reader\n%v", have, want)
	}
}

// innerKeys are the keys of a mapping, also where that is one of several shapes.
func innerKeys(t *testing.T, raw json.RawMessage) []string {
	t.Helper()
	var shape struct {
		Properties map[string]json.RawMessage
		AnyOf      []json.RawMessage
	}
	if err := json.Unmarshal(raw, &shape); err != nil {
		t.Fatal(err)
	}
	keys := slices.Collect(maps.Keys(shape.Properties))
	for _, one := range shape.AnyOf {
		keys = append(keys, innerKeys(t, one)...)
	}
	return keys
}

// What the schema takes the reader takes, and the other way round: an editor must
// not promise what the server refuses.
func TestTheSchemaAndTheReaderAgree(t *testing.T) {
	s := compiledSchema(t)
	item := func(line string) string { return "version: 1\nqueues:\n  - {branch: main, " + line + "}\n" }
	for _, src := range []string{
		"version: 1\n", "queues: []\n", "version: 1\nqueues: []\n", "version: 2\n", "version: one\n", "version: 1\nqueues: main\n", "version: 1\nqueue: []\n", "- a\n", "just text\n",
		"version: 1\nqueues:\n  - main\n", "version: 1\nqueues: [{branch: [main]}]\n", "version: 1\nqueues: [{branch: 'a[b]'}]\n",
		"version: 1\nqueues: [{branch: refs/heads/main}]\n", "version: 1\nqueues: [{branch: ''}]\n", "version: 1\nqueues: [{branch: 'release/**'}]\n",
		item("label: land-it"), item("label: ''"), item("label: ' a'"), item("label: " + strings.Repeat("x", 51)), item("label: 3"), item(`label: "a\nb"`),
		item("when: pr.files < 500"), item("when: 5"), item("when: ' '"), item("when: [a]"),
		item("priority: {security: 10, chore: -5}"), item("priority: {security: high}"), item("priority: {security: 1001}"), item("priority: [security]"), item("priority: pr.number"),
		item("checks: [build, {name: e2e, skipped: ok}]"), item("checks: build"), item("checks: [3]"), item("checks: [Mainstay]"), item("checks: [{skipped: ok}]"),
		item("checks: [{name: a, skipped: no}]"), item("checks: [{name: a, app: 5}]"), item("checks: [" + strings.Repeat("{name: a}, ", 101) + "]"),
		item("suites: {unit: 4, slow: auto}"), item("suites: {unit: 0}"), item("suites: {unit: 257}"), item("suites: [unit]"),
		item("labels: {hotfix: urgent}"), item("labels: {hot: urgent}"), item("labels: {hold: 1}"), item("labels: x"),
		item("per_author: none"), item("per_author: 3"), item("per_author: 0"), item("per_author: auto"),
		item("batch: {size: auto, min: 2, max: 20, wait: 90s}"), item("batch: {size: 101}"), item("batch: {size: '4'}"), item("batch: {size: 2.5}"), item("batch: {wait: 5}"),
		item("batch: {wait: 0}"), item("batch: {wait: -1s}"), item("batch: {wait: auto}"), item("batch: {sise: 4}"), item("batch: 5"), item("batch: {min: 0}"),
		item("parallel: 4"), item("parallel: 0"), item("parallel: two"),
		item("merge: squash"), item("merge: ff"), item("merge: {method: squash, title: 'T {title}', body: b}"), item("merge: {method: no}"), item("merge: {x: 1}"), item("merge: {body: ' '}"), item("merge: []"),
		item("guard: on"), item("guard: off"), item("guard: false"), item("guard: maybe"),
		item("timeouts: {start: 5m, run: 1h30m}"), item("timeouts: {run: auto}"), item("timeouts: {start: auto}"), item("timeouts: {run: true}"),
		item("flaky: {reruns: auto, quarantine: 14d}"), item("flaky: {reruns: 4}"), item("flaky: {quarantine: off}"), item("flaky: {quarantine: xd}"),
		item("move_branches: false"), item("move_branches: 'no'"),
	} {
		_, warnings, err := Parse(name, []byte(src))
		unknown := slices.ContainsFunc(warnings, func(w Warning) bool { return strings.Contains(w.Text, "unknown key") })
		if said := bySchema(t, s, src); (said == nil) != (err == nil && !unknown) {
			t.Errorf("%q\n  reader: %v %v\n  schema: %v", src, err, warnings, said)
		}
	}
}
