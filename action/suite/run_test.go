package suite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// module writes a Go module of the given files and returns a suite over it.
func module(t *testing.T, files map[string]string) Suite {
	t.Helper()
	dir := t.TempDir()
	if files["go.mod"] == "" {
		files["go.mod"] = "module example.com/m\n\ngo 1.24\n"
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	return Suite{Name: "unit", Runner: Go, Dir: dir, Scratch: t.TempDir()}
}

func testFile(pkg, body string) string {
	return "package " + pkg + "\n\nimport \"testing\"\n\n" + body + "\n"
}

// runAll discovers and runs the whole suite and returns the verdict as the
// server would give it.
func runAll(t *testing.T, s Suite) (Results, shard.ShardVerdict, string) {
	t.Helper()
	var out bytes.Buffer
	inv, err := s.Discover(context.Background(), &out)
	if err != nil {
		t.Fatal(err)
	}
	results, err := s.Run(context.Background(), inv.Items, inv.Untested, &out)
	if err != nil {
		t.Fatal(err)
	}
	return results, judge(t, s, results), out.String()
}

func judge(t *testing.T, s Suite, r Results) shard.ShardVerdict {
	t.Helper()
	report := shard.Report{
		API: shard.API, Suite: s.Name, Runner: string(s.Runner), Shard: shard.Position{Total: 1}, Source: shard.SourceFallback,
		Scope: shard.ScopeSlice, ExitCode: r.ExitCode, Final: true, Chunks: 1, Items: r.Items, NotRun: r.NotRun, Extra: r.Extra, Tests: r.Tests,
	}
	if err := report.Validate(); err != nil {
		t.Fatalf("not fit for the wire: %v", err)
	}
	return shard.Judge([]shard.Report{report}, nil)
}

func named(t *testing.T, r Results, class, name string) shard.Test {
	t.Helper()
	for _, test := range r.Tests {
		if test.Class == class && test.Name == name {
			return test
		}
	}
	t.Fatalf("no test %s %s in %+v", class, name, r.Tests)
	return shard.Test{}
}

// Each way in which a Go package can end must come out as what it is: the queue
// throws a pull request out for a failure and not for a crash.
func TestGoRunner(t *testing.T) {
	cases := []struct {
		name   string
		files  map[string]string
		want   shard.Result
		exit   int
		status shard.Status // of item example.com/m/a
		test   string       // that failed, in example.com/m/a
		kind   shard.Kind
		file   string
		line   int
		says   string // in its message
	}{
		{name: "pass", want: shard.ResultPassed, status: shard.Passed,
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {}")}},
		{name: "fail", want: shard.ResultFailed, exit: 1, status: shard.Failed,
			test: "TestA", kind: shard.KindAssertion, file: "a/a_test.go", line: 6, says: "want 1, got 2",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {\n\tt.Error(\"want 1, got 2\")\n}\nfunc TestB(t *testing.T) {}")}},
		{name: "a subtest fails", want: shard.ResultFailed, exit: 1, status: shard.Failed,
			test: "TestA/one_two", kind: shard.KindAssertion, file: "a/a_test.go", line: 6, says: "no",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {\n\tt.Run(\"one two\", func(t *testing.T) { t.Fatal(\"no\") })\n}")}},
		{name: "panic", want: shard.ResultFailed, exit: 1, status: shard.Errored,
			test: "TestA", kind: shard.KindPanic, file: "a/a_test.go", line: 6, says: "panic: boom",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {\n\tpanic(\"boom\")\n}\nfunc TestB(t *testing.T) {}")}},
		{name: "a log of a panic", want: shard.ResultFailed, exit: 1, status: shard.Failed,
			test: "TestA", kind: shard.KindAssertion, file: "a/a_test.go", line: 6, says: "panic: caught",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {\n\tt.Error(\"panic: caught\")\n}\nfunc TestB(t *testing.T) {}")}},
		{name: "exit in a test", want: shard.ResultFailed, exit: 1, status: shard.Errored,
			test: "TestA", kind: shard.KindPanic, says: "did not end",
			files: map[string]string{"a/a_test.go": "package a\nimport (\"os\"; \"testing\")\nfunc TestA(t *testing.T) { os.Exit(3) }\n"}},
		{name: "exit in TestMain", want: shard.ResultError, exit: 1, status: shard.Errored,
			test: nameProcess, kind: shard.KindExit, says: "no test did",
			files: map[string]string{"a/a_test.go": "package a\nimport (\"os\"; \"testing\")\nfunc TestA(t *testing.T) {}\nfunc TestMain(m *testing.M) { m.Run(); os.Exit(3) }\n"}},
		{name: "timeout", want: shard.ResultFailed, exit: 1, status: shard.Errored,
			test: "TestA", kind: shard.KindTimeout, file: "a/a_test.go", line: 5, says: "timed out",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) { <-make(chan int) }")}},
		{name: "test does not compile", want: shard.ResultFailed, exit: 1, status: shard.Errored,
			test: nameBuild, kind: shard.KindBuild, file: "a/a_test.go", line: 5, says: "undefined: x",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) { x() }")}},
		{name: "test does not parse", want: shard.ResultFailed, exit: 1, status: shard.Errored,
			test: nameBuild, kind: shard.KindBuild, file: "a/a_test.go", line: 5, says: "expected",
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) }")}},
		{name: "vet says no", want: shard.ResultFailed, exit: 1, status: shard.Errored,
			test: nameBuild, kind: shard.KindBuild, file: "a/a_test.go", line: 3, says: "wrong type",
			files: map[string]string{"a/a_test.go": "package a\nimport (\"fmt\"; \"testing\")\nfunc TestA(t *testing.T) { fmt.Printf(\"%d\", \"x\") }\n"}},
		{name: "skip", want: shard.ResultPassed, status: shard.Passed,
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) { t.Skip() }")}},
		{name: "green alone, with a package without tests that does not compile", want: shard.ResultFailed, exit: 1, status: shard.Passed,
			files: map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {}"), "b/b.go": "package b\nfunc F() { x }\n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := module(t, c.files)
			if c.name == "timeout" {
				s.Command = "go test -json -timeout 1s {tests}"
			}

			r, verdict, out := runAll(t, s)

			if verdict.Result != c.want || r.ExitCode != c.exit {
				t.Errorf("verdict %s, exit code %d; want %s, %d\n%s", verdict.Result, r.ExitCode, c.want, c.exit, out)
			}
			if len(r.Items) != 1 || r.Items[0].ID != "example.com/m/a" || r.Items[0].Status != c.status {
				t.Errorf("items %+v, want a %s", r.Items, c.status)
			}
			if c.test == "" {
				return
			}
			test := named(t, r, "example.com/m/a", c.test)
			e := test.Last()
			if !test.Failed() || e.Kind != c.kind || e.File != c.file || e.Line != c.line || !strings.Contains(e.Message, c.says) {
				t.Errorf("got %+v", test)
			}
			if !strings.Contains(out, c.says) && c.kind != shard.KindPanic && c.kind != shard.KindExit {
				t.Errorf("the reason was not shown:\n%s", out)
			}
			if len(r.Failing()) != 1 {
				t.Errorf("failing %+v, want one", r.Failing())
			}
		})
	}
}

