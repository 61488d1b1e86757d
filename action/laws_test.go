package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// broken is a server, or what stands in its place, that is no help.
type broken struct {
	name    string
	start   func(t *testing.T, s *step) (url string)
	planned bool // the plan is fine, the report is not
}

func answers(handler http.HandlerFunc) func(*testing.T, *step) string {
	return func(t *testing.T, s *step) string {
		s.identity()
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
}

// hang answers when the client has gone. Only a body that was read to its end
// lets the server notice.
func hang(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func text(status int, body string) func(*testing.T, *step) string {
	return answers(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

func planning(report http.HandlerFunc) func(*testing.T, *step) string {
	return func(t *testing.T, s *step) string {
		s.identity()
		f := newForgery(t)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				report(w, r)
				return
			}
			f.plan(w, r)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
}

var brokenServers = []broken{
	{name: "refuses connections", start: func(t *testing.T, s *step) string {
		s.identity()
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		return server.URL
	}},
	{name: "never answers", start: answers(hang)},
	{name: "never ends its answer", start: answers(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"plan_id":`)
		w.(http.Flusher).Flush()
		hang(w, r)
	})},
	{name: "hangs up", start: answers(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
			conn.Close()
		}
	})},
	{name: "500", start: text(500, "<html>oops</html>")},
	{name: "503 with an error body", start: text(503, `{"error":{"code":"unavailable","message":"restarting\n::error::x"}}`)},
	{name: "401", start: text(401, `{"error":{"code":"unauthenticated","message":"no"}}`)},
	{name: "404", start: text(404, "not found")},
	{name: "429 for an hour", start: answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
	})},
	{name: "bad JSON", start: text(200, `{"plan_id": "x"`)},
	{name: "a page instead of JSON", start: text(200, "<html>log in</html>")},
	{name: "empty answer", start: text(200, "")},
	{name: "empty object", start: text(200, "{}")},
	{name: "needs the items again and again", start: text(200, `{"need":"items"}`)},
	{name: "redirects", start: answers(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://example.com/", http.StatusFound)
	})},
	{name: "plan for another shard", start: text(200, `{"plan_id":"p","scope":"slice","shard":{"index":0,"total":2,"items":[]}}`)},
	{name: "plan with foreign items", start: text(200, `{"plan_id":"p","scope":"slice","shard":{"index":1,"total":2,"items":[{"id":"zzz"}]}}`)},
	{name: "an answer without end", start: answers(endless)},
	{name: "slow headers", start: answers(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(30 * time.Second):
			fmt.Fprint(w, "{}")
		}
	})},
	{name: "bad TLS", start: func(t *testing.T, s *step) string {
		s.identity()
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = nil
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.URL
	}},
	{name: "plain HTTP elsewhere", start: func(t *testing.T, s *step) string { s.identity(); return "http://mainstay.example.com" }},
	{name: "no address", start: func(t *testing.T, s *step) string { s.identity(); return "::not a url" }},
	{name: "no such host", start: func(t *testing.T, s *step) string { s.identity(); return "https://mainstay.invalid" }},
	{name: "no id-token for this job", start: func(t *testing.T, s *step) string { return newForgery(t).url }},
	{name: "no id-token from GitHub", start: func(t *testing.T, s *step) string {
		s.identity().failures = 1000
		return newForgery(t).url
	}},
	{name: "report refused", planned: true, start: planning(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })},
	{name: "report not accepted", planned: true, start: planning(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"accepted":false}`) })},
	{name: "report answered without end", planned: true, start: planning(endless)},
	{name: "report answered with a page", planned: true, start: planning(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") })},
	{name: "report refused for good", planned: true, start: planning(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) })},
	{name: "report hung up on", planned: true, start: planning(brokenClaims["hangs up"])},
	{name: "report never answered", planned: true, start: planning(hang)},
}

var lawItems = []string{"a", "b", "c", "d", "e"}

// The two laws: our outage never turns a green build red, and never a red one
// green; and it costs the job no more time than was allowed.
func TestLaws(t *testing.T) {
	for _, b := range brokenServers {
		for _, green := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/green=%v", b.name, green), func(t *testing.T) {
				t.Parallel()
				s := newStep(t, map[string]string{
					"mode": "run", "runner": "generic", "shard-index": "1", "shard-total": "2", "timeout": map[bool]string{true: "2s", false: "300ms"}[b.planned],
					"tests": strings.Join(lawItems, "\n"), "command": map[bool]string{true: "true {tests}", false: "false {tests}"}[green],
				})
				s.with(map[string]string{"server-url": b.start(t, s)})

				began := time.Now()
				code := s.act()

				if want := map[bool]int{true: exitFine, false: exitRed}[green]; code != want {
					t.Errorf("exit code %d, want %d\n%s", code, want, &s.log)
				}
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("took %s, far beyond its timeout", took)
				}
				if s.warnings() != 1 {
					t.Errorf("%d warnings, want one\n%s", s.warnings(), &s.log)
				}
				source, items := "fallback", shard.Slice(lawItems, 1, 2)
				if b.planned {
					source, items = "server", shard.Slice(lawItems, 0, 2)
				}
				if out := s.outputs(); out["source"] != source || !slices.Equal(s.items(), items) {
					t.Errorf("source %s, items %q", out["source"], s.items())
				}
				if want := map[bool]string{true: "passed", false: "error"}[green]; s.outputs()["result"] != want {
					t.Errorf("result %q, want %q", s.outputs()["result"], want)
				}
				if strings.Contains(s.log.String(), "\n::error::x") || strings.Contains(s.log.String(), "secret detail") {
					t.Errorf("a stranger's text reached the log:\n%s", &s.log)
				}
			})
		}
	}
}

