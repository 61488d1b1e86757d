package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	mainstay "github.com/mainstay-ci/mainstay"
)

// laidAction is the Action as the box's workflows use it: the files of this
// repository, and its binary.
type laidAction struct{ dir, binary string }

// layAction puts the Action where the box's runner finds it. Its binary lies
// beside this one (make build), or is built from source.
func layAction(ctx context.Context, dir, binaries string) (laidAction, error) {
	a := laidAction{dir: filepath.Join(dir, "action"), binary: filepath.Join(binaries, "mainstay-action")}
	err := fs.WalkDir(mainstay.ActionFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := mainstay.ActionFiles.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(a.dir, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, body, 0o755)
	})
	if err != nil {
		return a, fmt.Errorf("lay the Action out: %w", err)
	}
	if _, err := os.Stat(a.binary); err == nil {
		return a, nil
	}
	a.binary = filepath.Join(dir, "mainstay-action")
	build := exec.CommandContext(ctx, "go", "build", "-o", a.binary, "github.com/mainstay-ci/mainstay/action")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return a, errors.New("the Action's binary is neither beside this one nor could it be built here; run `make build` in a checkout of Mainstay: " + string(out))
	}
	return a, nil
}
