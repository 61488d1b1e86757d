package suite

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// locator finds the file and line that a test's output points at, and names the
// file relative to the repository.
type locator struct {
	root, dir, module string
}

func newLocator(s Suite) locator {
	l := locator{dir: absolute(s.Dir), root: absolute(s.Root)}
	if s.Root == "" {
		l.root = l.dir
	}
	file, err := os.Open(filepath.Join(l.dir, "go.mod"))
	if err != nil {
		return l
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(scanner.Text()), "module "); ok {
			name, _, _ := strings.Cut(rest, "//")
			l.module = strings.Trim(strings.TrimSpace(name), `"`)
			break
		}
	}
	return l
}

// find looks for the first "file.go:42" that is a file of the package: by its
// bare name as testing prints it, or by an absolute path as a panic does. It
// returns "" and 0 where there is none.
func (l locator) find(pkg, output string) (string, int) {
	inside, ok := strings.CutPrefix(pkg, l.module)
	if l.module == "" || !ok || (inside != "" && inside[0] != '/') {
		return "", 0
	}
	folder := filepath.Join(l.dir, filepath.FromSlash(inside))
	return l.first(output, func(name string) (string, bool) {
		if !filepath.IsAbs(name) {
			return filepath.Join(folder, name), filepath.Base(name) == name
		}
		return name, filepath.Dir(name) == folder
	})
}

// findBuild looks for the first "path/file.go:12:5" of a compiler, whose paths
// are relative to where it was started.
func (l locator) findBuild(output string) (string, int) {
	return l.first(output, func(name string) (string, bool) {
		if filepath.IsAbs(name) {
			return name, true
		}
		return filepath.Join(l.dir, name), filepath.IsLocal(name)
	})
}

// first goes through the words of output for one that names a line of a Go file
// which place accepts and which is there.
func (l locator) first(output string, place func(name string) (string, bool)) (string, int) {
	for line := range strings.Lines(output) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, rest, ok := strings.Cut(word, ".go:")
		if !ok {
			continue
		}
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		number, err := strconv.Atoi(digits)
		if err != nil || number < 1 {
			continue
		}
		path, ok := place(filepath.FromSlash(name + ".go"))
		if !ok {
			continue
		}
		rel, err := filepath.Rel(l.root, path)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		return filepath.ToSlash(rel), number
	}
	return "", 0
}

func absolute(dir string) string {
	path, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	return path
}
