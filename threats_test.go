package mainstay_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/threats.md says is held by a test is held by a test that exists.
func TestEveryThreatHasItsTests(t *testing.T) {
	text, err := os.ReadFile("docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	written := testsWritten(t)
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| threat ") || strings.HasPrefix(line, "| what ") {
			continue
		}
		rows++
		found := name.FindAllStringSubmatch(line, -1)
		if len(found) == 0 {
			t.Errorf("no test holds %.80q", line)
		}
		for _, m := range found {
			if !written[m[1]] {
				t.Errorf("there is no %s, which is to hold %.60q", m[1], line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows were found", rows)
	}
}

// testsWritten are the names of all tests and fuzz targets of the repository.
func testsWritten(t *testing.T) map[string]bool {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	written := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		body, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(body), -1) {
			written[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatalf("list the tests: %v", err)
	}
	return written
}
