package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// MissingError says that the remote no longer has a commit.
type MissingError struct{ Commit string }

func (e *MissingError) Error() string { return "the remote does not have commit " + e.Commit }

var notOurs = regexp.MustCompile(`not our ref ([0-9a-f]{40})`)

// What a fetch leaves out. There always is a filter, since it is what makes git
// keep the pack as it came and mark it as the remote's; withBlobs only sets a
// size no file of ours has.
const (
	withoutBlobs = "blob:none"
	withBlobs    = "blob:limit=1g"
)

// fetchArgs is the fetch of everything: no tags, no submodules, nothing written
// but objects.
func fetchArgs(filter string) []string {
	return []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--recurse-submodules=no", "--filter=" + filter}
}

// Fetch brings commits with all their history, in one call; the base's tip is
// one of them. When all are here it starts no process. A commit the remote
// doesn't have is a *MissingError, one that brings an unsound object a *BadCommitError,
// and then none may have come.
func (c *Clone) Fetch(ctx context.Context, commits []string) error {
	for _, id := range commits {
		if err := checkID(id); err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
	}
	missing, err := c.missing(ctx, commits)
	if err != nil || len(missing) == 0 {
		return err
	}
	if err := c.beginFetch(ctx); err != nil {
		return err
	}
	defer c.endFetch()
	// Somebody else's fetch may have brought them meanwhile.
	if missing, err = c.missing(ctx, commits); err != nil || len(missing) == 0 {
		return err
	}
	before := c.packed()
	if err := c.fetchChecked(ctx, missing); err != nil {
		return err
	}
	if err := c.remember(ctx, missing); err != nil {
		return err
	}
	// Without a commit-graph every walk of a long history costs a tenth of a second.
	if c.since++; c.since >= 32 || c.packed()-before > 256<<10 {
		c.since = 0
		return c.writeGraph(ctx)
	}
	return nil
}

func (c *Clone) beginFetch(ctx context.Context) error {
	select {
	case c.fetching <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another fetch: %w", ctx.Err())
	}
}

func (c *Clone) endFetch() { <-c.fetching }

// fetchObjects fetches by id. Commits come with their history less what the
// remembered refs reach, and with the blobs they bring: a push would need those,
// and git would fetch them one command at a time. Blobs come alone.
func (c *Clone) fetchObjects(ctx context.Context, ids []string, settings ...setting) error {
	res, err := c.run(ctx, command{
		network: true, settings: settings, args: append(fetchArgs(withBlobs), "--stdin", "origin"),
		stdin: []byte(strings.Join(ids, "\n") + "\n"),
	})
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	if m := notOurs.FindStringSubmatch(res.stderr); m != nil && res.code != 0 {
		return fmt.Errorf("fetch: %w", &MissingError{m[1]})
	}
	if bad := readFault(res.stderr); bad != nil && res.code != 0 {
		return fmt.Errorf("fetch: %w", bad)
	}
	if res.code != 0 {
		return fmt.Errorf("fetch: %s", brief(res.stderr))
	}
	return nil
}

// fetchBlobs brings blobs the filter left out, as git itself would one by one.
func (c *Clone) fetchBlobs(ctx context.Context, ids []string) error {
	if err := c.beginFetch(ctx); err != nil {
		return err
	}
	defer c.endFetch()
	return c.fetchObjects(ctx, ids, setting{"fetch.negotiationAlgorithm", "noop"})
}

// missing says which objects are not here.
func (c *Clone) missing(ctx context.Context, ids []string) (missing []string, err error) {
	err = c.with(func(w *worker) error {
		objects, err := w.headers(ctx, ids)
		done := map[string]bool{}
		for i, o := range objects {
			if o.missing() && !done[ids[i]] {
				missing = append(missing, ids[i])
				done[ids[i]] = true
			}
		}
		return err
	})
	return missing, err
}

// remembered is how many fetched commits keep a ref. Their only use is to tell
// the remote what is here already; more would only slow the asking down.
const remembered = 256

func (c *Clone) remember(ctx context.Context, commits []string) error {
	var lines bytes.Buffer
	for _, id := range commits[max(0, len(commits)-remembered):] {
		c.seen = c.seen%(remembered-1) + 1
		fmt.Fprintf(&lines, "update refs/mainstay/seen/%d %s\n", c.seen, id)
	}
	_, err := c.succeed(ctx, command{args: []string{"update-ref", "--no-deref", "--stdin"}, stdin: lines.Bytes()})
	if err != nil {
		return fmt.Errorf("remember fetched commits: %w", err)
	}
	return nil
}

func (c *Clone) writeGraph(ctx context.Context) error {
	_, err := c.succeed(ctx, command{args: []string{"commit-graph", "write", "--reachable", "--split", "--no-progress"}})
	if err != nil {
		return fmt.Errorf("write commit-graph: %w", err)
	}
	return nil
}

// packed is the size of all packs.
func (c *Clone) packed() (size int64) {
	paths, _ := filepath.Glob(filepath.Join(c.dir, "objects", "pack", "*.pack"))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			size += info.Size()
		}
	}
	return size
}
