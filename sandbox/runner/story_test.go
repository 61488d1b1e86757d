package runner

import (
	"strings"
	"testing"
)

// The workflow of the product's own documentation is the reason this package
// exists: shards side by side, a job behind them that always looks at the sum.
func TestShardsRunAndASummaryJobSeesThem(t *testing.T) {
	s := newStory(t, `
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {shard: [0, 1, 2]}}
    outputs: {"last": "${{ steps.say.outputs.word }}"}
    steps:
      - uses: actions/checkout@v7
      - id: say
        run: |
          echo "word=$(cat hello.txt)" >> "$GITHUB_OUTPUT"
          echo "shard ${{ matrix.shard }} is ${{ strategy.job-index }} of ${{ strategy.job-total }}"
  done:
    needs: test
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: echo "${{ needs.test.result }} ${{ needs.test.outputs.last }}"
`)
	s.files = map[string]string{"hello.txt": "hi"}
	s.run(t)
	s.expect(t, map[string]string{"": Success, "test (0)": Success, "test (1)": Success, "test (2)": Success, "done": Success})
	s.expectLog(t, "test (1)", "shard 1 is 1 of 3")
	s.expectLog(t, "done", "success hi")
	if job := s.jobs[2]; job.Key != "test" || job.Index != 2 || job.Total != 3 || job.Matrix["shard"] != 2.0 {
		t.Errorf("the third shard was announced as %+v", job)
	}
}

// A red shard has to be seen as red by the job that adds up, and the others of
// its matrix must still run when fail-fast is off.
func TestAFailingShardMakesTheNeedFail(t *testing.T) {
	s := newStory(t, `
jobs:
  test:
    runs-on: x
    strategy: {fail-fast: false, matrix: {shard: [0, 1]}}
    steps:
      - run: exit ${{ matrix.shard }}
      - run: echo unreached
      - if: failure()
        run: echo "after a failure, job ${{ job.status }}"
  plain:
    needs: test
    runs-on: x
    steps: [{run: echo no}]
  done:
    needs: [test, plain]
    if: ${{ !cancelled() }}
    runs-on: x
    steps: [{run: 'echo "test=${{ needs.test.result }} plain=${{ needs.plain.result }}"'}]
`).run(t)
	s.expect(t, map[string]string{"": Failure, "test (0)": Success, "test (1)": Failure, "plain": Skipped, "done": Success})
	s.expectLog(t, "test (1)", "after a failure, job failure", "##[error]Process completed with exit code 1.")
	s.expectLog(t, "done", "test=failure plain=skipped")
	if got := s.result(t, "test (1)"); strings.Contains(got.Log, "unreached\n") && !strings.Contains(got.Log, "Run echo unreached") {
		t.Errorf("the step behind the failure ran:\n%s", got.Log)
	}
	if got := s.result(t, "test (1)").Annotations; len(got) != 1 || got[0] != "::error::Process completed with exit code 1." {
		t.Errorf("annotations: %q", got)
	}
}

// A plan job hands its matrix to the shards: the layout for required suites.
func TestAMatrixComesFromAnotherJobsOutput(t *testing.T) {
	s := newStory(t, `
jobs:
  plan:
    runs-on: x
    outputs: {matrix: "${{ steps.p.outputs.matrix }}"}
    steps:
      - id: p
        run: |
          echo 'matrix<<END' >> $GITHUB_OUTPUT
          echo '{"include":[{"shard":0,"tests":"a b"},' >> $GITHUB_OUTPUT
          echo '{"shard":1,"tests":"c"}]}' >> $GITHUB_OUTPUT
          echo END >> $GITHUB_OUTPUT
  test:
    needs: plan
    name: shard ${{ matrix.shard }}
    runs-on: x
    strategy: {matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}"}
    steps: [{env: {T: "${{ matrix.tests }}"}, run: 'echo "tests $T"'}]
`).run(t)
	s.expect(t, map[string]string{"": Success, "shard 0": Success, "shard 1": Success})
	s.expectLog(t, "shard 0", "tests a b")
	s.expectLog(t, "shard 1", "tests c")
}

