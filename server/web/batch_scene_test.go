package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/search"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// The searching shop tests four attempts side by side: batch 8 was red as a
// whole and is searched, batch 9 stands on its second half, and #35 of it is
// tested ahead, on a guess. Of batch 8, #21 landed past the suspects, #24 went
// back in line, and the red set of an earlier part turned out a flake.
func searchingShop() *desk {
	d := newDesk()
	d.places = []queue.Place{shopPlace()}
	titles := map[int]string{21: "Round totals half to even", 22: "Cache the price list per currency", 23: "Let orders have 50 items", 24: "Retry the payment webhook once",
		25: "Send orders as one parcel", 31: "Show the delivery date in the basket", 32: "Bump the tax table to 2026", 35: "Say which voucher was refused"}
	prs := map[int]queue.PullRequest{}
	for n, title := range titles {
		prs[n] = pull(n, title, []string{"rosa", "jonas", "mei"}[n%3])
	}
	h := queue.Header{Branch: "main", Settings: queue.Defaults(), Tip: sha(90), ProgressAt: before(20 * time.Second), TestTime: 6 * time.Minute}
	h.Settings.Parallel = 4
	h.Reds = []search.Red{{Members: []int{22, 23, 25}, Times: 2, Tests: []string{parcelTest}, Run: 52}}
	h.RedRuns = []queue.RedRun{{PRs: []int{21, 22, 23, 24, 25}, Attempt: 52, Batch: 8, Ending: queue.End{Tests: []queue.FailedTest{{Name: parcelTest}}}}}
	var entries []queue.Entry
	add := func(n int, phase queue.Phase, batch, attempt int64) {
		e := entry(n, phase, prs[n])
		e.Batch, e.Attempt, e.Wait = batch, attempt, queue.InTest
		if phase == queue.Waiting {
			e.Wait = queue.InLine
		}
		entries = append(entries, e)
	}
	add(22, queue.Testing, 8, 55)
	add(23, queue.Testing, 8, 56)
	add(25, queue.Testing, 8, 52)
	add(24, queue.Waiting, 0, 0)
	add(31, queue.Testing, 9, 57)
	add(32, queue.Testing, 9, 57)
	add(35, queue.Waiting, 0, 0)
	landed := entry(21, queue.Landed, prs[21])
	landed.Batch, landed.Attempt, landed.Became = 8, 54, sha(90)
	landed.End = &queue.End{Detail: "Landed.", By: "mainstay", At: before(5 * time.Minute)}
	d.ended[1] = []queue.Entry{landed}
	d.rows[1] = queue.Rows{Header: h, Entries: entries, Batches: searchedBatches(), Attempts: searchAttempts()}
	return d
}

const (
	parcelTest = "TestAnOrderFitsOneParcel"
	flakyTest  = "TestRecountAgainstTheWarehouse"
)

func searchedBatches() []queue.Batch {
	return []queue.Batch{
		{ID: 8, Members: []int{21, 22, 23, 25}, Landed: []int{21}, Back: []int{24}, Opened: before(25 * time.Minute),
			Flakes: []queue.Flake{{Attempt: 53, PRs: []int{21}, Tests: []string{flakyTest}}},
			Nodes: []queue.Node{
				{Parent: -1, PRs: []int{21, 22, 23, 24, 25}, State: queue.NodeSplit, Attempts: []int64{51, 52}, Red: []string{parcelTest}},
				{Parent: 0, PRs: []int{21}, State: queue.NodeDone, Attempts: []int64{53, 54}, Red: []string{flakyTest}},
				{Parent: 0, PRs: []int{22, 23, 24, 25}, State: queue.NodeSplit},
				{Parent: 2, PRs: []int{22}, Members: []int{22}, State: queue.NodeTesting, Attempts: []int64{55}},
				{Parent: 2, PRs: []int{23, 24, 25}, State: queue.NodeSplit},
				{Parent: 4, PRs: []int{23}, Members: []int{23}, State: queue.NodeTesting, Attempts: []int64{56}},
				{Parent: 4, PRs: []int{24}, State: queue.NodeDone},
				{Parent: 4, PRs: []int{25}, Members: []int{25}, State: queue.NodeAside},
				{Parent: 0, PRs: []int{22, 23}, State: queue.NodeGuess, Attempts: []int64{58}},
			}},
		{ID: 9, Members: []int{31, 32}, Opened: before(4 * time.Minute), Nodes: []queue.Node{
			{Parent: -1, PRs: []int{31, 32}, Members: []int{31, 32}, State: queue.NodeTesting, Attempts: []int64{57}},
			{Parent: 0, PRs: []int{31, 32, 22}, State: queue.NodeGuess},
		}},
	}
}

