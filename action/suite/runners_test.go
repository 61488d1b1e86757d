package suite

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// usePytest puts a Python that has pytest first in the PATH, or skips.
func usePytest(t *testing.T) {
	t.Helper()
	for _, python := range []string{os.Getenv("MAINSTAY_TEST_PYTHON"), "python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(python)
		if err != nil || exec.Command(path, "-c", "import pytest").Run() != nil {
			continue
		}
		bin := t.TempDir()
		if err := os.Symlink(path, filepath.Join(bin, "python3")); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		t.Setenv("PYTHONDONTWRITEBYTECODE", "1")
		return
	}
	t.Skip("NOT TESTED: no Python here has pytest (Debian: python3-pytest)")
}

// useJest gives the folder a jest, or skips.
func useJest(t *testing.T, dir string) {
	t.Helper()
	modules := os.Getenv("MAINSTAY_TEST_NODE_MODULES")
	if modules == "" {
		if out, err := exec.Command("npm", "root", "--global").Output(); err == nil {
			modules = strings.TrimSpace(string(out))
		}
	}
	if _, err := os.Stat(filepath.Join(modules, "jest", "bin", "jest.js")); modules == "" || err != nil {
		t.Skip("NOT TESTED: no jest here (npm install --global jest, or MAINSTAY_TEST_NODE_MODULES)")
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
}

// project writes files and returns a suite over them.
func project(t *testing.T, runner Runner, files map[string]string) Suite {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := Suite{Name: "unit", Runner: runner, Dir: dir, Scratch: t.TempDir(), Sliced: true}
	if runner == Jest {
		useJest(t, dir)
	}
	return s
}

// statuses lists items with how they ended, and parts with their numbers.
func statuses(r Results) string {
	var words []string
	for _, item := range r.Items {
		word := item.ID + "=" + string(item.Status)
		if item.Parts > 0 {
			word += "@" + string(rune('0'+item.Part)) + "/" + string(rune('0'+item.Parts))
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// outcomes lists tests by name with how each went, execution by execution.
func outcomes(r Results) string {
	var words []string
	for _, test := range r.Tests {
		word := test.Name + "="
		for _, e := range executions(test) {
			word += string(e.Status[0])
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// run runs units in a session of their own.
func run(t *testing.T, s Suite, units ...shard.PlannedItem) (Results, string) {
	t.Helper()
	var out bytes.Buffer
	session := s.Begin(&out)
	defer session.Close()
	results, err := session.Run(context.Background(), units, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	return results, out.String()
}

func items(ids ...string) []shard.PlannedItem {
	var units []shard.PlannedItem
	for _, id := range ids {
		units = append(units, shard.PlannedItem{ID: id})
	}
	return units
}

// Each way in which a pytest file can end must come out as what it is.
func TestPytestRunner(t *testing.T) {
	usePytest(t)
	files := map[string]string{
		"tests/test_green.py":  "def test_a():\n    pass\n\nclass TestBox:\n    def test_in(self):\n        pass\n",
		"tests/test_red.py":    "import pytest\n\n@pytest.mark.parametrize('x', [1, 2])\ndef test_p(x):\n    assert x == 1\n",
		"tests/test_broken.py": "import nothere\n",
		"tests/test_none.py":   "def helper():\n    pass\n",
		"tests/test_exit.py":   "import os\ndef test_x():\n    os._exit(3)\n",
		"test_at_top.py":       "def test_top():\n    pass\n",
	}
	cases := []struct {
		name, want, statuses, outcomes string
		items                          []string
		whole                          bool
	}{
		{"green", "passed", "test_at_top.py=passed tests/test_green.py=passed", "TestBox::test_in=p test_a=p test_top=p", []string{"test_at_top.py", "tests/test_green.py"}, false},
		{"red", "failed", "tests/test_green.py=passed tests/test_red.py=failed", "TestBox::test_in=p test_a=p test_p[1]=p test_p[2]=f", []string{"tests/test_green.py", "tests/test_red.py"}, false},
		{"does not load", "failed", "tests/test_broken.py=error", nameLoad + "=e", []string{"tests/test_broken.py"}, false},
		{"a file without tests among others", "passed", "tests/test_green.py=passed tests/test_none.py=skipped", "TestBox::test_in=p test_a=p", []string{"tests/test_none.py", "tests/test_green.py"}, false},
		{"a slice without tests", "passed", "tests/test_none.py=skipped", "", []string{"tests/test_none.py"}, false},
		{"a suite without tests", "error", "tests/test_none.py=skipped", "pytest=e", []string{"tests/test_none.py"}, true},
		{"a test ends the process", "error", "tests/test_exit.py=error tests/test_green.py=error", "pytest=e", []string{"tests/test_exit.py", "tests/test_green.py"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := project(t, Pytest, files)
			s.Sliced = !c.whole
			r, out := run(t, s, items(c.items...)...)
			if v := judge(t, s, r); string(v.Result) != c.want || statuses(r) != c.statuses || outcomes(r) != c.outcomes {
				t.Errorf("verdict %s, items %s, tests %s\n%s", v.Result, statuses(r), outcomes(r), out)
			}
		})
	}
	s := project(t, Pytest, files)
	r, _ := run(t, s, items("tests/test_red.py")...)
	if e := named(t, r, "tests/test_red.py", "test_p[2]").Last(); e.File != "tests/test_red.py" || e.Line != 5 || !strings.Contains(e.Message, "assert 2 == 1") {
		t.Errorf("the failure is %+v", e)
	}
}

// A file that is longer than a shard is cut at its tests; the last part runs
// whatever nobody knew of, and a test that is gone costs time and no test.
func TestPytestParts(t *testing.T) {
	usePytest(t)
	s := project(t, Pytest, map[string]string{"pytest.ini": "[pytest]\n", "sub/test_a.py": "import pytest\n\ndef test_one():\n    pass\n\nclass TestBox:\n    @pytest.mark.parametrize('x', ['a b', 'c/d'])\n    def test_in(self, x):\n        pass\n\ndef test_new():\n    assert False\n"})
	part := func(i int, only, without []string) shard.PlannedItem {
		return shard.PlannedItem{ID: "sub/test_a.py", Part: &shard.Part{Index: i, Of: 2, Only: only, Without: without}}
	}
	for _, dir := range []string{"", "sub"} {
		known := []string{"TestBox::test_in[a b]", "test_one"}
		id := "sub/test_a.py"
		s := s
		if s.Dir, id = filepath.Join(s.Dir, dir), strings.TrimPrefix(id, dir+"/"); dir == "sub" {
			s.Root = filepath.Dir(s.Dir) // pytest's own root is above the suite's folder
		}
		first, last := part(0, known, nil), part(1, nil, known)
		first.ID, last.ID = id, id
		a, out := run(t, s, first)
		if outcomes(a) != "TestBox::test_in[a b]=p test_one=p" || statuses(a) != id+"=passed@0/2" {
			t.Errorf("first part: %s, %s\n%s", outcomes(a), statuses(a), out)
		}
		b, out := run(t, s, last)
		if outcomes(b) != "TestBox::test_in[c/d]=p test_new=f" || statuses(b) != id+"=failed@1/2" {
			t.Errorf("last part: %s, %s\n%s", outcomes(b), statuses(b), out)
		}
		both, _ := run(t, s, first, last)
		if statuses(both) != id+"=failed@1/2 "+id+"=passed@0/2" && statuses(both) != id+"=passed@0/2 "+id+"=failed@1/2" || both.ExitCode != 1 {
			t.Errorf("both: %s, exit code %d", statuses(both), both.ExitCode)
		}
	}
	r, out := run(t, s, part(0, []string{"test_one", "test_gone"}, nil))
	if !strings.Contains(outcomes(r), "test_new=f") || !strings.Contains(out, "all of the file runs") {
		t.Errorf("with a test that is gone: %s\n%s", outcomes(r), out)
	}
}

// What jest leaves behind, as it ran for real.
func TestJestRunner(t *testing.T) {
	files := map[string]string{
		"package.json":     `{"name":"m"}`,
		"src/red.test.js":  "describe('cart', () => {\n  test('adds (up)', () => {\n    expect(1).toBe(2)\n  })\n  test('ok', () => {})\n  test.skip('later', () => {})\n})\ntest('same', () => {})\ntest('same', () => {})\n",
		"src/load.test.js": "require('./nosuch')\n",
		"src/ok.test.js":   "test('x', () => {})\n",
		"src/flip.test.js": "let n = 0\njest.retryTimes(2)\ntest('flips', () => { if (n++ === 0) throw new Error('first') })\n",
	}
	s := project(t, Jest, files)
	var out bytes.Buffer
	inv, err := s.Discover(context.Background(), &out)
	if want := []string{"src/flip.test.js", "src/load.test.js", "src/ok.test.js", "src/red.test.js"}; err != nil || !slices.Equal(inv.Items, want) {
		t.Fatalf("items %q, %v\n%s", inv.Items, err, &out)
	}
	cases := []struct {
		name, want, statuses, outcomes string
		items                          []string
	}{
		{"green", "passed", "src/ok.test.js=passed", "x=p", []string{"src/ok.test.js"}},
		{"red", "failed", "src/ok.test.js=passed src/red.test.js=failed", "cart adds (up)=f cart later=s cart ok=p same #2=p same=p x=p", []string{"src/ok.test.js", "src/red.test.js"}},
		{"does not load", "failed", "src/load.test.js=error", nameLoad + "=e", []string{"src/load.test.js"}},
		{"passes when tried again", "flaky", "src/flip.test.js=passed", "flips=fp", []string{"src/flip.test.js"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, out := run(t, s, items(c.items...)...)
			if v := judge(t, s, r); string(v.Result) != c.want || statuses(r) != c.statuses || outcomes(r) != c.outcomes {
				t.Errorf("verdict %s, items %s, tests %s\n%s", v.Result, statuses(r), outcomes(r), out)
			}
		})
	}
	r, _ := run(t, s, items("src/red.test.js", "src/load.test.js")...)
	if e := named(t, r, "src/red.test.js", "cart adds (up)").Last(); e.File != "src/red.test.js" || e.Line != 3 || !strings.Contains(e.Message, "Expected: 2") || strings.Contains(e.Message, "\x1b") {
		t.Errorf("the failure is %+v", e)
	}
	if e := named(t, r, "src/load.test.js", nameLoad).Last(); e.Line != 1 || e.Kind != shard.KindBuild || !strings.Contains(e.Message, "nosuch") {
		t.Errorf("the file that does not load is %+v", e)
	}
}

// A rerun runs the tests that it was asked for and adds what they came to; green
// it is only when nothing fails any more.
func TestRerun(t *testing.T) {
	flip := func(t *testing.T) string { return filepath.Join(t.TempDir(), "flag") }
	cases := []struct {
		name   string
		runner Runner
		files  func(flag string) map[string]string
		item   string
		first  string // outcomes
		again  string
		green  bool
	}{
		{"go, one heals", Go, func(flag string) map[string]string {
			return map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "a/a_test.go": "package a\n\nimport (\"os\"; \"testing\")\n\nfunc TestFlip(t *testing.T) {\n\tt.Run(\"sub\", func(t *testing.T) {\n\tif _, err := os.Stat(\"" + flag + "\"); err != nil {\n\t\tos.WriteFile(\"" + flag + "\", nil, 0o644)\n\t\tt.Fatal(\"first\")\n\t}\n})\n}\n\nfunc TestOther(t *testing.T) {}\n"}
		}, "example.com/m/a", "TestFlip/sub=f TestOther=p", "TestFlip/sub=fp TestOther=p", true},
		{"go, one stays red", Go, func(string) map[string]string {
			return map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "a/a_test.go": testFile("a", "func TestA(t *testing.T) { t.Fatal(\"no\") }\nfunc TestB(t *testing.T) {}")}
		}, "example.com/m/a", "TestA=f TestB=p", "TestA=ff TestB=p", false},
		{"pytest, one heals", Pytest, func(flag string) map[string]string {
			return map[string]string{"test_a.py": "import os, pathlib\n\nclass TestBox:\n    def test_flip(self):\n        if not os.path.exists('" + flag + "'):\n            pathlib.Path('" + flag + "').touch()\n            assert False\n\ndef test_other():\n    pass\n"}
		}, "test_a.py", "TestBox::test_flip=f test_other=p", "TestBox::test_flip=fp test_other=p", true},
		{"jest, one heals", Jest, func(flag string) map[string]string {
			return map[string]string{"package.json": `{"name":"m"}`, "a.test.js": "const fs = require('fs')\ndescribe('box', () => {\n test('flips (once)', () => { if (!fs.existsSync('" + flag + "')) { fs.writeFileSync('" + flag + "', ''); throw new Error('first') } })\n test('other', () => {})\n})\n"}
		}, "a.test.js", "box flips (once)=f box other=p", "box flips (once)=fp box other=p", true},
		{"go, a panic hid a test that fails", Go, func(flag string) map[string]string {
			return map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "a/a_test.go": "package a\n\nimport (\"os\"; \"testing\")\n\nfunc TestFlip(t *testing.T) {\n\tif _, err := os.Stat(\"" + flag + "\"); err != nil {\n\t\tos.WriteFile(\"" + flag + "\", nil, 0o644)\n\t\tpanic(\"first\")\n\t}\n}\n\nfunc TestOther(t *testing.T) { t.Fatal() }\n"}
		}, "example.com/m/a", "TestFlip=e", "TestFlip=ep TestOther=f", false},
		{"go, a panic hid a test that passes", Go, func(flag string) map[string]string {
			return map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "a/a_test.go": "package a\n\nimport (\"os\"; \"testing\")\n\nfunc TestFlip(t *testing.T) {\n\tif _, err := os.Stat(\"" + flag + "\"); err != nil {\n\t\tos.WriteFile(\"" + flag + "\", nil, 0o644)\n\t\tpanic(\"first\")\n\t}\n}\n\nfunc TestOther(t *testing.T) {}\n"}
		}, "example.com/m/a", "TestFlip=e", "TestFlip=ep TestOther=p", true},
		{"pytest, stopped at the first failure", Pytest, func(flag string) map[string]string {
			return map[string]string{"pytest.ini": "[pytest]\naddopts = -x\n", "test_a.py": "import os, pathlib\n\ndef test_flip():\n    if not os.path.exists('" + flag + "'):\n        pathlib.Path('" + flag + "').touch()\n        assert False\n\ndef test_other():\n    assert False\n"}
		}, "test_a.py", "test_flip=f", "test_flip=fp test_other=f", false},
		{"pytest, left by a test", Pytest, func(flag string) map[string]string {
			return map[string]string{"test_a.py": "import os, pathlib, pytest\n\ndef test_flip():\n    if not os.path.exists('" + flag + "'):\n        pathlib.Path('" + flag + "').touch()\n        assert False\n\ndef test_leaves():\n    if not os.path.exists('" + flag + "2'):\n        pathlib.Path('" + flag + "2').touch()\n        pytest.exit('no')\n\ndef test_other():\n    assert False\n"}
		}, "test_a.py", "[whole file]=p test_flip=f", "[whole file]=p test_flip=fp test_leaves=p test_other=f", false},
		{"a crash is not healed", Pytest, func(flag string) map[string]string {
			return map[string]string{"test_a.py": "import os, pathlib\n\ndef test_x():\n    if not os.path.exists('" + flag + "'):\n        pathlib.Path('" + flag + "').touch()\n        os._exit(3)\n"}
		}, "test_a.py", "pytest=e", "pytest=e", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.runner == Pytest {
				usePytest(t)
			}
			t.Setenv("GOFLAGS", "")
			t.Setenv("GOWORK", "off")
			s := project(t, c.runner, c.files(flip(t)))
			if !s.Reruns() {
				t.Fatal("it cannot run tests again")
			}
			var out bytes.Buffer
			session := s.Begin(&out)
			defer session.Close()
			had, err := session.Run(context.Background(), items(c.item), nil)
			if err != nil || outcomes(had) != c.first || had.ExitCode == 0 {
				t.Fatalf("first: %s, exit code %d, %v\n%s", outcomes(had), had.ExitCode, err, &out)
			}
			var keys []string
			for _, test := range had.Tests {
				keys = append(keys, test.Key) // also of those that did not fail: they are left alone
			}
			now, err := session.Rerun(context.Background(), had, keys)
			if err != nil || outcomes(now) != c.again || (now.ExitCode == 0) != c.green {
				t.Errorf("again: %s, exit code %d, %v\n%s", outcomes(now), now.ExitCode, err, &out)
			}
			if v := judge(t, s, now); c.green != v.Result.Green() || c.green && (v.Result != shard.ResultFlaky || statuses(now) != c.item+"=passed") {
				t.Errorf("verdict %s, items %s", v.Result, statuses(now))
			}
			if outcomes(had) != c.first {
				t.Errorf("the first results changed: %s", outcomes(had))
			}
		})
	}
}

// Parts of a Go package: the tests that are named, and the one last part that
// runs all others.
func TestGoParts(t *testing.T) {
	s := module(t, map[string]string{"a/a_test.go": testFile("a", "func TestA(t *testing.T) {\n\tt.Run(\"sub\", func(t *testing.T) {})\n}\nfunc TestAB(t *testing.T) {}\nfunc TestNew(t *testing.T) {}"), "b/b_test.go": testFile("b", "func TestB(t *testing.T) {}")})
	units := []shard.PlannedItem{
		{ID: "example.com/m/b"},
		{ID: "example.com/m/a", Part: &shard.Part{Index: 0, Of: 2, Only: []string{"TestA"}}},
		{ID: "example.com/m/a", Part: &shard.Part{Index: 1, Of: 2, Without: []string{"TestA"}}},
	}
	for _, command := range []string{"", "go test -json -count=1 -run {run} -skip {skip} {tests}"} {
		s.Command = command
		if !s.Parts() {
			t.Fatalf("%q: no parts", command)
		}
		for i, want := range []string{"TestB=p", "TestA/sub=p TestA=p", "TestAB=p TestNew=p"} {
			if r, out := run(t, s, units[i]); outcomes(r) != want {
				t.Errorf("%q, unit %d: %s, want %s\n%s", command, i, outcomes(r), want, out)
			}
		}
	}
	r, out := run(t, s, units...)
	if want := "example.com/m/a=passed@0/2 example.com/m/a=passed@1/2 example.com/m/b=passed"; statuses(r) != want || len(r.Tests) != 5 || len(r.Extra)+len(r.NotRun) != 0 {
		t.Errorf("together: %s, %+v\n%s", statuses(r), r, out)
	}
	s.Command = "go test -json -run {run} {tests}"
	if s.Parts() {
		t.Error("a command that cannot leave tests out promises parts")
	}
}

// A line tells how far the tests are, and never in the middle of one of theirs.
func TestBoardTellsHowFarItIs(t *testing.T) {
	var out bytes.Buffer
	b := newBoard(&out)
	defer b.close()
	b.expect([]string{"tests/a.py", "tests/b.py", "src/c.test.js"}, 90*time.Second)
	b.Write([]byte("tests/a.py ..F [ 30%]\nPASS src/c.te"))
	b.tell(b.began.Add(31 * time.Second))
	b.Write([]byte("st.js\n"))
	b.tell(b.began.Add(61 * time.Second))
	want := "tests/a.py ..F [ 30%]\nPASS src/c.te\nMainstay: 1 of 3 items, 31s of about 1m30s\nst.js\nMainstay: 2 of 3 items, 1m1s of about 1m30s\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