// A matrix that turns out wrong is a red job that says why, never no job.
func TestAMatrixThatCannotBeExpandedFails(t *testing.T) {
	for value, want := range map[string]string{
		`[]`: "a has no values", `[1`: "fromJSON: read JSON: unexpected EOF", `"x"`: "a is not a list",
	} {
		s := newStory(t, `
jobs:
  plan:
    runs-on: x
    outputs: {list: '`+value+`'}
    steps: [{run: 'true'}]
  test:
    needs: plan
    runs-on: x
    strategy: {matrix: {a: "${{ fromJSON(needs.plan.outputs.list) }}"}}
    steps: [{run: 'true'}]
`).run(t)
		s.expect(t, map[string]string{"": Failure, "test": Failure})
		if log := s.result(t, "test").Log; !strings.Contains(log, want) || !strings.Contains(log, "ci.yml:") {
			t.Errorf("%s: the log should say %q and where: %s", value, want, log)
		}
	}
}

// JobSlots are shared by all runs of a machine; one slot means one job at once.
func TestJobSlotsBoundTheJobsAtOnce(t *testing.T) {
	s := newStory(t, `
jobs:
  a:
    runs-on: x
    strategy: {matrix: {n: [1, 2, 3, 4]}}
    steps: [{run: 'mkdir "$RUNNER_TOOL_CACHE/alone" && rmdir "$RUNNER_TOOL_CACHE/alone"'}]
  b:
    runs-on: x
    steps: [{run: 'mkdir "$RUNNER_TOOL_CACHE/alone" && rmdir "$RUNNER_TOOL_CACHE/alone"'}]
`)
	s.spec.JobSlots = make(chan struct{}, 1)
	s.run(t)
	s.expect(t, map[string]string{"": Success})
	if len(s.spec.JobSlots) != 0 {
		t.Error("a slot was not given back")
	}
}

// A failing ancestor stops a whole chain, even behind a job with always().
func TestSuccessLooksAtEveryAncestor(t *testing.T) {
	s := newStory(t, `
jobs:
  a: {runs-on: x, steps: [{run: exit 1}]}
  b: {needs: a, if: always(), runs-on: x, steps: [{run: 'true'}]}
  c: {needs: b, runs-on: x, steps: [{run: 'true'}]}
  d: {needs: b, if: failure(), runs-on: x, steps: [{run: 'true'}]}
`).run(t)
	s.expect(t, map[string]string{"": Failure, "a": Failure, "b": Success, "c": Skipped, "d": Success})
}

// Inputs of a dispatch are typed by their declaration; a default fills a gap.
func TestADispatchHasItsInputs(t *testing.T) {
	s := newStory(t, `
on:
  workflow_dispatch:
    inputs: {deep: {type: boolean}, count: {type: number, default: "3"}, who: {default: nobody}}
jobs:
  a:
    if: inputs.deep && inputs.count > 2
    runs-on: x
    steps: [{run: 'echo "${{ inputs.who }} ${{ toJSON(inputs.deep) }}"'}]
  b:
    needs: a
    if: github.event.inputs.deep == 'false'
    runs-on: x
    steps: [{run: 'true'}]
`)
	s.spec.Event = Event{Name: "workflow_dispatch", Ref: "refs/heads/main", Payload: []byte(`{"inputs":{"deep":"true"}}`)}
	s.run(t)
	s.expect(t, map[string]string{"": Success, "a": Success, "b": Skipped})
	s.expectLog(t, "a", "nobody true")
}

// A run that can't even begin must still end every job, or a check hangs.
func TestARunThatCannotBeginFailsItsJobs(t *testing.T) {
	s := newStory(t, `
jobs:
  a: {runs-on: x, steps: [{run: 'true'}]}
  b: {needs: a, name: second, runs-on: x, steps: [{run: 'true'}]}
`)
	s.spec.Event.Payload = []byte("{")
	s.run(t)
	s.expect(t, map[string]string{"": Failure, "a": Failure, "second": Failure})
	if log := s.result(t, "second").Log; !strings.Contains(log, "read the event's payload") {
		t.Errorf("the log doesn't say why: %s", log)
	}
}
