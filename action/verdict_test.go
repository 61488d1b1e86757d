package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// again is a server's wish to have tests run once more.
func again(keys ...string) shard.ReportAnswer {
	return shard.ReportAnswer{Accepted: true, Next: shard.NextAnswer{Action: shard.NextRerun, Tests: keys}}
}

// flaking writes a module whose TestA fails the first so many times.
func flaking(t *testing.T, s *step, times int) {
	writeModule(t, s.env["GITHUB_WORKSPACE"], "")
	flag := filepath.Join(t.TempDir(), "flag")
	file := filepath.Join(s.env["GITHUB_WORKSPACE"], "a", "a_test.go")
	text := fmt.Sprintf("package a\n\nimport (\"os\"; \"testing\")\n\nfunc TestA(t *testing.T) {\n\thad, _ := os.ReadFile(%q)\n\tos.WriteFile(%q, append(had, 'x'), 0o644)\n\tif len(had) < %d {\n\t\tt.Fatal(\"not yet\")\n\t}\n}\n", flag, flag, times)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Tests are run again when the server asks for it and not otherwise, three times
// at most, and the job is what all runs together come to.
func TestRerunsAtTheServersWord(t *testing.T) {
	key := shard.TestKey("unit", "", "example.com/m/a", "TestA")
	cases := []struct {
		name    string
		fails   int
		answers []shard.ReportAnswer
		code    int
		result  string
		rounds  []int
		runs    int // executions of TestA in the last report
	}{
		{"not asked for", 1, nil, exitRed, "failed", []int{0}, 1},
		{"heals", 1, []shard.ReportAnswer{again(key)}, exitFine, "flaky", []int{0, 1}, 2},
		{"heals the second time", 2, []shard.ReportAnswer{again(key), again(key)}, exitFine, "flaky", []int{0, 1, 2}, 3},
		{"stays red", 9, []shard.ReportAnswer{again(key)}, exitRed, "failed", []int{0, 1}, 2},
		{"asked for without end", 9, slices.Repeat([]shard.ReportAnswer{again(key)}, 9), exitRed, "failed", []int{0, 1, 2, 3}, 4},
		{"a test that is not here", 1, []shard.ReportAnswer{again("t_other")}, exitRed, "failed", []int{0, 1}, 1},
		{"nothing failed", 0, []shard.ReportAnswer{again(key)}, exitFine, "passed", []int{0, 1}, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newForgery(t)
			f.answers = c.answers
			s := newStep(t, map[string]string{"mode": "run", "runner": "go", "suite": "unit", "shard-index": "0", "shard-total": "1", "server-url": f.url})
			s.identity()
			flaking(t, s, c.fails)
			code := s.act()
			var rounds []int
			for _, r := range f.received() {
				rounds = append(rounds, r.Round)
				if !r.Reruns {
					t.Error("it does not say that it can run tests again")
				}
			}
			if code != c.code || s.outputs()["result"] != c.result || !slices.Equal(rounds, c.rounds) {
				t.Errorf("exit code %d, result %s, rounds %v\n%s", code, s.outputs()["result"], rounds, &s.log)
			}
			last := f.received()[len(rounds)-1]
			for _, test := range last.Tests {
				if test.Name == "TestA" && len(test.Executions) != c.runs {
					t.Errorf("executions %+v, want %d", test.Executions, c.runs)
				}
			}
			if want := map[bool]shard.Outcome{true: shard.OutcomeSuccess, false: shard.OutcomeFailure}[c.code == exitFine]; last.Outcome != want {
				t.Errorf("outcome %s, want %s", last.Outcome, want)
			}
		})
	}
}

