package git

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
)

// change is what one commit does to which paths, without the lines.
type change struct {
	entries []entry
	// outline is equal for two commits that touch the same paths in the same
	// way; only then is it worth comparing their lines.
	outline string
	// answered is false for a commit that changes nothing, and for two trees
	// that could not be compared: git is silent about both.
	answered bool
}

// entry is one path a commit changes.
type entry struct {
	oldMode, newMode, oldID, newID, path string
}

const (
	noID    = "0000000000000000000000000000000000000000"
	noMode  = "000000"
	gitlink = "160000"
)

func (ch *change) touchesAttributes() bool {
	for _, e := range ch.entries {
		if path.Base(e.path) == ".gitattributes" {
			return true
		}
	}
	return false
}

func (ch *change) seal() {
	sum := sha256.New()
	for _, e := range ch.entries {
		modes := ""
		if e.oldMode != e.newMode {
			modes = e.oldMode + e.newMode
		}
		fmt.Fprintf(sum, "%s\x00%s\x00", squeeze(e.path), modes)
	}
	ch.outline = string(sum.Sum(nil))
}

// squeeze drops white space, as git does before it compares patches.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\r", r) {
			return -1
		}
		return r
	}, text)
}

// The known changes are kept between builds: a base moves on by a few commits
// while the forks behind it stay.
const (
	knownChanges = 60_000
	longChange   = 100
)

// changesOf tells for each commit, or "tree tree" pair, what it changes. The error is
// errManyPaths when they change more than so many paths; 0 is no bound.
func (w *worker) changesOf(ctx context.Context, names []string, most int) (map[string]*change, error) {
	found := make(map[string]*change, len(names))
	var ask []string
	w.clone.mu.Lock()
	for _, name := range names {
		if ch := w.clone.changes[name]; ch != nil {
			found[name] = ch
		} else if found[name] == nil {
			found[name] = &change{}
			ask = append(ask, name)
		}
	}
	w.clone.mu.Unlock()
	if len(ask) == 0 {
		return found, nil
	}
	argv := []string{"git", "diff-tree", "--stdin", "-r", "--root", "--raw", "-z", "--no-abbrev", "--no-renames"}
	request := strings.Join(ask, "\n") + "\n" + mark + "\n"
	if err := w.ask(ctx, &w.raw, argv, request, func(out *bufio.Reader) error { return readChanges(out, found, most) }); err != nil {
		return nil, err
	}
	w.clone.mu.Lock()
	defer w.clone.mu.Unlock()
	if len(w.clone.changes) > knownChanges {
		clear(w.clone.changes)
	}
	for _, name := range ask {
		if strings.Contains(name, " ") && !found[name].answered {
			return nil, fmt.Errorf("a tree of %s is not in the clone", name)
		}
		found[name].seal()
		if len(found[name].entries) <= longChange {
			w.clone.changes[name] = found[name]
		}
	}
	return found, nil
}

// mark is a line that diff-tree doesn't understand: it gives it back and
// flushes, which is how we know that all answers before it are there.
const mark = "mark"

func readChanges(out *bufio.Reader, found map[string]*change, most int) error {
	var at *change
	for paths := 0; ; {
		first, err := out.Peek(1)
		if err != nil {
			return err
		}
		if first[0] == mark[0] {
			_, err := out.ReadString('\n')
			return err
		}
		if first[0] == ':' {
			if at == nil {
				return errors.New("a change without a commit")
			}
			e, err := readEntry(out)
			if err != nil {
				return err
			}
			at.entries = append(at.entries, e)
			if paths++; most > 0 && paths > most {
				return errManyPaths
			}
			continue
		}
		name, err := readName(out)
		if err != nil {
			return err
		}
		if at = found[name]; at == nil {
			return fmt.Errorf("an answer nobody asked for: %.100q", name)
		}
		at.answered = true
	}
}

// readName reads the header before a commit's entries, which ends in NUL, or
// before those of two trees, which ends in a line feed.
func readName(out *bufio.Reader) (string, error) {
	var name []byte
	for {
		b, err := out.ReadByte()
		if err != nil {
			return "", err
		}
		if b == 0 || b == '\n' {
			return string(name), nil
		}
		if name = append(name, b); len(name) > 100 {
			return "", fmt.Errorf("odd answer %q", name)
		}
	}
}

func readEntry(out *bufio.Reader) (entry, error) {
	meta, err := out.ReadString(0)
	if err != nil {
		return entry{}, err
	}
	name, err := out.ReadString(0)
	if err != nil {
		return entry{}, err
	}
	f := strings.Fields(strings.Trim(meta, ":\x00"))
	if len(f) != 5 {
		return entry{}, fmt.Errorf("odd change %.120q", meta)
	}
	return entry{oldMode: f[0], newMode: f[1], oldID: f[2], newID: f[3], path: strings.TrimSuffix(name, "\x00")}, nil
}

// patchID names the lines a commit, or a "tree tree" pair, changes; two with
// the same id are the same patch to git rebase, wherever they stand.
func (w *worker) patchID(ctx context.Context, name string) (string, error) {
	w.clone.mu.Lock()
	id := w.clone.texts[name]
	w.clone.mu.Unlock()
	if id != "" {
		return id, nil
	}
	argv := []string{"git", "diff-tree", "--stdin", "-r", "--root", "-p", "--full-index", "--no-renames",
		"--no-indent-heuristic", "--no-color", "--no-ext-diff", "--no-textconv", "--unified=3"}
	err := w.ask(ctx, &w.text, argv, name+"\n"+mark+"\n", func(out *bufio.Reader) (err error) {
		id, err = readPatch(out)
		return err
	})
	if err != nil {
		return "", err
	}
	w.clone.mu.Lock()
	defer w.clone.mu.Unlock()
	if len(w.clone.texts) > knownChanges {
		clear(w.clone.texts)
	}
	w.clone.texts[name] = id
	return id, nil
}

// readPatch hashes a patch as git does for its patch ids: without white space,
// without line numbers, and binary files by their ids.
func readPatch(out *bufio.Reader) (string, error) {
	sum := sha256.New()
	index, empty := "", true
	for {
		start, err := readLine(out, sum)
		if err != nil {
			return "", err
		}
		switch {
		case start == mark && empty:
			return "", errors.New("no patch for a commit that changes something")
		case start == mark:
			return hex.EncodeToString(sum.Sum(nil)), nil
		case strings.HasPrefix(start, "index "):
			index = start
		case strings.HasPrefix(start, "Binary files "):
			io.WriteString(sum, index)
		}
		empty = empty && isID(strings.SplitN(start, " ", 2)[0])
	}
}

// readLine feeds one line to sum, unless it is one that doesn't count, and
// gives its beginning.
func readLine(out *bufio.Reader, sum hash.Hash) (string, error) {
	start, skip := "", false
	for first := true; ; first = false {
		part, err := out.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if first {
			start = strings.TrimSuffix(string(part[:min(len(part), 200)]), "\n")
			skip = start == mark || strings.HasPrefix(start, "index ") || strings.HasPrefix(start, "@@ ") ||
				strings.HasPrefix(start, "\\ ") || isID(strings.SplitN(start, " ", 2)[0])
		}
		if !skip {
			sum.Write(squeezed(part))
		}
		if err == nil {
			return start, nil
		}
	}
}

func squeezed(line []byte) []byte {
	kept := make([]byte, 0, len(line))
	for _, b := range line {
		if b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			kept = append(kept, b)
		}
	}
	return kept
}
