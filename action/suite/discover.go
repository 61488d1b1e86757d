package suite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Discover lists what the suite consists of. What the list command or go list
// say on standard error goes to log. The error is an ErrUsage where the
// workflow is wrong.
func (s Suite) Discover(ctx context.Context, log io.Writer) (Inventory, error) {
	var inv Inventory
	var err error
	switch {
	case s.ListCommand != "":
		inv.Items, err = s.listByCommand(ctx, log)
	case s.Runner == Go:
		inv, err = s.listPackages(ctx, log)
	case s.Runner == Pytest:
		inv.Items, err = s.listPytest()
	case s.Runner == Jest:
		inv.Items, err = s.listJest(ctx, log)
	default:
		inv.Items, err = s.listByPatterns(nil)
	}
	if err != nil {
		return Inventory{}, err
	}
	inv.Items, inv.Untested = shard.Normalise(inv.Items), shard.Normalise(inv.Untested)
	if inv.Bytes == nil {
		inv.Bytes = s.sizes(inv.Items)
	}
	return inv, checkItems(inv.Items)
}

// goList prints a package a line: path, its files of tests with a slash after
// each, has other sources, error, folder.
const goList = `{{.ImportPath}}{{"\t"}}{{range .TestGoFiles}}{{.}}/{{end}}{{range .XTestGoFiles}}{{.}}/{{end}}{{"\t"}}` +
	`{{if or .GoFiles .CgoFiles}}sources{{end}}{{"\t"}}{{with .Error}}{{printf "%q" .Err}}{{end}}{{"\t"}}{{.Dir}}`

func (s Suite) listPackages(ctx context.Context, log io.Writer) (Inventory, error) {
	patterns, err := s.packagePatterns()
	if err != nil {
		return Inventory{}, err
	}
	// -e: a package that does not load is an item too; running it names the fault.
	// -find: nobody asks for its imports.
	args := append([]string{"list", "-e", "-find", "-f", goList, "--"}, patterns...)
	out, err := s.output(ctx, append([]string{"go"}, args...), log)
	if err != nil {
		return Inventory{}, fmt.Errorf("list packages %s: %w", strings.Join(patterns, " "), err)
	}
	inv := Inventory{Bytes: map[string]int64{}}
	for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		fields := strings.SplitN(line, "\t", 5)
		switch {
		case len(fields) < 5:
		case fields[1] != "":
			inv.Items = append(inv.Items, fields[0])
			for name := range strings.SplitSeq(fields[1], "/") {
				inv.Bytes[fields[0]] += size(filepath.Join(fields[4], name), name != "")
			}
		case fields[2] != "":
			inv.Untested = append(inv.Untested, fields[0])
		case fields[3] != "":
			return Inventory{}, fmt.Errorf("%w: package %s: %s", ErrUsage, fields[0], fields[3])
		}
	}
	return inv, nil
}

func (s Suite) packagePatterns() ([]string, error) {
	patterns := strings.Fields(s.Tests)
	if len(patterns) == 0 {
		return []string{"./..."}, nil
	}
	for _, pattern := range patterns {
		if strings.HasPrefix(pattern, "-") {
			return nil, fmt.Errorf("%w: package pattern %q begins with a dash", ErrUsage, pattern)
		}
	}
	return patterns, nil
}

func (s Suite) listByCommand(ctx context.Context, log io.Writer) ([]string, error) {
	words, err := splitWords(s.ListCommand)
	if err != nil {
		return nil, fmt.Errorf("list-command: %w", err)
	}
	out, err := s.output(ctx, words, log)
	if err != nil {
		return nil, fmt.Errorf("list-command: %w", err)
	}
	items := lines(out)
	for i, item := range items {
		items[i] = s.relative(item)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: list-command printed nothing", ErrUsage)
	}
	return items, nil
}

// relative makes an absolute path inside the suite's folder relative to it: other
// runners of the same suite may have the checkout elsewhere. Some tools print
// the folder's name without its symbolic links.
func (s Suite) relative(item string) string {
	if !filepath.IsAbs(item) {
		return filepath.ToSlash(item)
	}
	dir := absolute(s.Dir)
	for range 2 {
		if rel, err := filepath.Rel(dir, item); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
	}
	return item
}

// listByPatterns reads Tests: a line is an item; with * ? [ or { a glob over
// files; with ! in front what to leave out. Where below is given, a folder
// stands for the files below it.
func (s Suite) listByPatterns(below func(folder string) ([]string, error)) ([]string, error) {
	var items, without []string
	root := os.DirFS(dirOr(s.Dir))
	for _, line := range lines(s.Tests) {
		pattern, exclude := strings.CutPrefix(line, "!")
		if exclude {
			without = append(without, path.Clean(pattern))
			continue
		}
		if info, err := fs.Stat(root, path.Clean(line)); below != nil && err == nil && info.IsDir() {
			found, err := below(line)
			if err != nil {
				return nil, err
			}
			items = append(items, found...)
			continue
		}
		if !strings.ContainsAny(line, "*?[{") {
			items = append(items, line)
			continue
		}
		found, err := doublestar.Glob(root, path.Clean(line), doublestar.WithFilesOnly())
		if err != nil {
			return nil, fmt.Errorf("%w: tests: pattern %q: %w", ErrUsage, line, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%w: tests: pattern %q matches no file", ErrUsage, line)
		}
		items = append(items, found...)
	}
	kept := items[:0]
	for _, item := range items {
		if !matchesAny(without, item) {
			kept = append(kept, item)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("%w: no items: give tests or list-command", ErrUsage)
	}
	return kept, nil
}

func matchesAny(patterns []string, item string) bool {
	for _, pattern := range patterns {
		if ok, err := doublestar.Match(pattern, item); ok && err == nil {
			return true
		}
	}
	return false
}

// output runs words and returns what they print.
func (s Suite) output(ctx context.Context, words []string, log io.Writer) (string, error) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.Dir, childEnv(), waitDelay
	var out bytes.Buffer
	show := &lineWriter{line: func(line []byte) { fmt.Fprintln(log, shard.Harmless(string(line))) }}
	cmd.Stdout, cmd.Stderr = &out, show
	err := cmd.Run()
	show.flush()
	if err != nil {
		return "", fmt.Errorf("run %s: %w", words[0], err)
	}
	return out.String(), nil
}

func dirOr(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

// sizes is how large the items are that are files.
func (s Suite) sizes(items []string) map[string]int64 {
	found := make(map[string]int64, len(items))
	for _, item := range items {
		file, _, _ := strings.Cut(item, "::")
		found[item] = size(filepath.Join(s.Dir, filepath.FromSlash(file)), filepath.IsLocal(file))
	}
	return found
}

// size is a file's size; zero where it is none, or not wanted.
func size(file string, wanted bool) int64 {
	if !wanted {
		return 0
	}
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
