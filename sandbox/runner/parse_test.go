package runner

import (
	"strings"
	"testing"
)

const aJob = "jobs: {a: {runs-on: x, steps: [{run: a}]}}\n"

// Whatever we don't run has to be refused by place and name: a construct that is
// skipped in silence makes a red workflow green.
func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	step := func(s string) string { return "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - " + s + "\n" }
	job := func(s string) string {
		return "on: push\njobs:\n  a:\n    runs-on: x\n    " + s + "\n    steps: [{run: a}]\n"
	}
	for name, c := range map[string]struct{ src, want string }{
		"no YAML":            {"on: [", "w.yml:"},
		"unknown key":        {"on: push\nfoo: 1\n" + aJob, `w.yml:2:1: unexpected key "foo"`},
		"unknown step key":   {step("{run: a, foo: 1}"), `w.yml:6:18: unexpected key "foo"`},
		"container":          {job("container: alpine"), "w.yml:5:5: container: is not supported"},
		"services":           {job("services: {db: {image: pg}}"), "w.yml:5:15: services: is not supported"},
		"environment":        {job("environment: prod"), "w.yml:5:5: environment: is not supported"},
		"concurrency":        {job("concurrency: x"), "w.yml:5:5: concurrency: is not supported"},
		"top concurrency":    {"on: push\nconcurrency: x\n" + aJob, "w.yml:2:1: concurrency: is not supported"},
		"reusable":           {"on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n", "w.yml:4:11: uses: of a job"},
		"paths":              {"on:\n  push:\n    paths: [a]\n" + aJob, "w.yml:3:5: paths: is not supported"},
		"paths-ignore":       {"on:\n  pull_request:\n    paths-ignore: [a]\n" + aJob, "w.yml:3:5: paths-ignore: is not supported"},
		"shell":              {step("{run: a, shell: pwsh}"), `w.yml:6:25: shell: "pwsh" is not supported`},
		"default shell":      {job("defaults: {run: {shell: python}}"), `shell: "python" is not supported`},
		"another action":     {step("uses: actions/cache@v7"), "w.yml:6:15: uses: actions/cache@v7 is not supported"},
		"docker":             {step("uses: docker://alpine"), "w.yml:6:15: uses: docker://alpine is not supported"},
		"no ref":             {step("uses: octo/tool"), `w.yml:6:15: uses: "octo/tool" is neither`},
		"outside":            {step("uses: ./../x"), "leaves the workspace"},
		"history":            {step("{uses: actions/checkout@v7, with: {fetch-depth: 0}}"), "w.yml:6:57: with: checkout with fetch-depth: 0 is not supported"},
		"another ref":        {step("{uses: actions/checkout@v7, with: {ref: main}}"), "only a full commit id"},
		"checkout input":     {step("{uses: actions/checkout@v7, with: {ssh-key: '${{ github.sha }}'}}"), `checkout input "ssh-key" is not supported`},
		"bad expression":     {step("run: echo ${{ github.sha + 1 }}"), "w.yml:6:14: expression"},
		"unclosed":           {step("run: echo ${{ github.sha"), "w.yml:6:14: expression"},
		"unknown context":    {step("run: echo ${{ jobs.a }}"), `context "jobs" does not exist here`},
		"secrets in if":      {step("{run: a, if: secrets.X}"), `context "secrets" does not exist here`},
		"steps in job if":    {job("if: steps.a.outcome"), `context "steps" does not exist here`},
		"status in run":      {step("run: echo ${{ success() }}"), "function success is not available here"},
		"unknown github":     {step("run: echo ${{ github.retention_days }}"), "github.retention_days is not supported"},
		"job container":      {step("run: echo ${{ job.container.id }}"), "job.container is not supported"},
		"text if":            {step("{run: a, if: \"${{ false }} || x\"}"), "has text around"},
		"unknown need":       {job("needs: [zz]"), `w.yml:5:13: needs: there is no job "zz"`},
		"circle":             {"on: push\njobs:\n  a: {needs: b, runs-on: x, steps: [{run: a}]}\n  b: {needs: a, runs-on: x, steps: [{run: a}]}\n", `w.yml:3:3: needs: job "a" waits for itself`},
		"same id":            {step("{run: a, id: s}\n      - {run: b, id: S}"), `w.yml:7:9: id: "S" is used twice`},
		"glob":               {"on: {push: {branches: ['[a']}}\n" + aJob, "w.yml:1:24: glob"},
		"both filters":       {"on: {push: {branches: [a], branches-ignore: [b]}}\n" + aJob, "can't stand together"},
		"permission":         {"on: push\npermissions: {contents: all}\n" + aJob, "w.yml:2:25: permissions"},
		"env expression":     {job("env: ${{ fromJSON('{}') }}"), "w.yml:5:10: env: as one expression"},
		"matrix expression":  {job("strategy: {matrix: {a: ['${{ nope }}']}}"), `w.yml:5:29: context "nope"`},
		"runs-on expression": {job("env: {A: '${{ env.B }}'}"), `context "env" does not exist here`},
	} {
		_, err := Parse("w.yml", []byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "w.yml:") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// One look at the error has to show all faults of a file.
func TestParseCollectsAllErrors(t *testing.T) {
	_, err := Parse("w.yml", []byte("on: push\nconcurrency: x\njobs:\n  a:\n    runs-on: x\n    container: b\n    steps: [{run: a, shell: fish}]\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("want three errors, got: %v", err)
	}
}

// The workflows of the documentation must stay readable, key by key.
func TestParseTakesWhatIsDocumented(t *testing.T) {
	w, err := Parse("w.yml", []byte(`
name: CI
run-name: CI of ${{ github.actor }}
on:
  pull_request:
  push: {branches: ["mainstay/**"]}
  schedule: [{cron: '0 0 * * *'}]
  merge_group:
permissions: {contents: read, id-token: write}
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy: {fail-fast: false, matrix: {os: [ubuntu-latest, windows-latest], shard: [0, 1]}}
    steps:
      - uses: actions/checkout@v7
        with: {persist-credentials: false, fetch-depth: 1, ref: "${{ github.sha }}"}
      - uses: actions/setup-go@v6
        with: {go-version-file: go.mod}
      - uses: mainstay-ci/mainstay@v1
        with: {mode: run}
      - if: ${{ !cancelled() }}
        run: echo
`))
	if err != nil {
		t.Fatal(err)
	}
	if w.Name() != "CI" || !w.jobs[0].idToken || len(w.jobs[0].steps) != 4 {
		t.Errorf("parsed %q, id token %v, %d steps", w.Name(), w.jobs[0].idToken, len(w.jobs[0].steps))
	}
}
