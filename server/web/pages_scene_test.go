package web

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// desk is a store and an engine in memory: what a test lays on it, the pages show.
type desk struct {
	mu       sync.Mutex
	places   []queue.Place
	rows     map[int64]queue.Rows
	ended    map[int64][]queue.Entry
	receipts map[int64][]queue.Receipt
	reports  map[int][]queue.PullReport // by pull request
	rulings  map[int][]queue.Ruling
	watching map[int64]map[chan struct{}]bool
	watched  chan struct{} // a token each time somebody begins or ends to watch
	acts     []string
}

func newDesk() *desk {
	return &desk{rows: map[int64]queue.Rows{}, ended: map[int64][]queue.Entry{}, receipts: map[int64][]queue.Receipt{},
		watching: map[int64]map[chan struct{}]bool{}, watched: make(chan struct{}, 100)}
}

func (d *desk) Queues(context.Context) ([]queue.Place, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.places, nil
}

func (d *desk) Load(_ context.Context, id int64) (queue.Place, int64, queue.Rows, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.places {
		if p.ID == id {
			return p, 1, d.rows[id], nil
		}
	}
	return queue.Place{}, 0, queue.Rows{}, queue.ErrNotFound
}

func (d *desk) Ended(_ context.Context, id int64, limit int) ([]queue.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended[id][:min(limit, len(d.ended[id]))], nil
}

func (d *desk) Receipts(_ context.Context, id int64, limit int) ([]queue.Receipt, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.receipts[id][:min(limit, len(d.receipts[id]))], nil
}

func (d *desk) PullReports(_ context.Context, _ int64, pr, _ int) ([]queue.PullReport, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reports[pr], nil
}

func (d *desk) RulingsOfPull(_ context.Context, _ int64, pr, _ int) ([]queue.Ruling, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rulings[pr], nil
}

func (d *desk) Pause(_ context.Context, id int64, by, reason string) error {
	d.change(id, func(r *queue.Rows) { r.Header.Pause = &queue.Pause{By: by, Reason: reason, At: noon} })
	d.acts = append(d.acts, fmt.Sprintf("pause %d by %s: %s", id, by, reason))
	return nil
}

func (d *desk) Resume(_ context.Context, id int64, by string) error {
	d.change(id, func(r *queue.Rows) { r.Header.Pause = nil })
	d.acts = append(d.acts, fmt.Sprintf("resume %d by %s", id, by))
	return nil
}

func (d *desk) Watch(id int64) (<-chan struct{}, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ch := make(chan struct{}, 1)
	if d.watching[id] == nil {
		d.watching[id] = map[chan struct{}]bool{}
	}
	d.watching[id][ch] = true
	d.watched <- struct{}{}
	return ch, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watching[id], ch)
		d.watched <- struct{}{}
	}
}

