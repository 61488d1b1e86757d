package runner

import "testing"

const localAction = `
runs:
  using: composite
  steps:
    - id: deep
      shell: bash
      run: echo "v=${GITHUB_ACTION_PATH##*/} $FROM $EXTRA" >> "$GITHUB_OUTPUT"
outputs: {deep: {value: "${{ steps.deep.outputs.v }}"}}
`

const toolAction = `
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
`

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
		"local/action.yml": localAction}
	err := writeFiles(dir, map[string]string{
		"sub/bin/hello":  "#!/bin/sh\necho hello from the path\n",
		"sub/action.yml": toolAction})
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