// A failure is excused only by the list that the plan brought, only where every
// failure is on it, and never a crash or a build that broke.
func TestQuarantine(t *testing.T) {
	key := func(name string) string { return shard.TestKey("unit", "", "example.com/m/a", name) }
	cases := []struct {
		name, body, more string
		list             []string
		inputs           map[string]string
		code             int
		result           string
	}{
		{"excused", "t.Fatal()", "", []string{key("TestA")}, nil, exitFine, "quarantined"},
		{"no list", "t.Fatal()", "", nil, nil, exitRed, "failed"},
		{"another one fails as well", "t.Fatal()", "func TestElse(t *testing.T) { t.Fatal() }", []string{key("TestA")}, nil, exitRed, "failed"},
		{"any failure counts", "t.Fatal()", "", []string{key("TestA")}, map[string]string{"fail-on": "any"}, exitRed, "failed"},
		{"no failure counts", "t.Fatal()", "", nil, map[string]string{"fail-on": "never"}, exitFine, "failed"},
		{"does not compile", "x", "", []string{key("[build failed]"), key("TestA")}, nil, exitRed, "failed"},
		{"a crash", "", "func TestMain(m *testing.M) { panic(1) }", []string{key("[test process]"), key("TestA")}, nil, exitRed, "failed"},
		{"a panic, which ends the tests that come after", "panic(1)", "func TestElse(t *testing.T) { t.Fatal() }", []string{key("TestA")}, nil, exitRed, "failed"},
		{"an exit in a test, which ends those that come after", "os.Exit(3)", "func TestElse(t *testing.T) { t.Fatal() }", []string{key("TestA")}, nil, exitRed, "failed"},
		{"a stop at the first failure", "t.Fatal()", "func TestElse(t *testing.T) { t.Fatal() }", []string{key("TestA")},
			map[string]string{"command": "go test -json -failfast {tests}"}, exitRed, "error"},
		{"a failure that logs a panic", "t.Error(\"panic: caught\")", "", []string{key("TestA")}, nil, exitFine, "quarantined"},
		{"an exit", "", "func init() { if len(os.Args) > 1 { os.Exit(3) } }", []string{key("[test process]")}, nil, exitRed, "error"},
		{"the server is away", "t.Fatal()", "", []string{key("TestA")}, map[string]string{"server-url": "http://127.0.0.1:1", "timeout": "1"}, exitRed, "failed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newForgery(t)
			f.planned.Quarantine = &shard.Quarantine{Version: 17, Tests: c.list}
			s := newStep(t, map[string]string{"mode": "run", "runner": "go", "suite": "unit", "shard-index": "0", "shard-total": "1", "server-url": f.url}).with(c.inputs)
			s.identity()
			writeModule(t, s.env["GITHUB_WORKSPACE"], c.body)
			if strings.Contains(c.body+c.more, "os.") {
				replaceIn(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "a", "a_test.go"), "import \"testing\"", "import (\"os\"; \"testing\")")
			}
			appendTo(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "a", "a_test.go"), "\n"+c.more+"\n")
			if code := s.act(); code != c.code || s.outputs()["result"] != c.result {
				t.Errorf("exit code %d, result %s, want %d, %s\n%s", code, s.outputs()["result"], c.code, c.result, &s.log)
			}
		})
	}
}

