package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/server/config"
)

// A wrong file is told like a compiler tells it, and the exit code says so.
func TestConfigCheck(t *testing.T) {
	for src, want := range map[string]struct {
		text string
		code exitCode
	}{
		"version: 1\n": {"", 0},
		"version: 1\nqueues:\n  - {branch: main, batch: {size: many}}\n": {"f.yml:3:34: error: batch.size: want auto or a number from 1 to 100, got \"many\"\n", 1},
		"version: 1\nqueues:\n  - {lable: x}\n":                          {"f.yml:3:6: warning: \"lable\": unknown key: ignored", 0},
		"version: 1\nqueues:\n  - {label: \"a\x1b[31m\"}\n":              {"error: label: want one line", 1},
	} {
		var out bytes.Buffer
		err := configCheckCommand{}.report(&out, "f.yml", []byte(src))
		var code exitCode
		errors.As(err, &code)
		if code != want.code || !strings.Contains(out.String(), want.text) || strings.Contains(out.String(), "\x1b") || want.text == "" && out.Len() > 0 {
			t.Errorf("%q: exit %d\n%s", src, code, out.String())
		}
		out.Reset()
		_ = configCheckCommand{JSON: true}.report(&out, "f.yml", []byte(src))
		var told []configFound
		if err := json.Unmarshal(out.Bytes(), &told); err != nil || told == nil || (len(told) > 0) != (want.text != "") {
			t.Errorf("%q as JSON: %s, %v", src, out.String(), err)
		}
	}
	file := filepath.Join(t.TempDir(), "x.yml")
	if err := os.WriteFile(file, []byte("version: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if src, name, err := (configCheckCommand{File: file}).read(nil); err != nil || name != file || string(src) != "version: 3\n" {
		t.Errorf("read %q of %q, %v", src, name, err)
	}
	if src, _, err := (configCheckCommand{File: "-"}).read(strings.NewReader("version: 1\n")); err != nil || string(src) != "version: 1\n" {
		t.Errorf("read %q, %v", src, err)
	}
	if _, _, err := (configCheckCommand{File: file + ".none"}).read(nil); err == nil {
		t.Error("a missing file was read")
	}
}

// Each thing that is asked for is told with the rule that asks.
func TestConfigExplain(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{files: map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n  - {branch: main, checks: [{name: e2e, skipped: ok}], when: pr.files < 9, sise: 1}\n"}})
	w.protectAlso(sandbox.Rules{RequiredApprovals: 2, CodeOwnerReviews: true, ResolveThreads: true, Other: []string{"license_compliance_scanning"}, Bypass: []sandbox.Actor{w.app}})
	d, app, _ := w.doctor("")
	x, err := configExplainCommand{Repository: "acme/widgets", appAccess: d.appAccess}.explain(t.Context(), app)
	w.must(err)
	var out bytes.Buffer
	w.must(x.print(&out))
	for _, line := range []string{"acme/widgets, base main", "ci", "Mainstay (App ", "(ours: green once the others are)", "e2e, skipped counts", "2 approvals of exactly its head", "GitHub's own decision: code owners",
		"every conversation resolved", "when: pr.files < 9", ".github/mainstay.yml", "license_compliance_scanning", "always", `warning: "sise": unknown key`} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it does not say %q:\n%s", line, out.String())
		}
	}
	if _, err := (configExplainCommand{Repository: "widgets"}).explain(t.Context(), app); err == nil || !strings.Contains(err.Error(), "owner/name") {
		t.Errorf("of no repository: %v", err)
	}
	if _, err := (configExplainCommand{Repository: "acme/widgets", Branch: "none"}).explain(t.Context(), app); err == nil || !strings.Contains(err.Error(), "no branch none") {
		t.Errorf("of no branch: %v", err)
	}
}

// The server gives editors the schema of its own version.
func TestTheSchemaIsServed(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	resp, err := http.Get("http://" + w.server.listen.Addr().String() + "/mainstay.schema.json")
	w.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	w.must(err)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/schema+json" || !bytes.Equal(body, config.Schema()) {
		t.Errorf("%s, %q:\n%s", resp.Status, resp.Header, body)
	}
}

