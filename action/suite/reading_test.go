package suite

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// leave writes files of results, each an hour younger than the one before.
func leave(t *testing.T, texts ...string) []string {
	t.Helper()
	dir, at := t.TempDir(), time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var files []string
	for i, text := range texts {
		// Later ones sort first by name.
		file := filepath.Join(dir, string(rune('z'-i))+".xml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	slices.Reverse(files)
	return files
}

func inOrder(test shard.Test) string {
	var words []string
	for _, e := range test.Executions {
		words = append(words, string(e.Status))
	}
	return strings.Join(words, " ")
}

// A step that is killed while it writes its results leaves the beginning of a
// file. Wherever that ends, it must not be taken for the whole.
func TestNoBeginningOfAFileIsGreen(t *testing.T) {
	text := `<testsuites><testsuite name="s"><testcase classname="k" name="a" time="0.1"><system-out>hello</system-out></testcase>` +
		`<testcase classname="k" name="b"><skipped message="later"/></testcase></testsuite><testsuite name="e"/></testsuites>`
	tap := "TAP version 13\n1..3\nok 1 - a\n  ---\n  duration_ms: 3\n  ...\n    ok 1 - in\n    1..1\nok 2 - b\nok 3 - c # SKIP\n"
	items := []string{"k"}
	s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
	for format, read := range map[string]func(io.Reader, func(found) error) error{text: readJUnit, tap: readTAP} {
		for n := range len(format) + 1 {
			g := newGather(s, items)
			err := read(strings.NewReader(format[:n]), g.add)
			verdict := judge(t, s, g.results(past{items: items}, err))
			whole := strings.TrimRight(format[:n], "\n") == strings.TrimRight(format, "\n")
			// Of TAP's last line a beginning may say all that counts.
			whole = whole || format == tap && strings.HasPrefix(format[:n], tap[:strings.Index(tap, "ok 3")+2])
			if verdict.Result.Green() != whole {
				t.Errorf("%s after %q, error %v", verdict.Result, format[:n], err)
			}
		}
	}
}

// Whoever fails and then passes is flaky, whether the producer says that it ran
// it again or only tells it twice; and it is red if it failed last.
func TestExecutionsOfOneTest(t *testing.T) {
	const pass, fail = `<testcase classname="k" name="a"/>`, `<testcase classname="k" name="a"><failure message="no"/></testcase>`
	cases := []struct {
		name  string
		texts []string
		code  int
		want  string
		is    shard.Result
	}{
		{"twice in a file", []string{fail + pass}, 0, "failed passed", shard.ResultFlaky},
		{"red last", []string{pass + fail}, 1, "passed failed", shard.ResultFailed},
		{"in two files, by their age and not by name", []string{fail, pass}, 0, "failed passed", shard.ResultFlaky},
		{"and the other way round", []string{pass, fail}, 1, "passed failed", shard.ResultFailed},
		// Two tests of one name: had it been a re-run, the run would be green.
		{"twice, and the run is red", []string{fail + pass}, 1, "passed failed", shard.ResultFailed},
		{"skipped after it failed", []string{`<testcase classname="k" name="a"><failure/><skipped/></testcase>`}, 1, "failed", shard.ResultFailed},
		{"flaky by name", []string{`<testcase classname="k" name="a"><flakyError/></testcase>`}, 0, "error passed", shard.ResultFlaky},
		{"again and again", []string{strings.Repeat(fail, 30) + pass}, 0, strings.Repeat("failed ", 19) + "passed", shard.ResultFlaky},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
			for i := range c.texts {
				c.texts[i] = "<testsuite>" + c.texts[i] + "</testsuite>"
			}
			r, err := s.ReadResults(leave(t, c.texts...), FormatAuto, []string{"k"}, c.code)
			if err != nil || len(r.Tests) != 1 || inOrder(r.Tests[0]) != c.want || judge(t, s, r).Result != c.is {
				t.Errorf("%s: %+v, error %v; want %s: %s", judge(t, s, r).Result, r.Tests, err, c.is, c.want)
			}
		})
	}
}

