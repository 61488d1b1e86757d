package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// projects are the real suites that every story of them runs.
var projects = []project{goProject, pytestProject, jestProject}

// goProject is a Go module. Its jobs share one build cache, whatever their folder is called.
var goProject = project{
	runner: "go", layout: "run", suite: "unit",
	tools: func(t *testing.T) []string { return []string{"GOFLAGS=-mod=mod -vet=off -trimpath -ldflags=-w"} },
	item:  func(name string) string { return "example.com/shop/" + name },
	test:  goTest,
	passes: func(name string) map[string]string {
		return goChange(name, `if Name() == "" { t.Fatal("no name") }`)
	},
	fails: func(name string) map[string]string { return goChange(name, `t.Fatalf("it is %s", Name())`) },
	flakes: func(name string) map[string]string {
		return goChange(name, `if story.First("flake-"+Name()) { t.Fatal("the warehouse did not answer") }`)
	},
	unbuilt: func(name string) map[string]string { return goChange(name, `var n int = Name(); _ = n`) },
	crashes: func(name string) map[string]string {
		return goChange(name, `syscall.Kill(os.Getpid(), syscall.SIGKILL); select {}`)
	},
	dies: func(name string) map[string]string {
		return goChange(name, `if story.First("dies-"+Name()) { syscall.Kill(0, syscall.SIGKILL); select {} }`)
	},
	retried: func(name string) map[string]string {
		return goChange(name, `if os.Getenv("GITHUB_EVENT_NAME") == "pull_request" && os.Getenv("GITHUB_RUN_ATTEMPT") == "1" { t.Fatal("not yet") }`)
	},
}

func goTest(name string) string { return "Test" + strings.ToUpper(name[:1]) + name[1:] }

// goChange is a package of this name with one test.
func goChange(name, body string) map[string]string {
	return map[string]string{
		name + "/" + name + ".go": fmt.Sprintf("// Package %s is new.\npackage %s\n\n// Name says which.\nfunc Name() string { return %q }\n", name, name, name),
		name + "/" + name + "_test.go": fmt.Sprintf(`package %s

import (
	"os"
	"syscall"
	"testing"

	"example.com/shop/story"
)

var _ = syscall.SIGKILL

func TestMain(m *testing.M) {
	story.Ran("example.com/shop/%s")
	os.Exit(m.Run())
}

func %s(t *testing.T) {
	%s
}
`, name, name, goTest(name), body),
	}
}

// pytestProject is a Python package with pytest, as Debian has it.
var pytestProject = project{
	runner: "pytest", layout: "run", suite: "unit",
	tools: func(t *testing.T) []string {
		python := tool(t, "PYTEST IS MISSING: no Python here has it, so none of its stories ran. Install it with: apt-get install python3-pytest",
			[]string{"python3", "/usr/bin/python3", "python"}, "-c", "import pytest")
		// A job has the one Python that its workflow set up.
		bin := t.TempDir()
		for _, name := range []string{"python3", "python"} {
			if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nexec "+python+" \"$@\"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
	},
	item:    pythonFile,
	test:    func(name string) string { return "test_" + name },
	passes:  func(name string) map[string]string { return pythonChange(name, `assert "new"`) },
	fails:   func(name string) map[string]string { return pythonChange(name, `assert 1 == 2`) },
	flakes:  func(name string) map[string]string { return pythonChange(name, `assert not story.first("flake")`) },
	unbuilt: func(name string) map[string]string { return pythonChange(name, `this is no Python`) },
	crashes: func(name string) map[string]string {
		return pythonChange(name, `os.kill(os.getpid(), 9)`)
	},
	dies: func(name string) map[string]string {
		return pythonChange(name, `if story.first("dies"): os.killpg(0, 9)`)
	},
	retried: func(name string) map[string]string {
		return pythonChange(name, `assert os.environ["GITHUB_EVENT_NAME"] != "pull_request" or os.environ["GITHUB_RUN_ATTEMPT"] != "1"`)
	},
}

func pythonFile(name string) string { return "tests/new/test_" + name + ".py" }

// pythonChange is a test file of this name with one test.
func pythonChange(name, body string) map[string]string {
	return map[string]string{pythonFile(name): fmt.Sprintf("import os\n\nimport story\n\n\ndef test_%s():\n    %s\n", name, body)}
}

// jestProject is a package with jest and jest-junit.
var jestProject = project{
	runner: "jest", layout: "plan", suite: "web",
	tools: func(t *testing.T) []string {
		const missing = "JEST IS MISSING, so none of its stories ran. Run `npm install jest jest-junit` in a folder and give that folder with MAINSTAY_JEST"
		tool(t, "NODE IS MISSING, so none of jest's stories ran: install node and npm, and set MAINSTAY_JEST", []string{"node"}, "--version")
		modules := filepath.Join(os.Getenv("MAINSTAY_JEST"), "node_modules")
		for _, name := range []string{"jest", "jest-junit"} {
			if _, err := os.Stat(filepath.Join(modules, name, "package.json")); err != nil || os.Getenv("MAINSTAY_JEST") == "" {
				t.Skip(missing)
			}
		}
		return []string{"NODE_MODULES=" + modules}
	},
	item:   jestFile,
	test:   func(name string) string { return name },
	passes: func(name string) map[string]string { return jestChange(name, `expect("new").toBe("new");`) },
	fails:  func(name string) map[string]string { return jestChange(name, `expect(1).toBe(2);`) },
	flakes: func(name string) map[string]string {
		return jestChange(name, `if (first("flake")) throw new Error("the warehouse did not answer");`)
	},
	unbuilt: func(name string) map[string]string { return jestChange(name, `const = ;`) },
	crashes: func(name string) map[string]string {
		return jestChange(name, `process.kill(process.pid, 9);`)
	},
	dies: func(name string) map[string]string {
		return jestChange(name, `if (first("dies")) process.kill(0, 9);`)
	},
	retried: func(name string) map[string]string {
		return jestChange(name, `expect(process.env.GITHUB_EVENT_NAME == "pull_request" && process.env.GITHUB_RUN_ATTEMPT == "1").toBe(false);`)
	},
}

func jestFile(name string) string { return "new/" + name + ".test.js" }

// jestChange is a test file of this name with one test.
func jestChange(name, body string) map[string]string {
	return map[string]string{jestFile(name): fmt.Sprintf("test(%q, () => {\n  %s\n});\n", name, body)}
}

// eachProject tells a story of every project, side by side.
func eachProject(t *testing.T, story func(t *testing.T, p project)) { eachOf(t, projects, story) }

func eachOf(t *testing.T, projects []project, story func(t *testing.T, p project)) {
	t.Parallel()
	for i, p := range projects {
		if !allSuites && t.Name() != "TestARealSuiteLandsWhatIsGreen" && i != turn(t.Name(), len(projects)) {
			continue
		}
		t.Run(p.runner, func(t *testing.T) { story(t, p) })
	}
}

// allSuites has every story told by every project, which takes long. Without it
// the first story is, and each other one is by the project whose turn it is.
var allSuites = os.Getenv("MAINSTAY_SUITES") == "all"

// turn is the number of the one of so many projects that tells a story.
func turn(name string, of int) int {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return int(hash.Sum32() % uint32(of))
}
