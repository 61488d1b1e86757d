package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// merged is how one three-way merge ended: with a tree, or with the files in
// conflict.
type merged struct {
	tree  string
	files []string // nil when it is clean
	clean bool
}

// firstAnswer is how long the merging child may take to show that it answers
// at all; where stdbuf has no effect on git it never does.
const firstAnswer = 20 * time.Second

// pickOnto merges what x changes over its parent into the tree of onto, as a
// cherry-pick does. merge-tree finds its merge base in history, so history is
// made up: a scratch commit with onto's tree and x's parent.
func (w *worker) pickOnto(ctx context.Context, onto string, x commit, rules string) (merged, error) {
	theirs := x.id
	var parent string
	var err error
	if len(x.parents) > 0 {
		parent = x.parents[0]
	} else {
		// A root commit picks against nothing, so both sides get an empty base.
		if parent, err = w.scratchCommit(emptyTree, ""); err != nil {
			return merged{}, err
		}
		if theirs, err = w.scratchCommit(x.tree, parent); err != nil {
			return merged{}, err
		}
	}
	ours, err := w.scratchCommit(onto, parent)
	if err != nil {
		return merged{}, err
	}
	return w.mergeOrWarm(ctx, ours, theirs, rules)
}

// mergeOrWarm merges; where that is in trouble, once more with all that it reads.
func (w *worker) mergeOrWarm(ctx context.Context, ours, theirs, rules string) (merged, error) {
	m, err := w.merge(ctx, ours, theirs, rules)
	var bad *trouble
	if !errors.As(err, &bad) {
		return m, err
	}
	// Most likely a blob is missing that only rename detection asks for: let
	// git fetch what it wants, then ask again.
	if err := w.warm(ctx, ours, theirs); err != nil {
		return merged{}, err
	}
	return w.merge(ctx, ours, theirs, rules)
}

func (w *worker) scratchCommit(tree, parent string) (string, error) {
	if parent == "" {
		return w.scratchMerge(tree, nil)
	}
	return w.scratchMerge(tree, []string{parent})
}

func (w *worker) scratchMerge(tree string, parents []string) (string, error) {
	text := "tree " + tree + "\n"
	for _, parent := range parents {
		text += "parent " + parent + "\n"
	}
	// A late date ends git's search for the merge base at the parent.
	text += "author s <s> 4000000000 +0000\ncommitter s <s> 4000000000 +0000\n\ns\n"
	if tree == emptyTree {
		if _, err := w.scratchObject("tree", nil); err != nil {
			return "", err
		}
	}
	return w.scratchObject("commit", []byte(text))
}

