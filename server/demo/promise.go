package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// promise is how a pull request of the shop must end; the zero one lands.
type promise struct {
	out   queue.Reason // why it must go out
	test  string       // the failing test that must be named
	pair  int          // it goes out because of this one, which lands
	flake string       // a test of its own that is red once, for which nobody may be blamed
}

// FlakeResult is a test of good code that was red once: in a run that a batch has
// on record, or in a shard that ran it again.
type FlakeResult struct {
	Batch        int64    `json:"batch"`
	Attempt      int64    `json:"attempt"`
	PullRequests []int    `json:"pull_requests"`
	Tests        []string `json:"tests"`
	Shard        string   `json:"shard,omitempty"` // that ran it again; empty: the whole run was red
}

// PairResult is the two that are green alone and red together.
type PairResult struct {
	Landed int      `json:"landed"`
	Out    int      `json:"out"`
	Reason string   `json:"reason"`
	Detail string   `json:"detail"`
	Tests  []string `json:"tests"`
}

// noteFlakes keeps what batches and shards have on record: their rows are forgotten in time.
func (s *show) noteFlakes(rows queue.Rows) {
	for _, b := range rows.Batches {
		for _, f := range b.Flakes {
			s.noteFlake(FlakeResult{Batch: b.ID, Attempt: f.Attempt, PullRequests: f.PRs, Tests: f.Tests})
		}
	}
	for _, a := range rows.Attempts {
		for _, shard := range a.Shards {
			if len(shard.Flaky) == 0 {
				continue
			}
			flake := FlakeResult{Batch: a.Batch, Attempt: a.ID, Shard: fmt.Sprintf("%s %d of %d", shard.Suite, shard.Index+1, shard.Total)}
			for _, m := range a.Members {
				flake.PullRequests = append(flake.PullRequests, m.PR)
			}
			for _, test := range shard.Flaky {
				flake.Tests = append(flake.Tests, test.Name)
			}
			s.noteFlake(flake)
		}
	}
}

func (s *show) noteFlake(flake FlakeResult) {
	if !slices.ContainsFunc(s.flakes, func(x FlakeResult) bool { return x.Attempt == flake.Attempt && x.Shard == flake.Shard }) {
		s.flakes = append(s.flakes, flake)
	}
}

// checkPromises holds each end against what the pull request was made for.
func (s *show) checkPromises(ended map[int]queue.Entry, r *Result) {
	broken := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	for _, p := range s.pulls {
		e, ok := ended[p.number]
		if !ok || p.promise == nil || e.End == nil {
			continue
		}
		reason := e.End.Reason
		if p.pair != 0 && reason == queue.ConflictingPair {
			reason = p.out
		}
		switch {
		case p.out == "" && e.Phase != queue.Landed:
			broken("#%d is good, but is out: %s", p.number, because(e))
		case p.newest != "" && e.Pinned != p.newest:
			broken("#%d landed at %.7s, which is not its newest head %.7s", p.number, e.Pinned, p.newest)
		case p.out != "" && (e.Phase != queue.Out || reason != p.out):
			broken("#%d must go out (%s), but is %s (%s)", p.number, p.out, e.Phase, e.End.Reason)
		case p.test != "" && !slices.Contains(failing(e), p.test):
			broken("#%d is out without being told that %s fails", p.number, p.test)
		}
		if p.pair != 0 {
			s.checkPair(p, e, ended[p.pair], r)
		}
		if p.flake != "" {
			s.checkFlake(p.flake, ended, r)
		}
	}
}

func (s *show) checkPair(p pull, second, first queue.Entry, r *Result) {
	r.Pair = &PairResult{Landed: p.pair, Out: p.number, Reason: string(second.End.Reason), Detail: second.End.Detail, Tests: failing(second)}
	if first.Phase != queue.Landed {
		r.Problems = append(r.Problems, fmt.Sprintf("#%d of the pair did not land", p.pair))
	}
}

// checkFlake sees that the flaky test is on record, and that nobody is out for it.
func (s *show) checkFlake(test string, ended map[int]queue.Entry, r *Result) {
	if !slices.ContainsFunc(r.Flakes, func(f FlakeResult) bool { return slices.Contains(f.Tests, test) }) {
		r.Problems = append(r.Problems, fmt.Sprintf("nothing has the flake of %s on record", test))
	}
	for _, p := range s.pulls {
		if e := ended[p.number]; e.Phase == queue.Out && slices.Contains(failing(e), test) {
			r.Problems = append(r.Problems, fmt.Sprintf("#%d is blamed for the flaky test %s", p.number, test))
		}
	}
}

// failing are the tests an entry was told of.
func failing(e queue.Entry) []string {
	var names []string
	if e.End != nil {
		for _, t := range e.End.Tests {
			names = append(names, t.Name)
		}
	}
	return names
}

// tellPromises says how the pair and the flakes came out.
func (r Result) tellPromises(out io.Writer) {
	if p := r.Pair; p != nil {
		fmt.Fprintf(out, "pair conflict: #%d landed; #%d, green without it and red with it, is out: %s %s\n", p.Landed, p.Out, p.Reason, strings.Join(p.Tests, ", "))
	}
	for _, f := range r.Flakes {
		var prs []string
		for _, pr := range f.PullRequests {
			prs = append(prs, fmt.Sprintf("#%d", pr))
		}
		tests, with := strings.Join(f.Tests, ", "), strings.Join(prs, " ")
		if f.Shard != "" {
			fmt.Fprintf(out, "flake: %s was red once with %s and green when shard %s ran it again; no run was lost, nobody is blamed (on record in batch %d)\n",
				tests, with, f.Shard, f.Batch)
			continue
		}
		fmt.Fprintf(out, "flake: %s was red once with %s and green after; all of them landed, nobody is blamed (on record in batch %d)\n", tests, with, f.Batch)
	}
}
