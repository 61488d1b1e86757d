package truth_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// The recorded payloads calibrate the schemas: most are valid, and those that are
// not lack what GitHub added after they were recorded.
func TestTheSchemasKnowWhatWasRecorded(t *testing.T) {
	valid, total := 0, 0
	for _, r := range truth.Recorded(t, truth.Cloud) {
		if total++; len(truth.CheckWebhook(r.Event, r.Action(), r.Body)) == 0 {
			valid++
		}
	}
	if total != 329 || valid < 270 {
		t.Errorf("%d of %d recorded payloads are valid", valid, total)
	}
}

func TestAWrongPayloadIsFound(t *testing.T) {
	var good truth.Payload
	for _, r := range truth.Recorded(t, truth.Cloud) {
		if r.Event == "check_run" && r.Action() == "requested_action" {
			good = r
		}
	}
	for name, c := range map[string]struct {
		event, action string
		spoil         func(map[string]any)
		want          string
	}{
		"as recorded":             {"check_run", "requested_action", func(map[string]any) {}, ""},
		"with a newer property":   {"check_run", "requested_action", func(b map[string]any) { b["check_run"].(map[string]any)["app"].(map[string]any)["client_id"] = "x" }, ""},
		"an event nobody knows":   {"check_walk", "done", func(map[string]any) {}, "have no such event"},
		"an action nobody knows":  {"check_run", "forgotten", func(map[string]any) {}, "have no such event"},
		"without its sender":      {"check_run", "requested_action", func(b map[string]any) { delete(b, "sender") }, "missing property 'sender'"},
		"a number that is a text": {"check_run", "requested_action", func(b map[string]any) { b["check_run"].(map[string]any)["id"] = "7" }, "/check_run/id: got string, want integer"},
		"a property of our own":   {"check_run", "requested_action", func(b map[string]any) { b["colour"] = "green" }, "additional properties 'colour' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			var body map[string]any
			if err := json.Unmarshal(good.Body, &body); err != nil {
				t.Fatal(err)
			}
			c.spoil(body)
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			got := truth.CheckWebhook(c.event, c.action, raw)
			if c.want == "" && len(got) > 0 || c.want != "" && !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("differences %q, want %q", got, c.want)
			}
		})
	}
}

// What a watcher is told fails its test as an exchange does.
func TestAWatcherLooksAtWebhooks(t *testing.T) {
	quiet := &silent{TB: t}
	watch := truth.Watch(quiet)
	watch.Told("push", "", []byte(`{}`))
	if quiet.end(); !quiet.failed {
		t.Error("an empty push event passed")
	}
}
