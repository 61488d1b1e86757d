package runner

import "testing"

// A job of a checkout and one composite action should cost little more than
// the two shells it starts.
func BenchmarkCheckoutAndAction(b *testing.B) {
	w, err := Parse("w.yml", []byte(`
on: push
jobs:
  a:
    runs-on: x
    steps:
      - uses: actions/checkout@v7
      - uses: octo/tool@v1
        with: {a: 1}
`))
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := writeFiles(dir, map[string]string{"action.yml": `
inputs: {a: {default: x}}
runs:
  using: composite
  steps:
    - {shell: bash, run: ":"}
    - {shell: bash, env: {A: "${{ inputs.a }}"}, run: ":"}
`}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f := &forge{begun: map[int64]bool{}, ended: map[int64]JobResult{}, files: map[string]string{"a": "1"}}
		spec := Spec{
			Workflow: w, Repository: "octo/box", Owner: "octo", Token: "t", Dir: b.TempDir(), Env: []string{"PATH=/usr/bin:/bin"},
			Event: Event{Name: "push", Ref: "refs/heads/main"}, Actions: map[string]string{"octo/tool": dir},
		}
		if got := Run(b.Context(), spec, f); got != Success {
			b.Fatal(got, f.ended)
		}
	}
}

// What the two shells cost alone.
func BenchmarkTwoShells(b *testing.B) {
	for b.Loop() {
		for range 2 {
			p := process{argv: []string{"/usr/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", ":"}}
			if _, _, err := p.run(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
