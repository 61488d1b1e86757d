package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// The labels a repository's settings name are made once, with a colour and a word,
// beside those that are there; and our check is posted once on the base, so that it
// can be chosen as required. A label that somebody deletes stays deleted.
func TestARepositoryIsMadeReadyOnce(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true, files: map[string]string{
		".github/mainstay.yml": "version: 1\nqueues:\n- label: land-it\n  labels: {hotfix: urgent}\n"}})
	pr := w.opens("topic")
	w.must(w.repo.Label(int64(pr), w.owner, "Solo")) // there already, in another case
	w.must(w.repo.Unlabel(int64(pr), w.owner, "Solo"))
	w.serve()
	w.until("the check is there", func() bool { return w.check(w.base).Conclusion == "success" })
	want := []string{"Solo", "hold", "land-it", "urgent"}
	if got := w.repo.Labels(); !slices.Equal(got, want) {
		t.Fatalf("labels %q, want %q", got, want)
	}

	// A restart and another reading of the base make nothing.
	w.must(w.repo.DeleteLabel(w.owner, "hold"))
	w.server.stop()
	w.forge.ResetCalls()
	w.serve()
	tip := w.pushAround("more.txt")
	w.until("the base was read", func() bool { return w.rows().Header.Tip == tip })
	w.passTime(time.Hour)
	w.awaitRest()
	for call, n := range w.forge.Calls() {
		if strings.Contains(call, "labels") && !strings.Contains(call, "issues") || strings.Contains(call, "POST") && strings.Contains(call, "check-runs") {
			t.Errorf("%s was called %d times after a restart", call, n)
		}
	}
	if got := w.repo.Labels(); slices.Contains(got, "hold") {
		t.Errorf("a deleted label was made again: %q", got)
	}
	if w.ourChecks(w.base) != 1 || w.ourChecks(tip) != 0 {
		t.Errorf("%d checks on the first base, %d on the next", w.ourChecks(w.base), w.ourChecks(tip))
	}

	// Another name in the settings is another label.
	named, err := w.repo.Commit("main", map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n- label: ship\n"}, "Ship")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: named}))
	w.until("its label is there", func() bool { return slices.Contains(w.repo.Labels(), "ship") })
}

// An App that may not write labels is told so once, on the page, and the queue works all the same.
func TestARepositoryThatCannotBeMadeReadyIsSaid(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true})
	w.repo.Uninstall(w.app)
	w.firstStart(nil)
	w.forge.Faults.Break(sandbox.HTTPFault{Method: "POST", Route: "/repos/{owner}/{repo}/labels", Times: 1000, Status: 403, Message: "Resource not accessible by integration"})
	b := w.createApp(newBrowser(t), "")
	w.takeApp()
	w.until("the page says it", func() bool {
		w.clock.pass(time.Second)
		return strings.Contains(b.open("/setup/next").text, "not accessible by integration")
	})
	if b.head.Get("Refresh") != "" {
		t.Error("the page goes on to load itself")
	}
}
