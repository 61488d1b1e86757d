package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// All that was ever recorded of GitHub's webhooks comes in at the door, about
// other repositories and as if it were about ours: each is kept, none stops or
// misleads the queue, which reads for itself.
func TestRecordedWebhooksComeInAtTheDoor(t *testing.T) {
	t.Parallel()
	// Given a queue with a pull request under test.
	w := found(t, scene{})
	pr := w.underTest(1)[0]

	// When GitHub's payloads come, those of Enterprise Server too.
	kept := 0
	for _, set := range append([]string{truth.Cloud}, truth.Enterprise...) {
		for _, p := range truth.Recorded(t, set) {
			for whose, body := range map[string][]byte{"theirs": p.Body, "ours": w.asOurs(p.Body)} {
				guid := fmt.Sprintf("%s-%s-%s", set, p.Name(), whose)
				status, text := w.send("POST", "/webhook", body, map[string]string{"X-Hub-Signature-256": signed(body, webhookSecret),
					"X-GitHub-Event": p.Event, "X-GitHub-Delivery": guid})
				if status != 202 {
					t.Errorf("%s: %d %q", guid, status, text)
				}
				kept++
			}
		}
	}
	if kept != 2*(329+397) {
		t.Errorf("%d payloads came", kept)
	}

	// Then each was understood or means nothing, and the queue goes on.
	w.awaitRest()
	if log := w.log.bytes(); bytes.Contains(log, []byte("a webhook was not understood")) || bytes.Contains(log, []byte("panic")) {
		t.Error("some were not understood")
	}
	w.ci.release()
	w.awaitEnds(ends{pr: landed})
}

// asOurs puts the town's repository, branch and installation in a payload's place.
func (w *town) asOurs(payload []byte) []byte {
	w.t.Helper()
	var body map[string]any
	w.must(json.Unmarshal(payload, &body))
	if repo, ok := body["repository"].(map[string]any); ok {
		repo["id"], repo["name"], repo["full_name"] = w.repo.ID, w.repo.Name, w.repo.FullName()
		if owner, ok := repo["owner"].(map[string]any); ok {
			owner["login"] = "acme"
		}
	}
	body["installation"] = map[string]any{"id": w.place.Installation}
	if pull, ok := body["pull_request"].(map[string]any); ok {
		pull["number"] = 1
		if base, ok := pull["base"].(map[string]any); ok {
			base["ref"] = "main"
		}
	}
	if body["ref"] == "refs/heads/master" {
		body["ref"] = "refs/heads/main"
	}
	changed, err := json.Marshal(body)
	w.must(err)
	return changed
}
