package suite

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// jest finds the project's own jest. npx is for those that keep it elsewhere,
// and downloads nothing.
func (s Suite) jest() []string {
	for dir := absolute(s.Dir); ; dir = filepath.Dir(dir) {
		script := filepath.Join(dir, "node_modules", "jest", "bin", "jest.js")
		if info, err := os.Stat(script); err == nil && info.Mode().IsRegular() {
			return []string{"node", script}
		}
		if dir == filepath.Dir(dir) {
			return []string{"npx", "--no-install", "jest"}
		}
	}
}

// listJest lists the test files: those that tests names, or all that jest finds.
func (s Suite) listJest(ctx context.Context, log io.Writer) ([]string, error) {
	if strings.TrimSpace(s.Tests) != "" {
		return s.listByPatterns(nil)
	}
	out, err := s.output(ctx, append(s.jest(), "--listTests"), log)
	if err != nil {
		return nil, fmt.Errorf("%w: list tests with jest: %w", ErrUsage, err)
	}
	items := lines(out)
	for i, item := range items {
		items[i] = s.relative(item)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: jest finds no test file: give tests or list-command", ErrUsage)
	}
	return items, nil
}
