package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	mainstay "github.com/mainstay-ci/mainstay"
	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// threeShards is the workflow as people write it. act fills neither
// strategy.job-index nor strategy.job-total, so the shards are told.
const threeShards = `name: tests
on: push
permissions: {contents: read, id-token: write}
env: {GOFLAGS: "-vet=off"}
jobs:
  unit:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1, 2]}}
    steps:
      - uses: actions/checkout@v7
      - id: shard
        uses: mainstay-ci/mainstay@v1
        with: {server-url: "%s", mode: run, runner: go, tests: ./..., shard-index: "${{ matrix.shard }}", shard-total: 3, timeout: %s}
      - if: always()
        run: echo "shard ${{ matrix.shard }} told $RESULT, cut by $SOURCE"
        env: {RESULT: "${{ steps.shard.outputs.result }}", SOURCE: "${{ steps.shard.outputs.source }}"}
`

// actRunner is nektos/act in host mode, with the Action of this tree.
type actRunner struct {
	t         *testing.T
	path, dir string
	args      string
}

// newActRunner is skipped where MAINSTAY_ACT names no act (make act).
func newActRunner(t *testing.T) *actRunner {
	t.Helper()
	path := os.Getenv("MAINSTAY_ACT")
	if path == "" {
		t.Skip("SKIPPED: MAINSTAY_ACT names no act; `make act` installs one")
	}
	actions, env := actionOfThisTree(t)
	r := &actRunner{t: t, path: path, dir: t.TempDir()}
	// Artifacts do not work under act: the step that leaves one fails here, and the job must not.
	upload := filepath.Join(r.dir, "upload")
	if err := os.MkdirAll(upload, 0o755); err != nil {
		t.Fatal(err)
	}
	failing := "name: upload\ndescription: fails\ninputs: {name: {}, path: {}, if-no-files-found: {}, retention-days: {}}\n" +
		"runs:\n  using: composite\n  steps:\n    - {shell: bash, run: 'echo no artifacts here; exit 1'}\n"
	if err := os.WriteFile(filepath.Join(upload, "action.yml"), []byte(failing), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := mainstay.ActionFiles.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	nested := regexp.MustCompile(`actions/upload-artifact@[0-9a-f]{40}`).FindString(string(text))
	r.args = "-P ubuntu-latest=-self-hosted --no-cache-server --local-repository mainstay-ci/mainstay@v1=" + actions["mainstay-ci/mainstay"] +
		" --local-repository " + nested + "=" + upload
	cache, err := exec.Command("go", "env", "GOCACHE").Output() // HOME is another one there
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range append(env, "GOCACHE="+strings.TrimSpace(string(cache))) {
		if name, _, _ := strings.Cut(pair, "="); name != "PATH" && name != "HOME" {
			r.args += " --env " + pair
		}
	}
	return r
}

// command is a shell's line that runs a workflow file of the folder it stands in.
func (r *actRunner) command(workflow, more string) string {
	return fmt.Sprintf("HOME=%[1]s/home XDG_CACHE_HOME=%[1]s/cache XDG_CONFIG_HOME=%[1]s/config %[2]s push -W %[3]s %[4]s %[5]s", r.dir, r.path, workflow, r.args, more)
}

// carrier is a workflow of the forge whose jobs hand a shard of the ticket each to
// act: run, commit and identity are the forge's, the runner is not ours.
func (r *actRunner) carrier() string {
	script := []string{
		`git -c "http.extraHeader=Authorization: Basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w0)" clone -q "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git" tree`,
		`cd tree && git checkout -q -B ticket "$GITHUB_SHA"`,
		"mkdir -p " + r.dir + "/home",
		r.command("three-shards.yml", `--matrix shard:$SHARD --env GITHUB_SERVER_URL="$GITHUB_SERVER_URL" --env GITHUB_REPOSITORY="$GITHUB_REPOSITORY" --env ACTIONS_ID_TOKEN_REQUEST_URL="$ACTIONS_ID_TOKEN_REQUEST_URL" --env ACTIONS_ID_TOKEN_REQUEST_TOKEN="$ACTIONS_ID_TOKEN_REQUEST_TOKEN"`) + ` 2>&1 | tee -a ` + r.dir + "/log",
	}
	return "name: act\non:\n  push: {branches: [\"mainstay/**\"]}\npermissions: {contents: read, id-token: write}\njobs:\n  act:\n    runs-on: ubuntu-latest\n" +
		"    strategy: {fail-fast: false, matrix: {shard: [0, 1, 2]}}\n    steps:\n" +
		"      - env: {TOKEN: \"${{ github.token }}\", SHARD: \"${{ matrix.shard }}\"}\n        run: |\n          set -o pipefail\n          " + strings.Join(script, "\n          ") + "\n"
}

func (r *actRunner) log() string {
	text, err := os.ReadFile(filepath.Join(r.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// The same workflow in a runner that is not ours: three shards under act plan, run
// and report to the live server, and it lands what is green and not what is red.
func TestThreeShardsUnderAct(t *testing.T) {
	r := newActRunner(t)
	patience = 5 * time.Minute // act takes its time
	t.Cleanup(func() {
		patience = time.Minute
		if t.Failed() {
			t.Log(r.log())
		}
	})
	// Given a module of three packages whose tickets act tests.
	w := found(t, scene{actions: true, unruled: true})
	w.ci.hold()
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "Mainstay", AppID: w.app.ID}}})
	files := goFiles(w.server.url)
	files["last/last_test.go"] = "package last\n\nimport \"testing\"\n\nfunc TestLast(t *testing.T) {}\n"
	files[".github/mainstay.yml"] = "version: 1\nqueues:\n  - branch: main\n    suites: {unit: 3}\n"
	files[".github/workflows/test.yml"] = r.carrier()
	files["three-shards.yml"] = fmt.Sprintf(threeShards, w.server.url, "20s")
	seed, err := w.repo.Commit("main", files, "A Go module")
	w.must(err)
	w.must(w.repo.Push(w.owner, sandbox.RefUpdate{Ref: "main", New: seed}))
	broken := sum("Broken")
	broken["sum/broken.go"] = "package sum\n\n// Broken adds one too many.\nfunc Broken(a int) int { return Of(a, 1) }\n"
	green, red := w.open("green", sum("Green")), w.open("broken", broken)
	w.until("the server has read the config", func() bool { return len(w.rows().Header.Settings.Suites) == 1 })

	// When the good one is tested.
	w.label(green)
	w.awaitEnds(ends{green: landed})

	// Then all three shards reported, by one plan, and together ran the whole suite.
	receipts, err := w.server.store.Receipts(t.Context(), w.place.ID, 1)
	w.must(err)
	if len(receipts) != 1 || len(receipts[0].Shards) != 3 {
		t.Fatalf("receipts %+v", receipts)
	}
	tests := 0
	for i, sh := range receipts[0].Shards {
		if sh.Suite != "unit" || sh.Index != i || sh.Total != 3 || sh.Result != shard.ResultPassed || sh.Plan == "" || sh.Plan != receipts[0].Shards[0].Plan || sh.Inventory == "" {
			t.Errorf("shard %+v", sh)
		}
		tests += sh.Tests
	}
	if tests != 4 { // Name, Last, Of, Green
		t.Errorf("%d tests ran", tests)
	}

	// And the bad one is out: the shard that failed names its test, the others passed.
	w.label(red)
	w.awaitEnds(ends{green: landed, red: queue.ChecksFailed})
	if check := w.check(w.pull(red).HeadSHA); check.Conclusion != "failure" || !strings.Contains(check.Title, "TestBroken failed") {
		t.Errorf("the check concluded %s: %q", check.Conclusion, check.Title)
	}
	// (Nobody waits for the rest of a job whose red report decided.)
	for _, want := range []string{"told passed, cut by server", "--- FAIL: TestBroken"} {
		if !strings.Contains(r.log(), want) {
			t.Errorf("no job said %q", want)
		}
	}
}

