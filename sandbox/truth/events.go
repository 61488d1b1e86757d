package truth

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed data/webhooks-schemas.json.gz
var packedSchemas []byte

// schemas compiles the schema of an event's payload when it is first asked for.
type schemas struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	events   map[string]bool
	compiled map[string]*jsonschema.Schema
}

var webhooks = sync.OnceValues(func() (*schemas, error) {
	raw, err := unpack(packedSchemas)
	if err != nil {
		return nil, fmt.Errorf("unpack the schemas of webhooks: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the schemas of webhooks: %w", err)
	}
	c := jsonschema.NewCompiler()
	// The library's own check refuses GitHub's {/owner}.
	c.RegisterFormat(&jsonschema.Format{Name: "uri-template", Validate: func(any) error { return nil }})
	if err := c.AddResource("webhooks.json", doc); err != nil {
		return nil, fmt.Errorf("read the schemas of webhooks: %w", err)
	}
	all := &schemas{compiler: c, events: map[string]bool{}, compiled: map[string]*jsonschema.Schema{}}
	definitions, _ := doc.(map[string]any)["definitions"].(map[string]any)
	for name := range definitions {
		if event, _, is := strings.Cut(name, "$"); is {
			all.events[event] = true
		}
	}
	return all, nil
})

// KnowsEvent returns whether GitHub has a webhook of that name.
func KnowsEvent(t testing.TB, name string) bool {
	t.Helper()
	all, err := webhooks()
	if err != nil {
		t.Fatal(err)
	}
	return all.events[name] || younger[name] != ""
}

// schema returns the schema of an event, and an error where there is none.
func (s *schemas) schema(event, action string) (*jsonschema.Schema, error) {
	if action == "" {
		action = "event"
	}
	name := event + "$" + action
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.compiled[name] == nil {
		compiled, err := s.compiler.Compile("webhooks.json#/definitions/" + name)
		if err != nil {
			return nil, err
		}
		s.compiled[name] = compiled
	}
	return s.compiled[name], nil
}

// newer are properties that GitHub has added since the schemas end, which allow no
// others: of an App, and of a commit's verification.
var newer = []string{"client_id", "verified_at"}

// without takes newer properties out of a payload, and younger events out of the
// list of what an App subscribed to.
func without(value any) {
	switch v := value.(type) {
	case map[string]any:
		if events, ok := v["events"].([]any); ok {
			v["events"] = slices.DeleteFunc(events, func(e any) bool {
				name, ok := e.(string)
				return ok && younger[name] != ""
			})
		}
		for _, name := range newer {
			delete(v, name)
		}
		for _, inner := range v {
			without(inner)
		}
	case []any:
		for _, inner := range v {
			without(inner)
		}
	}
}

// younger are events that the schemas are older than, with what stands for them.
var younger = map[string]string{
	"repository_ruleset": "GitHub sends it since 2023; the schemas end before",
}

// CheckWebhook returns what the schemas of webhooks have against a payload.
func CheckWebhook(event, action string, body []byte) []string {
	if younger[event] != "" {
		return nil
	}
	all, err := webhooks()
	if err != nil {
		return []string{err.Error()}
	}
	schema, err := all.schema(event, action)
	if err != nil {
		return []string{fmt.Sprintf("webhook %s %s: the schemas of webhooks have no such event: %v", event, action, err)}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []string{fmt.Sprintf("webhook %s %s: %v", event, action, err)}
	}
	without(value)
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(value); errors.As(err, &invalid) {
		return leaves(fmt.Sprintf("webhook %s %s: ", event, action), invalid)
	}
	return nil
}

var english = message.NewPrinter(language.English)

// leaves words the innermost findings.
func leaves(event string, e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		where := event + "/" + strings.Join(e.InstanceLocation, "/") + ": "
		if more, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
			slices.Sort(more.Properties)
		}
		return []string{where + firstLine(e.ErrorKind.LocalizedString(english))}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, leaves(event, cause)...)
	}
	return all
}