// What no test was told of may have had none, or may never have run. Only where
// the runner leaves no doubt is it the first.
func TestItemsWithoutATest(t *testing.T) {
	const told = `<testsuite name="pytest"><testcase classname="test_a" name="t"/></testsuite>`
	const alien = `<testsuite name="pytest"><testcase classname="test_a" name="t"/><testcase classname="test_z" name="t"/></testsuite>`
	const none = `<testsuites><testsuite name="pytest" tests="0"/></testsuites>`
	const red = `<testsuite name="pytest"><testcase classname="test_a" name="t"><failure/></testcase></testsuite>`
	disk := map[string]string{
		"test_a.py": "def test_a(): pass\n", "test_b.py": "@pytest.mark.slow\ndef test_b(): pass\n", "test_z.py": "def test_z(): pass\n", "test_e.py": "import os\n",
	}
	cases := []struct {
		name   string
		runner Runner
		text   string
		run    past
		is     shard.Result
		b      shard.Status // of test_b.py; "" is not run
	}{
		{"pytest deselected all of it", Pytest, told, past{handed: true}, shard.ResultPassed, shard.Skipped},
		{"somebody else ran pytest, perhaps without it", Pytest, told, past{}, shard.ResultIncomplete, ""},
		{"pytest ran something else", Pytest, alien, past{handed: true}, shard.ResultIncomplete, ""},
		{"pytest stopped at the first failure, perhaps", Pytest, red, past{handed: true, code: 1}, shard.ResultFailed, ""},
		{"jest would not pass an empty file", Jest, told, past{handed: true}, shard.ResultIncomplete, ""},
		{"any other runner", Generic, told, past{handed: true}, shard.ResultIncomplete, ""},
		{"pytest collected nothing in the slice", Pytest, none, past{handed: true, code: pytestNothing}, shard.ResultPassed, shard.Skipped},
		{"nothing was collected, and the run is red", Pytest, none, past{handed: true, code: 1}, shard.ResultError, ""},
		{"no tests and no fault", Generic, none, past{handed: true}, shard.ResultIncomplete, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := inPlace(t, c.runner, disk)
			c.run.items = []string{"test_a.py", "test_b.py", "test_e.py"}
			r, err := s.read(leave(t, c.text), FormatJUnit, c.run)
			if err != nil || judge(t, s, r).Result != c.is {
				t.Errorf("%s, want %s; error %v, %+v", judge(t, s, r).Result, c.is, err, r)
			}
			b := shard.Status("")
			for _, item := range r.Items {
				if item.ID == "test_b.py" {
					b = item.Status
				}
				if item.ID == "test_e.py" && item.Status != shard.Skipped {
					t.Errorf("a file without a test is %+v", item)
				}
			}
			if b != c.b {
				t.Errorf("test_b.py is %q, want %q", b, c.b)
			}
		})
	}
}

