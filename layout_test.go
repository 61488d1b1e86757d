// Package mainstay_test keeps the arrows of docs/design.md true: who may import whom.
package mainstay_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/mainstay-ci/mainstay/"

// mayImport lists, for each package of ours, the packages of ours its code may import.
var mayImport = map[string][]string{
	"queue/shard":         {},
	"queue/search":        {},
	"queue/flake":         {"queue/shard"},
	"queue/message":       {},
	"queue":               {"queue/shard", "queue/search"},
	"queue/sim":           {"queue", "queue/shard", "queue/search"},
	"queue/explore":       {"queue", "queue/shard"},
	"server/config":       {"queue", "queue/message"},
	"server/engine":       {"queue"},
	"server/store":        {"queue", "queue/shard", "queue/flake"},
	"server/github":       {"queue"},
	"server/git":          {},
	"server/web":          {"queue", "queue/shard", "queue/flake"},
	"server/demo":         {"queue", "sandbox"},
	"server/doctor":       {},
	"sandbox":             {"sandbox/runner"},
	"sandbox/runner":      {},
	"sandbox/truth":       {}, // what others say of GitHub; for tests only
	"sandbox/truth/slice": {},
	"action/suite":        {"queue/shard"},
	"action":              {"action/suite", "queue/shard"},
	// server is the only place that knows everybody.
	"server": {"queue", "queue/shard", "queue/flake", "queue/message", "queue/explore", "queue/sim", "server/config", "server/engine", "server/store", "server/github",
		"server/git", "server/web", "server/demo", "server/doctor", "sandbox"},
	"server/store/storetest": {"queue", "queue/shard", "queue/flake"},
	"queue/explore/mutants":  {}, // runs the go command on copies
}

// onlyImporter says who alone may import a module from outside.
var onlyImporter = map[string]string{
	"github.com/google/go-github/":          "server/github",
	"github.com/bradleyfalzon/":             "server/github",
	"github.com/google/cel-go/":             "server/config",
	"github.com/mattn/go-sqlite3":           "server/store",
	"github.com/sethvargo/go-githubactions": "action",
	"github.com/getkin/kin-openapi":         "sandbox/truth", // of tests: it must not swell what is shipped
	"github.com/santhosh-tekuri/jsonschema": "sandbox/truth",
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// A house stays a house only while its doors are where the plan has them.
func TestImportsGoOneWay(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if p.ImportPath+"/" == module {
			continue
		}
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("package %s is not in the plan: say what it may import", name)
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module); ok && !contains(allowed, ours) {
				t.Errorf("%s may not import %s", name, ours)
			}
			for prefix, owner := range onlyImporter {
				if strings.HasPrefix(imp, prefix) && name != owner {
					t.Errorf("%s imports %s; only %s may", name, imp, owner)
				}
			}
		}
	}
}

// mayStartProcesses says who starts programs, and which: what a stranger wrote must
// not reach a command line by another way.
var mayStartProcesses = map[string]string{
	"server/git":            "git, with typed arguments",
	"action/suite":          "the suite's own commands, in the job",
	"server":                "the benches: git and our own binaries",
	"server/demo":           "the demo: git, go and our own binaries",
	"sandbox":               "git behind the forge in a box",
	"sandbox/runner":        "the jobs of the forge in a box",
	"queue/explore/mutants": "go, on copies of the rules",
}

func TestFewStartProcesses(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if contains(p.Imports, "os/exec") && mayStartProcesses[name] == "" {
			t.Errorf("%s imports os/exec: processes are started by %v", name, mayStartProcesses)
		}
	}
}

// The rules must not be able to see the time, chance, the network or another goroutine.
func TestTheQueueImportsThePureStandardLibraryOnly(t *testing.T) {
	pure := []string{"bytes", "cmp", "crypto/sha256", "encoding/base64", "encoding/hex", "encoding/json", "errors", "fmt", "hash/fnv", "iter", "maps",
		"math", "math/bits", "path", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8", module + "queue/shard", module + "queue/search"}
	wire := []string{"io", "net/url", "sync"} // of texts and addresses; nothing of these reaches outside
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name != "queue" && name != "queue/shard" && name != "queue/search" && name != "queue/flake" {
			continue
		}
		for _, imp := range p.Imports {
			if !contains(pure, imp) && !(name == "queue/shard" && contains(wire, imp)) {
				t.Errorf("%s imports %s", name, imp)
			}
		}
	}
}

// A sandbox that nobody watches may drift from GitHub unseen.
func TestEverySandboxOfATestIsWatched(t *testing.T) {
	starts := 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || path == "layout_test.go" || filepath.Base(path) == "bench_test.go" {
			return err
		}
		source, err := os.ReadFile(path)
		if n := strings.Count(string(source), "sandbox.Start("); n > 0 {
			starts += n
			if watched := strings.Count(string(source), "truth.Watch("); watched < n {
				t.Errorf("%s starts %d sandboxes and has truth watch %d: see docs/truth.md", path, n, watched)
			}
		}
		return err
	})
	if err != nil || starts == 0 {
		t.Errorf("%d starts of a sandbox found, %v", starts, err)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
