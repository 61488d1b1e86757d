package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// A whole suite over the real wire: what the shards report must add up to what
// happened, and every request must carry an identity of its own.
func TestRoundTrip(t *testing.T) {
	cases := []struct {
		name, body string
		codes      []int
		want       shard.Result
	}{
		{"green", "", []int{0, 0}, shard.ResultPassed},
		{"one test fails", "t.Fatal(\"want 1, got 2\")", []int{0, 1}, shard.ResultFailed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newForgery(t)
			for index, code := range c.codes {
				s := newStep(t, map[string]string{"mode": "run", "runner": "go", "suite": "unit/go 1", "variant": "linux",
					"shard-index": fmt.Sprint(index), "shard-total": "2", "server-url": f.url + "/"})
				identity := s.identity()
				writeModule(t, s.env["GITHUB_WORKSPACE"], c.body)

				if got := s.act(); got != code {
					t.Errorf("shard %d: exit code %d, want %d\n%s", index, got, code, &s.log)
				}

				if s.warnings() != 0 || identity.audience != f.url || f.checkRun != "4711" {
					t.Errorf("audience %q, check run %q\n%s", identity.audience, f.checkRun, &s.log)
				}
				if len(identity.minted) != 2 {
					t.Errorf("tokens %q, want one a request", identity.minted)
				}
				for _, token := range identity.minted {
					if !strings.Contains(s.log.String(), "::add-mask::"+token+"\n") || strings.Count(s.log.String(), token) != 1 {
						t.Errorf("the token was not masked, or shown:\n%s", &s.log)
					}
				}
				if out := s.outputs(); out["source"] != "server" || out["plan-id"] != "pl_1" || out["count"] != "2" {
					t.Errorf("outputs %v", out)
				}
			}
			received, ran := f.received(), []string{}
			for _, r := range received {
				for _, item := range r.Items {
					ran = append(ran, item.ID)
				}
			}
			last := shard.Judge(received[1:], nil)
			if last.Result != c.want || !slices.Equal(shard.Normalise(ran), []string{"example.com/m/a", "example.com/m/b", "example.com/m/c"}) || len(ran) != 3 {
				t.Errorf("result %s, ran %q", last.Result, ran)
			}
			if c.want == shard.ResultFailed {
				// The forgery gives a and c to shard 1.
				failing := last.Blocking
				if len(failing) != 1 || failing[0].Name != "TestA" || failing[0].File != "a/a_test.go" || failing[0].Last().Line != 6 {
					t.Errorf("failing %+v", failing)
				}
			}
		})
	}
}

// writeModule writes packages a, b and c with a test each, and one without.
func writeModule(t *testing.T, dir, body string) {
	t.Helper()
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "plain/plain.go": "package plain\n"}
	for _, name := range []string{"a", "b", "c"} {
		files[name+"/"+name+"_test.go"] = "package " + name + "\n\nimport \"testing\"\n\nfunc Test" + strings.ToUpper(name) + "(t *testing.T) {\n}\n"
	}
	files["a/a_test.go"] = strings.Replace(files["a/a_test.go"], "{\n", "{\n\t"+body+"\n", 1)
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A large inventory is sent once: the shards after the first send its digest.
func TestPlanSendsAnInventoryOnce(t *testing.T) {
	f := newForgery(t)
	var list strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&list, "tests/test_%04d.py\n", i)
	}
	var union []string
	for index := range 3 {
		s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": list.String(), "shard-index": fmt.Sprint(index), "shard-total": "3", "server-url": f.url})
		s.env["MAINSTAY_JOB_TOTAL"] = "3"
		s.identity()
		if code := s.act(); code != exitFine || s.outputs()["source"] != "server" {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		union = append(union, s.items()...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.needed != 1 || f.packed != 1 {
		t.Errorf("items asked for %d times, sent compressed %d times; want once", f.needed, f.packed)
	}
	if want := shard.Normalise(strings.Split(list.String(), "\n")); !slices.Equal(shard.Normalise(union), want) || len(union) != len(want) {
		t.Errorf("%d items in all shards, want %d", len(union), len(want))
	}
}

// One job plans for a matrix to come: its output is the matrix.
func TestPlanJob(t *testing.T) {
	f := newForgery(t)
	for _, server := range []string{"", f.url} {
		s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": strings.Join(lawItems, "\n"), "shard-index": "0", "shard-total": "2", "server-url": server})
		s.env["MAINSTAY_JOB_TOTAL"] = "1"
		s.identity()
		if code := s.act(); code != exitFine {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		var m struct {
			Include []struct {
				Shard, Total int
				Tests        string
				Count        int
			}
		}
		if err := json.Unmarshal([]byte(s.outputs()["matrix"]), &m); err != nil {
			t.Fatal(err)
		}
		want := shard.Split(lawItems, 2)
		if server != "" {
			want = f.cut(lawItems, 2)
		}
		if len(m.Include) != 2 {
			t.Fatalf("matrix %+v", m)
		}
		for i, row := range m.Include {
			if row.Shard != i || row.Total != 2 || row.Count != len(want[i]) || row.Tests != strings.Join(want[i], "\n") {
				t.Errorf("row %d: %+v, want %q", i, row, want[i])
			}
		}
	}
	// In a matrix nobody plans for the others.
	s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "a\nb", "shard-index": "0", "shard-total": "2"})
	if s.act(); s.outputs()["matrix"] != "" {
		t.Errorf("matrix %q", s.outputs()["matrix"])
	}
}

// Without a binary the matrix is the same: a job of it that finds no list would
// skip its tests, and be green.
func TestFallbackPlansAMatrixLikeTheBinary(t *testing.T) {
	lists := map[string]string{
		"of two":   "b\na\nsome \"quoted\" \\ back\nz",
		"of one":   "a",
		"too long": manyItems(400),
	}
	for name, tests := range lists {
		for _, fallback := range []string{"round-robin", "all"} {
			s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "list-command": "cat list", "shard-total": "2", "fallback": fallback})
			s.env["MAINSTAY_JOB_TOTAL"] = "1"
			if err := os.WriteFile(filepath.Join(s.env["GITHUB_WORKSPACE"], "list"), []byte(tests+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if code := s.composite("MAINSTAY_ACTION_BUILD=no"); code != exitFine {
				t.Fatalf("exit code %d\n%s", code, &s.log)
			}
			shell := s.outputs()["matrix"]
			if code := s.act(); code != exitFine || s.outputs()["matrix"] != shell || !strings.Contains(shell, `"count":`) {
				t.Errorf("%s, %s: shell %.300s, binary %.300s\n%.300s", name, fallback, shell, s.outputs()["matrix"], &s.log)
			}
			if large := strings.HasPrefix(name, "too"); strings.Contains(s.log.String(), "too large for a matrix") != large || strings.Contains(shell, `"tests"`) == large {
				t.Errorf("%s: nothing is said of lists that are left out, or too much\n%.300s", name, &s.log)
			}
		}
	}
}

func manyItems(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "%d%s\n", i, strings.Repeat("x", 900))
	}
	return text.String()
}

