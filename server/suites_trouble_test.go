package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// A shard that is run again runs what it ran before, whatever was learnt
// meanwhile: another slice might leave out the very test that failed.
func TestAShardThatRunsAgainRunsTheSameSlice(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		// Given a pull request whose own run is red in one shard.
		w := p.settle(t)
		defer w.showRuns()
		pr := w.open("retried", p.retried("parcel"))
		first := w.awaitRun(pr, 1)
		if first.Conclusion != "failure" {
			t.Fatalf("its run concluded %s", first.Conclusion)
		}
		before := w.slices(first, 1)

		// And another that lands meanwhile, from which the server learns how long tests take.
		lands := p.passes("voucher")
		lands[testWorkflow] = p.workflow(t, w.server.url)
		p.asQueued(lands) // from here on, pull requests run nothing of their own
		other := w.open("other", lands)
		w.ruled(other)
		w.label(other)
		w.awaitEnds(ends{other: landed})

		// When the failed job is run again.
		w.must(w.repo.RerunFailedJobs(w.author, first.ID))
		second := w.awaitRun(pr, 2)

		// Then it ran the same items as before, and the run is green.
		if second.Conclusion != "success" {
			t.Errorf("the second attempt concluded %s", second.Conclusion)
		}
		after := slices.Collect(maps.Values(w.slices(second, 2)))
		if len(after) != 1 || !slices.Contains(after[0], p.item("parcel")) {
			t.Fatalf("the second attempt ran %q", after)
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(before)), func(items []string) bool { return slices.Equal(items, after[0]) }) {
			t.Errorf("it ran %q, which is no slice of %v", after[0], before)
		}

		// And it lands, if that is asked for.
		w.label(pr)
		w.awaitEnds(ends{pr: landed})
	})
}

// Where the server cannot be asked about a re-run, the whole suite runs: no
// slice of our own is sure to hold the test that failed.
func TestARerunWithoutTheServerRunsEverything(t *testing.T) {
	p := goProject
	w := p.settle(t)
	defer w.showRuns()
	pr := w.open("retried", p.retried("parcel"))
	first := w.awaitRun(pr, 1)

	w.road.cutOff(askAny)
	w.must(w.repo.RerunFailedJobs(w.author, first.ID))
	second := w.awaitRun(pr, 2)

	if second.Conclusion != "success" {
		t.Errorf("the second attempt concluded %s", second.Conclusion)
	}
	want := slices.Sorted(slices.Values(append(p.items(t), p.item("parcel"))))
	for _, items := range w.slices(second, 2) {
		if !slices.Equal(items, want) {
			t.Errorf("it ran %q, want %q", items, want)
		}
	}
}

// What lets one shard's report be missing, while every job that there is, is green.
var missingReports = map[string]func(workflow string) string{
	"its step is skipped": func(workflow string) string {
		return strings.Replace(workflow, "if: ${{ !cancelled() }}", "if: matrix.shard == 0", 1)
	},
	"its job is not there": func(workflow string) string {
		workflow = strings.Replace(workflow, "matrix: {shard: [0, 1]}", "matrix: {shard: [0]}", 1)
		return strings.ReplaceAll(workflow, "runner: go", "runner: go, shard-total: 2")
	},
	"it says that there is but one": func(workflow string) string {
		return strings.Replace(workflow, "matrix: {shard: [0, 1]}", "matrix: {shard: [0]}", 1)
	},
	"nobody reports": func(workflow string) string {
		return strings.Replace(workflow, "if: ${{ !cancelled() }}", "if: false", 1)
	},
}

// Green is never the absence of bad news: without each shard's report nothing lands.
func TestAMissingReportLandsNothing(t *testing.T) {
	t.Parallel()
	for name, edit := range missingReports {
		t.Run(name, func(t *testing.T) {
			p := goProject.in("steps")
			w := p.settle(t, p.asQueued)
			defer w.showRuns()
			files := p.files(t, w.server.url)
			p.asQueued(files)
			change := p.passes("parcel")
			if change[testWorkflow] = edit(files[testWorkflow]); change[testWorkflow] == files[testWorkflow] {
				t.Fatal("the workflow is as before")
			}
			pr := w.open("silent", change)
			w.ruled(pr)

			w.label(pr)
			w.letIdleTimePass("it has its end", func() bool { return w.entry(pr).Phase.Ended() })
			w.awaitRest()

			if w.repo.Ref("main") != w.base || w.entry(pr).Phase != queue.Out {
				t.Errorf("it is %s, and main is %s", w.entry(pr).Phase, w.repo.Ref("main"))
			}
			for _, run := range w.runsOf("push") {
				if run.Conclusion == "failure" {
					t.Errorf("run %d concluded %s: this story is of green jobs", run.ID, run.Conclusion)
				}
			}
			if end := w.entry(pr).End; end == nil || !strings.Contains(end.Detail, "report") && !strings.Contains(end.Detail, "expected") {
				t.Errorf("it is told %+v", end)
			}
		})
	}
}

