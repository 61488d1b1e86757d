package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// checkRef refuses a name that isn't a full branch name by git's own rules, so
// that no hostile name can be read as an option, a pattern or two refs.
func checkRef(ref string) error {
	bad := !strings.HasPrefix(ref, "refs/heads/") || len(ref) > 400 ||
		strings.Contains(ref, "..") || strings.Contains(ref, "@{") || strings.Contains(ref, "//") ||
		strings.ContainsAny(ref, " ~^:?*[\\") || strings.HasSuffix(ref, "/") || strings.HasSuffix(ref, ".")
	for _, r := range ref {
		bad = bad || r < ' ' || r == 0x7f
	}
	for _, part := range strings.Split(ref, "/") {
		bad = bad || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	if bad {
		return fmt.Errorf("%.100q is not a full branch name", ref)
	}
	return nil
}

func checkID(id string) error {
	if !isID(id) {
		return fmt.Errorf("%.60q is not a full commit id", id)
	}
	return nil
}

// ReadRefs asks the remote where these branches (refs/heads/...) are. One that
// doesn't exist is not in the map.
func (c *Clone) ReadRefs(ctx context.Context, refs ...string) (map[string]string, error) {
	found := map[string]string{}
	if len(refs) == 0 {
		return found, nil
	}
	wanted := map[string]bool{}
	for _, ref := range refs {
		if err := checkRef(ref); err != nil {
			return nil, fmt.Errorf("read refs: %w", err)
		}
		wanted[ref] = true
	}
	args := append([]string{"ls-remote", "--quiet", "--end-of-options", "origin"}, refs...)
	res, err := c.succeed(ctx, command{network: true, args: args})
	if err != nil {
		return nil, fmt.Errorf("read refs: %w", err)
	}
	for _, line := range strings.Split(string(res.stdout), "\n") {
		id, ref, _ := strings.Cut(line, "\t")
		if wanted[ref] && isID(id) {
			found[ref] = id
		}
	}
	return found, nil
}

// Contains says whether commit is tip or one of its ancestors. The tip is
// fetched when it isn't here.
func (c *Clone) Contains(ctx context.Context, tip, commit string) (bool, error) {
	if err := errors.Join(checkID(tip), checkID(commit)); err != nil {
		return false, err
	}
	if tip == commit {
		return true, nil
	}
	if err := c.fetchNeeded(ctx, []string{tip}); err != nil {
		return false, err
	}
	// With the whole history of the tip here, a commit that isn't is no part of it.
	missing, err := c.missing(ctx, []string{commit})
	if err != nil || len(missing) > 0 {
		return false, err
	}
	return c.ancestor(ctx, commit, tip)
}

func (c *Clone) ancestor(ctx context.Context, old, new string) (bool, error) {
	res, err := c.run(ctx, command{args: []string{"merge-base", "--is-ancestor", old, new}})
	if err != nil {
		return false, err
	}
	if res.code > 1 {
		return false, fmt.Errorf("compare %s with %s: %s", old, new, brief(res.stderr))
	}
	return res.code == 0, nil
}

// Tree gives the tree of a commit, fetching the commit when it isn't here.
func (c *Clone) Tree(ctx context.Context, id string) (string, error) {
	if err := c.fetchNeeded(ctx, []string{id}); err != nil {
		return "", err
	}
	var tree string
	err := c.with(func(w *worker) error {
		commits, err := w.commits(ctx, []string{id})
		if err == nil {
			tree = commits[id].tree
		}
		return err
	})
	return tree, err
}

// commits reads and parses commits that are here.
func (w *worker) commits(ctx context.Context, ids []string) (map[string]commit, error) {
	objects, err := w.contents(ctx, ids)
	if err != nil {
		return nil, err
	}
	commits := make(map[string]commit, len(ids))
	for i, o := range objects {
		if o.kind != "commit" {
			return nil, fmt.Errorf("commit %s is not in the clone", ids[i])
		}
		if commits[ids[i]], err = parseCommit(ids[i], o.data); err != nil {
			return nil, err
		}
	}
	return commits, nil
}
