package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A body with its signature that somebody caught can be sent again under an id of
// its own: the id is a header, which the signature does not cover. It says "look",
// and what is seen then counts.
func TestACaughtWebhookSentAgainIsOnlyALook(t *testing.T) {
	t.Parallel()
	// Given a pull request whose label was taken off again, and the webhook of the label
	w := found(t, scene{})
	pr := w.opens("topic")
	body := []byte(fmt.Sprintf(`{"action":"labeled","repository":{"id":%d,"name":%q,"owner":{"login":%q}},"installation":{"id":1},
		"label":{"name":"merge-queue"},"pull_request":{"number":%d,"labels":[{"name":"merge-queue"}],"base":{"ref":"main"}}}`,
		w.repo.ID, w.repo.Name, w.place.Owner, pr))
	// When it comes three times, each under a new id
	for i := range 3 {
		status, text := w.send("POST", "/webhook", body, map[string]string{"X-Hub-Signature-256": signed(body, webhookSecret),
			"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": fmt.Sprintf("caught-%d", i)})
		if status != http.StatusAccepted {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	w.awaitRest()
	// Then nobody has entered, and the base is where it was
	if n := len(w.rows().Entries); n != 0 {
		t.Errorf("%d entries of a wish that does not stand", n)
	}
	if tip := w.repo.Ref("refs/heads/main"); tip != w.base {
		t.Errorf("the base moved to %s", tip)
	}
}

// A header of megabytes is cut off before anything is kept of it.
func TestAHugeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	status, _ := w.send("POST", "/webhook", []byte("{}"), map[string]string{"X-Hub-Signature-256": strings.Repeat("a", 64<<10)})
	if status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered %d", status)
	}
}
