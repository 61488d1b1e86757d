package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// send sends a request to the town's server and gives its answer.
func (w *town) send(method, path string, body []byte, headers map[string]string) (status int, text string) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.server.url+path, bytes.NewReader(body))
	w.must(err)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	w.must(err)
	return resp.StatusCode, string(answer)
}

func signed(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Whatever comes in at the front door that is not a webhook of GitHub's gets a
// clear answer, and the queue goes on as if nothing had come.
func TestBadWebhooksAreRefusedOrMeanNothing(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	elsewhere := []byte(`{"action":"labeled","repository":{"id":987654,"name":"x","owner":{"login":"y"}},"pull_request":{"number":1,"labels":[],"base":{"ref":"main"}}}`)
	huge := bytes.Repeat([]byte(" "), 25<<20+1)
	for name, c := range map[string]struct {
		body      []byte
		signature string
		status    int
		says      string
	}{
		"wrong signature":    {[]byte(`{}`), signed([]byte(`{}`), "another secret"), 401, "webhook secret"},
		"no signature":       {[]byte(`{}`), "", 401, "X-Hub-Signature-256"},
		"not JSON":           {[]byte(`{"action":`), signed([]byte(`{"action":`), webhookSecret), 400, "not JSON"},
		"too large":          {huge, signed(huge, webhookSecret), 413, "25 MiB"},
		"unknown repository": {elsewhere, signed(elsewhere, webhookSecret), 202, "kept"},
		"odd shapes":         {[]byte(`{"repository":[]}`), signed([]byte(`{"repository":[]}`), webhookSecret), 202, "kept"},
	} {
		status, text := w.send("POST", "/webhook", c.body, map[string]string{"X-Hub-Signature-256": c.signature,
			"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": "test-" + name})
		if trusted := strings.Contains(text, `"trusted":true`); trusted != (name == "the job itself") {
			t.Errorf("%s: %s", name, text)
		}
		if status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %q, want %d and %q", name, status, text, c.status, c.says)
		}
	}
	pr := w.opens("topic")
	w.label(pr)
	w.awaitEnds(ends{pr: landed})
	if len(w.rows().Entries) != 1 {
		t.Errorf("there are %d entries", len(w.rows().Entries))
	}
}

// A plan or a report counts for the live attempt whose commit its token names,
// and for nothing else: everybody else is told why not.
func TestATokenOfAnotherJobIsTurnedAway(t *testing.T) {
	t.Parallel()
	// Given an attempt under test, and a forger with a forge of his own.
	w := found(t, scene{})
	prs := w.underTest(1)
	w.awaitRest()
	var ticket, commit string
	for ref, at := range w.tickets() {
		ticket, commit = ref, at
	}
	watch := truth.Watch(t)
	forger, err := sandbox.Start(sandbox.Options{Dir: filepath.Join(w.dir, "forger"), Seed: 2, Around: watch.Around, Told: watch.Told})
	w.must(err)
	defer forger.Close()
	body, err := json.Marshal(shard.PlanRequest{API: shard.API, Suite: "unit", Runner: "go", Mode: shard.ModeStatic, Shard: shard.Position{Index: 0, Total: 1}, Inventory: shard.NewInventory([]string{"./a"})})
	w.must(err)

	right := map[string]any{"repository_id": fmt.Sprint(w.repo.ID), "run_id": "77", "run_attempt": "1", "sha": commit, "ref": ticket, "event_name": "push"}
	for name, c := range map[string]struct {
		forge  *sandbox.Forge
		claims map[string]any
		status int
		says   string
	}{
		"the job itself":           {w.forge, nil, 200, `"trusted":true`},
		"a commit of no attempt":   {w.forge, map[string]any{"sha": w.base}, 409, "not the commit of a live attempt"},
		"another repository":       {w.forge, map[string]any{"repository_id": "987654"}, 404, "is the App installed"},
		"another audience":         {w.forge, map[string]any{"aud": "https://elsewhere.example.com"}, 401, "the audience must be " + w.server.url},
		"expired":                  {w.forge, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, 401, "expired"},
		"a pull request's run":     {w.forge, map[string]any{"event_name": "pull_request", "ref": "refs/pull/1/merge"}, 200, `"plan_id"`},
		"its commit, by hand":      {w.forge, map[string]any{"event_name": "workflow_dispatch"}, 200, `"plan_id"`},
		"its commit, on its topic": {w.forge, map[string]any{"ref": "refs/heads/topic-1"}, 200, `"plan_id"`},
		"another ticket's run":     {w.forge, map[string]any{"ref": "refs/heads/mainstay/main/999"}, 409, "not the commit of a live attempt"},
		"another issuer":           {forger, nil, 401, "another issuer"},
		"the issuer's name, taken": {forger, map[string]any{"iss": w.forge.IssuerURL()}, 401, "identity"},
		"claims missing":           {w.forge, map[string]any{"sha": nil}, 401, "lacks a claim"},
	} {
		claims := map[string]any{}
		for _, some := range []map[string]any{right, c.claims} {
			for k, v := range some {
				claims[k] = v
			}
		}
		token, err := c.forge.MintToken(0, w.server.url, claims)
		w.must(err)
		status, text := w.send("POST", shard.PlansPath, body, map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
		if trusted := strings.Contains(text, `"trusted":true`); trusted != (name == "the job itself") {
			t.Errorf("%s: %s", name, text)
		}
		if status != c.status || !strings.Contains(text, c.says) || strings.Contains(text, token) {
			t.Errorf("%s: %d %s, want %d and %q", name, status, text, c.status, c.says)
		}
	}
	w.awaitRest()

	// Then only the job itself was heard.
	if a := w.rows().Attempts; len(a) != 1 || len(a[0].Shards) != 1 || a[0].Phase != queue.AttemptTesting {
		t.Errorf("the attempts are %+v", a)
	}
	w.must(w.repo.Unlabel(int64(prs[0]), w.author, "merge-queue"))
	w.awaitEnds(ends{prs[0]: queue.LabelRemoved})
}