// searchAttempts are those of both batches: 51 was stopped by a push to the
// base, 52 red, 53 red once though 54 was green. 55 and 58 stand on the base and
// 56 on 55; 57 stands on 56. 59 asks the base itself, 60 runs one test only.
func searchAttempts() []queue.Attempt {
	make := func(id, batch int64, node int, began time.Duration, phase queue.AttemptPhase, parent int64, members ...int) queue.Attempt {
		a := queue.Attempt{ID: id, Batch: batch, Node: node, Phase: phase, Since: before(began - 3*time.Minute), At: before(began), Parent: parent,
			Ticket: fmt.Sprintf("mainstay/main/%d", id), Old: sha(90), New: sha(int(id)), PushedAt: before(began - 5*time.Second), SignAt: before(began - 9*time.Second)}
		a.Plan.Suites = map[string]int{"unit": 4}
		a.Results.Runs = []queue.Run{{ID: id, Event: "push", Branch: a.Ticket, URL: fmt.Sprintf("https://github.com/acme/shop/actions/runs/%d", id)}}
		for _, n := range members {
			a.Members = append(a.Members, queue.Member{PR: n, Head: sha(n)})
		}
		return a
	}
	shards := func(a queue.Attempt, results ...shard.Result) queue.Attempt {
		for i, r := range results {
			sh := queue.Shard{Suite: "unit", Index: i, Total: 4, Result: r, StartedAt: a.SignAt, Tests: 30}
			if r == shard.ResultFailed {
				sh.Failed = []queue.FailedTest{{Name: map[bool]string{true: flakyTest, false: parcelTest}[a.ID == 53]}}
			}
			a.Shards = append(a.Shards, sh)
		}
		return a
	}
	ended := func(a queue.Attempt, aim queue.Aim, cause string) queue.Attempt {
		a.Aim, a.Cause = aim, cause
		return a
	}
	narrow := shards(make(60, 8, 8, 4*time.Minute, queue.AttemptTesting, 0, 25), "")
	narrow.Narrow = []queue.FailedTest{{Name: parcelTest}}
	base := make(59, 0, 0, 2*time.Minute, queue.AttemptTesting, 0)
	base.Narrow, base.OnBase = narrow.Narrow, true
	all := []queue.Attempt{
		ended(make(51, 8, 0, 25*time.Minute, queue.AttemptDead, 0, 21, 22, 23, 24, 25), queue.AimRebuild, "the base moved"),
		ended(shards(make(52, 8, 0, 21*time.Minute, queue.AttemptDead, 0, 21, 22, 23, 24, 25), shard.ResultPassed, shard.ResultFailed), queue.AimSearch, "shard 2 of 4 of `unit` failed."),
		ended(shards(make(53, 8, 1, 15*time.Minute, queue.AttemptDead, 0, 21), shard.ResultFailed), queue.AimSearch, "shard 1 of 4 of `unit` failed."),
		make(54, 8, 1, 9*time.Minute, queue.AttemptLanded, 0, 21),
		shards(make(55, 8, 3, 4*time.Minute, queue.AttemptTesting, 54, 22), shard.ResultPassed, shard.ResultPassed, shard.ResultPassed, ""),
		shards(make(56, 8, 5, 4*time.Minute, queue.AttemptTesting, 55, 23), shard.ResultPassed, "", ""),
		make(57, 9, 0, 4*time.Minute, queue.AttemptPushing, 56, 31, 32),
		shards(make(58, 8, 8, 4*time.Minute, queue.AttemptTesting, 54, 22, 23), shard.ResultPassed, shard.ResultFlaky, ""),
		base, narrow,
	}
	return all
}

// hostileShop is the searching shop with strangers' words in every place that
// takes one: markup, and long strings without a place to break.
func hostileShop() *desk {
	d := searchingShop()
	evil := hostile + strings.Repeat("W", 300)
	d.change(1, func(r *queue.Rows) {
		for i := range r.Entries {
			r.Entries[i].PR.Title, r.Entries[i].PR.Author.Login = evil, evil
		}
		for i := range r.Header.RedRuns {
			r.Header.RedRuns[i].Ending.Tests = []queue.FailedTest{{Name: evil}, {Name: evil}, {Name: evil}, {Name: evil}}
		}
		for i := range r.Attempts {
			a := &r.Attempts[i]
			a.Ticket, a.Cause = evil, evil
			a.Results.Runs[0].Branch, a.Results.Runs[0].URL = evil, "javascript:alert(1)"
			for k := range a.Shards {
				a.Shards[k].Suite = evil
				a.Shards[k].Failed = []queue.FailedTest{{Name: evil}}
			}
			if len(a.Narrow) > 0 {
				a.Narrow = []queue.FailedTest{{Name: evil}}
			}
		}
		for i := range r.Batches {
			b := &r.Batches[i]
			for k := range b.Nodes {
				b.Nodes[k].Red = []string{evil}
			}
			for k := range b.Flakes {
				b.Flakes[k].Tests = []string{evil}
			}
		}
		r.Batches[0].Members, r.Batches[0].Out = append(r.Batches[0].Members, 26), []int{26}
	})
	out := entry(26, queue.Out, pull(26, evil, evil))
	out.Batch = 8
	out.End = &queue.End{Reason: queue.ChecksFailed, Detail: evil, Tests: []queue.FailedTest{{Name: evil}}, At: before(time.Minute)}
	d.ended[1] = append(d.ended[1], out)
	return d
}
