package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Two changes, labelled, land: each ran in full under the commit that landed,
// every test in one shard, and the receipt says how many.
func TestARealSuiteLandsWhatIsGreen(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		one, two := w.open("one", p.passes("parcel")), w.open("two", p.passes("voucher"))

		w.labelTogether(one, two)
		w.awaitEnds(ends{one: landed, two: landed})

		runs := w.runsOf("push")
		if len(runs) != 1 || runs[0].Conclusion != "success" {
			t.Fatalf("%d runs, want one and green", len(runs))
		}
		w.ranAll(runs[0], append(p.items(t), p.item("parcel"), p.item("voucher")))
		// In mode run the first job may take all of a suite that is over in a second.
		if jobs := w.slices(runs[0], 1); len(jobs) > 2 || len(jobs) < 2 && p.layout != "run" {
			t.Errorf("the suite ran in %d jobs: %v", len(jobs), jobs)
		}
		tests := 0
		for _, sh := range w.receipt().Shards {
			tests += sh.Tests
			if sh.Suite != p.suite || sh.Total != 2 || sh.Result != shard.ResultPassed {
				t.Errorf("the receipt has the shard %+v", sh)
			}
		}
		if tests < len(p.items(t))+2 {
			t.Errorf("the receipt counts %d tests", tests)
		}
	})
}

// comesOut lets a change be labelled that is red: its pull request is out, and
// main stays where it was.
func (w *town) comesOut(title string, files map[string]string) (pr int, head string) {
	w.t.Helper()
	pr = w.open(title, files)
	head = w.pull(pr).HeadSHA
	w.label(pr)
	w.awaitEnds(ends{pr: queue.ChecksFailed})
	if w.repo.Ref("main") != w.base {
		w.t.Error("main moved")
	}
	return pr, head
}

// A failing test is named where its author looks, and nothing of it lands.
func TestARealSuiteNamesTheTestThatFails(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		pr, head := w.comesOut("red", p.fails("parcel"))
		check := w.check(head)
		if check.Conclusion != "failure" || !strings.Contains(check.Title, p.test("parcel")) || check.Annotations == 0 {
			t.Errorf("the check says %s: %q, with %d annotations", check.Conclusion, check.Title, check.Annotations)
		}
		if tests := w.entry(pr).End.Tests; len(tests) != 1 || tests[0].Name != p.test("parcel") || tests[0].Suite != p.suite {
			t.Errorf("it is out for %+v", tests)
		}
	})
}

// A job that is killed has proved nothing, and neither has its neighbour that is
// green: that commit does not land. It is nobody's fault either, so it is tested anew.
func TestAShardThatDiesLandsNothing(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		pr := w.open("dies", p.dies("parcel"))

		w.label(pr)
		w.awaitEnds(ends{pr: landed})

		runs := w.runsOf("push")
		if len(runs) < 2 || runs[0].Conclusion == "success" {
			t.Fatalf("the first of %d runs concluded %s, want others after it and not green", len(runs), runs[0].Conclusion)
		}
		for _, job := range runs[0].Jobs {
			if job.Conclusion == "failure" && p.layout == "run" && strings.Contains(job.Log, "Reported to") {
				t.Errorf("the job that died reported:\n%s", job.Log)
			}
		}
		last := runs[len(runs)-1]
		if last.HeadSHA != w.repo.Ref("main") || last.Conclusion != "success" {
			t.Errorf("main is %s, and the last run is of %s and concluded %s", w.repo.Ref("main"), last.HeadSHA, last.Conclusion)
		}
		w.ranAll(last, append(p.items(t), p.item("parcel")))
	})
}

// A test that kills its process each time is out, though it never said that it failed.
func TestATestThatCrashesItsShardIsOut(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		w.comesOut("crashes", p.crashes("parcel"))
		if first := w.runsOf("push")[0]; first.Conclusion == "success" {
			t.Errorf("its run concluded %s", first.Conclusion)
		}
	})
}

// What does not compile, load or parse is red, says where, and is not run again
// as if it were a flake.
func TestWhatDoesNotBuildIsOut(t *testing.T) {
	eachProject(t, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		_, head := w.comesOut("unbuilt", p.unbuilt("parcel"))
		if check := w.check(head); check.Conclusion != "failure" {
			t.Errorf("the check says %s: %q", check.Conclusion, check.Title)
		}
		if log := w.logs(); !strings.Contains(log, "parcel") {
			t.Errorf("no log names the file:\n%s", log)
		}
		for _, run := range w.runsOf("push") {
			var all []string
			for _, items := range w.slices(run, 1) {
				all = append(all, items...)
			}
			if slices.Contains(all, p.item("parcel")) {
				t.Errorf("run %d ran what does not build: %q", run.ID, all)
			}
		}
	})
}

// Tests in a step of one's own, between plan and report, are as good as mode run.
func TestARealSuiteRunsInStepsOfItsOwn(t *testing.T) {
	eachOf(t, []project{goProject.in("steps"), pytestProject.in("steps")}, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		good, red := w.open("good", p.passes("parcel")), w.open("red", p.fails("voucher"))

		w.label(good)
		w.awaitEnds(ends{good: landed})
		w.ranAll(w.runsOf("push")[0], append(p.items(t), p.item("parcel")))

		w.label(red)
		w.awaitEnds(ends{good: landed, red: queue.ChecksFailed})
		if tests := w.entry(red).End.Tests; len(tests) != 1 || tests[0].Name != p.test("voucher") {
			t.Errorf("it is out for %+v", tests)
		}
	})
}

// receipt is the last one.
func (w *town) receipt() queue.Receipt {
	w.t.Helper()
	receipts, err := w.server.store.Receipts(context.Background(), w.place.ID, 1)
	w.must(err)
	if len(receipts) != 1 {
		w.t.Fatal("nothing has landed")
	}
	return receipts[0]
}

// logs are those of all jobs so far.
func (w *town) logs() string {
	var all strings.Builder
	for _, run := range w.repo.WorkflowRuns() {
		for _, job := range run.Jobs {
			all.WriteString(job.Log)
		}
	}
	return all.String()
}