func (w *worker) mergeSettings(rules string) command {
	return command{
		settings: []setting{{"core.attributesFile", rules}, {"core.fsync", "none"}, {"core.looseCompression", "0"}},
		environ:  []string{"GIT_OBJECT_DIRECTORY=" + w.scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES=" + quote(w.clone.dir+"/objects")},
	}
}

// merge asks the resident child, or a process of its own where none can stay.
func (w *worker) merge(ctx context.Context, ours, theirs, rules string) (merged, error) {
	if w.clone.oneByOne.Load() {
		return w.mergeOnce(ctx, ours, theirs, rules)
	}
	if err := w.mergesWith(rules); err != nil {
		return merged{}, err
	}
	var m merged
	k := w.merges
	err := k.ask(ctx, []byte(ours+" "+theirs+"\n"), func(out *bufio.Reader) (err error) {
		status, err := out.ReadString(0)
		if err != nil {
			return err
		}
		m, err = readMerge(out, status == "1\x00")
		return err
	})
	if err != nil {
		w.merges = nil
		var bad *trouble
		if errors.As(err, &bad) && bad.silent && k.limit != answerLimit {
			w.clone.log.Warn("git merge-tree does not answer while it stays; one process a commit from now on")
			w.clone.oneByOne.Store(true)
		}
		return merged{}, err
	}
	k.limit = answerLimit
	return m, nil
}

// mergesWith has the merging child run under these attributes.
func (w *worker) mergesWith(rules string) error {
	if w.merges != nil && w.rules == rules {
		return nil
	}
	if w.merges != nil {
		w.merges.end()
		w.merges = nil
	}
	argv := []string{"git", "merge-tree", "--write-tree", "--allow-unrelated-histories", "-z", "--stdin"}
	if w.clone.version.before(flushes) {
		argv = append([]string{w.clone.stdbuf, "-o0"}, argv...)
	}
	k, err := w.clone.start(argv, w.mergeSettings(rules))
	if err != nil {
		return err
	}
	k.limit = firstAnswer
	w.merges, w.rules = k, rules
	return nil
}

// mergeOnce is one merge in a process of its own.
func (w *worker) mergeOnce(ctx context.Context, ours, theirs, rules string) (merged, error) {
	cmd := w.mergeSettings(rules)
	cmd.args = []string{"merge-tree", "--write-tree", "--allow-unrelated-histories", "-z", "--messages", ours, theirs}
	res, err := w.clone.run(ctx, cmd)
	if err != nil {
		return merged{}, err
	}
	if res.code > 1 {
		return merged{}, &trouble{err: fmt.Errorf("git merge-tree: %s", brief(res.stderr))}
	}
	if res.code == 0 {
		tree, _, _ := strings.Cut(string(res.stdout), "\x00")
		return merged{tree: tree, clean: true}, checkID(tree)
	}
	return readMerge(bufio.NewReader(bytes.NewReader(append(res.stdout, 0))), false)
}

// scratchSeen lets a command read what is in scratch, and write elsewhere.
func (w *worker) scratchSeen() []string {
	return []string{"GIT_ALTERNATE_OBJECT_DIRECTORIES=" + quote(w.scratch)}
}

// warm does a merge with the remote at hand, only for the blobs it brings.
func (w *worker) warm(ctx context.Context, ours, theirs string) error {
	cmd := command{network: true, environ: w.scratchSeen(), args: []string{"merge-tree", "--write-tree", "--allow-unrelated-histories", ours, theirs}}
	res, err := w.clone.run(ctx, cmd)
	if err == nil && res.code > 1 {
		err = fmt.Errorf("git merge-tree: %s", brief(res.stderr))
	}
	return err
}

// readMerge reads a record from its tree on: the tree; for a conflict the
// stages of each file, an empty field, and messages with the paths they are
// about; at the end an empty field.
func readMerge(out *bufio.Reader, clean bool) (merged, error) {
	field := func() (string, error) {
		text, err := out.ReadString(0)
		return strings.TrimSuffix(text, "\x00"), err
	}
	tree, err := field()
	if err != nil {
		return merged{}, err
	}
	m := merged{tree: tree, clean: clean}
	if err := checkID(tree); err != nil {
		return merged{}, err
	}
	files := map[string]bool{}
	for {
		stage, err := field()
		if err != nil {
			return merged{}, err
		}
		if stage == "" {
			break
		}
		_, file, _ := strings.Cut(stage, "\t")
		files[file] = true
	}
	if clean {
		return m, nil
	}
	if err := readMessages(field, files); err != nil {
		return merged{}, err
	}
	for file := range files {
		m.files = append(m.files, file)
	}
	sort.Strings(m.files)
	return m, nil
}

// readMessages reads to the end of a record. A conflict without stages (a
// renamed folder, say) is only told here.
func readMessages(field func() (string, error), files map[string]bool) error {
	staged := len(files) > 0
	for {
		text, err := field()
		if err != nil || text == "" {
			return err
		}
		count, err := strconv.Atoi(text)
		if err != nil || count < 0 || count > 1<<20 {
			return fmt.Errorf("odd count %.40q", text)
		}
		paths := make([]string, count)
		for i := range paths {
			if paths[i], err = field(); err != nil {
				return err
			}
		}
		kind, err := field()
		if err != nil {
			return err
		}
		if _, err := field(); err != nil {
			return err
		}
		for _, file := range paths {
			if !staged && strings.HasPrefix(kind, "CONFLICT") {
				files[file] = true
			}
		}
	}
}
