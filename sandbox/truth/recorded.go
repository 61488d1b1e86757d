package truth

import (
	"embed"
	"encoding/json"
	"fmt"
	"testing"
)

//go:embed data/webhooks-examples-*.json.gz
var packedExamples embed.FS

// Cloud is the set of payloads recorded at github.com; Enterprise are those of
// GitHub Enterprise Server, by version.
const Cloud = "api.github.com"

// Enterprise lists the sets of GitHub Enterprise Server.
var Enterprise = []string{"ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"}

// Payload is a recorded webhook.
type Payload struct {
	Event string
	Index int // among those of the event in its set
	Body  []byte
}

// Name tells payloads apart.
func (p Payload) Name() string { return fmt.Sprintf("%s/%d", p.Event, p.Index) }

// Action returns the payload's action, "" where there is none.
func (p Payload) Action() string {
	var body struct {
		Action string `json:"action"`
	}
	_ = json.Unmarshal(p.Body, &body)
	return body.Action
}

// Recorded returns the payloads of a set, in its order.
func Recorded(t testing.TB, set string) []Payload {
	t.Helper()
	packed, err := packedExamples.ReadFile("data/webhooks-examples-" + set + ".json.gz")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := unpack(packed)
	if err != nil {
		t.Fatalf("unpack the recorded payloads of %s: %v", set, err)
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(raw, &events); err != nil {
		t.Fatalf("read the recorded payloads of %s: %v", set, err)
	}
	var all []Payload
	for _, e := range events {
		for i, body := range e.Examples {
			all = append(all, Payload{e.Name, i, body})
		}
	}
	return all
}
