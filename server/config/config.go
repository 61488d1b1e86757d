package config

import (
	"fmt"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// MaxSize is the largest file that is read, in bytes.
const MaxSize = 64 << 10

// Config is one file, read without a mistake.
type Config struct {
	rules []rule
}

// rule is one item under queues.
type rule struct {
	branch   string // a name or a glob; empty: the default branch
	settings queue.Settings
}

// For gives the settings of a branch's queue: those of the first item that names
// it, else queue.Defaults. A nil Config is a repository without a file.
func (c *Config) For(branch, defaultBranch string) queue.Settings {
	if c == nil {
		return queue.Defaults()
	}
	for _, r := range c.rules {
		if r.branch == "" && branch == defaultBranch || r.branch != "" && match(r.branch, branch) {
			return r.settings
		}
	}
	return queue.Defaults()
}

// Warning is something in a file that does not keep it from being used.
type Warning struct {
	File         string
	Line, Column int    // from 1
	Key          string // as in batch.size; empty for the file as a whole
	Text         string
}

// String reads like a compiler's line.
func (w Warning) String() string {
	if w.Key == "" {
		return fmt.Sprintf("%s:%d:%d: %s", w.File, w.Line, w.Column, w.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", w.File, w.Line, w.Column, w.Key, w.Text)
}

// Errors is everything that is wrong with a file, in its order.
type Errors []Warning

// Error gives a line to each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Parse reads a file; path is only what messages call it. Warnings come with or
// without an error. The error is of type Errors, and there is no Config then.
func Parse(path string, src []byte) (*Config, []Warning, error) {
	r := &reader{file: path}
	c := r.read(src)
	if len(r.errors) > 0 {
		return nil, r.warnings, r.errors
	}
	return c, r.warnings, nil
}
