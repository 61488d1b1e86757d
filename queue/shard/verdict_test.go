package shard

import "testing"

func red(name string) Test {
	return Test{Key: "k-" + name, Name: name, Executions: []Execution{{Status: Failed, Kind: KindAssertion}}}
}

func vague(kind Kind) Test {
	return Test{Key: "k-" + string(kind), Name: string(kind), Executions: []Execution{{Status: Errored, Kind: kind}}}
}

func retried(name string) Test {
	return Test{Key: "k-" + name, Name: name, Executions: []Execution{{Status: Failed}, {Status: Passed}}}
}

func green(name string) Test { return Test{Key: "k-" + name, Name: name, MS: 3} }

// whole is a report of one chunk over the given items.
func whole(change func(*Report), items ...string) Report {
	r := Report{
		API: API, Suite: "unit", Runner: "go", Shard: Position{Index: 0, Total: 1}, Source: SourceServer, Scope: ScopeSlice,
		Outcome: OutcomeSuccess, Final: true, Chunks: 1, Tool: Tool{Name: "t", Version: "1", OS: "linux", Arch: "amd64"},
	}
	for _, id := range items {
		r.Items = append(r.Items, ItemResult{ID: id, Status: Passed})
	}
	if change != nil {
		change(&r)
	}
	return r
}

// The table of verdicts decides what a batch is thrown out for.
func TestJudge(t *testing.T) {
	list := map[string]bool{"k-known": true}
	failure := func(tests ...Test) func(*Report) {
		return func(r *Report) { r.Outcome, r.ExitCode, r.Tests = OutcomeFailure, 1, tests }
	}
	cases := []struct {
		name   string
		chunks []Report
		want   Result
		warned bool
	}{
		{"green and no failures", []Report{whole(func(r *Report) { r.Tests = []Test{green("a")} }, "p")}, ResultPassed, false},
		{"green after a retry", []Report{whole(func(r *Report) { r.Tests = []Test{retried("a")} }, "p")}, ResultFlaky, false},
		{"green though a test failed", []Report{whole(func(r *Report) { r.Tests = []Test{red("a")} }, "p")}, ResultPassed, true},
		{"green and an item never ended", []Report{whole(func(r *Report) { r.Items[0].Status = Errored }, "p")}, ResultIncomplete, true},
		{"red with nothing but an exit code", []Report{whole(failure(vague(KindExit)), "p")}, ResultError, true},
		{"red with a test that was lost", []Report{whole(failure(vague(KindLost)), "p")}, ResultError, true},
		{"red with a lost test and one that panicked", []Report{whole(failure(vague(KindLost), vague(KindPanic)), "p")}, ResultFailed, false},
		{"red with a package that did not build", []Report{whole(failure(vague(KindBuild)), "p")}, ResultFailed, false},
		{"green and an item never ran", []Report{whole(func(r *Report) { r.NotRun = []string{"q"} }, "p")}, ResultIncomplete, true},
		{"red with a failure", []Report{whole(failure(green("b"), red("a")), "p")}, ResultFailed, false},
		{"red with a known and another failure", []Report{whole(failure(red("known"), red("a")), "p")}, ResultFailed, false},
		{"red with known failures only", []Report{whole(failure(red("known")), "p")}, ResultQuarantined, false},
		{"red with a known failure and a broken package", []Report{whole(func(r *Report) {
			failure(red("known"))(r)
			r.Items[0].Status = Errored
		}, "p")}, ResultError, true},
		{"red without a failure", []Report{whole(failure(green("a")), "p")}, ResultError, true},
		{"red and only flaky", []Report{whole(failure(retried("a")), "p")}, ResultError, true},
		{"red by exit code though the outcome is missing", []Report{whole(func(r *Report) { r.Outcome, r.ExitCode = "", 2 }, "p")}, ResultError, true},
		{"red by exit code though the outcome says success", []Report{whole(func(r *Report) { r.ExitCode = 2 }, "p")}, ResultError, true},
		{"cancelled", []Report{whole(func(r *Report) { r.Outcome = OutcomeCancelled }, "p")}, ResultError, true},
		{"skipped with nothing to do", []Report{whole(func(r *Report) { r.Outcome = OutcomeSkipped })}, ResultPassed, false},
		{"skipped with tests to run", []Report{whole(func(r *Report) { r.Outcome = OutcomeSkipped }, "p")}, ResultError, true},
		{"skipped and not run", []Report{whole(func(r *Report) { r.Outcome, r.NotRun = OutcomeSkipped, []string{"p"} })}, ResultError, true},
		{"no report", nil, ResultError, true},
		{"cut off", []Report{whole(func(r *Report) { r.Chunks, r.Final = 2, false }, "p")}, ResultError, true},
		{"two chunks, the failure in the first to come", []Report{
			whole(func(r *Report) { failure(red("a"))(r); r.Chunk, r.Chunks = 1, 2 }, "p"),
			whole(func(r *Report) { failure(green("b"))(r); r.Chunks, r.Final = 2, false }, "p"),
		}, ResultFailed, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.chunks, list)
			if v.Result != c.want || (len(v.Warnings) > 0) != c.warned {
				t.Errorf("result %s, warnings %q; want %s, warned %v", v.Result, v.Warnings, c.want, c.warned)
			}
		})
	}
}