func replaceIn(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The list is the plan's also where another step ran the tests.
func TestReportExcusesByThePlanThatWasKept(t *testing.T) {
	const red = `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"fail","Package":"m/a","Test":"TestA","Elapsed":0.5}
{"Action":"fail","Package":"m/a","Elapsed":0.5}
`
	for failOn, want := range map[string]int{"": exitFine, "any": exitRed, "never": exitFine} {
		f := newForgery(t)
		f.planned.Quarantine = &shard.Quarantine{Tests: []string{shard.TestKey("unit", "", "m/a", "TestA")}}
		s := newStep(t, map[string]string{"mode": "plan", "runner": "go", "suite": "unit", "list-command": "echo m/a", "shard-index": "0", "shard-total": "1", "server-url": f.url, "fail-on": failOn})
		s.identity()
		if code := s.act(); code != exitFine {
			t.Fatalf("plan: exit code %d\n%s", code, &s.log)
		}
		if err := os.WriteFile(s.env["GITHUB_WORKSPACE"]+"/results.jsonl", []byte(red), 0o644); err != nil {
			t.Fatal(err)
		}
		s.with(map[string]string{"mode": "report", "results": "results.jsonl", "outcome": "failure"})
		if code := s.act(); code != want {
			t.Errorf("fail-on %q: exit code %d, want %d\n%s", failOn, code, want, &s.log)
		}
	}
}

// A verdict can hold the job back; it lets it pass only where the jobs that ran
// the tests passed too.
func TestVerify(t *testing.T) {
	cases := []struct {
		name     string
		verdicts []string
		outcome  string
		timeout  string
		code     int
		asked    int
	}{
		{"passed", []string{"passed"}, "success", "", exitFine, 1},
		{"passed, and a job failed", []string{"passed"}, "failure", "", exitRed, 1},
		{"passed, and a job was skipped", []string{"passed"}, "skipped", "", exitRed, 1},
		{"pending, then passed", []string{"pending", "passed"}, "success", "", exitFine, 2},
		{"pending for ever", []string{"pending"}, "success", "1", exitRed, 1},
		{"failed", []string{"failed"}, "success", "", exitRed, 1},
		{"incomplete", []string{"incomplete"}, "success", "", exitRed, 1},
		{"cancelled", []string{"cancelled"}, "success", "", exitRed, 1},
		{"no batch's commit", []string{"none"}, "success", "", exitFine, 1},
		{"no batch's commit, and a job failed", []string{"none"}, "failure", "", exitRed, 1},
		{"nonsense", []string{"dance"}, "success", "", exitFine, 1},
		{"no outcome", []string{"passed"}, "", "", exitUsage, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newForgery(t)
			f.verdicts = c.verdicts
			s := newStep(t, map[string]string{"mode": "verify", "outcome": c.outcome, "timeout": c.timeout, "server-url": f.url})
			s.identity()
			if code := s.act(); code != c.code || f.questions != c.asked {
				t.Errorf("exit code %d, asked %d times\n%s", code, f.questions, &s.log)
			}
		})
	}
}

// Without a server the outcome of the other jobs decides, within the time for it.
func TestLawsOfVerify(t *testing.T) {
	for _, b := range brokenServers {
		if b.planned {
			continue
		}
		for outcome, want := range map[string]int{"success": exitFine, "failure": exitRed} {
			t.Run(b.name+"/"+outcome, func(t *testing.T) {
				t.Parallel()
				s := newStep(t, map[string]string{"mode": "verify", "outcome": outcome, "timeout": "1s"})
				s.with(map[string]string{"server-url": b.start(t, s)})
				began := time.Now()
				if code := s.act(); code != want || s.warnings() != 1 {
					t.Errorf("exit code %d, want %d\n%s", code, want, &s.log)
				}
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("took %s", took)
				}
			})
		}
	}
}

// A host without OIDC brings a secret and says what it is; the secret is shown
// nowhere, and no child of ours is handed it.
func TestASharedSecret(t *testing.T) {
	f := newForgery(t)
	f.secret = "s3cret-of-the-host"
	s := newStep(t, map[string]string{"mode": "run", "runner": "generic", "tests": "a\nb", "command": "true {tests}", "server-url": f.url, "token": f.secret})
	s.env["GITHUB_REPOSITORY_ID"], s.env["GITHUB_RUN_ID"], s.env["GITHUB_REF"], s.env["GITHUB_SHA"], s.env["GITHUB_EVENT_NAME"] = "42", "7", "refs/heads/mainstay/x", "abc", "push"
	if code := s.act(); code != exitFine || len(f.received()) != 1 || s.warnings() != 0 {
		t.Fatalf("exit code %d\n%s", code, &s.log)
	}
	for name, want := range map[string]string{shard.HeaderRepository: "42", shard.HeaderRun: "7", shard.HeaderRunAttempt: "1", shard.HeaderRef: "refs/heads/mainstay/x", shard.HeaderSHA: "abc", shard.HeaderEvent: "push"} {
		if got := f.headers.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(s.log.String(), "::add-mask::"+f.secret+"\n") || strings.Count(s.log.String(), f.secret) != 1 {
		t.Errorf("the secret was not masked first, or shown:\n%s", &s.log)
	}
}

// The audience may be another name than the address that is called.
func TestAudience(t *testing.T) {
	f := newForgery(t)
	s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "a", "server-url": f.url, "audience": "https://mainstay.example.com"})
	identity := s.identity()
	if code := s.act(); code != exitFine || identity.audience != "https://mainstay.example.com" {
		t.Errorf("exit code %d, audience %q\n%s", code, identity.audience, &s.log)
	}
}

