package sandbox

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Commit writes a commit on top of a branch (or commit id; "" starts a history)
// with some files put in place of what was there, and returns its id. No ref
// moves: that is Push. A file whose content is Deleted goes away; a path that
// ends in "*" gets the executable bit.
func (r *Repository) Commit(on string, files map[string]string, message string) (string, error) {
	return r.CommitAt(on, files, message, r.forge.now())
}

// Deleted is the content that takes a file away.
const Deleted = "\x00deleted"

// CommitAt is Commit at a time of the caller's choice.
func (r *Repository) CommitAt(on string, files map[string]string, message string, when time.Time) (string, error) {
	parent := on
	if on != "" && !isSHA(on) {
		if parent = r.Ref(on); parent == "" {
			return "", fmt.Errorf("commit on %s: no such branch", on)
		}
	}
	tree, parents := "", []string(nil)
	if parent != "" {
		c, err := r.objects.commit(parent)
		if err != nil {
			return "", fmt.Errorf("commit on %s: %w", on, err)
		}
		tree, parents = c.tree, []string{parent}
	}
	tree, err := r.editTree(tree, files)
	if err != nil {
		return "", fmt.Errorf("commit on %s: %w", on, err)
	}
	return r.writeCommit(tree, parents, message, when)
}

func (r *Repository) writeCommit(tree string, parents []string, message string, when time.Time) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, parent := range parents {
		fmt.Fprintf(&b, "parent %s\n", parent)
	}
	stamp := fmt.Sprintf("Sandbox <sandbox@example.invalid> %d +0000", when.Unix())
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s\n", stamp, stamp, strings.TrimRight(message, "\n"))
	return r.objects.write("commit", []byte(b.String()))
}

// editTree puts the files into the tree and returns the new tree's id.
func (r *Repository) editTree(tree string, files map[string]string) (string, error) {
	var entries []treeEntry
	if tree != "" {
		var err error
		if entries, err = r.objects.tree(tree); err != nil {
			return "", err
		}
	}
	below := map[string]map[string]string{}
	place := func(e treeEntry) {
		kept := entries[:0]
		for _, old := range entries {
			if old.name != e.name {
				kept = append(kept, old)
			}
		}
		if entries = kept; e.id != "" {
			entries = append(entries, e)
		}
	}
	for path, content := range files {
		if folder, rest, deep := strings.Cut(path, "/"); deep {
			if below[folder] == nil {
				below[folder] = map[string]string{}
			}
			below[folder][rest] = content
			continue
		}
		if path == "" || path == "." || path == ".." || path == ".git" {
			return "", errors.New("bad path")
		}
		entry := treeEntry{mode: "100644", name: path}
		if name, executable := strings.CutSuffix(path, "*"); executable {
			entry = treeEntry{mode: "100755", name: name}
		}
		if content != Deleted {
			var err error
			if entry.id, err = r.objects.write("blob", []byte(content)); err != nil {
				return "", err
			}
		}
		place(entry)
	}
	folders := make([]string, 0, len(below))
	for folder := range below {
		folders = append(folders, folder)
	}
	sort.Strings(folders)
	for _, folder := range folders {
		under := ""
		for _, old := range entries {
			if old.name == folder && old.mode == "40000" {
				under = old.id
			}
		}
		id, err := r.editTree(under, below[folder])
		if err != nil {
			return "", err
		}
		if id == emptyTree {
			id = ""
		}
		place(treeEntry{"40000", folder, id})
	}
	return r.objects.writeTree(entries)
}

const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// readPath returns a blob's content and id, or a folder's entries, at a commit.
func (r *Repository) readPath(sha, path string) (content []byte, id string, entries []treeEntry, err error) {
	c, err := r.objects.commit(sha)
	if err != nil {
		return nil, "", nil, err
	}
	id, kind := c.tree, "40000"
	for _, part := range strings.FieldsFunc(path, func(c rune) bool { return c == '/' }) {
		if entries, err = r.objects.tree(id); err != nil {
			return nil, "", nil, err
		}
		id = ""
		for _, e := range entries {
			if e.name == part {
				id, kind = e.id, e.mode
			}
		}
		if id == "" {
			return nil, "", nil, errNoObject
		}
	}
	if kind == "40000" {
		entries, err = r.objects.tree(id)
		return nil, id, entries, err
	}
	if kind == "160000" {
		return nil, "", nil, errNoObject
	}
	_, _, content, err = r.objects.read(id)
	return content, id, nil, err
}