// The same test has the same name in each run and on each machine.
func TestWhatChangesIsNoPartOfAName(t *testing.T) {
	s := Suite{Name: "unit", Dir: t.TempDir(), Root: "/home/runner/_work/m/m"}
	st := newStripper(s)
	for given, want := range map[string]string{
		"plain name":                                        "plain name",
		"test[0x7f8b1c0a2f40]":                              "test[0x…]",
		"opcode[0x1f]":                                      "opcode[0x1f]",
		"reads /tmp/pytest-of-runner/pytest-0/x":            "reads /tmp/…/pytest-0/x",
		"reads /var/folders/ab/cd01/T/tmp9x8y":              "reads /tmp/…",
		`reads C:\Users\runner\AppData\Local\Temp\go-b12\x`: `reads /tmp/…\x`,
		"opens /home/runner/_work/m/m/testdata/a":           "opens testdata/a",
		"opens " + s.Dir + "/b":                             "opens b",
		"shuffled, seed 12345":                              "shuffled, seed …",
		"id 9b3f3a8e-4a0e-4c5f-9d52-6a3c1b2d7e10":           "id …",
		"speed 12": "speed 12",
	} {
		if got := st.name(given); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
	long := strings.Repeat("é", 700)
	if a, b := fit(long+"a"), fit(long+"b"); a == b || len(a) > shard.MaxName || a != fit(long+"a") {
		t.Errorf("%d bytes, %.20q and %.20q", len(a), a[len(a)-20:], b[len(b)-20:])
	}
}

// Two tests whose names became one by stripping are two tests: the pass of one
// does not mend the failure of the other.
func TestNamesThatBecameOneStayTwoTests(t *testing.T) {
	s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
	r, err := s.ReadResults(leave(t, `<testsuite><testcase classname="k" name="at[0x7f8b1c0a2f40]"><failure/></testcase><testcase classname="k" name="at[0x7f8b1c0a2f50]"/></testsuite>`),
		FormatJUnit, []string{"k"}, 0)
	if err != nil || len(r.Tests) != 2 || len(r.Failing()) != 1 || r.Tests[1].Name != "at[0x…] #2" || len(r.Notes) != 1 {
		t.Errorf("%+v, notes %q, error %v", r.Tests, r.Notes, err)
	}
}

// pytest names modules from its rootdir, which need not be the working directory.
func TestModulesOfAnotherRootdir(t *testing.T) {
	cases := []struct {
		items             []string
		class, name, file string // as pytest writes it
		item, key         string // what it must come to: the item, and the test's name
	}{
		{[]string{"tests/test_a.py"}, "tests.test_a", "t", "", "tests/test_a.py", "t"},
		{[]string{"tests/test_a.py"}, "pkg.tests.test_a.TestBox", "t[1.5]", "", "tests/test_a.py", "TestBox::t[1.5]"},
		{[]string{"pkg/tests/test_a.py"}, "tests.test_a.TestBox.TestLid", "t", "", "pkg/tests/test_a.py", "TestBox::TestLid::t"},
		{[]string{"pkg/tests/test_a.py"}, "tests.test_a.TestBox", "t", "tests/test_a.py", "pkg/tests/test_a.py", "TestBox::t"},
		{[]string{"a/test_x.py", "b/test_x.py"}, "b.test_x", "t", "", "b/test_x.py", "t"},
		{[]string{"a/test_x.py", "b/test_x.py"}, "test_x", "t", "", "", "t"}, // either
		{[]string{"my.pkg/test_x.py"}, "my.pkg.test_x", "t", "", "my.pkg/test_x.py", "t"},
		{[]string{"tests/unit"}, "tests.unit.test_a", "t", "tests/unit/test_a.py", "tests/unit", "t"},
		{[]string{"tests/test_a.py::TestBox", "tests/test_a.py::TestLid"}, "tests.test_a.TestLid", "t", "", "tests/test_a.py::TestLid", "TestLid::t"},
	}
	for _, c := range cases {
		s := Suite{Name: "unit", Runner: Pytest, Dir: t.TempDir()}
		text := `<testsuite name="pytest"><testcase classname="` + c.class + `" name="` + c.name + `" file="` + c.file + `" time="0.25"/></testsuite>`
		r, err := s.ReadResults(leave(t, text), FormatJUnit, c.items, 0)
		got := ""
		for _, item := range r.Items {
			if item.Status == shard.Passed && item.MS == 250 {
				got = item.ID
			}
		}
		if err != nil || got != c.item || len(r.Tests) != 1 || r.Tests[0].Name != c.key {
			t.Errorf("%s of %q: item %q, %+v, error %v; want %q, %q", c.class, c.items, got, r.Tests, err, c.item, c.key)
		}
	}
}

// A test keeps its key when pytest is told to write the other family of XML, and
// when the slice is cut otherwise.
func TestAKeyDependsOnTheTestAlone(t *testing.T) {
	keys := map[string]string{}
	for _, dialect := range []string{"pytest-xunit1", "pytest-xunit2"} {
		for _, items := range [][]string{pytestItems, {"tests/test_a.py"}, {"tests/test_c.py"}} {
			s := inPlace(t, Pytest, map[string]string{"tests/test_a.py": "", "tests/test_c.py": "", "tests/sub/test_b.py": ""})
			r, _ := s.ReadResults(fixtures(t, s, dialect), FormatAuto, items, 1)
			for _, test := range r.Tests {
				name := test.Class + " " + test.Name
				if key := keys[name]; key != "" && key != test.Key || len(keys) > 13 {
					t.Errorf("%s with items %q: %s is called otherwise, %d keys", dialect, items, name, len(keys))
				}
				keys[name] = test.Key
			}
		}
	}
}

// Each file is looked into: what is in it decides, and not what it is called.
func TestSniffing(t *testing.T) {
	cases := []struct {
		text   string
		runner Runner
		want   Format
		bad    string
	}{
		{"\n <?xml version='1.0'?><testsuites/>", Generic, FormatJUnit, ""},
		{"\xff\xfe<\x00a\x00", Generic, FormatJUnit, ""},
		{`{"Time":"x","Action":"start"}`, Generic, FormatGoJSON, ""},
		{"go: downloading\n{\"Action\":\"start\"}\n", Generic, FormatGoJSON, ""},
		{"> m@1.0.0 test\n> tape\n\nTAP version 13\r\nok 1\r\n1..1\r\n", Generic, FormatTAP, ""},
		{"1..2\nok\n", Generic, FormatTAP, ""},
		{"not ok 1 - x\n", Generic, FormatTAP, ""},
		{"ok  \texample.com/m\t0.1s\n", Go, FormatGoJSON, ""},
		{"ok  \texample.com/m\t0.1s\n", Generic, "", "neither"},
		{`{"numTotalTests":3}`, Generic, "", "neither"},
		{"", Generic, "", "empty"},
		{"okay then\n", Generic, "", "neither"},
	}
	for _, c := range cases {
		got, err := Suite{Runner: c.runner}.sniff(leave(t, c.text)[0])
		if got != c.want || (err != nil) != (c.bad != "") || err != nil && !strings.Contains(err.Error(), c.bad) {
			t.Errorf("%q: %q, error %v; want %q, %q", c.text, got, err, c.want, c.bad)
		}
	}
}

// Where one of several files cannot be read, nothing of the run is proved, and
// what the others tell is told.
func TestOneBadFileAmongSeveral(t *testing.T) {
	const good = `<testsuite><testcase classname="k" name="a"/><testcase classname="l" name="a"><failure/></testcase></testsuite>`
	cases := []struct {
		name  string
		texts []string
		bad   string
		tests int
	}{
		{"empty", []string{"", good}, "empty", 2},
		{"cut off", []string{good, "<testsuite>"}, "cut off", 2},
		{"something else", []string{good, "<html><p>Not found<p></html>"}, "cut off", 2},
		{"well-formed, and something else", []string{good, "<html></html>"}, "no JUnit", 2},
		{"of two kinds", []string{good, `{"Action":"start","Package":"p"}` + "\n"}, "name one of them", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
			r, err := s.ReadResults(leave(t, c.texts...), FormatAuto, []string{"k", "l"}, 0)
			if err == nil || !strings.Contains(err.Error(), c.bad) || len(r.Tests) != c.tests {
				t.Errorf("%d tests, error %v", len(r.Tests), err)
			}
			if c.tests > 0 && (judge(t, s, r).Result != shard.ResultIncomplete || !slices.Equal(r.NotRun, []string{"k"})) {
				t.Errorf("%s, not run %q", judge(t, s, r).Result, r.NotRun)
			}
		})
	}
	s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
	if _, err := s.ReadResults([]string{filepath.Join(s.Dir, "none.xml")}, FormatAuto, nil, 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := s.ReadResults([]string{s.Dir}, FormatAuto, nil, 0); err == nil {
		t.Error("a folder is no file")
	}
}

// A red run that names no red test is told as that: the process was killed, or
// something went wrong around the tests.
func TestARedRunWithoutARedTest(t *testing.T) {
	s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir(), Command: "make test"}
	// One of its tests is called as the command is.
	text := `<testsuite><testcase classname="" name="make test"/><testcase classname="k" name="a"/></testsuite>`
	r, err := s.read(leave(t, text), FormatAuto, past{items: []string{"k"}, code: 137, output: "Killed"})
	if err != nil || judge(t, s, r).Result != shard.ResultError || len(r.Failing()) != 1 || r.Failing()[0].Last().Message != "Killed" {
		t.Errorf("%s, %+v, error %v", judge(t, s, r).Result, r.Failing(), err)
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range []string{"auto", "junit", "go-json", "tap"} {
		if f, err := ParseFormat(name); err != nil || string(f) != name {
			t.Errorf("%s: %q, %v", name, f, err)
		}
	}
	if f, err := ParseFormat(""); f != FormatAuto || err != nil {
		t.Errorf("nothing: %q, %v", f, err)
	}
	if _, err := ParseFormat("trx"); !errors.Is(err, ErrUsage) {
		t.Errorf("trx: %v", err)
	}
}

// The sanitiser gives the same bytes however it is read.
func TestTheSanitiserInSmallPieces(t *testing.T) {
	for _, name := range []string{"latin-1", "control", "utf-16", "roots"} {
		text, err := os.ReadFile(filepath.Join("testdata", name, "input.xml"))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(newSanitiser(bytes.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		small := newSanitiser(&oneByOne{bytes.NewReader(text)})
		var pieces []byte
		for p := make([]byte, 3); ; {
			n, err := small.Read(p)
			if pieces = append(pieces, p[:n]...); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(whole, pieces) {
			t.Errorf("%s: %q, and in pieces %q", name, whole, pieces)
		}
	}
}

// oneByOne is a reader that hands out a byte at a time.
type oneByOne struct{ in io.Reader }

func (o *oneByOne) Read(p []byte) (int, error) { return o.in.Read(p[:min(len(p), 1)]) }

// gotestsum tells a panic as a failing test; those that come after are nowhere in
// its file. A list that excuses the one must not excuse them.
func TestAPanicInJUnitIsNotExcused(t *testing.T) {
	const text = `<testsuites><testsuite name="example.com/m/a" tests="1" failures="1"><properties><property name="go.version" value="go1.26.8"/></properties>` +
		`<testcase classname="example.com/m/a" name="TestA" time="0.1"><failure message="Failed">=== RUN   TestA&#xA;%s</failure></testcase></testsuite></testsuites>`
	for name, c := range map[string]struct {
		says string
		want shard.Result
	}{
		"it failed":        {"--- FAIL: TestA (0.00s)&#xA;    a_test.go:6: want 1", shard.ResultQuarantined},
		"it logs a panic":  {"    a_test.go:6: panic: caught&#xA;--- FAIL: TestA (0.00s)&#xA;", shard.ResultQuarantined},
		"it panicked":      {"--- FAIL: TestA (0.00s)&#xA;panic: boom [recovered, repanicked]&#xA;&#xA;goroutine 7 [running]:&#xA;", shard.ResultFailed},
		"its time was out": {"panic: test timed out after 1s&#xA;&#xA;goroutine 7 [running]:&#xA;", shard.ResultFailed},
	} {
		t.Run(name, func(t *testing.T) {
			s, items := Suite{Name: "unit", Runner: Go, Dir: t.TempDir()}, []string{"example.com/m/a"}
			r, err := s.ReadResults(leave(t, fmt.Sprintf(text, c.says)), FormatAuto, items, 1)
			if err != nil || len(r.Items) != 1 {
				t.Fatal(err, r.Items)
			}
			report := shard.Report{Outcome: shard.OutcomeFailure, ExitCode: 1, Chunks: 1, Final: true, Items: r.Items, Tests: r.Tests}
			if v := shard.Judge([]shard.Report{report}, map[string]bool{s.key(items[0], "TestA"): true}); v.Result != c.want {
				t.Errorf("judged %s, want %s: %+v", v.Result, c.want, r)
			}
		})
	}
}
