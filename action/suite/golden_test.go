package suite

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// told is what a golden file says of one dialect: the results, the verdict that
// they lead to, and the fault where the files have one.
type told struct {
	Verdict shard.Result
	Fault   string             `json:",omitempty"`
	Exit    int                `json:",omitempty"`
	Notes   []string           `json:",omitempty"`
	Items   []shard.ItemResult `json:",omitempty"`
	NotRun  []string           `json:",omitempty"`
	Extra   []string           `json:",omitempty"`
	Flaky   []string           `json:",omitempty"`
	Red     []string           `json:",omitempty"`
	Tests   []shard.Test       `json:",omitempty"`
}

// golden is how each producer's files are met: with these items planned, after
// this exit code.
var golden = []struct {
	name   string
	runner Runner
	code   int
	items  []string
	disk   map[string]string // files of the repository
}{
	{"go-json-build", Go, 1, []string{"example.com/m/a", "example.com/m/b", "example.com/m/p", "example.com/m/cached"}, nil},
	{"gotestsum", Go, 1, []string{"example.com/m/a", "example.com/m/b", "example.com/m/c", "example.com/m/none"}, nil},
	{"pytest-xunit1", Pytest, 1, pytestItems, pytestDisk},
	{"pytest-xunit2", Pytest, 1, pytestItems, pytestDisk},
	{"jest-default", Jest, 1, jestItems, nil},
	{"jest-file", Jest, 1, jestItems, nil},
	{"playwright", Generic, 1, []string{"e2e/a.spec.js"}, nil},
	{"rspec", Generic, 1, []string{"spec/models/box_spec.rb", "spec/models/lid_spec.rb", "spec/models/none_spec.rb"},
		map[string]string{"spec/models/none_spec.rb": "# nothing yet\n"}},
	{"surefire", Generic, 1, []string{"src/test/java/com/example/BoxTest.java"}, map[string]string{"src/test/java/com/example/BoxTest.java": "class BoxTest"}},
	{"nextest", Generic, 1, []string{"box::lid"}, nil},
	{"gradle", Generic, 0, []string{"com.example.BoxTest"}, nil},
	{"bazel", Generic, 0, []string{"//box:lid_test"}, nil},
	{"phpunit", Generic, 1, []string{"tests/BoxTest.php", "tests/LidTest.php"}, map[string]string{"tests/BoxTest.php": "<?php", "tests/LidTest.php": "<?php class LidTest"}},
	{"latin-1", Generic, 1, nil, nil},
	{"utf-16", Generic, 0, []string{"all"}, nil},
	{"control", Generic, 1, []string{"all"}, nil},
	{"roots", Generic, 1, []string{"k", "loose", "three"}, nil},
	{"truncated", Generic, 0, []string{"tests/a.rb", "tests/b.rb", "tests/c.rb", "tests/d.rb"}, map[string]string{"tests/a.rb": "", "tests/d.rb": ""}},
	{"tap", Generic, 1, []string{"t/box.t"}, nil},
	{"tap-node", Generic, 1, []string{"a.test.mjs"}, nil},
	{"tap-short", Generic, 0, []string{"t/box.t"}, nil},
	{"tap-bail", Generic, 0, []string{"t/box.t"}, nil},
}

var (
	pytestItems = []string{"tests/sub/test_b.py", "tests/test_a.py", "tests/test_c.py", "tests/test_empty.py"}
	pytestDisk  = map[string]string{"tests/test_empty.py": "def helper(): pass\n"}
	jestItems   = []string{"src/a.test.js", "src/b.test.js", "src/c.test.js"}
)

// inPlace is a suite whose folder is the one that the fixtures were written in.
func inPlace(t *testing.T, runner Runner, disk map[string]string) Suite {
	t.Helper()
	dir := t.TempDir()
	for name, text := range disk {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Suite{Name: "unit", Runner: runner, Dir: dir, Scratch: t.TempDir()}
}

// fixtures copies the files of a dialect to where the suite is, in order of age.
func fixtures(t *testing.T, s Suite, name string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", name, "input*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no fixture %s: %v", name, err)
	}
	var files []string
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/home/runner/_work/m/m", s.Dir))
		files = append(files, filepath.Join(s.Scratch, filepath.Base(file)))
		if err := os.WriteFile(files[len(files)-1], text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func tell(t *testing.T, s Suite, r Results, err error) told {
	t.Helper()
	verdict := judge(t, s, r)
	out := told{Verdict: verdict.Result, Exit: r.ExitCode, Notes: r.Notes, Items: r.Items, NotRun: r.NotRun, Extra: r.Extra, Tests: r.Tests}
	if err != nil {
		out.Fault = err.Error()
	}
	for _, test := range verdict.Flaky {
		out.Flaky = append(out.Flaky, test.Class+" "+test.Name)
	}
	for _, test := range r.Failing() {
		out.Red = append(out.Red, test.Class+" "+test.Name)
	}
	return out
}

// Each producer has its own way of writing the same; what leaves the runner is
// one way. Run with -update after a change, and read the difference.
func TestDialects(t *testing.T) {
	for _, c := range golden {
		t.Run(c.name, func(t *testing.T) {
			s := inPlace(t, c.runner, c.disk)
			r, err := s.ReadResults(fixtures(t, s, c.name), FormatAuto, c.items, c.code)
			text, fault := json.MarshalIndent(tell(t, s, r, err), "", "  ")
			if fault != nil {
				t.Fatal(fault)
			}
			got := strings.ReplaceAll(string(text), s.Dir, "/home/runner/_work/m/m") + "\n"
			file := filepath.Join("testdata", c.name, "want.json")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, fault := os.ReadFile(file)
			if fault != nil || got != string(want) {
				t.Errorf("%v\ngot\n%s\nwant\n%s", fault, got, want)
			}
		})
	}
}

// Every fixture is looked at, so that none can rot unseen.
func TestEveryFixtureIsRead(t *testing.T) {
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		known := slices.ContainsFunc(golden, func(c struct {
			name   string
			runner Runner
			code   int
			items  []string
			disk   map[string]string
		}) bool {
			return c.name == folder.Name()
		})
		if folder.IsDir() && !known && folder.Name() != "fuzz" {
			t.Errorf("nobody reads testdata/%s", folder.Name())
		}
	}
}