// A package that no test belongs to is compiled all the same, or a split suite
// would be greener than the whole.
func TestGoRunnerNamesTheUntestedPackageThatBroke(t *testing.T) {
	s := module(t, map[string]string{
		"a/a_test.go": testFile("a", "func TestA(t *testing.T) {}"),
		"b/b.go":      "package b\nfunc F() { x }\n",
		"c/c.go":      "package c\n",
	})
	r, _, _ := runAll(t, s)
	test := named(t, r, "example.com/m/b", nameBuild)
	if !test.Failed() || test.File != "b/b.go" || !slices.Equal(r.Extra, []string{"example.com/m/b"}) {
		t.Errorf("test %+v, extra %q", test, r.Extra)
	}
}

// What people see while it runs: a line a package, the failures, no noise.
func TestGoRunnerShowsProgress(t *testing.T) {
	s := module(t, map[string]string{
		"a/a_test.go": testFile("a", "func TestA(t *testing.T) { t.Log(\"quiet\") }"),
		"b/b_test.go": testFile("b", "func TestB(t *testing.T) { t.Fatal(\"loud\") }\nfunc TestC(t *testing.T) { t.Skip() }"),
	})
	_, _, out := runAll(t, s)
	for _, want := range []string{"/2] ok   example.com/m/a", "/2] FAIL example.com/m/b", "2 tests, 1 failed, 1 skipped", "b_test.go:5: loud", "2 packages, 3 tests, 1 failed"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "quiet") || strings.Contains(out, "{") {
		t.Errorf("noise in:\n%s", out)
	}
}

