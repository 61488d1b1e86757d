package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// runners are the projects in mode run, which alone can run single tests again.
var runners = []project{goProject, pytestProject, jestProject.in("run")}

// A test that fails and then passes is run again in its own job: the pull
// request lands by its first run, nobody is blamed, and the receipt names the flake.
func TestAFlakeIsRunAgainInItsJobAndLands(t *testing.T) {
	eachOf(t, runners, func(t *testing.T, p project) {
		w := p.settle(t, p.asQueued)
		defer w.showRuns()
		pr := w.open("flakes", p.flakes("parcel"))

		w.label(pr)
		w.awaitEnds(ends{pr: landed})

		if runs := w.runsOf("push"); len(runs) != 1 || runs[0].Conclusion != "success" {
			t.Errorf("%d runs, the first concluded %s; want one and green", len(runs), runs[0].Conclusion)
		}
		if flaky, muted := w.excused(); !slices.Equal(flaky, []string{p.test("parcel")}) || len(muted) > 0 {
			t.Errorf("the receipt calls %q flaky, and %q muted", flaky, muted)
		}
	})
}

// A test that flakes on what lands is put in quarantine, by what landed alone.
// There its failure holds nobody up any more, except a pull request that
// changes the test's folder.
func TestAKnownFlakeHoldsUpOnlyWhoTouchesIt(t *testing.T) {
	eachOf(t, runners, func(t *testing.T, p project) {
		// Given a test on main that fails once in each run.
		wobbly := p.wobbles()
		w := p.settle(t, p.asQueued, func(files map[string]string) { addFiles(files, wobbly) })
		defer w.showRuns()
		name := p.test("wobbly")

		// When three have landed all the same.
		want := ends{}
		for _, branch := range []string{"one", "two", "three"} {
			pr := w.opens(branch)
			w.label(pr)
			want[pr] = landed
			w.awaitEnds(want)
			if flaky, _ := w.excused(); !slices.Equal(flaky, []string{name}) {
				t.Fatalf("the receipt of #%d calls %q flaky", pr, flaky)
			}
		}

		// Then it may fail, and fail again: who has nothing to do with it lands.
		w.must(os.Mkdir(filepath.Join(filepath.Dir(w.notes), "always"), 0o755))
		apart := w.opens("apart")
		w.label(apart)
		want[apart] = landed
		w.awaitEnds(want)
		if flaky, muted := w.excused(); !slices.Equal(muted, []string{name}) || len(flaky) > 0 {
			t.Errorf("the receipt calls %q flaky, and %q muted", flaky, muted)
		}
		runs := w.runsOf("push")
		if last := runs[len(runs)-1]; last.Conclusion != "success" || len(runs) != 4 {
			t.Errorf("%d runs for four that landed, the last concluded %s", len(runs), last.Conclusion)
		}

		// And who changes its folder has to see it pass.
		touches := w.open("touches", map[string]string{path.Dir(p.wobblyFile()) + "/notes.txt": "It wobbles.\n"})
		tip := w.repo.Ref("main")
		w.label(touches)
		want[touches] = queue.ChecksFailed
		w.letIdleTimePass("it has its end", func() bool { return w.entry(touches).Phase.Ended() })
		w.awaitEnds(want)
		if tests := w.entry(touches).End.Tests; len(tests) != 1 || tests[0].Name != name || w.repo.Ref("main") != tip {
			t.Errorf("it is out for %+v, and main is %s", tests, w.repo.Ref("main"))
		}
	})
}

// A flake that is learnt only from a pull request excuses nothing: whoever
// brings a failing test cannot make it a known one.
func TestAPullRequestCannotExcuseItsOwnTest(t *testing.T) {
	p := goProject
	w := p.settle(t, p.asQueued)
	defer w.showRuns()
	pr := w.open("red", p.fails("parcel"))

	for range 2 {
		before := len(w.runsOf("push"))
		w.label(pr)
		w.until("it is tested", func() bool { return len(w.runsOf("push")) > before })
		w.awaitEnds(ends{pr: queue.ChecksFailed})
		if tests := w.entry(pr).End.Tests; len(tests) != 1 || tests[0].Name != p.test("parcel") {
			t.Fatalf("it is out for %+v", tests)
		}
		if !w.said(pr, p.test("parcel")) {
			t.Errorf("it is told %q", w.repo.Comments(int64(pr)))
		}
	}
	if w.repo.Ref("main") != w.base {
		t.Error("main moved")
	}
}

// wobblyFile is where wobbles stands: in no folder that other changes touch.
func (p project) wobblyFile() string {
	return map[string]string{"go": "wobbly/wobbly_test.go", "pytest": "tests/old/test_wobbly.py", "jest": "old/wobbly.test.js"}[p.runner]
}

// wobbles is a test that fails the first time in each run; and always, once
// there is a folder of that name.
func (p project) wobbles() map[string]string {
	switch p.runner {
	case "go":
		return goChange("wobbly", `_, err := os.Stat(os.Getenv("STORY_DIR") + "/always")
	if story.First("wobbly-"+os.Getenv("GITHUB_RUN_ID")) || err == nil { t.Fatal("the warehouse did not answer") }`)
	case "pytest":
		change := pythonChange("wobbly", `assert not story.first("wobbly-" + os.environ["GITHUB_RUN_ID"]) and not os.path.exists(os.environ["STORY_DIR"] + "/always")`)
		return map[string]string{p.wobblyFile(): change[pythonFile("wobbly")]}
	}
	change := jestChange("wobbly", `const always = require("fs").existsSync(process.env.STORY_DIR + "/always");
  if (first("wobbly-" + process.env.GITHUB_RUN_ID) || always) throw new Error("the warehouse did not answer");`)
	return map[string]string{p.wobblyFile(): change[jestFile("wobbly")]}
}

func addFiles(files, more map[string]string) {
	for name, body := range more {
		files[name] = body
	}
}

// excused are the tests that the last receipt calls flaky and muted.
func (w *town) excused() (flaky, muted []string) {
	w.t.Helper()
	for _, sh := range w.receipt().Shards {
		for _, f := range sh.Flaky {
			flaky = append(flaky, f.Name)
		}
		for _, f := range sh.Muted {
			muted = append(muted, f.Name)
		}
		if bad := len(sh.Failed) > 0 || sh.Result == shard.ResultFailed || strings.Contains(string(sh.Result), "error"); bad {
			w.t.Errorf("the receipt has the shard %+v", sh)
		}
	}
	return flaky, muted
}
