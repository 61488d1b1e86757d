package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	mainstay "github.com/mainstay-ci/mainstay"
)

// built is where this test's binaries and the Action lie, made once.
var built struct {
	dir               string
	server, action    sync.Once
	serverErr, actErr error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mainstay-test-")
	if err != nil {
		panic(err)
	}
	built.dir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func buildBinary(name, pkg string) error {
	cmd := exec.Command("go", "build", "-o", filepath.Join(built.dir, name), pkg)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// serverBinary is the real `mainstay`.
func serverBinary(t *testing.T) string {
	t.Helper()
	built.server.Do(func() { built.serverErr = buildBinary("mainstay", "github.com/mainstay-ci/mainstay/server") })
	if built.serverErr != nil {
		t.Fatalf("build the server: %v", built.serverErr)
	}
	return filepath.Join(built.dir, "mainstay")
}

// actionOfThisTree is the Action as a workflow uses it, for the sandbox's runner.
func actionOfThisTree(t *testing.T) (actions map[string]string, jobEnv []string) {
	t.Helper()
	at := filepath.Join(built.dir, "action")
	built.action.Do(func() {
		if built.actErr = buildBinary("mainstay-action", "github.com/mainstay-ci/mainstay/action"); built.actErr != nil {
			return
		}
		built.actErr = fs.WalkDir(mainstay.ActionFiles, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := mainstay.ActionFiles.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(at, path)), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(at, path), body, 0o755)
		})
	})
	if built.actErr != nil {
		t.Fatalf("lay the Action out: %v", built.actErr)
	}
	for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOPATH", "GOROOT", "GOTOOLCHAIN", "TMPDIR"} {
		if v := os.Getenv(name); v != "" {
			jobEnv = append(jobEnv, name+"="+v)
		}
	}
	return map[string]string{"mainstay-ci/mainstay": at}, append(jobEnv, "GOPROXY=off", "GOFLAGS=-mod=mod", "LC_ALL=C",
		"MAINSTAY_ACTION_BIN="+filepath.Join(built.dir, "mainstay-action"))
}