func TestMatrixLeavesListsOutWhenTooLarge(t *testing.T) {
	big := strings.Repeat("x", 900)
	var items []string
	for i := range 400 {
		items = append(items, fmt.Sprint(i, big))
	}
	if text, whole := matrix(shard.Split(items, 3)); text != `{"include":[{"shard":0,"total":3,"count":134},{"shard":1,"total":3,"count":133},{"shard":2,"total":3,"count":133}]}` || whole {
		t.Errorf("matrix of %d bytes: %.200s", len(text), text)
	}
}

// The list that a plan job made is what the report of another job is about.
func TestReportTakesTheListFromTheMatrix(t *testing.T) {
	f := newForgery(t)
	s := newStep(t, map[string]string{"mode": "report", "runner": "generic", "tests": "b\nd", "shard-index": "1", "shard-total": "2", "outcome": "success", "server-url": f.url})
	s.identity()
	if code := s.act(); code != exitFine || len(f.received()) != 1 {
		t.Fatalf("exit code %d\n%s", code, &s.log)
	}
	if r := f.received()[0]; len(r.Items) != 2 || r.Items[0].ID != "b" || r.Shard.Index != 1 {
		t.Errorf("report %+v", r)
	}
}

// A report of any size arrives whole, in parts that the server takes.
func TestLargeReportIsCutIntoChunks(t *testing.T) {
	j := newJob(settings{at: shard.Position{Total: 1}, suite: suite.Suite{Name: "unit", Runner: suite.Go}}, newWorkflow(os.Getenv, os.Stdout))
	var r suite.Results
	for i := range 25_000 {
		r.Tests = append(r.Tests, shard.Test{Key: fmt.Sprint("k", i), Name: fmt.Sprint("Test", i)})
	}
	for i := range 600 {
		r.Tests[i].Executions = []shard.Execution{{Status: shard.Failed, Kind: shard.KindAssertion, Message: strings.Repeat("x", shard.MaxMessage)}}
	}
	r.ExitCode = 1
	chunks := j.chunks(slice{Source: shard.SourceFallback, Scope: shard.ScopeSlice}, r, shard.OutcomeFailure, 0, 0)
	tests := 0
	for _, c := range chunks {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c)
		if err != nil || len(text) > shard.MaxBody {
			t.Errorf("chunk of %d bytes, error %v", len(text), err)
		}
		tests += len(c.Tests)
	}
	if v := shard.Judge(chunks, nil); tests != 25_000 || v.Result != shard.ResultFailed || len(v.Blocking) != 600 {
		t.Errorf("%d tests in %d chunks, verdict %s with %d failing", tests, len(chunks), v.Result, len(v.Blocking))
	}
}

// GitHub's token endpoint has its moments; a blip must not lose the report.
func TestTokenIsTriedThreeTimes(t *testing.T) {
	f := newForgery(t)
	s := newStep(t, map[string]string{"mode": "report", "runner": "generic", "tests": "a", "outcome": "success", "server-url": f.url})
	s.identity().failures = 2
	if code := s.act(); code != exitFine || len(f.received()) != 1 || s.warnings() != 0 {
		t.Errorf("exit code %d, %d reports\n%s", code, len(f.received()), &s.log)
	}
}