// change edits a queue and tells whoever watches it.
func (d *desk) change(id int64, edit func(*queue.Rows)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := d.rows[id]
	edit(&rows)
	d.rows[id] = rows
	for ch := range d.watching[id] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// noon is when all scenes play.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return noon.Add(-d) }

func sha(n int) string { return fmt.Sprintf("%07x%033x", 0x1a2b3c4+n*0x10f4a3, n) }

func pull(n int, title, author string) queue.PullRequest {
	return queue.PullRequest{Number: n, Title: title, Author: queue.Actor{ID: int64(n), Login: author}, Head: sha(n),
		HeadRef: fmt.Sprintf("topic-%d", n), Base: "main", Status: queue.Open}
}

func entry(n int, phase queue.Phase, pr queue.PullRequest) queue.Entry {
	waited := time.Duration(40-n%40) * time.Minute
	return queue.Entry{PR: pr, Wish: queue.Wish{ID: int64(n), By: queue.Actor{Login: "rosa"}, MayWrite: true, At: before(waited + 5*time.Second)},
		Pinned: pr.Head, Phase: phase, Since: before(waited / 2), EnteredAt: before(waited), Order: int64(n)}
}

// hostile is a title that is text and nothing else.
const hostile = "<script>alert(1)</script> `x` \"><img src=x onerror=alert(1)>"

func shopPlace() queue.Place {
	return queue.Place{ID: 1, Installation: 9, Repository: 7, Owner: "acme", Name: "shop", Branch: "main"}
}

// busyShop is a queue in full work: a red batch cut in two, one half landed, one
// under test, people in line, landings and ends behind it.
func busyShop() *desk {
	d := newDesk()
	d.places = []queue.Place{shopPlace(), {ID: 2, Owner: "acme", Name: "shop", Branch: "release/2.4"}}
	titles := []string{"Round totals half to even", "Cache the price list per currency", "Drop the unused cart migration", "Retry the payment webhook once",
		"Show the delivery date in the basket", hostile, "Bump the tax table to 2026", "Speed up the search index", "Say which voucher was refused"}
	authors := []string{"rosa", "jonas", "mei", "adewale", "rosa", "mallory", "renovate", "jonas", "mei"}
	var prs []queue.PullRequest
	for i, title := range titles {
		prs = append(prs, pull(12+i, title, authors[i]))
	}
	red := queue.FailedTest{Name: "TestCheckout/two_items", Suite: "unit", Package: "shop/checkout", File: "checkout/checkout_test.go", Line: 88,
		Message: "checkout_test.go:88: total = 1999, want 2000\n    <b>rounding</b> differs for EUR"}
	h := queue.Header{Branch: "main", Settings: queue.Defaults(), Tip: sha(80), ProgressAt: before(2 * time.Minute), TestTime: 6 * time.Minute}
	h.Rules.Approvals = 1
	entries := []queue.Entry{entry(14, queue.Testing, prs[2]), entry(15, queue.Testing, prs[3]), entry(16, queue.Waiting, prs[4]),
		entry(17, queue.Waiting, prs[5]), entry(18, queue.Asking, prs[6]), entry(19, queue.Waiting, prs[7])}
	for i := range entries {
		entries[i].Wait = queue.InLine
	}
	entries[4].Wait = queue.NotApproved
	for i := range entries[:2] {
		entries[i].Batch, entries[i].Attempt, entries[i].Runs = 5, 43, 2
	}
	d.rows[1] = queue.Rows{Header: h, Entries: entries, Batches: []queue.Batch{splitBatch(red)}, Attempts: shopAttempts(prs, red)}
	d.rows[2] = queue.Rows{Header: queue.Header{Branch: "release/2.4", Settings: queue.Defaults()}}
	out := entry(12, queue.Out, prs[0])
	out.Attempt, out.Batch, out.Runs = 42, 5, 2
	out.End = &queue.End{Reason: queue.ChecksFailed, Detail: "shard 2 of 4 of `unit` failed.", Next: "Mend it, push, and set the label again.",
		By: "mainstay", At: before(4 * time.Minute), Tests: []queue.FailedTest{red}}
	moved := entry(20, queue.Out, prs[8])
	moved.End = &queue.End{Reason: queue.HeadMoved, Detail: "Its head moved from `1a2b3c4` to `9f8e7d6` while it was queued.",
		Next: "Set the label again.", By: "mei", At: before(26 * time.Minute)}
	landed := entry(13, queue.Landed, prs[1])
	landed.Became, landed.Attempt, landed.Runs = sha(80), 41, 2
	landed.End = &queue.End{Detail: "Landed as `" + sha(80)[:7] + "`.", By: "mainstay", At: before(7 * time.Minute)}
	d.ended[1] = []queue.Entry{out, landed, moved}
	d.receipts[1] = []queue.Receipt{
		{Attempt: 41, Batch: 5, Commit: sha(80), Members: []queue.Member{{PR: 13}}, At: before(7 * time.Minute)},
		{Attempt: 38, Batch: 4, Commit: sha(70), Members: []queue.Member{{PR: 3}, {PR: 5}, {PR: 6}, {PR: 8}, {PR: 9}, {PR: 10}}, At: before(95 * time.Minute)},
		{Attempt: 37, Batch: 3, Commit: sha(60), Members: []queue.Member{{PR: 2}}, At: before(50 * time.Hour)},
	}
	return d
}

// splitBatch was red as a whole; of its first half #13 landed and #12 is out.
func splitBatch(red queue.FailedTest) queue.Batch {
	return queue.Batch{ID: 5, Members: []int{12, 13, 14, 15}, Landed: []int{13}, Out: []int{12}, Opened: before(14 * time.Minute), Nodes: []queue.Node{
		{Parent: -1, PRs: []int{12, 13, 14, 15}, State: queue.NodeSplit, Attempts: []int64{39}, Red: []string{red.Name}},
		{Parent: 0, PRs: []int{12, 13}, State: queue.NodeSplit, Attempts: []int64{40}, Red: []string{red.Name}},
		{Parent: 0, PRs: []int{14, 15}, State: queue.NodeTesting, Members: []int{14, 15}, Attempts: []int64{43}},
		{Parent: 1, PRs: []int{12}, State: queue.NodeDone, Attempts: []int64{42}, Red: []string{red.Name}},
		{Parent: 1, PRs: []int{13}, State: queue.NodeDone, Attempts: []int64{41}},
	}}
}

func shopAttempts(prs []queue.PullRequest, red queue.FailedTest) []queue.Attempt {
	dead := func(id int64, node int, at time.Time, aim queue.Aim, members ...int) queue.Attempt {
		a := queue.Attempt{ID: id, Batch: 5, Node: node, Phase: queue.AttemptDead, Since: at, At: at.Add(-3 * time.Minute), Old: sha(70), New: sha(int(id)),
			PushedAt: at.Add(-175 * time.Second), SignAt: at.Add(-170 * time.Second), Ticket: fmt.Sprintf("mainstay/main/%d", id), Cause: "shard 2 of 4 of `unit` failed.", Aim: aim}
		for _, n := range members {
			a.Members = append(a.Members, queue.Member{PR: n, Head: sha(n)})
		}
		return a
	}
	landed := dead(41, 4, before(7*time.Minute), "", 13)
	landed.Phase, landed.Cause = queue.AttemptLanded, ""
	return []queue.Attempt{dead(39, 0, before(12*time.Minute), queue.AimSearch, 12, 13, 14, 15), dead(40, 1, before(9*time.Minute), queue.AimSearch, 12, 13),
		landed, dead(42, 3, before(4*time.Minute), queue.AimSearch, 12), underTest(prs)}
}

// underTest is the attempt under test: shards passed, failed, running and waiting, two checks.
func underTest(prs []queue.PullRequest) queue.Attempt {
	start := before(100 * time.Second)
	sh := func(suite, variant string, i, total int, result shard.Result) queue.Shard {
		s := queue.Shard{Suite: suite, Variant: variant, Index: i, Total: total, Result: result, StartedAt: start}
		if result != "" {
			s.Tests, s.EndedAt, s.CheckRun = 120+i, start.Add(time.Duration(40+i)*time.Second), int64(900+i)
		}
		return s
	}
	a := queue.Attempt{ID: 43, Batch: 5, Node: 2, Phase: queue.AttemptTesting, Since: before(110 * time.Second), At: before(2 * time.Minute),
		Ticket: "mainstay/main/43", Old: sha(80), New: sha(82), PushedAt: before(110 * time.Second), SignAt: start,
		Plan: queue.Plan{Checks: []queue.NamedCheck{{Name: "lint"}, {Name: "e2e", SkippedOK: true}, {Name: "licences"}}, Suites: map[string]int{"unit": 8, "api": 0}},
		Results: queue.Results{Runs: []queue.Run{{ID: 5, Name: "ci", Event: "push", Branch: "mainstay/main/43", Suite: 77, Status: "in_progress"}},
			Checks: []queue.CheckResult{{ID: 900, Name: "test (0)", App: queue.ActionsApp, Suite: 77, Status: "completed", Conclusion: "success", URL: "https://github.com/acme/shop/actions/runs/5/job/900"},
				{ID: 800, Name: "lint", App: queue.ActionsApp, Suite: 77, Status: "completed", Conclusion: "success"},
				{ID: 801, Name: "e2e", App: queue.ActionsApp, Suite: 77, Status: "in_progress"}}},
		Shards: []queue.Shard{sh("unit", "", 0, 8, shard.ResultPassed), sh("unit", "", 1, 8, shard.ResultPassed), sh("unit", "", 2, 8, shard.ResultFlaky),
			sh("unit", "", 3, 8, shard.ResultPassed), sh("unit", "", 4, 8, ""), sh("unit", "", 5, 8, ""),
			sh("browser", "firefox", 0, 3, shard.ResultPassed), sh("browser", "firefox", 1, 3, "")},
	}
	for i, pr := range prs[2:4] {
		a.Members = append(a.Members, queue.Member{PR: pr.Number, Head: pr.Head, Became: sha(81 + i)})
	}
	return a
}