// The same laws where a step of its own ran the tests.
func TestLawsOfReport(t *testing.T) {
	for _, b := range brokenServers {
		for outcome, want := range map[string]int{"success": exitFine, "failure": exitRed} {
			t.Run(b.name+"/"+outcome, func(t *testing.T) {
				t.Parallel()
				s := newStep(t, map[string]string{
					"mode": "report", "runner": "generic", "shard-index": "1", "shard-total": "2", "timeout": "300ms",
					"tests": strings.Join(lawItems, "\n"), "outcome": outcome,
				})
				s.with(map[string]string{"server-url": b.start(t, s)})
				if code := s.act(); code != want {
					t.Errorf("exit code %d, want %d\n%s", code, want, &s.log)
				}
				if s.warnings() != 1 {
					t.Errorf("%d warnings, want one\n%s", s.warnings(), &s.log)
				}
			})
		}
	}
}

// What the server says of the job must not decide it: only the tests do.
func TestServerCannotTurnTheJob(t *testing.T) {
	for command, want := range map[string]int{"true {tests}": exitFine, "false {tests}": exitRed} {
		for _, answer := range []shard.ReportAnswer{
			{Accepted: true, Job: shard.JobPass, ShardResult: shard.ResultQuarantined},
			{Accepted: true, Job: shard.JobFail, ShardResult: shard.ResultFailed},
		} {
			f := newForgery(t)
			f.answer = answer
			s := newStep(t, map[string]string{"mode": "run", "runner": "generic", "tests": "a\nb", "command": command, "server-url": f.url})
			s.identity()
			if code := s.act(); code != want {
				t.Errorf("%s with job %s: exit code %d, want %d\n%s", command, answer.Job, code, want, &s.log)
			}
		}
	}
}

// A re-run without its server can't know its first slice. Running all is slow,
// and running another slice would skip the test that failed.
func TestRerunWithoutItsServerRunsEverything(t *testing.T) {
	cases := []struct {
		name, attempt, server string
		want                  []string
	}{
		{"first attempt", "1", "https://mainstay.invalid", shard.Slice(lawItems, 1, 2)},
		{"second attempt", "2", "https://mainstay.invalid", lawItems},
		{"second attempt, and there never was a server", "2", "", shard.Slice(lawItems, 1, 2)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStep(t, map[string]string{"mode": "run", "runner": "generic", "shard-index": "1", "shard-total": "2", "timeout": "1",
				"tests": strings.Join(lawItems, "\n"), "command": "true {tests}", "server-url": c.server})
			s.env["GITHUB_RUN_ATTEMPT"] = c.attempt
			s.identity()
			if code := s.act(); code != exitFine || !slices.Equal(s.items(), c.want) {
				t.Errorf("exit code %d, items %q, want %q\n%s", code, s.items(), c.want, &s.log)
			}
		})
	}
}