// A pull request chooses its tests' names and output; neither may reach the
// runner as a command.
func TestGoRunnerShowsNoCommands(t *testing.T) {
	s := module(t, map[string]string{"a/a_test.go": "package a\nimport (\"fmt\"; \"testing\")\nfunc TestA(t *testing.T) {\n" +
		"fmt.Println(\"::set-env name=A::b\"); fmt.Print(\"x\\r::add-mask::y\\n  ::error::z\\n##[error]q\\n\")\n" +
		"t.Run(\"\\n::set-output name=a::b\", func(t *testing.T) { t.Fatal(\"\\n::warning::no\") })\n}\n"})
	r, _, out := runAll(t, s)
	for _, line := range strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			t.Errorf("a command in the log: %q", line)
		}
	}
	if len(r.Failing()) != 1 || strings.ContainsAny(r.Failing()[0].Name, "\n\r") {
		t.Errorf("failing %+v", r.Failing())
	}
}

// Lines of any length pass: a scanner's limit must not eat a failure.
func TestGoRunnerReadsVeryLongLines(t *testing.T) {
	s := module(t, map[string]string{"a/a_test.go": "package a\nimport (\"strings\"; \"testing\")\n" +
		"func TestA(t *testing.T) { t.Fatal(strings.Repeat(\"<é\", 1<<20)) }\n"})
	r, verdict, _ := runAll(t, s)
	if verdict.Result != shard.ResultFailed || len(named(t, r, "example.com/m/a", "TestA").Last().Message) > shard.MaxMessage {
		t.Errorf("verdict %s", verdict.Result)
	}
	stream := newGoStream(&bytes.Buffer{}, 0)
	stream.feed([]byte(`{"Action":"run","Package":"p","Test":"T"}`))
	stream.feed([]byte(`{"Action":"output","Package":"p","Test":"T","Output":"panic: ` + strings.Repeat("<", 1<<20) + `"}`))
	if err := stream.close(); err != nil {
		t.Errorf("a line of a megabyte: %v", err)
	}
}

// The same test twice in one run is one test with two executions: that is what
// a flake looks like.
func TestGoRunnerKeepsExecutionsInOrder(t *testing.T) {
	s := module(t, map[string]string{"a/a_test.go": testFile("a", "var n int\nfunc TestA(t *testing.T) { n++; if n == 1 { t.Fatal(\"first\") } }")})
	s.Command = "go test -json -count=2 {tests}"
	r, verdict, _ := runAll(t, s)
	test := named(t, r, "example.com/m/a", "TestA")
	if !test.Flaky() || len(test.Executions) != 2 || len(verdict.Flaky) != 1 || verdict.Result != shard.ResultError {
		t.Errorf("test %+v, verdict %s", test, verdict.Result)
	}
}

// A command of one's own may write results to a file, print them, or not tell.
func TestGoRunnerWithCommand(t *testing.T) {
	files := map[string]string{
		"a/a_test.go": testFile("a", "func TestA(t *testing.T) {}"),
		"b/b_test.go": testFile("b", "func TestB(t *testing.T) { t.Fatal() }"),
	}
	cases := []struct {
		name, command string
		want          shard.Result
		tests         int
	}{
		{"results in a file", `sh -c 'go test -json "$@" > "$0"' {results} {tests}`, shard.ResultFailed, 2},
		{"tests from a file", `sh -c 'go test -json $(cat "$0")' {tests-file}`, shard.ResultFailed, 2},
		{"no events, red", `go test {tests}`, shard.ResultError, 1},
		{"no events, green", `true {tests}`, shard.ResultPassed, 0},
		{"green, and the file is missing", `true {tests} {results}`, shard.ResultIncomplete, 0},
		{"green, and a package was left out", `go test -json ./a`, shard.ResultIncomplete, 1},
		{"ignores its failures", `sh -c 'go test -json "$@" || true' x {tests}`, shard.ResultPassed, 2},
		{"killed", `sh -c 'echo hello; kill -9 $$' {tests}`, shard.ResultError, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := module(t, files)
			s.Command = c.command
			r, verdict, out := runAll(t, s)
			if verdict.Result != c.want || len(r.Tests) != c.tests {
				t.Errorf("verdict %s, tests %+v; want %s, %d\n%s", verdict.Result, r.Tests, c.want, c.tests, out)
			}
		})
	}
}