// The two laws there, too: without a server the tests alone decide, and a report
// that can be left nowhere fails no job.
func TestLawsUnderAct(t *testing.T) {
	r := newActRunner(t)
	for name, body := range map[string]string{"green": "", "red": "t.Fatal(1)"} {
		dir := filepath.Join(r.dir, name)
		files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.21\n", "three-shards.yml": fmt.Sprintf(threeShards, "http://127.0.0.1:1", "1s"), "home/x": ""}
		for _, p := range []string{"a", "b", "c"} {
			files[p+"/a_test.go"] = "package " + p + "\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { " + body + " }\n"
		}
		for file, text := range files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("bash", "-c", "mkdir -p "+r.dir+"/home && git init -q && git add -A && git -c user.name=a -c user.email=a@example.com commit -qm x && "+r.command("three-shards.yml", ""))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if (err == nil) != (name == "green") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		result := map[string]string{"green": "passed", "red": "failed"}[name]
		if n := strings.Count(string(out), "told "+result+", cut by fallback"); n != 3 {
			t.Errorf("%s: %d shards told %s\n%s", name, n, result, out)
		}
		if n := strings.Count(string(out), "no artifacts here"); n < 3 {
			t.Errorf("%s: the report was left %d times\n%s", name, n, out)
		}
	}
}