// Names of tests and items come from anybody. None may set an output, run a
// command, or break out of the summary.
func TestHostileNamesStayNames(t *testing.T) {
	hostile := []string{
		delimiter, "x\n" + delimiter + "\ninjected<<E\n1\nE", "::set-env name=A::b", "::set-output name=a::b", "##[set-output name=a]b",
		"<script>alert(1)</script>", "a|b`c`", "[x](javascript:y)", "</pre></details># Owned", "\x1b[2J", "\u202egnirts", strings.Repeat("é", 3000), "\x00", "a\r::error::b",
	}
	s := newStep(t, map[string]string{"mode": "run"})
	set := settings{at: shard.Position{Total: 1}, suite: suite.Suite{Name: "unit", Runner: suite.Go}, summary: true, folder: t.TempDir()}
	j := newJob(set, newWorkflow(func(name string) string { return s.env[name] }, &s.log))
	r := suite.Results{ExitCode: 1}
	for i, text := range hostile {
		r.Tests = append(r.Tests, shard.Test{Key: fmt.Sprint("k", i), Class: shard.CleanName(text), Name: shard.CleanName(text), Executions: []shard.Execution{{
			Status: shard.Failed, Kind: shard.KindAssertion, Message: shard.CleanMessage(text), MS: 5}}})
	}
	sl := slice{Source: shard.SourceFallback, Scope: shard.ScopeSlice, Items: []string{"a"}, PlanID: hostile[1]}
	chunks := j.chunks(sl, r, shard.OutcomeFailure, 0, 0)
	j.tellSlice(sl)
	j.writeReport(chunks)
	j.conclude(sl, r, j.judge(sl, r, chunks), shard.ReportAnswer{})
	for _, text := range hostile {
		j.flow.output("value", text)
	}
	rows, _ := matrix([][]string{hostile})
	j.flow.output("matrix", rows)

	for name, value := range s.outputs() {
		if !slices.Contains([]string{"tests-file", "count", "source", "scope", "result", "report-file", "value", "matrix", "expected-seconds", "already-proven", "sent", "artifact"}, name) {
			t.Errorf("an output was injected: %s=%q", name, value)
		}
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(s.outputs()["matrix"]), &m); err != nil {
		t.Errorf("the matrix is no JSON: %v", err)
	}
	for _, line := range strings.FieldsFunc(s.log.String(), func(r rune) bool { return r == '\n' || r == '\r' }) {
		command := strings.HasPrefix(strings.TrimSpace(line), "::") && !strings.HasPrefix(line, "::error title=") && !strings.HasPrefix(line, "::warning title=Mainstay::")
		if command || strings.Contains(line, "##[") {
			t.Errorf("a command in the log: %q", line)
		}
	}
	if n := strings.Count(s.log.String(), "::error title="); n != maxAnnotations {
		t.Errorf("%d annotations, want %d", n, maxAnnotations)
	}
	page, err := os.ReadFile(s.env["GITHUB_STEP_SUMMARY"])
	if err != nil {
		t.Fatal(err)
	}
	// What stands in <pre> is text for Markdown; it must only not end it.
	if n := strings.Count(string(page), "</pre>"); n != len(hostile) {
		t.Errorf("%d ends of <pre> for %d failures", n, len(hostile))
	}
	markdown := regexp.MustCompile(`(?s)<pre>.*?</pre>`).ReplaceAllString(string(page), "")
	for _, bad := range []string{"<script", "](", "\n#", "`", "</details>#", "a|b", "\u202e"} {
		if strings.Contains(strings.TrimPrefix(markdown, "#"), bad) {
			t.Errorf("the summary was broken out of by %q:\n%s", bad, markdown)
		}
	}
}

// The runner throws a summary over 1 MiB away, and the step with it.
func TestSummaryIsCapped(t *testing.T) {
	var r suite.Results
	for i := range 5000 {
		r.Tests = append(r.Tests, shard.Test{Name: fmt.Sprint("Test", i), Executions: []shard.Execution{{Status: shard.Failed, Message: strings.Repeat("<&>", 700)}}})
	}
	text := summary(settings{at: shard.Position{Total: 1}}, slice{}, r, shard.ShardVerdict{Blocking: r.Tests}, "failed", shard.ReportAnswer{})
	if len(text) > maxSummary || !strings.Contains(text, "more.") || !strings.Contains(text, "5000 failed") {
		t.Errorf("summary of %d bytes", len(text))
	}
}

// Nothing that the runner's files do may change the job.
func TestUnwritableRunnerFilesDoNotMatter(t *testing.T) {
	for command, want := range map[string]int{"true {tests}": exitFine, "false {tests}": exitRed} {
		s := newStep(t, map[string]string{"mode": "run", "runner": "generic", "tests": "a", "command": command})
		s.env["GITHUB_OUTPUT"], s.env["GITHUB_STEP_SUMMARY"] = "/nowhere/at/all", "/nowhere/at/all"
		if code := s.act(); code != want {
			t.Errorf("%s: exit code %d, want %d\n%s", command, code, want, &s.log)
		}
	}
}
