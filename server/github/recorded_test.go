package github

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// understood is what each of our events turns into, by the payloads recorded at
// GitHub: events and actions that are not here tell us nothing.
var understood = map[string]string{
	"branch_protection_rule created": "every queue: the base",
	"branch_protection_rule deleted": "every queue: the base",
	"branch_protection_rule edited":  "every queue: the base",

	"check_run created":          "every queue: results of ec26c3e",
	"check_run completed":        "every queue: results of ec26c3e, one done", // two of its payloads have an App made on a day that is no date
	"check_run requested_action": "every queue: results of 5bd5f19",
	"check_run rerequested":      "every queue: results of d6fde92, one done",
	"check_suite requested":      "every queue: results of f95f852",
	"check_suite completed":      "every queue: results of ec26c3e, one done",
	"check_suite rerequested":    "every queue: results of ec26c3e, one done",
	"status":                     "every queue: results of 6113728, one done",
	"workflow_job queued":        "every queue: results of 16c5286; every queue: results of 3484a3f",
	"workflow_job waiting":       "every queue: results of 16c5286",
	"workflow_job in_progress":   "every queue: results of 3484a3f; every queue: results of e3103f8; every queue: results of eeeb91c",
	"workflow_job completed":     "every queue: results of 3484a3f, one done",
	"workflow_run requested":     "every queue: results of 3484a3f; every queue: results of 3484a3f, one done",
	"workflow_run completed":     "every queue: results of 3484a3f, one done; every queue: results of 5779607",

	"pull_request opened":                   "master: pull request #2",
	"pull_request reopened":                 "master: pull request #2",
	"pull_request closed":                   "master: pull request #2",
	"pull_request labeled":                  "master: pull request #2",
	"pull_request unlabeled":                "master: pull request #2",
	"pull_request synchronize":              "master: pull request #2",
	"pull_request converted_to_draft":       "master: pull request #2",
	"pull_request ready_for_review":         "master: pull request #2",
	"pull_request_review submitted":         "master: pull request #2",
	"pull_request_review dismissed":         "master: pull request #2",
	"pull_request_review_thread resolved":   "master: pull request #118; master: pull request #2",
	"pull_request_review_thread unresolved": "master: pull request #2",

	"push": "master: the base at 6113728", // five of its seven move tags
}

// word says what a hint has looked at.
func word(h queue.Hint) string {
	at := h.Place.Branch
	if at == "" {
		at = "every queue"
	}
	text := at + ": "
	switch f := h.Fact.(type) {
	case queue.PullRequestHinted:
		text += fmt.Sprintf("pull request #%d", f.Number)
	case queue.BaseHinted:
		text += "the base"
		if f.Tip != "" {
			text += " at " + f.Tip[:7]
		}
	case queue.ResultsHinted:
		text += "results of " + f.Commit[:7]
		if f.Done {
			text += ", one done"
		}
		if f.PullRun != 0 {
			text += fmt.Sprintf(", pull request run %d", f.PullRun)
		}
	default:
		text += fmt.Sprintf("%T", f)
	}
	return text
}

// Only GitHub's own payloads can show that we understand GitHub: all 329 are read
// as they are.
func TestRecordedPayloadsAreUnderstood(t *testing.T) {
	told := map[string][]string{}
	for name := range understood {
		told[name] = nil
	}
	for _, p := range truth.Recorded(t, truth.Cloud) {
		for _, text := range interpreted(t, p) {
			if name := nameOf(p); !slices.Contains(told[name], text) {
				told[name] = append(told[name], text)
			}
		}
	}
	for name, texts := range told {
		slices.Sort(texts)
		if got := strings.Join(texts, "; "); got != understood[name] {
			t.Errorf("%q tells %q, want %q", name, got, understood[name])
		}
	}
}

// Payloads of GitHub Enterprise Server tell what those of github.com do.
func TestRecordedPayloadsOfEnterpriseServerAreUnderstood(t *testing.T) {
	for _, set := range truth.Enterprise {
		for _, p := range truth.Recorded(t, set) {
			texts := interpreted(t, p)
			tag := p.Event == "push" && strings.Contains(string(p.Body), `"refs/tags/`)
			if want := understood[nameOf(p)] != "" && !tag; want != (len(texts) > 0) {
				t.Errorf("%s: %s %s tells %q", set, p.Name(), p.Action(), texts)
			}
		}
	}
}

func nameOf(p truth.Payload) string { return strings.TrimSpace(p.Event + " " + p.Action()) }

func interpreted(t *testing.T, p truth.Payload) (texts []string) {
	t.Helper()
	hints, err := newApp(t, Options{}).Interpret(p.Event, p.Body)
	if err != nil {
		t.Errorf("%s: %v", p.Name(), err)
	}
	for _, h := range hints {
		if h.Place.Repository == 0 || h.Place.Owner == "" || h.Place.Name == "" {
			t.Errorf("%s: a hint for no repository: %+v", p.Name(), h)
		}
		texts = append(texts, word(h))
	}
	return texts
}

// GitHub changes what it sends without asking us. Whatever becomes of any one value
// of a recorded payload, what is read from the rest is sound, or it is an error.
func TestASpoiltPayloadNeverMisleads(t *testing.T) {
	a := newApp(t, Options{})
	seen, spoilt := map[string]bool{}, 0
	for _, p := range truth.Recorded(t, truth.Cloud) {
		if understood[nameOf(p)] == "" || seen[p.Event] {
			continue
		}
		seen[p.Event] = true
		var body any
		if err := json.Unmarshal(p.Body, &body); err != nil {
			t.Fatal(err)
		}
		everySpoilt(body, func() {
			spoilt++
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			hints, _ := a.Interpret(p.Event, raw)
			for _, h := range hints {
				if !sound(h) {
					t.Errorf("%s misleads to %+v by %s", p.Name(), h, raw)
				}
			}
		})
	}
	if spoilt < 5_000 {
		t.Errorf("only %d payloads were spoilt", spoilt)
	}
}

func sound(h queue.Hint) bool {
	switch f := h.Fact.(type) {
	case queue.PullRequestHinted:
		return h.Place.Repository > 0 && f.Number > 0
	case queue.ResultsHinted:
		return h.Place.Repository > 0 && isCommit(f.Commit)
	case queue.BaseHinted:
		return h.Place.Repository > 0 && (f.Tip == "" || isCommit(f.Tip))
	}
	return h.Place.Repository > 0
}

// everySpoilt puts something odd in the place of each value in turn.
func everySpoilt(value any, look func()) {
	spoil := func(was any, put func(any)) {
		for _, odd := range []any{nil, "../..", -1, map[string]any{}} {
			put(odd)
			look()
		}
		put(was)
		everySpoilt(was, look)
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			spoil(v[key], func(odd any) { v[key] = odd })
		}
	case []any:
		for i := range v {
			spoil(v[i], func(odd any) { v[i] = odd })
		}
	}
}
