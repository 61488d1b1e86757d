package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// file is a report file as the Action leaves it: a chunk a line.
func file(t *testing.T, chunks ...shard.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, c := range chunks {
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	return out.Bytes()
}

func ticketRun() queue.Run {
	return queue.Run{ID: 100, Event: "push", Branch: "mainstay/main/41", Path: ".github/workflows/test.yml"}
}

// A report that only GitHub has counts as one that was sent, in one chunk or in
// several, and by what GitHub says of the run alone.
func TestAFoundReportCountsAsIfItHadBeenSent(t *testing.T) {
	first, second := aReport(0, 2, "TestA"), aReport(0, 2, "TestB")
	first.Chunks, first.Final, second.Chunks, second.Chunk = 2, false, 2, 1
	first.Reruns, second.Reruns = true, true
	f := openFront(t)
	err := f.front.TakeFound(t.Context(), queue.Place{ID: 1, Repository: 7}, Found{Run: ticketRun(), Try: 3, HeadSHA: "tested", Name: "mainstay-report-unit-0-3", Body: file(t, first, second)})
	if err != nil {
		t.Fatal(err)
	}
	var reported []queue.Shard
	for _, fact := range f.keeper.facts {
		if r, ok := fact.(queue.ShardReported); ok && r.Commit == "tested" {
			reported = append(reported, r.Shard)
		}
	}
	if len(reported) != 1 || reported[0].RunID != 100 || reported[0].RunTry != 3 || reported[0].Result != shard.ResultFailed || len(reported[0].Failed) != 2 {
		t.Fatalf("the queue heard %+v", reported)
	}
}

// One that was sent as well is passed over, whatever the file says.
func TestAFoundReportThatWasSentCountsOnce(t *testing.T) {
	f := openFront(t)
	if status, text := f.call(f.token(nil), "PUT", "/v1/reports/unit/0/0", aReport(0, 2, "TestA")); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	heard := len(f.keeper.facts)
	for _, body := range [][]byte{file(t, aReport(0, 2, "TestA")), file(t, aReport(0, 2))} {
		if err := f.front.TakeFound(t.Context(), queue.Place{ID: 1, Repository: 7}, Found{Run: ticketRun(), Try: 1, HeadSHA: "tested", Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.keeper.facts) != heard {
		t.Fatalf("the queue heard %v", f.keeper.facts[heard:])
	}
}

// Whose a report is, GitHub says: a file of another run speaks for no attempt.
func TestAFoundReportOfAnotherRunMovesNothing(t *testing.T) {
	for name, change := range map[string]func(*Found){
		"a pull request's run":          func(f *Found) { f.Run.Event = "pull_request" },
		"a run by hand":                 func(f *Found) { f.Run.Event = "workflow_dispatch" },
		"another branch's":              func(f *Found) { f.Run.Branch = "topic" },
		"another ticket's":              func(f *Found) { f.Run.Branch = "mainstay/main/42" },
		"another commit's":              func(f *Found) { f.HeadSHA = "other" },
		"a dropped attempt's":           func(f *Found) { f.HeadSHA, f.Run.Branch = "dropped", "mainstay/main/40" },
		"not JSON":                      func(f *Found) { f.Body = []byte("{\n") },
		"no report":                     func(f *Found) { f.Body = []byte("{}\n") },
		"a report that breaks a limit":  func(f *Found) { f.Body = bytes.Replace(f.Body, []byte(`"unit"`), []byte(`"un\nit"`), 1) },
		"two shards' reports":           func(f *Found) { f.Body = append(f.Body, file(t, aReport(1, 2))...) },
		"empty":                         func(f *Found) { f.Body = nil },
		"a narrow one, all being asked": func(f *Found) { r := aReport(0, 2); r.Scope = shard.ScopeNarrow; f.Body = file(t, r) },
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			found := Found{Run: ticketRun(), Try: 1, HeadSHA: "tested", Body: file(t, aReport(0, 2))}
			change(&found)
			if err := f.front.TakeFound(t.Context(), queue.Place{ID: 1, Repository: 7}, found); err != nil {
				t.Fatal(err)
			}
			if len(f.keeper.facts)+len(f.keeper.reports) > 0 {
				t.Fatalf("the queue heard %v", f.keeper.facts)
			}
		})
	}
}

// A fork's report is for its pull request's page: kept there, cut to size, and told to no queue.
func TestAForksReportIsKeptForItsPageOnly(t *testing.T) {
	f := openFront(t)
	r := aReport(0, 2, "TestA")
	r.Tests[1].Executions[0].Message = strings.Repeat("x", 10_000)
	found := Found{Run: queue.Run{ID: 5, Event: "pull_request", Branch: "mainstay/main/41"}, Try: 1, HeadSHA: "tested", Body: file(t, r)}
	if err := f.front.KeepFound(t.Context(), queue.Place{ID: 1, Repository: 7}, 12, found); err != nil {
		t.Fatal(err)
	}
	if len(f.keeper.facts)+len(f.keeper.reports) > 0 {
		t.Fatalf("the queue heard %v", f.keeper.facts)
	}
	if len(f.keeper.pulls) != 1 {
		t.Fatalf("kept %+v", f.keeper.pulls)
	}
	kept := f.keeper.pulls[0]
	if kept.PR != 12 || kept.Head != "tested" || kept.Shard.Result != shard.ResultFailed || kept.Shard.Failed[0].Name != "TestA" || len(kept.Shard.Failed[0].Message) > keptMessage+3 {
		t.Fatalf("kept %+v", kept)
	}
	f.keeper.down = errors.New("disk full")
	if err := f.front.KeepFound(t.Context(), queue.Place{ID: 1}, 12, found); err == nil {
		t.Fatal("the store's trouble was swallowed")
	}
}

// A pull request's page lists what its own runs said, whoever wrote it.
func TestThePageOfAPullRequestShowsItsOwnRuns(t *testing.T) {
	d := searchingShop()
	number := 0
	for _, e := range d.rows[d.places[0].ID].Entries {
		number = e.PR.Number
	}
	d.reports = map[int][]queue.PullReport{number: {
		{PR: number, Head: "0123456789abcdef", Shard: queue.Shard{Suite: "unit", Index: 1, Total: 2, RunID: 77, RunTry: 2, Result: shard.ResultFailed, Tests: 12,
			Failed: []queue.FailedTest{{Name: "Test<script>", File: "a_test.go", Line: 3}}}},
		{PR: number, Head: "0123456789abcdef", Shard: queue.Shard{Suite: "unit", Variant: "linux", Index: 0, Total: 2, RunID: 77, RunTry: 2, Result: shard.ResultPassed}},
	}}
	_, body := get(t, dashboard(t, d, nil).URL+pullPath(d.places[0], number))
	for _, want := range []string{"Its own runs", "run 77", "attempt 2", "unit 2 of 2: failed, 12 tests", "Test&lt;script&gt;", "a_test.go:3", "unit (linux) 1 of 2: passed"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