// What a plan knows comes out as outputs, and "already proven" only of this very
// commit.
func TestOutputsOfAPlan(t *testing.T) {
	for sha, proven := range map[string]string{"abc": "true", "abd": "false", "": "false"} {
		f := newForgery(t)
		f.planned.ShardsExpectedMS = []int64{1000, 61500}
		f.planned.Proven = &shard.Proven{Commit: "abc", URL: "https://mainstay.example.com/receipts/abc"}
		s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "a\nb", "shard-index": "1", "shard-total": "2", "server-url": f.url})
		s.env["GITHUB_SHA"] = sha
		s.identity()
		code, out := s.act(), s.outputs()
		if code != exitFine || out["expected-seconds"] != "62" || out["already-proven"] != proven || (out["receipt"] != "") != (proven == "true") {
			t.Errorf("%q: exit code %d, outputs %v\n%s", sha, code, out, &s.log)
		}
	}
}

// Without a server all shards come to one cut, whichever was chosen; a re-run
// whose plan may have been another runs everything.
func TestFallbackCuts(t *testing.T) {
	for _, fallback := range []string{"round-robin", "filesize", "all"} {
		var cut [][]string
		for index := range 2 {
			s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "*.t", "shard-index": fmt.Sprint(index), "shard-total": "2", "fallback": fallback})
			for name, size := range map[string]int{"a.t": 10, "b.t": 10, "c.t": 1000, "d.t": 10} {
				if err := os.WriteFile(filepath.Join(s.env["GITHUB_WORKSPACE"], name), make([]byte, size), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if code := s.act(); code != exitFine || s.outputs()["source"] != "fallback" {
				t.Fatalf("exit code %d\n%s", code, &s.log)
			}
			cut = append(cut, s.items())
		}
		want := map[string]string{"round-robin": "[[a.t c.t] [b.t d.t]]", "filesize": "[[c.t] [a.t b.t d.t]]", "all": "[[a.t b.t c.t d.t] [a.t b.t c.t d.t]]"}[fallback]
		if fmt.Sprint(cut) != want {
			t.Errorf("%s: %v, want %s", fallback, cut, want)
		}
	}
}

// The summary leads to the failing line of the commit, and says how even the
// shards were, what was excused and what was flaky.
func TestSummaryTellsTheStory(t *testing.T) {
	key := shard.TestKey("unit", "", "example.com/m/a", "TestQ")
	f := newForgery(t)
	f.planned.ShardsExpectedMS = []int64{2000, 4000}
	f.planned.Quarantine = &shard.Quarantine{Tests: []string{key}}
	f.answer.Batch = &shard.BatchAnswer{ID: "b_1", URL: "https://mainstay.example.com/b/1"}
	s := newStep(t, map[string]string{"mode": "run", "runner": "go", "suite": "unit", "shard-index": "1", "shard-total": "2", "server-url": f.url})
	s.env["GITHUB_REPOSITORY"], s.env["GITHUB_SHA"] = "o/r", "abc"
	s.identity()
	writeModule(t, s.env["GITHUB_WORKSPACE"], "t.Fatal(\"want 1\")")
	appendTo(t, filepath.Join(s.env["GITHUB_WORKSPACE"], "a", "a_test.go"), "\nfunc TestQ(t *testing.T) { t.Fatal() }\n")
	if code := s.act(); code != exitRed {
		t.Fatalf("exit code %d\n%s", code, &s.log)
	}
	text, err := os.ReadFile(s.env["GITHUB_STEP_SUMMARY"])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<a href="https://github.com/o/r/blob/abc/a/a_test.go#L6">`, "**1 failed**", "**1 failed and are in quarantine", "Expected 4s", "cut to 2s to 4s, the longest 1.33 times the mean", `<a href="https://mainstay.example.com/b/1">The batch</a>`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	first, second := strings.Index(s.log.String(), "::error file=a/a_test.go,line=6"), strings.Index(s.log.String(), "(quarantined)")
	if first < 0 || second < first {
		t.Errorf("the annotations are not worst first:\n%s", &s.log)
	}
}