// Of a generic command the exit code is all we know, and that is an error: it
// may have been the machine.
func TestGenericRunner(t *testing.T) {
	s := Suite{Name: "e2e", Runner: Generic, Dir: t.TempDir(), Scratch: t.TempDir(), Tests: "one\ntwo words\n"}
	cases := []struct {
		command string
		want    shard.Result
		exit    int
		says    string
	}{
		{`printf '<%s>' {tests}`, shard.ResultPassed, 0, "<one><two words>"},
		{`echo 'all: {tests}' $HOME`, shard.ResultPassed, 0, "all: one two words $HOME"},
		{`cat {tests-file}`, shard.ResultPassed, 0, "one\ntwo words\n"},
		{`sh -c 'echo the reason; exit 7' {tests}`, shard.ResultError, 7, "the reason"},
		{`sh -c 'kill -9 $$' {tests}`, shard.ResultError, 137, "Killed by signal 9"},
	}
	for _, c := range cases {
		t.Run(c.command, func(t *testing.T) {
			s.Command = c.command
			r, verdict, out := runAll(t, s)
			if verdict.Result != c.want || r.ExitCode != c.exit || !strings.Contains(out, c.says) || len(r.Items) != 2 {
				t.Errorf("verdict %s, exit code %d, items %+v\n%s", verdict.Result, r.ExitCode, r.Items, out)
			}
			if c.exit != 0 && (len(r.Tests) != 1 || r.Tests[0].Name != c.command || !strings.Contains(r.Tests[0].Last().Message, strings.Fields(c.says)[0])) {
				t.Errorf("tests %+v", r.Tests)
			}
		})
	}
	s.Command = "no-such-program {tests}"
	if _, err := s.Run(context.Background(), []string{"one"}, nil, &bytes.Buffer{}); err == nil {
		t.Error("a command that cannot be started must be an error")
	}
}

func TestDiscover(t *testing.T) {
	goFiles := map[string]string{
		"a/a_test.go": testFile("a", ""), "b/b.go": "package b\n", "c/c_test.go": testFile("c_test", "func TestC("),
		"d/d_test.go": "//go:build never\n\npackage d\n", "web/x.test.js": "", "web/deep/y.test.js": "", "web/slow/z.test.js": "",
	}
	cases := []struct {
		name     string
		change   func(*Suite)
		items    []string
		untested []string
		bad      string
	}{
		{"packages", func(s *Suite) {}, []string{"example.com/m/a", "example.com/m/c"}, []string{"example.com/m/b"}, ""},
		{"one package", func(s *Suite) { s.Tests = "./a" }, []string{"example.com/m/a"}, nil, ""},
		{"two patterns", func(s *Suite) { s.Tests = "./a ./c\n" }, []string{"example.com/m/a", "example.com/m/c"}, nil, ""},
		{"no such package", func(s *Suite) { s.Tests = "./nosuch" }, nil, nil, "nosuch"},
		{"an option", func(s *Suite) { s.Tests = "-exec=x" }, nil, nil, "dash"},
		{"globs", func(s *Suite) { s.Runner, s.Tests = Generic, "web/**/*.test.js\n!web/slow/**\nliteral name\n" },
			[]string{"literal name", "web/deep/y.test.js", "web/x.test.js"}, nil, ""},
		{"a glob without a file", func(s *Suite) { s.Runner, s.Tests = Generic, "*.rb" }, nil, nil, "matches no file"},
		{"a bad glob", func(s *Suite) { s.Runner, s.Tests = Generic, "a[" }, nil, nil, "pattern"},
		{"nothing given", func(s *Suite) { s.Runner = Generic }, nil, nil, "no items"},
		{"a list command", func(s *Suite) { s.ListCommand = `printf '%s\n' b a a ` + filepath.Join(s.Dir, "web", "x.test.js") },
			[]string{"a", "b", "web/x.test.js"}, nil, ""},
		{"a list command that fails", func(s *Suite) { s.ListCommand = "false" }, nil, nil, "list-command"},
		{"a list command that prints nothing", func(s *Suite) { s.ListCommand = "true" }, nil, nil, "nothing"},
		{"a list command that wants a shell", func(s *Suite) { s.ListCommand = "ls | sort" }, nil, nil, "shell"},
		{"an item like an option", func(s *Suite) { s.ListCommand = "echo --exec=rm" }, nil, nil, "dash"},
		{"an item that is no text", func(s *Suite) { s.ListCommand = `printf 'a\033b\n'` }, nil, nil, "plain text"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := module(t, goFiles)
			c.change(&s)
			inv, err := s.Discover(context.Background(), &bytes.Buffer{})
			if c.bad != "" {
				if err == nil || !strings.Contains(err.Error(), c.bad) {
					t.Errorf("error %v, want one about %q", err, c.bad)
				}
				return
			}
			if err != nil || !slices.Equal(inv.Items, c.items) || !slices.Equal(inv.Untested, c.untested) {
				t.Errorf("items %q, untested %q, error %v", inv.Items, inv.Untested, err)
			}
		})
	}
}

