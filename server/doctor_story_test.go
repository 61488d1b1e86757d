package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/github"
)

// doctor is the command as the town's people type it.
func (w *town) doctor(branch string) (doctorCommand, *github.App, settings) {
	w.t.Helper()
	key := filepath.Join(w.t.TempDir(), "app.pem")
	w.must(os.WriteFile(key, w.app.PrivateKeyPEM, 0o600))
	c := doctorCommand{Repository: "acme/widgets", Branch: branch, appAccess: appAccess{
		Data: filepath.Join(w.dir, "none"), AppID: w.app.ID, KeyFile: key, GitHub: w.forge.URL(), Hooks: "on"}}
	app, s, err := c.open()
	w.must(err)
	return c, app, s
}

func (w *town) diagnose() diagnosis {
	w.t.Helper()
	c, app, s := w.doctor("")
	d, err := c.diagnose(context.Background(), app, s)
	w.must(err)
	return d
}

func (d diagnosis) codes() (all []string) {
	for _, f := range d.Findings {
		all = append(all, f.Code)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

const soundWorkflow = "on: {pull_request: {}, push: {branches: ['mainstay/**']}}\njobs:\n  ci: {runs-on: ubuntu-latest, steps: [{run: make}]}\n"

// A repository that is set up rightly has nothing in the way, and one in which all
// is wrong is told each thing, with the setting that mends it.
func TestTheDoctorSaysWhatWouldHang(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true, files: map[string]string{".github/workflows/ci.yml": soundWorkflow}})
	w.repo.Protect("main", sandbox.Rules{RequiredApprovals: 1, RequiredChecks: []sandbox.RequiredCheck{
		{Context: "ci", AppID: doctor.ActionsApp}, {Context: "Mainstay", AppID: w.app.ID}}, Bypass: []sandbox.Actor{w.app}})
	// The town's App is not granted administration, so that is all there is to say.
	if d := w.diagnose(); !slices.Equal(d.codes(), []string{"not_read", "permission_missing"}) || d.broken() {
		t.Fatalf("a sound repository: %+v", d.Findings)
	}

	broken, err := w.repo.Commit("main", map[string]string{
		".github/workflows/ci.yml":    "on: [pull_request, merge_group]\nconcurrency: {group: one, cancel-in-progress: true}\njobs: {ci: {runs-on: x, steps: [{run: make}]}}\n",
		".github/workflows/notes.txt": "no workflow",
		".github/mainstay.yml":        "version: 1\nqueues:\n- checks: [e2e]\n"}, "Break it")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: broken}, sandbox.RefUpdate{Ref: "mainstay", New: broken}))
	w.repo.Protect("main", sandbox.Rules{RequiredApprovals: 1, NativeQueue: true, RequiredChecks: []sandbox.RequiredCheck{
		{Context: "ci", AppID: doctor.ActionsApp}, {Context: "Mainstay", AppID: 1}}})
	w.repo.Protect("*", sandbox.Rules{RestrictPushesTo: []sandbox.Actor{w.owner}})
	w.repo.Protect("mainstay/**", sandbox.Rules{RestrictPushesTo: []sandbox.Actor{w.owner}})
	d := w.diagnose()
	want := []string{"branch_named_mainstay", "check_of_another", "merge_group_only", "native_queue", "no_bypass", "not_read", "permission_missing",
		"required_not_on_tickets", "required_unknown", "ticket_refused"}
	if got := d.codes(); !slices.Equal(got, want) || !d.broken() {
		t.Errorf("a broken repository:\n got %q\nwant %q", got, want)
	}

	// It reads on the terminal, and for a machine.
	var out bytes.Buffer
	w.must(d.print(&out))
	for _, words := range []string{"acme/widgets, base main: ", "broken", "✕ native_queue", "→ Take the rule", ".github/workflows/ci.yml:3"} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, out.String())
		}
	}
	key := filepath.Join(t.TempDir(), "app.pem")
	w.must(os.WriteFile(key, w.app.PrivateKeyPEM, 0o600))
	cmd := exec.Command(serverBinary(t), "doctor", "acme/widgets", "--json", "--github-url", w.forge.URL(), "--key-file", key, "--data", w.dir)
	cmd.Env = append(os.Environ(), "MAINSTAY_APP_ID="+strconv.FormatInt(w.app.ID, 10))
	said, err := cmd.Output()
	var told diagnosis
	if code := cmd.ProcessState.ExitCode(); code != 2 || json.Unmarshal(said, &told) != nil || len(told.Findings) != len(d.Findings) {
		t.Errorf("the command ended with %d, %v:\n%s", code, err, said)
	}
}

