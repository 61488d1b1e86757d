package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Result is a demo's outcome, as result.json has it.
type Result struct {
	PullRequests []PullResult `json:"pull_requests"`
	Landed       int          `json:"landed"`
	Out          int          `json:"out"`
	Builds       int          `json:"builds"`       // workflow runs of any event
	GitHubCalls  int          `json:"github_calls"` // REST calls
	Seconds      float64      `json:"seconds"`      // from the first label to the last end
	BaseTip      string       `json:"base_tip"`
	TestedCommit string       `json:"tested_commit"` // of the last landing
	BaseTree     string       `json:"base_tree"`
	TestedTree   string       `json:"tested_tree"`
	// Flakes are what was red once of good code and is on record; Pair
	// is the two pull requests that are green alone and red together.
	Flakes []FlakeResult `json:"flakes,omitempty"`
	Pair   *PairResult   `json:"pair,omitempty"`
	// Holds: every pull request ended as it was made to end, the base is the last tested commit, tree
	// for tree, and its history since the start is a line.
	Holds    bool     `json:"holds"`
	Problems []string `json:"problems,omitempty"`
}

// PullResult is one pull request's outcome.
type PullResult struct {
	Number       int     `json:"number"`
	Title        string  `json:"title"`
	Outcome      string  `json:"outcome"` // landed or out
	Reason       string  `json:"reason,omitempty"`
	Detail       string  `json:"detail"`
	LandedCommit string  `json:"landed_commit,omitempty"`
	TestedCommit string  `json:"tested_commit,omitempty"`
	Shown        string  `json:"shown"` // merged, closed or open, in the forge
	Runs         int     `json:"runs"`
	WaitSeconds  float64 `json:"wait_seconds"`
}

func (s *show) result(ctx context.Context) (Result, error) {
	var r Result
	snap, err := s.world.snapshot(ctx)
	if err != nil {
		return r, err
	}
	tested := map[int]string{}
	for _, receipt := range snap.Receipts {
		for _, m := range receipt.Members {
			tested[m.PR] = receipt.Commit
		}
	}
	ended := endings(snap.Ended)
	last := s.began
	for _, p := range s.pulls {
		e, ok := ended[p.number]
		if !ok {
			r.Problems = append(r.Problems, fmt.Sprintf("#%d has no end", p.number))
			continue
		}
		r.add(s.pullResult(p, e, tested[p.number]))
		if e.End.At.After(last) {
			last = e.End.At
		}
	}
	r.Flakes = s.flakes
	s.checkPromises(ended, &r)
	r.Builds = len(s.world.repo.WorkflowRuns())
	r.GitHubCalls = s.world.forge.RESTCalls()
	r.Seconds = seconds(last.Sub(s.firstLabel()))
	return r, s.checkBase(ctx, snap, &r)
}

func (r *Result) add(p PullResult) {
	r.PullRequests = append(r.PullRequests, p)
	if p.Outcome == string(queue.Landed) {
		r.Landed++
		return
	}
	r.Out++
}

func (s *show) firstLabel() time.Time {
	first := time.Now()
	for _, at := range s.labelled {
		if at.Before(first) {
			first = at
		}
	}
	return first
}

func (s *show) pullResult(p pull, e queue.Entry, tested string) PullResult {
	result := PullResult{Number: p.number, Title: p.title, Outcome: string(e.Phase), Reason: string(e.End.Reason), Detail: e.End.Detail,
		LandedCommit: e.Became, Runs: e.Runs, WaitSeconds: seconds(e.End.At.Sub(s.labelled[p.number]))}
	if e.Phase == queue.Landed {
		result.TestedCommit = tested
	}
	pr, _ := s.world.repo.PullRequest(int64(p.number))
	result.Shown = pr.State
	if pr.Merged {
		result.Shown = "merged"
	}
	return result
}

// checkBase holds the forge's repository against what the server says it tested.
func (s *show) checkBase(ctx context.Context, snap Snapshot, r *Result) error {
	dir := s.world.repo.GitDir()
	r.BaseTip = s.world.repo.Ref("refs/heads/" + s.world.repo.DefaultBranch())
	if len(snap.Receipts) == 0 {
		r.Holds = len(r.Problems) == 0 && r.Landed == 0
		return nil
	}
	r.TestedCommit = snap.Receipts[0].Commit
	var err error
	if r.BaseTree, err = runGit(ctx, dir, "rev-parse", r.BaseTip+"^{tree}"); err != nil {
		return err
	}
	if r.TestedTree, err = runGit(ctx, dir, "rev-parse", r.TestedCommit+"^{tree}"); err != nil {
		return err
	}
	if r.BaseTip != r.TestedCommit || r.BaseTree != r.TestedTree || r.TestedTree != snap.Receipts[0].Tree {
		r.Problems = append(r.Problems, fmt.Sprintf("the base is at %.7s, the last tested commit is %.7s", r.BaseTip, r.TestedCommit))
	}
	start := snap.Receipts[len(snap.Receipts)-1].Old
	merges, err := runGit(ctx, dir, "rev-list", "--min-parents=2", "--count", start+".."+r.BaseTip)
	if err != nil {
		return err
	}
	if merges != "0" {
		r.Problems = append(r.Problems, merges+" merge commits stand between the start and the tip: the history is not a line")
	}
	r.Holds = len(r.Problems) == 0
	return nil
}

// report prints the table and writes result.json where a folder was asked for.
func (s *show) report(r Result) error {
	fmt.Fprintf(s.Out, "\n%5s  %-44s %-28s %9s %5s\n", "PR", "title", "landed as / out because", "wait", "runs")
	for _, p := range r.PullRequests {
		end := fmt.Sprintf("%.7s (%s)", p.LandedCommit, p.Shown)
		if p.Outcome != string(queue.Landed) {
			end = "out: " + p.Reason
		}
		fmt.Fprintf(s.Out, "%5s  %-44s %-28s %7.1f s %5d\n", fmt.Sprintf("#%d", p.Number), clip(p.Title, 44), end, p.WaitSeconds, p.Runs)
	}
	fmt.Fprintf(s.Out, "\n%d landed, %d out, %d workflow runs, %d GitHub calls, %.1f s\n", r.Landed, r.Out, r.Builds, r.GitHubCalls, r.Seconds)
	r.tellPromises(s.Out)
	if r.Holds {
		fmt.Fprintf(s.Out, "base tip = last tested commit, tree for tree: yes (%.7s, tree %.7s)\n", r.BaseTip, r.BaseTree)
	} else {
		fmt.Fprintf(s.Out, "every promise held: NO\n  %s\n", strings.Join(r.Problems, "\n  "))
	}
	if s.Dir == "" {
		return nil
	}
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "result.json"), append(body, '\n'), 0o644)
}
