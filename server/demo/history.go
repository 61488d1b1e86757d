package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// A history's last merge commits, replayed as pull requests: the base starts at
// the first parent of the oldest, and each second parent is a head.

type mergeCommit struct{ id, base, head, title string }

// openHistory makes a world of somebody's repository, which is only read: the
// forge's own repository borrows its objects.
func (s *show) openHistory(ctx context.Context) error {
	source, err := gitDir(ctx, s.Repository)
	if err != nil {
		return err
	}
	merges, err := lastMerges(ctx, source, s.Branch, s.Pulls)
	if err != nil {
		return err
	}
	origin := filepath.Join(s.dir, "origin.git")
	if err := borrow(ctx, source, origin, merges); err != nil {
		return err
	}
	w, err := newWorld(ctx, worldOptions{dir: s.dir, owner: "demo", name: "history", adopt: origin, branch: "main",
		maxJobs: 8, start: s.Start, log: s.Log, binaries: s.Binaries})
	if err != nil {
		return err
	}
	s.world = w
	if err := w.serve(ctx); err != nil {
		return err
	}
	w.repo.IgnoreOwnWorkflows()
	workflow, shards := outsideWorkflow(w.server.URL, s.Test)
	w.repo.SetWorkflows(map[string]string{".github/workflows/outside.yml": workflow})
	w.protect(shards)
	if err := w.awaitQueue(ctx); err != nil {
		return err
	}
	for i, m := range merges {
		pr, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: headBranch(i), Base: "main", Title: m.title})
		if err != nil {
			return fmt.Errorf("open a pull request for %s: %w", m.id, err)
		}
		s.pulls = append(s.pulls, pull{number: int(pr.Number), title: m.title})
	}
	s.ask = func(context.Context) {
		for _, p := range s.pulls {
			s.label(p.number)
		}
	}
	return nil
}

func headBranch(i int) string { return fmt.Sprintf("pull/%03d", i+1) }

// outsideWorkflow tests a ticket without a file in its tree: one job of the real
// Action that runs the command given, or four shards that pass.
func outsideWorkflow(serverURL, test string) (workflow string, shards int) {
	checkout, command, matrix, shards := "", "true {tests}", "0, 1, 2, 3", 4
	if test != "" {
		checkout, command, matrix, shards = "      - uses: actions/checkout@v7\n", test, "0", 1
	}
	return fmt.Sprintf(`name: outside
on:
  push: {branches: ["mainstay/**"]}
permissions: {contents: read, id-token: write}
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [%s]}}
    steps:
%s      - uses: mainstay-ci/mainstay@v1
        with:
          server-url: %s
          mode: run
          runner: generic
          tests: |
            part-1
            part-2
            part-3
            part-4
          command: %s
`, matrix, checkout, serverURL, quoteYAML(command)), shards
}

func quoteYAML(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// protect asks for the shards' jobs and our own check on whatever main is moved to.
func (w *world) protect(shards int) {
	rules := sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "Mainstay", AppID: w.app.ID}}}
	for i := range shards {
		rules.RequiredChecks = append(rules.RequiredChecks, sandbox.RequiredCheck{Context: fmt.Sprintf("test (%d)", i)})
	}
	w.repo.Protect("main", rules)
}

func refUpdate(ref, commit string) sandbox.RefUpdate { return sandbox.RefUpdate{Ref: ref, New: commit} }

// runGit runs one git command of the demo's own and gives what it printed.
func runGit(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--git-dir", dir}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// gitDir finds the git directory of a repository, bare or not.
func gitDir(ctx context.Context, dir string) (string, error) {
	for _, candidate := range []string{filepath.Join(dir, ".git"), dir} {
		if out, err := runGit(ctx, candidate, "rev-parse", "--absolute-git-dir"); err == nil {
			return out, nil
		}
	}
	return "", fmt.Errorf("%s is not a git repository: give a work tree or a bare repository with --repo", dir)
}

// lastMerges reads the last n merge commits on the first-parent line, oldest first.
func lastMerges(ctx context.Context, source, branch string, n int) ([]mergeCommit, error) {
	if n < 1 || n > 1000 {
		return nil, fmt.Errorf("--prs is %d; it must be from 1 to 1000", n)
	}
	if branch == "" {
		branch = "HEAD"
	}
	tip, err := runGit(ctx, source, "rev-parse", "--verify", "--quiet", "--end-of-options", branch+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("%s has no commit %q: name a branch with --branch", source, branch)
	}
	out, err := runGit(ctx, source, "log", "--first-parent", "--merges", fmt.Sprintf("--max-count=%d", n), "--format=%H%x00%P%x00%s", tip)
	if err != nil {
		return nil, err
	}
	var merges []mergeCommit
	for _, line := range strings.Split(out, "\n") {
		id, rest, _ := strings.Cut(line, "\x00")
		parents, title, _ := strings.Cut(rest, "\x00")
		if p := strings.Fields(parents); len(p) >= 2 {
			merges = append(merges, mergeCommit{id: id, base: p[0], head: p[1], title: title})
		}
	}
	if len(merges) == 0 {
		return nil, errors.New("there is no merge commit on that branch's first-parent line: this demo replays merged pull requests")
	}
	slices.Reverse(merges)
	return merges, nil
}

// borrow makes a bare repository whose objects are the source's, with the base
// and one branch a head.
func borrow(ctx context.Context, source, origin string, merges []mergeCommit) error {
	if err := os.RemoveAll(origin); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "git", "init", "--bare", "--quiet", "--initial-branch=main", origin).CombinedOutput(); err != nil {
		return fmt.Errorf("make %s: %w: %s", origin, err, out)
	}
	objects := filepath.Join(source, "objects")
	if common, err := runGit(ctx, source, "rev-parse", "--git-common-dir"); err == nil && filepath.IsAbs(common) {
		objects = filepath.Join(common, "objects")
	}
	if err := os.WriteFile(filepath.Join(origin, "objects", "info", "alternates"), []byte(objects+"\n"), 0o644); err != nil {
		return err
	}
	var refs strings.Builder
	fmt.Fprintf(&refs, "create refs/heads/main %s\n", merges[0].base)
	for i, m := range merges {
		fmt.Fprintf(&refs, "create refs/heads/%s %s\n", headBranch(i), m.head)
	}
	cmd := exec.CommandContext(ctx, "git", "--git-dir", origin, "update-ref", "--stdin")
	cmd.Stdin = strings.NewReader(refs.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("set the branches of %s: %w: %s", origin, err, out)
	}
	return nil
}