// Results that are missing, empty, torn or old are no results, and a green step
// that has none is not believed. Without an outcome nothing is decided.
func TestReportBelievesNoMissingResults(t *testing.T) {
	const good = `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a","Test":"TestA","Elapsed":0.01}
{"Action":"pass","Package":"m/a","Elapsed":0.02}
`
	red := strings.ReplaceAll(strings.ReplaceAll(good, "pass", "fail"), "0.01", "0.5")
	cases := []struct {
		name, results, outcome string
		missing, old           bool
		code                   int
		result                 string
	}{
		{name: "green", results: good, outcome: "success", result: "passed"},
		{name: "red", results: red, outcome: "failure", code: 1, result: "failed"},
		{name: "red, and the results are green", results: good, outcome: "failure", code: 1, result: "error"},
		{name: "green, and the results are red", results: red, outcome: "success", result: "passed"},
		{name: "missing", missing: true, outcome: "success", code: 1, result: "incomplete"},
		{name: "missing and red", missing: true, outcome: "failure", code: 1, result: "error"},
		{name: "empty", results: "", outcome: "success", code: 1, result: "incomplete"},
		{name: "torn", results: good[:len(good)-9], outcome: "success", code: 1, result: "incomplete"},
		{name: "torn between lines", results: good[:strings.Index(good, "\n")+1], outcome: "success", code: 1, result: "incomplete"},
		{name: "older than the plan", results: good, old: true, outcome: "success", code: 1, result: "incomplete"},
		{name: "cancelled", results: good, outcome: "cancelled", code: 1, result: "error"},
		{name: "skipped with tests to run", missing: true, outcome: "skipped", code: 1, result: "error"},
		{name: "no outcome, red", results: red, result: "passed"},
		{name: "no outcome, missing", missing: true, result: "unknown"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStep(t, map[string]string{"mode": "plan", "runner": "go", "list-command": "echo m/a"})
			if code := s.act(); code != exitFine || s.outputs()["count"] != "1" {
				t.Fatalf("plan: exit code %d\n%s", code, &s.log)
			}
			file := s.env["GITHUB_WORKSPACE"] + "/results.jsonl"
			if !c.missing {
				if err := os.WriteFile(file, []byte(c.results), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if c.old {
				past := time.Now().Add(-time.Hour)
				if err := os.Chtimes(file, past, past); err != nil {
					t.Fatal(err)
				}
			}
			s.with(map[string]string{"mode": "report", "results": "results.jsonl", "outcome": c.outcome})
			if code := s.act(); code != c.code || s.outputs()["result"] != c.result {
				t.Errorf("exit code %d, result %q; want %d, %q\n%s", code, s.outputs()["result"], c.code, c.result, &s.log)
			}
		})
	}
}

// Mistakes of the workflow are told at once: running the wrong subset silently
// would be worse.
func TestUsage(t *testing.T) {
	good := map[string]string{"mode": "run", "runner": "generic", "tests": "a\nb", "command": "true {tests}"}
	cases := map[string]map[string]string{
		"unknown mode":         {"mode": "dance"},
		"unknown runner":       {"runner": "cobol"},
		"unknown outcome":      {"outcome": "fine"},
		"index at total":       {"shard-index": "2", "shard-total": "2"},
		"index is no number":   {"shard-index": "two"},
		"negative index":       {"shard-index": "-1"},
		"no index of four":     {"shard-index": "", "shard-total": "4"},
		"no index in a matrix": {"mode": "plan", "shard-index": "", "shard-total": "4"},
		"total of zero":        {"shard-total": "0"},
		"too many shards":      {"shard-total": "1000"},
		"empty command":        {"command": ""},
		"command without hole": {"command": "true", "shard-total": "2"},
		"command for a shell":  {"command": "true {tests} | tee log"},
		"quotes don't match":   {"command": "true {tests} 'x"},
		"no such program":      {"command": "no-such-program {tests}"},
		"no items":             {"tests": ""},
		"nothing matches":      {"tests": "*.rb"},
		"no such folder":       {"working-directory": "nosuch"},
		"timeout":              {"timeout": "soon"},
		"timeout too long":     {"timeout": "11m"},
		"unknown format":       {"format": "trx"},
		"unknown fail-on":      {"fail-on": "friday"},
		"unknown fallback":     {"fallback": "random"},
		"a token of two lines": {"token": "a\nb"},
		"verify, no outcome":   {"mode": "verify"},
		"suite of two lines":   {"suite": "a\x01b"},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStep(t, good).with(change)
			if code := s.act(); code != exitUsage || !strings.Contains(s.log.String(), "::error title=Mainstay::") {
				t.Errorf("exit code %d, want %d\n%s", code, exitUsage, &s.log)
			}
		})
	}
	if s := newStep(t, good); s.act() != exitFine {
		t.Errorf("the good case is not good:\n%s", &s.log)
	}
}

// A composite step spells inputs with underscores, a container with dashes.
func TestInputsInBothSpellings(t *testing.T) {
	s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": "a\nb\nc"})
	s.env["INPUT_SHARD-INDEX"], s.env["INPUT_SHARD-TOTAL"] = "1", "2"
	delete(s.env, "MAINSTAY_JOB_TOTAL")
	if code := s.act(); code != exitFine || !slices.Equal(s.items(), []string{"b"}) || s.outputs()["matrix"] != "" {
		t.Errorf("exit code %d\n%s", code, &s.log)
	}
}