func TestCheckCommand(t *testing.T) {
	cases := []struct {
		runner  Runner
		command string
		total   int
		ok      bool
	}{
		{Go, "", 4, true}, {Generic, "", 4, false}, {Generic, "run {tests}", 4, true}, {Generic, "run {tests-file}", 4, true},
		{Generic, "run", 4, false}, {Generic, "run", 1, true}, {Generic, "run 'x", 1, false}, {Generic, "run; rm", 1, false},
		{Generic, "run 'a; b'", 1, true}, {Generic, "run > x", 1, false}, {Generic, "   ", 1, false}, {Generic, "a $(b)", 1, true},
	}
	for _, c := range cases {
		err := Suite{Runner: c.runner, Command: c.command}.CheckCommand(c.total)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrUsage)) {
			t.Errorf("%s %q of %d: %v", c.runner, c.command, c.total, err)
		}
	}
}

// Results that somebody else's step left behind may be stale or torn; what is
// missing must never look like a pass.
func TestRead(t *testing.T) {
	s := module(t, map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {}")})
	whole := `{"Action":"start","Package":"example.com/m/a"}
{"Action":"run","Package":"example.com/m/a","Test":"TestA"}
{"Action":"pass","Package":"example.com/m/a","Test":"TestA","Elapsed":0.01}
{"Action":"pass","Package":"example.com/m/a","Elapsed":0.02}
`
	half := strings.Join(strings.SplitAfter(whole, "\n")[:2], "")
	cases := []struct {
		name, text string
		want       shard.Result
		bad        string
	}{
		{"whole", whole, shard.ResultPassed, ""},
		{"cut off between lines", half, shard.ResultIncomplete, ""},
		{"cut off in a line", whole[:len(whole)-9], "", "cut off"},
		{"empty", "", "", "no line"},
		{"not results", "hello\n", "", "no line"},
		{"another package", strings.ReplaceAll(whole, "/a", "/b"), shard.ResultIncomplete, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "r.jsonl")
			if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := s.Read([]string{file}, []string{"example.com/m/a"}, 0)
			if c.bad != "" {
				if err == nil || !strings.Contains(err.Error(), c.bad) {
					t.Errorf("error %v, want one about %q", err, c.bad)
				}
				return
			}
			if err != nil || judge(t, s, r).Result != c.want {
				t.Errorf("verdict %s, error %v, want %s", judge(t, s, r).Result, err, c.want)
			}
		})
	}
	if _, err := s.Read([]string{filepath.Join(s.Dir, "none")}, nil, 0); err == nil {
		t.Error("a missing file must be an error")
	}
}

// The runner is told to stop by a signal; the tests must hear of it.
func TestRunEndsItsChildWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := Suite{Name: "s", Runner: Generic, Scratch: t.TempDir(),
		Command: `sh -c 'trap "kill \$!; exit 3" INT; sleep 60 >/dev/null 2>&1 & printf "re%s\n" ady; wait' {tests}`}
	out := &waitFor{text: "ready", then: cancel}
	r, err := s.Run(ctx, []string{"a"}, nil, out)
	if err != nil || r.ExitCode != 3 {
		t.Errorf("exit code %d, error %v", r.ExitCode, err)
	}
}

// waitFor calls then once text was written.
type waitFor struct {
	text string
	then func()
	seen bytes.Buffer
}

func (w *waitFor) Write(p []byte) (int, error) {
	w.seen.Write(p)
	if strings.Contains(w.seen.String(), w.text) {
		w.then()
	}
	return len(p), nil
}
