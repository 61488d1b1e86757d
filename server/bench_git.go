package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/server/git"
)

// benchRebase measures rebasing 32 pull requests of one to three commits in a
// repository of 10,000 commits: the clone and the heads are there, as they are
// when a batch is built.
func (c benchCommand) benchRebase(ctx context.Context) ([]figure, error) {
	dir, err := os.MkdirTemp("", "mainstay-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	origin := filepath.Join(dir, "origin.git")
	base, members, err := makeLongHistory(ctx, origin, 10_000, 32)
	if err != nil {
		return nil, err
	}
	var perPR, processes []float64
	for i := range max(c.Runs, 3) {
		took, started, err := buildOnce(ctx, filepath.Join(dir, fmt.Sprintf("clone-%d", i)), origin, base, members)
		if err != nil {
			return nil, err
		}
		perPR = append(perPR, float64(took)/float64(time.Millisecond)/float64(len(members)))
		processes = append(processes, float64(started))
	}
	return []figure{
		{"rebase32", median(perPR), "ms/PR", 8},
		{"rebase32.processes", median(processes), "git processes", 6},
	}, nil
}

func buildOnce(ctx context.Context, dir, origin, base string, members []git.Member) (time.Duration, int64, error) {
	clone, err := git.Open(ctx, git.Options{Dir: dir, RemoteURL: origin, AllowFile: true})
	if err != nil {
		return 0, 0, err
	}
	defer clone.Close()
	heads := []string{base}
	for _, m := range members {
		heads = append(heads, m.Head)
	}
	if err := clone.Fetch(ctx, heads); err != nil {
		return 0, 0, err
	}
	before, began := clone.Processes(), time.Now()
	built, err := clone.Build(ctx, git.Spec{Base: base, Members: members,
		Committer: git.Committer{Name: "Mainstay", Email: "attempt-1@queue-1.mainstay.invalid", When: time.Unix(1_790_000_000, 0)}})
	took := time.Since(began)
	if err == nil && len(built.Members) != len(members) {
		err = fmt.Errorf("%d of %d pull requests were rebased", len(built.Members), len(members))
	}
	return took, clone.Processes() - before, err
}

// makeLongHistory writes a repository by one fast-import: a line of commits and
// pull requests of one to three commits that forked a while ago.
func makeLongHistory(ctx context.Context, dir string, commits, pulls int) (base string, members []git.Member, err error) {
	if out, err := exec.CommandContext(ctx, "git", "init", "--bare", "--quiet", "--initial-branch=main", dir).CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("make a repository: %w: %s", err, out)
	}
	var in strings.Builder
	commit := func(mark int, branch, from, path, text string) {
		fmt.Fprintf(&in, "commit refs/heads/%s\nmark :%d\ncommitter Ada <ada@example.com> %d +0000\ndata 7\nchange\n\n", branch, mark, 1_700_000_000+mark)
		if from != "" {
			fmt.Fprintf(&in, "from %s\n", from)
		}
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
	}
	for i := 1; i <= commits; i++ {
		commit(i, "main", "", fmt.Sprintf("d%02d/f%03d.txt", i%50, i%1000), fmt.Sprintf("line %d\n", i))
	}
	mark := commits
	for p := range pulls {
		from := fmt.Sprintf(":%d", commits-100-p)
		for n := range 1 + p%3 {
			mark++
			commit(mark, fmt.Sprintf("pr-%d", p), from, fmt.Sprintf("pr/%02d-%d.txt", p, n), "new\n")
			from = ""
		}
	}
	load := exec.CommandContext(ctx, "git", "--git-dir", dir, "fast-import", "--quiet")
	load.Stdin = strings.NewReader(in.String())
	if out, err := load.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("fill a repository: %w: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, "git", "--git-dir", dir, "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").Output()
	if err != nil {
		return "", nil, err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		name, id, _ := strings.Cut(line, " ")
		var pr int
		if name == "main" {
			base = id
		} else if _, err := fmt.Sscanf(name, "pr-%d", &pr); err == nil {
			members = append(members, git.Member{PR: pr + 1, Head: id})
		}
	}
	sort.Slice(members, func(i, j int) bool { return members[i].PR < members[j].PR })
	return base, members, nil
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}