// edited is the last word on a commit's settings file.
func (w *town) edited(commit string) (last sandbox.CheckRun) {
	for _, c := range w.repo.CheckRuns(commit) {
		if c.Name == configCheckName && c.AppID == w.app.ID {
			last = c
		}
	}
	return last
}

// Whoever edits the settings is told what would change, or on which lines it is wrong,
// without asking to land; a fork's too. Others get no such check.
func TestAPullRequestThatEditsTheSettingsIsTold(t *testing.T) {
	t.Parallel()
	w := found(t, scene{files: map[string]string{"README.md": "Widgets\n", ".github/mainstay.yml": "version: 1\nqueues:\n  - {branch: main, batch: {size: 4}}\n"}})
	other := w.opens("topic")

	// Given one that changes a setting.
	pr := w.open("settings", map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n  - {branch: main, batch: {size: 8}, checks: [\"a|`b\"]}\n"})
	head := w.pull(pr).HeadSHA
	w.until("it is told", func() bool { return w.edited(head).Status == "completed" })
	if c := w.edited(head); c.Conclusion != "success" || c.Title != "2 settings change" || !strings.Contains(c.Summary, "| `main` | `batch.size` | `4` | `8` |") || !strings.Contains(c.Summary, "`a\\|'b`") {
		t.Errorf("%+v", c)
	}

	// And one from a fork that is wrong.
	fork, err := w.repo.Fork(w.author)
	w.must(err)
	pr = w.openFrom(fork, w.author, "wrong", map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n  - branch: main\n    parallel: lots\n"})
	head = w.pull(pr).HeadSHA
	w.until("it is told", func() bool { return w.edited(head).Status == "completed" })
	if c := w.edited(head); c.Conclusion != "failure" || !strings.Contains(c.Summary, "mainstay.yml:4:15: error: parallel: want a number") {
		t.Errorf("%+v", c)
	}
	if c := w.edited(w.pull(other).HeadSHA); c.ID != 0 {
		t.Errorf("the other one has %+v", c)
	}
}

// A wrong file on the base leaves the last good one in force, over a restart, too.
func TestTheLastGoodSettingsOutliveARestart(t *testing.T) {
	t.Parallel()
	w := found(t, scene{unruled: true, files: map[string]string{"README.md": "Widgets\n", ".github/mainstay.yml": "version: 1\nqueues:\n  - {branch: main, batch: {size: 7}}\n"}})
	w.until("the settings are read", func() bool { return w.rows().Header.Settings.BatchSize == 7 })
	commit, err := w.repo.Commit("main", map[string]string{".github/mainstay.yml": "version: 1\nqueues: what\n"}, "Spoil the settings")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: commit}))
	w.until("the mistake is seen", func() bool { return strings.Contains(w.rows().Header.Problem, "2:9: queues: want a list") })
	w.server.stop()
	w.base = commit
	w.serve()
	if h := w.rows().Header; h.Settings.BatchSize != 7 || h.Problem == "" {
		t.Errorf("batches of %d, problem %q", h.Settings.BatchSize, h.Problem)
	}
}

// A repository without a file has its owner's; its own replaces that as a whole.
func TestTheOwnersFileIsForRepositoriesWithoutOne(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true})
	shared, err := w.forge.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: ".github"})
	w.must(err)
	commit, err := shared.Commit("", map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n  - {batch: {size: 5}, parallel: 2}\n"}, "Settings for all")
	w.must(err)
	w.must(shared.SetPermission(w.owner, "write"))
	w.must(shared.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: commit}))
	shared.Install(w.app)
	w.serve()
	w.until("the owner's settings are in force", func() bool {
		s := w.rows().Header.Settings
		return s.BatchSize == 5 && s.Parallel == 2
	})

	own, err := w.repo.Commit("main", map[string]string{".github/mainstay.yml": "version: 1\nqueues:\n  - {parallel: 3}\n"}, "Our own settings")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: own}))
	w.until("its own are", func() bool {
		s := w.rows().Header.Settings
		return s.BatchSize == 0 && s.Parallel == 3
	})
}
