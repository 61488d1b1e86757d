package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ParseRunner reads a runner's name. "auto" is what the folder's own files say:
// go.mod, then pytest's, then a package.json that names jest; Generic elsewhere.
// The error is an ErrUsage.
func ParseRunner(name, dir string) (Runner, error) {
	switch Runner(name) {
	case Go, Pytest, Jest, Generic:
		return Runner(name), nil
	case "", "auto":
		return detect(dir), nil
	}
	return "", fmt.Errorf("%w: unknown runner %q (there are go, pytest, jest, generic and auto)", ErrUsage, name)
}

func detect(dir string) Runner {
	has := func(name, text string) bool {
		found, err := os.ReadFile(filepath.Join(dir, name))
		return err == nil && strings.Contains(string(found), text)
	}
	switch {
	case has("go.mod", ""):
		return Go
	case has("pytest.ini", ""), has(".pytest.ini", ""), has("conftest.py", ""), has("pyproject.toml", "[tool.pytest"),
		has("setup.cfg", "[tool:pytest]"), has("tox.ini", "[pytest]"):
		return Pytest
	case namesJest(dir):
		return Jest
	}
	return Generic
}

// namesJest tells whether a folder's package.json sets jest up or depends on it.
func namesJest(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return false
	}
	var file struct {
		Jest                          json.RawMessage
		Dependencies, DevDependencies map[string]json.RawMessage
	}
	if json.Unmarshal(text, &file) != nil {
		return false
	}
	_, uses := file.Dependencies["jest"]
	_, tests := file.DevDependencies["jest"]
	return uses || tests || file.Jest != nil
}
