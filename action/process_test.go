package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// actionFile is what the tests need of action.yml.
type actionFile struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Value string }
	Runs    struct {
		Using string
		Steps []struct {
			ID, Shell, Run, If, Uses string
			Env, With                map[string]string
			Tolerated                bool `yaml:"continue-on-error"`
		}
	}
}

func readAction(t *testing.T) actionFile {
	t.Helper()
	text, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file actionFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// An input that is declared and not handed on is a promise not kept; an
// expression inside a script is a way in.
func TestActionFileHandsEveryInputOn(t *testing.T) {
	file := readAction(t)
	if file.Runs.Using != "composite" || len(file.Runs.Steps) != 3 {
		t.Fatalf("runs %+v", file.Runs)
	}
	for _, step := range file.Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			t.Errorf("an expression inside run: %s", step.Run)
		}
		if step.ID != "mainstay" && !step.Tolerated {
			t.Errorf("step %q %s can fail the job", step.ID, step.Uses)
		}
		if step.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(step.Uses) {
			t.Errorf("%s is not pinned by a full SHA", step.Uses)
		}
	}
	step := file.Runs.Steps[1]
	if step.ID != "mainstay" || step.Env["MAINSTAY_ACTION_GOT"] != "${{ steps.get.outputs.bin }}" {
		t.Errorf("step %+v", step)
	}
	for name := range file.Inputs {
		variable := "INPUT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if step.Env[variable] != "${{ inputs."+name+" }}" {
			t.Errorf("input %s: %s is %q", name, variable, step.Env[variable])
		}
	}
	for name, output := range file.Outputs {
		if output.Value != "${{ steps.mainstay.outputs."+name+" }}" {
			t.Errorf("output %s: %q", name, output.Value)
		}
	}
}

// composite runs action.yml's steps as a runner does, on real processes: get, then
// mainstay. The releases are not to be had, unless extra says where.
func (s *step) composite(extra ...string) int {
	s.t.Helper()
	file := readAction(s.t)
	s.log.Reset()
	os.Remove(s.env["GITHUB_OUTPUT"])
	if code := s.script(file, 0, extra...); code != 0 {
		s.t.Errorf("get ended with %d\n%s", code, &s.log)
	}
	got := s.outputs()["bin"]
	os.Remove(s.env["GITHUB_OUTPUT"])
	return s.script(file, 1, append(extra, "MAINSTAY_ACTION_GOT="+got)...)
}

// script runs the script of one step.
func (s *step) script(file actionFile, number int, extra ...string) int {
	s.t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		s.t.Fatal(err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GOFLAGS=", "GOWORK=off", "GITHUB_ACTION_PATH=" + root,
		"RUNNER_OS=Linux", "RUNNER_ARCH=X64", "MAINSTAY_RELEASES_URL=http://127.0.0.1:1"}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOTOOLCHAIN"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	literal := regexp.MustCompile(`^[^$]*$`)
	for name, input := range file.Inputs {
		variable := "INPUT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if _, given := s.env[variable]; !given && literal.MatchString(input.Default) {
			env = append(env, variable+"="+input.Default)
		}
	}
	for name, value := range s.env {
		env = append(env, name+"="+value)
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", file.Runs.Steps[number].Run)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.env["GITHUB_WORKSPACE"], append(env, extra...), &s.log, &s.log
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// The binary as a process: found, run, its exit code handed on, the tests' own
// output shown.
func TestBinaryAsAProcess(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "mainstay-action")
	build := exec.Command("go", "build", "-trimpath", "-tags", "nethttpomithttp2", "-ldflags", "-s -w", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	info, err := os.Stat(bin)
	if err != nil || info.Size() > 9_000_000 {
		t.Errorf("the binary has %d bytes, at most 9 MB (%v)", info.Size(), err)
	}
	cases := []struct {
		name, body string
		inputs     map[string]string
		code       int
		result     string
		says       string
	}{
		{"green", "", nil, exitFine, "passed", "ok   example.com/m/a"},
		{"red", "t.Fatal(\"want 1, got 2\")", nil, exitRed, "failed", "::error file=a/a_test.go,line=6,title=example.com/m/a TestA::"},
		{"wrong use", "", map[string]string{"mode": "dance"}, exitUsage, "", "unknown mode"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newForgery(t)
			s := newStep(t, map[string]string{"mode": "run", "suite": "unit", "shard-index": "0", "shard-total": "1", "server-url": f.url}).with(c.inputs)
			writeModule(t, s.env["GITHUB_WORKSPACE"], c.body)
			s.identity()
			code := s.composite("MAINSTAY_ACTION_BIN=" + bin)
			if code != c.code || s.outputs()["result"] != c.result || !strings.Contains(s.log.String(), c.says) {
				t.Errorf("exit code %d, outputs %v\n%s", code, s.outputs(), &s.log)
			}
			if reports := f.received(); c.code != exitUsage && (len(reports) != 1 || len(reports[0].Items) != 3) {
				t.Errorf("reports %+v", reports)
			}
		})
	}
}

