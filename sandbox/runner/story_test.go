package runner

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// forge is the host of a test: it remembers what it was told.
type forge struct {
	t       *testing.T
	files   map[string]string // what a checkout writes
	started chan string       // names of jobs, when not nil

	mu     sync.Mutex
	jobs   []Job
	begun  map[int64]bool
	ended  map[int64]JobResult
	tokens []string
}

func (f *forge) QueueJob(job Job) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs = append(f.jobs, job)
	return int64(len(f.jobs))
}

func (f *forge) StartJob(id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun[id] = true
	if f.started != nil {
		f.started <- f.jobs[id-1].Name
	}
}

func (f *forge) FinishJob(id int64, result JobResult) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, twice := f.ended[id]; twice {
		f.t.Errorf("job %d ended twice", id)
	}
	f.ended[id] = result
}

func (f *forge) Checkout(_ context.Context, dir, sha string) error {
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return fmt.Errorf("checkout into a folder that is not empty: %v", err)
	}
	return writeFiles(dir, f.files)
}

func (f *forge) IDTokenRequest(_ int64, job Job) (url, bearer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens = append(f.tokens, job.Name)
	return "http://127.0.0.1/token", "bearer-of-" + job.Key
}

func writeFiles(dir string, files map[string]string) error {
	for name, content := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// story is one workflow run of a test.
type story struct {
	*forge
	spec       Spec
	conclusion string
}

func newStory(t *testing.T, src string) *story {
	t.Helper()
	w, err := Parse(".github/workflows/ci.yml", []byte("on: push\n"+strings.TrimPrefix(src, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return &story{
		forge: &forge{t: t, begun: map[int64]bool{}, ended: map[int64]JobResult{}},
		spec: Spec{
			Workflow: w, SHA: strings.Repeat("ab", 20), Owner: "octo", Repository: "octo/box", RepositoryID: 42,
			Actor: "ann", RunID: 7, RunNumber: 3, Attempt: 1, ServerURL: "http://forge", APIURL: "http://forge/api",
			Token: "ghs_secret", Dir: t.TempDir(),
			Event: Event{Name: "push", Ref: "refs/heads/main", Payload: []byte(`{"head_commit":{"message":"Hello"},"commits":[{"id":"a"},{"id":"b"}]}`)},
			Env:   []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()},
		},
	}
}

func (s *story) run(t *testing.T) *story {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	s.conclusion = Run(ctx, s.spec, s.forge)
	if len(s.ended) != len(s.jobs) {
		t.Errorf("%d jobs were announced, %d ended", len(s.jobs), len(s.ended))
	}
	return s
}

// result is how the job of that name ended.
func (s *story) result(t *testing.T, name string) JobResult {
	t.Helper()
	for i, job := range s.jobs {
		if job.Name == name {
			return s.ended[int64(i+1)]
		}
	}
	t.Fatalf("there is no job %q among %v", name, s.jobs)
	return JobResult{}
}

func (s *story) expect(t *testing.T, conclusions map[string]string) {
	t.Helper()
	for name, want := range conclusions {
		if name == "" {
			if s.conclusion != want {
				t.Errorf("the run ended as %s, want %s", s.conclusion, want)
			}
			continue
		}
		if got := s.result(t, name); got.Conclusion != want {
			t.Errorf("job %s ended as %s, want %s; its log:\n%s", name, got.Conclusion, want, got.Log)
		}
	}
}

func (s *story) expectLog(t *testing.T, name string, lines ...string) {
	t.Helper()
	log := s.result(t, name).Log
	for _, line := range lines {
		if !strings.Contains("\n"+log, "\n"+line+"\n") {
			t.Errorf("the log of %s has no line %q:\n%s", name, line, log)
		}
	}
}

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

// pipe is a named pipe that steps know as $PIPE.
func (s *story) pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	s.spec.Env = append(s.spec.Env, "PIPE="+name)
	return name
}

// Fail-fast is GitHub's default: one red shard ends the others of its matrix.
func TestFailFastCancelsTheOthers(t *testing.T) {
	s := newStory(t, `
jobs:
  test:
    runs-on: x
    strategy: {matrix: {shard: [bad, slow, never], include: [{shard: bad, kind: b}]}, max-parallel: 2}
    steps:
      - run: |
          if [ "${{ matrix.shard }}" = bad ]; then read word < "$PIPE"; exit 1; fi
          echo running > "$PIPE"
          sleep 60
      - if: cancelled()
        run: echo tidied
`)
	s.pipe(t)
	s.run(t)
	s.expect(t, map[string]string{"": Failure, "test (bad, b)": Failure, "test (slow)": Cancelled, "test (never)": Cancelled})
	s.expectLog(t, "test (slow)", "tidied")
	if s.begun[3] {
		t.Error("the third job began although two ran already and one failed")
	}
}

// The forge cancels a run when its branch goes away: everything that runs must
// end, children that ignore an interrupt too, and clean-up still has its turn.
func TestCancellingARunKillsItsProcesses(t *testing.T) {
	s := newStory(t, `
jobs:
  long:
    runs-on: x
    steps:
      - run: |
          (trap '' INT; exec 3> "$PIPE"; echo running >&3; sleep 60) &
          wait
      - run: echo "not this"
      - if: always()
        run: echo "tidy, job ${{ job.status }}" || true
  later:
    needs: long
    runs-on: x
    steps: [{run: echo no}]
  report:
    needs: long
    if: always()
    runs-on: x
    steps: [{run: 'echo "long=${{ needs.long.result }}"'}]
`)
	name := s.pipe(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dead := make(chan error, 1)
	go func() {
		pipe, err := os.Open(name)
		if err == nil {
			defer pipe.Close()
			err = pipe.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, _ = io.ReadFull(pipe, make([]byte, len("running\n")))
			cancel()
			_, err = io.Copy(io.Discard, pipe) // ends when nobody has it open any more
		}
		dead <- err
	}()
	conclusion := Run(ctx, s.spec, s.forge)
	if err := <-dead; err != nil {
		t.Errorf("the child of the step is still there: %v", err)
	}
	s.conclusion = conclusion
	s.expect(t, map[string]string{"": Cancelled, "long": Cancelled, "later": Cancelled, "report": Success})
	s.expectLog(t, "long", "tidy, job cancelled")
	s.expectLog(t, "report", "long=cancelled")
	if log := s.result(t, "long").Log; strings.Contains(log, "not this") {
		t.Errorf("a step ran after the cancellation:\n%s", log)
	}
}

// Our own Action is a composite one: its inputs, outputs, nested steps and its
// folder are what the demo stands on.
func TestACompositeActionHasInputsOutputsAndNestedSteps(t *testing.T) {
	s := newStory(t, `
jobs:
  use:
    runs-on: x
    env: {FROM: job}
    steps:
      - uses: actions/checkout@v7
      - id: it
        uses: octo/tool/sub@v1
        env: {EXTRA: more}
        with: {Mode: plan, unknown: 1}
      - run: echo "${{ steps.it.outputs.answer }} / ${{ steps.it.outcome }} / $ADDED / $(hello)"
`)
	dir := t.TempDir()
	s.spec.Actions = map[string]string{"octo/tool": dir}
	s.files = map[string]string{
		"local/action.yml": `
runs:
  using: composite
  steps:
    - id: deep
      shell: bash
      run: echo "v=${GITHUB_ACTION_PATH##*/} $FROM $EXTRA" >> "$GITHUB_OUTPUT"
outputs: {deep: {value: "${{ steps.deep.outputs.v }}"}}
`}
	err := writeFiles(dir, map[string]string{
		"sub/bin/hello": "#!/bin/sh\necho hello from the path\n",
		"sub/action.yml": `
name: tool
inputs:
  mode: {default: run, required: true}
  suite: {default: "${{ github.job }}", description: the suite}
  shard: {default: "${{ strategy.job-index }}"}
outputs:
  answer: {value: "${{ steps.main.outputs.answer }}, ${{ steps.nested.outputs.deep }}", description: all of it}
runs:
  using: composite
  steps:
    - id: soft
      continue-on-error: true
      shell: bash
      run: exit 3
    - id: nested
      uses: ./local
    - id: main
      if: steps.soft.outcome == 'failure' && success()
      shell: sh
      env: {MODE: "${{ inputs.mode }}", CHECK: "${{ job.check_run_id }}"}
      run: |
        echo "answer=$MODE ${{ inputs.suite }} ${{ inputs.shard }} $CHECK" >> "$GITHUB_OUTPUT"
        echo "ADDED=by the action" >> "$GITHUB_ENV"
        echo "${{ github.action_path }}/bin" >> "$GITHUB_PATH"
        test "$GITHUB_ACTION_PATH" = "${{ github.action_path }}"
    - if: failure()
      shell: bash
      run: echo "never"; exit 1
`})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t)
	s.expect(t, map[string]string{"use": Success})
	s.expectLog(t, "use", "plan use 0 1, local job more / success / by the action / hello from the path",
		`##[warning]Unexpected input "unknown" of octo/tool/sub@v1`)
}

// A composite action that fails has to fail its step, and say where it stands.
func TestWhatAnActionDoesWrongFailsItsJob(t *testing.T) {
	cases := map[string]struct{ action, uses, want string }{
		"a failing step":     {"runs: {using: composite, steps: [{shell: bash, run: exit 4}]}", "octo/tool@v1", "Process completed with exit code 4."},
		"a JavaScript one":   {"runs: {using: node24, main: index.js}", "octo/tool@v1", `octo/tool/action.yml:1:15: an action using "node24" is not supported, only composite ones`},
		"no shell":           {"runs:\n  using: composite\n  steps:\n  - run: a", "octo/tool@v1", "octo/tool/action.yml:4:5: a run: step of a composite action needs a shell:"},
		"an unknown key":     {"runs: {using: composite, steps: [{shell: bash, run: a, timeout-minutes: 3}]}", "octo/tool@v1", `octo/tool/action.yml:1:56: key "timeout-minutes" is not supported here`},
		"secrets inside":     {"runs: {using: composite, steps: [{shell: bash, run: '${{ secrets.X }}'}]}", "octo/tool@v1", `octo/tool/action.yml:1:53: context "secrets" does not exist here`},
		"itself":             {"runs: {using: composite, steps: [{uses: octo/tool@v1}]}", "octo/tool@v1", "actions use each other more than 10 deep"},
		"not at the forge":   {"", "octo/other@v1", ".github/workflows/ci.yml:6:8: uses: the action octo/other is not known here"},
		"no action.yml":      {"", "octo/tool/none@v1", "action octo/tool/none has no action.yml"},
		"a local one absent": {"", "./none", "action ./none has no action.yml"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, `
jobs:
  use:
    runs-on: x
    steps:
     - uses: `+c.uses+`
`)
			dir := t.TempDir()
			if err := writeFiles(dir, map[string]string{"action.yml": c.action}); err != nil {
				t.Fatal(err)
			}
			s.spec.Actions = map[string]string{"octo/tool": dir}
			s.run(t)
			s.expect(t, map[string]string{"": Failure, "use": Failure})
			s.expectLog(t, "use", "##[error]"+c.want)
		})
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

// Secrets must not reach a log, a summary, an annotation or another job.
func TestSecretsAreHidden(t *testing.T) {
	s := newStory(t, `
permissions: {id-token: write}
jobs:
  leak:
    runs-on: x
    outputs: {bad: "${{ steps.o.outputs.bad }}", good: fine}
    steps:
      - id: o
        env: {T: "${{ secrets.GITHUB_TOKEN }}"}
        run: |
          echo "token $T, $(printf %s "$T" | base64), $ACTIONS_ID_TOKEN_REQUEST_TOKEN"
          echo "::add-mask::hunter2%0Asecond"
          echo "hunter2 and second"
          echo "::error file=a.go,line=3::hunter2 failed%0Aagain"
          echo "::stop-commands::stop-it"
          echo "::error::not a command"
          echo "::stop-it::"
          echo "::warning::last"
          echo "summary hunter2" >> "$GITHUB_STEP_SUMMARY"
          echo "bad=hunter2" >> "$GITHUB_OUTPUT"
          echo "::set-output name=bad::x"
          test -z "$GITHUB_TOKEN"
  next:
    needs: leak
    permissions: {contents: read}
    runs-on: x
    steps: [{run: 'echo "bad=[${{ needs.leak.outputs.bad }}] good=${{ needs.leak.outputs.good }} url=[$ACTIONS_ID_TOKEN_REQUEST_URL]"'}]
`).run(t)
	got := s.result(t, "leak")
	s.expect(t, map[string]string{"": Success})
	s.expectLog(t, "leak", "token ***, ***, ***", "*** and ***", "::error::not a command")
	if all := fmt.Sprint(got); strings.Contains(all, "hunter2") || strings.Contains(all, s.spec.Token) {
		t.Errorf("a secret is in what the job left:\n%s", all)
	}
	want := []string{"::error file=a.go,line=3::*** failed\nagain", "::warning::last",
		"::warning::the command ::set-output:: is ignored: write to the file of the environment instead",
		"::warning::Skip output 'bad' since it may contain secret."}
	if !slices.Equal(got.Annotations, want) {
		t.Errorf("annotations %q, want %q", got.Annotations, want)
	}
	if got.Summary != "summary ***\n" {
		t.Errorf("summary %q", got.Summary)
	}
	s.expectLog(t, "next", "bad=[] good=fine url=[]")
	if !slices.Equal(s.tokens, []string{"leak"}) {
		t.Errorf("id tokens were asked for %q, only leak may have one", s.tokens)
	}
}

// Steps read GitHub's variables; what env: says at three levels lies under them,
// and nothing of this process' own environment is there.
func TestTheEnvironmentOfAStep(t *testing.T) {
	t.Setenv("RUNNER_TEST_LEAK", "leaked")
	s := newStory(t, `
env: {A: workflow, B: workflow, C: workflow}
defaults: {run: {working-directory: sub}}
jobs:
  env:
    runs-on: x
    env: {B: job, C: job, D: "${{ github.event.head_commit.message }}"}
    steps:
      - run: mkdir -p sub && echo "E=set" >> "$GITHUB_ENV"
        working-directory: .
      - env: {C: "step over ${{ env.C }}", GITHUB_SHA: forged}
        if: env.E == 'set' && env.C != 'job'
        shell: bash
        run: |
          echo "$A $B $C $D $E [$RUNNER_TEST_LEAK]"
          echo "$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_REF_NAME $GITHUB_REF_TYPE $GITHUB_REPOSITORY $GITHUB_REPOSITORY_ID $GITHUB_REPOSITORY_OWNER"
          echo "$GITHUB_RUN_ID $GITHUB_RUN_NUMBER $GITHUB_RUN_ATTEMPT $GITHUB_JOB $GITHUB_ACTOR $GITHUB_WORKFLOW $GITHUB_WORKFLOW_REF $CI $GITHUB_ACTIONS"
          echo "$GITHUB_SERVER_URL $GITHUB_API_URL $GITHUB_GRAPHQL_URL $RUNNER_OS ${PWD##*/} $GITHUB_ACTION"
          test "$GITHUB_SHA" = "${{ github.sha }}" && test -d "$RUNNER_TEMP" && test -d "$RUNNER_TOOL_CACHE"
          grep -q head_commit "$GITHUB_EVENT_PATH"
          echo "${{ join(github.event.commits.*.id) }} ${{ hashFiles('none') }}|${{ runner.os }}|$(set -o | grep pipefail | tr -s '\t ' ' ')"
`).run(t)
	s.expect(t, map[string]string{"": Success})
	s.expectLog(t, "env", "workflow job step over job Hello set []",
		"push refs/heads/main main branch octo/box 42 octo",
		"7 3 1 env ann .github/workflows/ci.yml octo/box/.github/workflows/ci.yml@refs/heads/main true true",
		"http://forge http://forge/api http://forge/api/graphql Linux sub __run_2",
		"a,b |Linux|pipefail on")
}

// Timeouts and tolerated failures end as GitHub says they do.
func TestTimeoutsAndToleratedFailures(t *testing.T) {
	s := newStory(t, `
jobs:
  slow:
    runs-on: x
    timeout-minutes: 0.001
    steps: [{run: sleep 60}, {if: always(), run: echo after}]
  step:
    runs-on: x
    steps:
      - timeout-minutes: 0.001
        continue-on-error: True
        id: s
        run: sleep 60
      - run: echo "${{ steps.s.outcome }} ${{ steps.s.conclusion }}"
  soft:
    runs-on: x
    continue-on-error: ${{ github.ref == 'refs/heads/main' }}
    steps: [{run: exit 1}]
  after:
    needs: soft
    runs-on: x
    steps: [{run: 'echo "soft=${{ needs.soft.result }}"'}]
`).run(t)
	s.expect(t, map[string]string{"": Cancelled, "slow": Cancelled, "step": Success, "soft": Failure, "after": Success})
	s.expectLog(t, "slow", "after")
	s.expectLog(t, "step", "failure success")
	s.expectLog(t, "after", "soft=success")
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

// Broken file commands are the step's failure, as on GitHub.
func TestAMalformedOutputFailsTheStep(t *testing.T) {
	s := newStory(t, `
jobs:
  a:
    runs-on: x
    steps:
      - id: s
        continue-on-error: true
        run: printf 'ok=1\nno delimiter\n' >> "$GITHUB_OUTPUT"
      - run: echo "${{ steps.s.outcome }} ok=${{ steps.s.outputs.ok }}"
      - run: echo "next" | grep nothing | cat
        shell: sh
      - run: echo "next" | grep nothing | cat
        shell: bash
`).run(t)
	s.expect(t, map[string]string{"": Failure})
	s.expectLog(t, "a", "failure ok=1")
	if n := strings.Count(s.result(t, "a").Log, "exit code 1"); n != 1 {
		t.Errorf("only bash has pipefail, but %d steps failed:\n%s", n, s.result(t, "a").Log)
	}
}
