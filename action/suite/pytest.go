package suite

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// pytest finds the pytest of the job: the module of the first Python that has
// it, or else the program. The error is an ErrUsage.
func (s Suite) pytest() ([]string, error) {
	pythons := []string{"python3", "python"}
	if runtime.GOOS == "windows" {
		pythons = []string{"python", "python3"}
	}
	var tried []string
	for _, python := range pythons {
		name, err := exec.LookPath(python)
		if err != nil {
			continue
		}
		tried = append(tried, name)
		probe := exec.Command(name, "-c", "import pytest")
		probe.Dir, probe.Env = s.Dir, childEnv()
		if probe.Run() == nil {
			return []string{python, "-m", "pytest"}, nil
		}
	}
	if _, err := exec.LookPath("pytest"); err == nil {
		return []string{"pytest"}, nil
	}
	if len(tried) == 0 {
		return nil, fmt.Errorf("%w: there is neither a Python nor a pytest here: set one up in an earlier step, or give command", ErrUsage)
	}
	return nil, fmt.Errorf("%w: pytest is not installed for %s: install it in an earlier step, or give command", ErrUsage, strings.Join(tried, ", "))
}

// notRecursed are the folders that pytest does not look into by itself.
var notRecursed = []string{"*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}", "__pycache__"}

// listTestFiles lists the files below a folder that pytest would collect from,
// by their names; nothing is imported.
func (s Suite) listTestFiles(folder string, names []string) ([]string, error) {
	var found []string
	root := os.DirFS(dirOr(s.Dir))
	err := fs.WalkDir(root, path.Clean(folder), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != path.Clean(folder) && (anyMatch(notRecursed, entry.Name()) || isVirtualenv(root, name)) {
				return fs.SkipDir
			}
			return nil
		}
		if anyMatch(names, entry.Name()) {
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: list the tests in %s: %w", ErrUsage, folder, err)
	}
	return found, nil
}

func isVirtualenv(root fs.FS, folder string) bool {
	_, err := fs.Stat(root, path.Join(folder, "pyvenv.cfg"))
	return err == nil
}

func anyMatch(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// listPytest lists the test files: of tests, where a folder stands for those
// below it, or of what pytest's own configuration says.
func (s Suite) listPytest() ([]string, error) {
	names, folders := s.pytestConfig()
	if strings.TrimSpace(s.Tests) != "" {
		return s.listByPatterns(func(folder string) ([]string, error) { return s.listTestFiles(folder, names) })
	}
	var items []string
	for _, folder := range folders {
		if info, err := os.Stat(filepath.Join(s.Dir, folder)); err == nil && !info.IsDir() {
			items = append(items, path.Clean(filepath.ToSlash(folder)))
			continue
		}
		found, err := s.listTestFiles(folder, names)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: no file %s below %s: give tests or list-command", ErrUsage, strings.Join(names, " or "), strings.Join(folders, ", "))
	}
	return items, nil
}

// pytestUsage is pytest's exit code where its command line names what isn't there.
const pytestUsage = 4