// The binary is built where there is none, and kept for the next step.
func TestMainScriptBuildsTheBinaryOnce(t *testing.T) {
	s := newStep(t, map[string]string{"mode": "plan", "suite": "unit", "runner": "generic", "tests": "a\nb", "shard-index": "1", "shard-total": "2"})
	s.env["RUNNER_TOOL_CACHE"] = t.TempDir()
	for _, built := range []bool{true, false} {
		if code := s.composite(); code != exitFine || !slices.Equal(s.items(), []string{"b"}) {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		if strings.Contains(s.log.String(), "Building") != built || s.warnings() != 0 {
			t.Errorf("built again, or not at all:\n%s", &s.log)
		}
	}
	found, err := filepath.Glob(s.env["RUNNER_TOOL_CACHE"] + "/mainstay-action/*/*")
	if err != nil || len(found) != 1 {
		t.Errorf("left behind: %q", found)
	}
}

// Without a binary the shell must come to the same cut, or two shards of one
// suite would leave tests out between them; and the two laws hold there too.
func TestFallbackCutsLikeTheBinary(t *testing.T) {
	items := []string{"b", "a", "B", "é", "a b", "z/y.txt", "a", "Z", "a-b", "a_b", "aé"}
	for index := range 3 {
		s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": strings.Join(items, "\n"), "shard-index": fmt.Sprint(index), "shard-total": "3", "server-url": "https://mainstay.invalid"})
		if code := s.composite("MAINSTAY_ACTION_BUILD=no"); code != exitFine {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		want := shard.Slice(items, index, 3)
		if out := s.outputs(); !slices.Equal(s.items(), want) || out["count"] != fmt.Sprint(len(want)) || out["source"] != "fallback" {
			t.Errorf("items %q, want %q, outputs %v", s.items(), want, out)
		}
		// And so it is with Go packages, where the binary keeps those without tests apart.
		s = newStep(t, map[string]string{"mode": "plan", "runner": "go", "shard-index": fmt.Sprint(index), "shard-total": "3"})
		writeModule(t, s.env["GITHUB_WORKSPACE"], "")
		if code := s.composite("MAINSTAY_ACTION_BUILD=no"); code != exitFine {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		shell := s.items()
		if code := s.act(); code != exitFine || !slices.Equal(s.items(), shell) {
			t.Errorf("shell %q, binary %q\n%s", shell, s.items(), &s.log)
		}
	}
}

// Globs mean the same to the shell as to the binary, on every system's awk.
func TestFallbackReadsPatternsLikeTheBinary(t *testing.T) {
	files := []string{"a.test.js", "b.js", "x/a.test.js", "x/y/z/b.test.js", "x/.hidden/c.test.js", ".d.test.js", "x/with blank.js", "x/a+b(c).js", "x/[id].js", "ab.txt", "ac.txt", "a.c.txt", "x/ab.txt", "x/y/.keep"}
	patterns := []string{
		"**/*.test.js", "*.test.js", "**/*.js\n!**/y/**", "x/**", "**", "*.{js,txt}", "{x,nosuch}/**/*.{test.js,txt}", "a?.txt", "a[bd].txt", "a[!b].txt", "a[^b].txt",
		"./x//*.js", "x/*", "x/*/*", "x/y/**/b.test.js", "**/a.test.js", "x**/b.js\n*.js", "plain\nother\n!pl*", "*.txt\n!ab.txt", "!x/**\n**/*.js\nextra", "x/\\[id\\].js\n*.txt", "*.c.*", "x/a+b*.js", "*/**/*.js", "nosuch/*", "!*\na",
	}
	fine := 0
	for _, tests := range patterns {
		s := newStep(t, map[string]string{"mode": "plan", "runner": "generic", "tests": tests})
		for _, name := range files {
			path := filepath.Join(s.env["GITHUB_WORKSPACE"], name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		code := s.composite("MAINSTAY_ACTION_BUILD=no")
		var shell []string
		if code == exitFine {
			shell = s.items()
			fine++
		}
		said := s.log.String()
		if want := s.act(); want != code {
			t.Errorf("%q: the shell's exit code is %d, the binary's %d\n%s", tests, code, want, said)
		} else if want == exitFine && !slices.Equal(s.items(), shell) {
			t.Errorf("%q: shell %q, binary %q", tests, shell, s.items())
		}
	}
	if fine < len(patterns)-3 {
		t.Errorf("only %d of %d patterns match anything", fine, len(patterns))
	}
}

func TestFallback(t *testing.T) {
	generic := map[string]string{"mode": "run", "runner": "generic", "tests": "a\nb\nc", "command": `printf '<%s>' {tests}`, "shard-index": "0", "shard-total": "2"}
	golang := map[string]string{"mode": "run", "runner": "auto", "shard-index": "0", "shard-total": "1"}
	report := map[string]string{"mode": "report", "runner": "generic", "shard-index": "0", "shard-total": "2"}
	cases := []struct {
		name   string
		inputs map[string]string
		change map[string]string
		body   string // of the Go test
		env    string
		code   int
		says   string
	}{
		{name: "generic green", inputs: generic, says: "<a><c>"},
		{name: "generic red", inputs: generic, change: map[string]string{"command": "false {tests}"}, code: 1},
		{name: "tests from a file", inputs: generic, change: map[string]string{"command": "cat {tests-file}"}, says: "a\nc\n"},
		{name: "quotes, and no shell", inputs: generic, change: map[string]string{"command": `printf '%s|' 'x y' "$(id)" {tests}`}, says: "x y|$(id)|a|c|"},
		{name: "a list command", inputs: generic, change: map[string]string{"list-command": `printf '%s\n' p q`}, says: "<p>"},
		{name: "a list command that fails", inputs: generic, change: map[string]string{"list-command": "false"}, code: 2},
		{name: "an empty slice", inputs: generic, change: map[string]string{"tests": "a", "shard-index": "1"}, says: "0 items"},
		{name: "a re-run with a server", inputs: generic, change: map[string]string{"server-url": "https://x.invalid"}, env: "GITHUB_RUN_ATTEMPT=2", says: "<a><b><c>"},
		{name: "a re-run without", inputs: generic, env: "GITHUB_RUN_ATTEMPT=2", says: "<a><c>"},
		{name: "go green", inputs: golang, says: "ok  \texample.com/m/a"},
		{name: "go red", inputs: golang, body: "t.Fatal(\"want 1\")", code: 1, says: "want 1"},
		{name: "go, no such package", inputs: golang, change: map[string]string{"tests": "./nosuch"}, code: 2},
		{name: "all of it in every shard", inputs: generic, change: map[string]string{"fallback": "all"}, says: "<a><b><c>"},
		{name: "no failure counts", inputs: generic, change: map[string]string{"command": "false {tests}", "fail-on": "never"}},
		{name: "verify success", inputs: report, change: map[string]string{"mode": "verify", "outcome": "success"}},
		{name: "verify failure", inputs: report, change: map[string]string{"mode": "verify", "outcome": "failure"}, code: 1},
		{name: "verify nothing", inputs: report, change: map[string]string{"mode": "verify"}, code: 2},
		{name: "index at total", inputs: generic, change: map[string]string{"shard-index": "2"}, code: 2},
		{name: "no index of two", inputs: generic, change: map[string]string{"shard-index": ""}, code: 2},
		{name: "unknown mode", inputs: generic, change: map[string]string{"mode": "dance"}, code: 2},
		{name: "empty command", inputs: generic, change: map[string]string{"command": ""}, code: 2},
		{name: "command without a hole", inputs: generic, change: map[string]string{"command": "true"}, code: 2},
		{name: "quotes don't match", inputs: generic, change: map[string]string{"command": "true {tests} 'x"}, code: 2},
		{name: "an item like an option", inputs: generic, change: map[string]string{"tests": "--exec=x"}, code: 2},
		{name: "no items", inputs: generic, change: map[string]string{"tests": ""}, code: 2},
		{name: "a pattern without a file", inputs: generic, change: map[string]string{"tests": "*.rb"}, code: 2},
		{name: "report success", inputs: report, change: map[string]string{"outcome": "success"}},
		{name: "report failure", inputs: report, change: map[string]string{"outcome": "failure"}, code: 1},
		{name: "report cancelled", inputs: report, change: map[string]string{"outcome": "cancelled"}, code: 1},
		{name: "report skipped", inputs: report, change: map[string]string{"outcome": "skipped"}},
		{name: "report skipped, with tests", inputs: report, change: map[string]string{"outcome": "skipped", "tests": "a\nb"}, code: 1},
		{name: "report nothing", inputs: report},
		{name: "report nonsense", inputs: report, change: map[string]string{"outcome": "fine"}, code: 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStep(t, c.inputs).with(c.change)
			if c.inputs["runner"] == "auto" {
				writeModule(t, s.env["GITHUB_WORKSPACE"], c.body)
			}
			extra := []string{"MAINSTAY_ACTION_BUILD=no"}
			if c.env != "" {
				extra = append(extra, c.env)
			}
			if code := s.composite(extra...); code != c.code || !strings.Contains(s.log.String(), c.says) {
				t.Errorf("exit code %d, want %d and %q\n%s", code, c.code, c.says, &s.log)
			}
			if s.warnings() != 1 {
				t.Errorf("%d warnings, want one\n%s", s.warnings(), &s.log)
			}
		})
	}
	// pytest's files are found by their names, as the binary finds them.
	for index := range 2 {
		s := newStep(t, map[string]string{"mode": "plan", "runner": "auto", "shard-index": fmt.Sprint(index), "shard-total": "2"})
		for _, name := range []string{"conftest.py", "tests/test_a.py", "tests/deep/b_test.py", "tests/helper.py", "build/test_c.py", "env/pyvenv.cfg", "env/test_d.py", ".tox/test_e.py", "test_f.py"} {
			path := filepath.Join(s.env["GITHUB_WORKSPACE"], name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if code := s.composite("MAINSTAY_ACTION_BUILD=no"); code != exitFine {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
		shell := s.items()
		if code := s.act(); code != exitFine || !slices.Equal(s.items(), shell) || !slices.Equal(shell, shard.Slice([]string{"test_f.py", "tests/deep/b_test.py", "tests/test_a.py"}, index, 2)) {
			t.Errorf("shell %q, binary %q\n%s", shell, s.items(), &s.log)
		}
	}
	// A step that was skipped though the plan had tests for it is red.
	s := newStep(t, generic).with(map[string]string{"mode": "plan"})
	plan := s.composite("MAINSTAY_ACTION_BUILD=no")
	s.with(map[string]string{"mode": "report", "outcome": "skipped"})
	if code := s.composite("MAINSTAY_ACTION_BUILD=no"); plan != exitFine || code != exitRed {
		t.Errorf("plan %d, skipped %d\n%s", plan, code, &s.log)
	}
}
