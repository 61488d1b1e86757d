package runner

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

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

// What a step puts on the PATH last is found first.
func TestTheLastPathAddedWins(t *testing.T) {
	s := newStory(t, `
jobs:
  a:
    runs-on: x
    steps:
      - run: |
          for d in one two; do
            mkdir $d; printf '#!/bin/sh\necho %s\n' $d > $d/tell; chmod +x $d/tell; echo "$PWD/$d" >> "$GITHUB_PATH"
          done
      - run: tell
`).run(t)
	s.expect(t, map[string]string{"a": Success})
	s.expectLog(t, "a", "two")
}