// Who asks wrongly is told what is wrong.
func TestTheDoctorNeedsAnAppAndARepository(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	c, app, s := w.doctor("")
	for repository, want := range map[string]string{"widgets": "write owner/name", "acme/": "write owner/name", "a/b/c": "write owner/name", "acme/gadgets": "not installed"} {
		c.Repository = repository
		if _, err := c.diagnose(context.Background(), app, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", repository, err, want)
		}
	}
	c.AppID, c.KeyFile = 0, ""
	if _, _, err := c.open(); err == nil || !strings.Contains(err.Error(), "no GitHub App") {
		t.Errorf("without an App: %v", err)
	}
}

// The self-test pushes a ticket that holds nothing, tells the checks that came from
// those that never did, and leaves nothing behind.
func TestTheSelfTestSaysWhichChecksNeverCame(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{actions: true, unruled: true, files: map[string]string{".github/workflows/ci.yml": soundWorkflow}})
	_, app, _ := w.doctor("")
	place, err := app.FindInstallation(context.Background(), "acme", "widgets")
	w.must(err)
	hours := time.Now()
	tester := tester{app: app, place: place, pace: time.Millisecond, now: func() time.Time { hours = hours.Add(time.Second); return hours }}

	required := []doctor.Required{{Name: "ci", App: doctor.ActionsApp}, {Name: "Mainstay", App: w.app.ID}}
	test, err := tester.run(context.Background(), required, 24*time.Hour)
	w.must(err)
	if !slices.Equal(test.Came, []string{"ci"}) || len(test.Missing) != 0 || test.Left != "" {
		t.Errorf("%+v", test)
	}
	if w.git("diff", "--name-only", w.base, test.Commit) != "" || w.git("rev-parse", test.Commit+"^") != w.base {
		t.Error("the ticket is not an empty commit on the base")
	}

	ghost := append(required, doctor.Required{Name: "ghost"})
	test, err = tester.run(context.Background(), ghost, 10*time.Minute)
	w.must(err)
	if !slices.Equal(test.Missing, []string{"ghost"}) || !strings.Contains(test.text(), "✕ ghost never came") {
		t.Errorf("%+v", test)
	}

	// Where nothing is required, a run is what a landing waits for.
	test, err = tester.run(context.Background(), nil, 24*time.Hour)
	w.must(err)
	if !slices.Equal(test.Came, []string{anyRun}) {
		t.Errorf("%+v", test)
	}
	if left := w.tickets(); len(left) > 0 {
		t.Errorf("tickets are left: %v", left)
	}
	if w.repo.Ref("main") != w.base {
		t.Error("the base moved")
	}
}

// A pull request that changes a workflow is told what its workflow would do to the
// queue, on its lines; another one costs no call and gets no check.
func TestAPullRequestThatChangesAWorkflowIsExamined(t *testing.T) {
	t.Parallel()
	w := found(t, scene{files: map[string]string{".github/workflows/ci.yml": soundWorkflow}})
	advised := func(commit string) (last sandbox.CheckRun) {
		for _, c := range w.repo.CheckRuns(commit) {
			if c.Name == doctorCheck && c.AppID == w.app.ID {
				last = c
			}
		}
		return last
	}
	other := w.opens("topic")
	pr := w.open("workflow", map[string]string{".github/workflows/ci.yml": strings.Replace(soundWorkflow, "jobs:", "concurrency: {group: \"<b>@acme</b>\", cancel-in-progress: true}\njobs:", 1)})
	head := w.pull(pr).HeadSHA
	w.until("it is examined", func() bool { return advised(head).Status == "completed" })
	check := advised(head)
	if check.Conclusion != "neutral" || !strings.Contains(check.Title, "broken") || !strings.Contains(check.Summary, "concurrency_cancels") {
		t.Errorf("the check says %+v", check)
	}
	if got := advised(w.pull(other).HeadSHA); got.ID != 0 {
		t.Errorf("the other one has %+v", got)
	}

	// It is no part of the queue's own check, and keeps nobody from landing.
	w.label(other)
	w.awaitEnds(ends{other: landed})
}