// A server that is away turns no green job red and no red one green: each job
// cuts the suite by itself, alike, and its tests decide.
func TestWithoutTheServerTheTestsDecide(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		w := p.settle(t)
		defer w.showRuns()
		w.road.cutOff(askAny)

		good, red := w.open("good", p.passes("parcel")), w.open("red", p.fails("parcel"))

		run := w.awaitRun(good, 1)
		if run.Conclusion != "success" {
			t.Errorf("the green one concluded %s", run.Conclusion)
		}
		w.ranAll(run, append(p.items(t), p.item("parcel")))
		if run = w.awaitRun(red, 1); run.Conclusion != "failure" {
			t.Errorf("the red one concluded %s", run.Conclusion)
		}
		w.ranAll(run, append(p.items(t), p.item("parcel")))
		if w.road.cutCalls() == 0 {
			t.Error("nobody asked the server: this story is of calls that are lost")
		}
	})
}

// In line it is the same: where the plan is lost, the reports prove the whole
// suite all the same; where reports are lost on their way, GitHub has them.
func TestInLineALostPlanAndLostReportsAreNoHarm(t *testing.T) {
	p := goProject
	w := p.settle(t, p.asQueued)
	defer w.showRuns()
	good, red, silent := w.open("good", p.passes("parcel")), w.open("red", p.fails("voucher")), w.open("silent", p.passes("gift"))

	w.road.cutOff(askPlan)
	w.label(good)
	w.awaitEnds(ends{good: landed})
	w.ranAll(w.runsOf("push")[0], append(p.items(t), p.item("parcel")))
	tip := w.repo.Ref("main")

	w.road.cutOff(askReport)
	w.label(red)
	w.letIdleTimePass("it has its end", func() bool { return w.entry(red).Phase.Ended() })
	w.awaitEnds(ends{good: landed, red: queue.ChecksFailed})
	if tests := w.entry(red).End.Tests; len(tests) != 1 || tests[0].Name != p.test("voucher") || w.repo.Ref("main") != tip {
		t.Errorf("it is out for %+v, and main moved from %s to %s", tests, tip, w.repo.Ref("main"))
	}

	w.label(silent)
	w.letIdleTimePass("it has its end", func() bool { return w.entry(silent).Phase.Ended() })
	w.awaitEnds(ends{good: landed, red: queue.ChecksFailed, silent: landed})
	if shards := w.receipt().Shards; w.road.cutCalls() == 0 || len(shards) != 2 {
		t.Errorf("%d calls were lost, and the receipt has the shards %+v", w.road.cutCalls(), shards)
	}
}

// Two shards that cut by different plans may both be green and leave a test out
// between them. That is incomplete, and does not land.
func TestShardsOfTwoPlansAreIncomplete(t *testing.T) {
	p := goProject.in("steps")
	// Given a server that knows one item to take as long as all others together.
	w := p.settle(t, p.asQueued)
	defer w.showRuns()
	seed := w.open("slow", goChange("aaa", ""))
	w.label(seed)
	w.awaitEnds(ends{seed: landed})
	slow := []shard.Sample{{Item: p.item("aaa"), MS: 600_000}}
	w.must(w.server.store.KeepTimings(t.Context(), w.repo.ID, "unit", "", w.clock.now().Add(time.Minute), slow, nil))
	tip := w.repo.Ref("main")

	// When the shard of that item gets its plan, and the other does not.
	w.road.cutOff(func(r *http.Request) bool { return askPlan(r) && shardThatAsks(r) != 0 })
	pr := w.open("mixed", p.passes("parcel"))
	w.label(pr)
	w.letIdleTimePass("it has its end, or tries again", func() bool { return w.entry(pr).Phase.Ended() || len(w.runsOf("push")) > 2 })

	// Then what the two ran together decides: the whole suite, or nothing lands.
	var all []string
	for _, items := range w.slices(w.runsOf("push")[1], 1) {
		all = append(all, items...)
	}
	all = slices.Compact(slices.Sorted(slices.Values(all)))
	whole := slices.Equal(all, slices.Sorted(slices.Values(append(p.items(t), p.item("aaa"), p.item("parcel")))))
	if lands := w.repo.Ref("main") == w.runsOf("push")[1].HeadSHA; lands && !whole {
		t.Errorf("%q landed the suite, main was %s", all, tip)
	}
	if whole {
		t.Errorf("both plans were alike (%q): this story is of two", all)
	}
}
