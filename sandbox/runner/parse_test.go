package runner

import (
	"fmt"
	"slices"
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
		"another action":     {step("uses: actions/upload-artifact@v7"), "w.yml:6:15: uses: actions/upload-artifact@v7 is not supported"},
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

// A push to a branch that the filter leaves out must not start a run: the queue
// counts runs.
func TestTriggered(t *testing.T) {
	push := func(ref string) Event { return Event{Name: "push", Ref: ref} }
	pr := func(action, base string) Event {
		return Event{Name: "pull_request", Action: action, Ref: "refs/pull/1/merge", BaseRef: base}
	}
	for _, c := range []struct {
		on   string
		e    Event
		want bool
	}{
		{"push", push("refs/heads/main"), true},
		{"push", push("refs/tags/v1"), true},
		{"push", pr("opened", "main"), false},
		{"[push, pull_request]", pr("synchronize", "main"), true},
		{"{push: {branches: ['mainstay/**']}}", push("refs/heads/mainstay/main/3"), true},
		{"{push: {branches: ['mainstay/**']}}", push("refs/heads/main"), false},
		{"{push: {branches: ['mainstay/**']}}", push("refs/tags/mainstay/x"), false},
		{"{push: {branches: ['*', '!wip']}}", push("refs/heads/wip"), false},
		{"{push: {branches: ['*', '!wip', 'wip']}}", push("refs/heads/wip"), true},
		{"{push: {branches-ignore: ['mainstay/**']}}", push("refs/heads/mainstay/a"), false},
		{"{push: {branches-ignore: ['mainstay/**']}}", push("refs/heads/a"), true},
		{"{push: {branches-ignore: ['mainstay/**']}}", push("refs/tags/v1"), false},
		{"{push: {tags: ['v*']}}", push("refs/tags/v1"), true},
		{"{push: {tags: ['v*']}}", push("refs/heads/v1"), false},
		{"{push: {tags-ignore: ['v*']}}", push("refs/tags/v1"), false},
		{"{push: {tags: ['v*'], branches: [main]}}", push("refs/heads/main"), true},
		{"pull_request", pr("opened", "main"), true},
		{"pull_request", pr("labeled", "main"), false},
		{"{pull_request: {types: [labeled]}}", pr("labeled", "main"), true},
		{"{pull_request: {types: [labeled]}}", pr("opened", "main"), false},
		{"{pull_request: {branches: [main]}}", pr("opened", "dev"), false},
		{"{pull_request: {branches: [main]}}", pr("reopened", "main"), true},
		{"workflow_dispatch", Event{Name: "workflow_dispatch", Ref: "refs/heads/x"}, true},
		{"merge_group", Event{Name: "merge_group"}, false},
		{"{schedule: [{cron: '0 0 * * *'}]}", push("refs/heads/main"), false},
	} {
		w, err := Parse("w.yml", []byte("on: "+c.on+"\n"+aJob))
		if err != nil {
			t.Errorf("on: %s: %v", c.on, err)
			continue
		}
		if got := w.Triggered(c.e); got != c.want {
			t.Errorf("on: %s, %s %s of %s: %v", c.on, c.e.Name, c.e.Action, c.e.Ref, got)
		}
	}
}

// The glob dialect is GitHub's own and differs from every library's.
func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"feature/*", "feature/a", true}, {"feature/*", "feature/a/b", false}, {"feature/**", "feature/a/b", true},
		{"**", "a/b", true}, {"*", "a/b", false}, {"*feature", "my-feature", true}, {"v2*", "v2.0", true},
		{"**/x", "x", true}, {"**/x", "a/b/x", true}, {"a/**/x", "a/x", true}, {"**/x", "ax", false},
		{"v1?", "v", true}, {"v1?", "v1", true}, {"v1?", "v12", false}, {"v[0-9]+", "v12", true}, {"v[12].[0-9]+", "v2.10", true},
		{"v[0-9]+", "v", false}, {"releases/v1.0", "releases/v1x0", false}, {`a\*`, "a*", true}, {`a\*`, "ab", false},
		{"häß*", "häßlich", true}, {"ä?b", "b", true}, {"[^a]", "^", true}, {"[^a]", "b", false}, {"a(b)", "a(b)", true}, {"main", "Main", false},
	} {
		p, err := parsePattern(c.glob)
		if err != nil {
			t.Errorf("%s: %v", c.glob, err)
			continue
		}
		if got := chosen(c.name, []pattern{p}); got != c.want {
			t.Errorf("%s on %s: %v", c.glob, c.name, got)
		}
	}
	for _, bad := range []string{"?a", "*+", "[", "[]", "[b-a]"} {
		if _, err := parsePattern(bad); err == nil {
			t.Errorf("glob %q: want an error", bad)
		}
	}
}

// How a matrix multiplies decides how many shards there are and what they test.
func TestMatrixExpansion(t *testing.T) {
	for _, c := range []struct{ matrix, want string }{
		{"{b: [1, 2], a: [x, y]}", "b=1 a=x|b=1 a=y|b=2 a=x|b=2 a=y"},
		{"{a: [1, 2], exclude: [{a: 1}]}", "a=2"},
		{"{a: [1, 2], b: [x, y], exclude: [{a: 1, b: x}, {b: y}]}", "a=2 b=x"},
		{"{include: [{s: 0, t: p}, {s: 1}]}", "s=0 t=p|s=1"},
		{"{fruit: [apple, pear], animal: [cat, dog], include: [{color: green}, {color: pink, animal: cat}, {fruit: apple, shape: circle}, {fruit: banana}, {fruit: banana, animal: cat}]}",
			"fruit=apple animal=cat color=pink shape=circle|fruit=apple animal=dog color=green shape=circle|fruit=pear animal=cat color=pink|fruit=pear animal=dog color=green|fruit=banana|fruit=banana animal=cat"},
		{"{os: [{name: l, v: [1]}, {name: w}], exclude: [{os: {name: w}}]}", "os=l, 1"},
		{"{A-b: ['0', 0, true, null, 1.50, \"${{ github.sha }}\"]}", "A-b=0|A-b=0|A-b=true|A-b=|A-b=1.5|A-b=S"},
	} {
		w, err := Parse("w.yml", []byte("on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix: "+c.matrix+"\n    steps: [{run: a}]\n"))
		if err != nil {
			t.Errorf("%s: %v", c.matrix, err)
			continue
		}
		s := &scope{lookup: func(string) (any, bool) { return &object{members: []member{{"sha", "S"}}}, true }}
		combinations, err := w.jobs[0].matrix.expand(s)
		if err != nil {
			t.Errorf("%s: %v", c.matrix, err)
			continue
		}
		var got []string
		for _, o := range combinations {
			var parts []string
			for _, m := range o.members {
				parts = append(parts, m.name+"="+label(m.value))
			}
			got = append(got, strings.Join(parts, " "))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.matrix, strings.Join(got, "|"), c.want)
		}
	}
}

// Scalars keep their type, so that matrix.n && ... means what it says.
func TestMatrixScalarsAreTyped(t *testing.T) {
	w, err := Parse("w.yml", []byte("on: push\njobs: {a: {runs-on: x, strategy: {matrix: {v: ['0', 0, 'true', True, ~, 1.50, 0x10]}}, steps: [{run: a}]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range w.jobs[0].matrix.root.(*object).members[0].value.(*array).items {
		got = append(got, fmt.Sprintf("%T %v", v, v))
	}
	want := []string{"string 0", "float64 0", "string true", "bool true", "<nil> <nil>", "float64 1.5", "float64 16"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Matrices come from outside in a plan job: too many shards must not start.
func TestAMatrixIsBounded(t *testing.T) {
	v, err := parseJSON(`{"a":[` + strings.TrimSuffix(strings.Repeat("1,", 257), ",") + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := combine(v); err == nil || !strings.Contains(err.Error(), "more than 256") {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{`"x"`, `{}`, `{"a":1}`, `{"a":[]}`, `{"a":[1],"include":[1]}`, `{"a":[1],"exclude":[{"a":1}]}`, `{"include":[]}`} {
		v, err := parseJSON(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := combine(v); err == nil {
			t.Errorf("%s: want an error", bad)
		}
	}
}

// Hostile test names end up in outputs; one more line than meant must not
// become one more output.
func TestParseCommands(t *testing.T) {
	for _, c := range []struct{ file, want, err string }{
		{"a=1\nb=x=y\n\n", "a=1|b=x=y", ""},
		{"a<<E\n1\n\n2\nE\nb=2", "a=1\n\n2|b=2", ""},
		{"a<<E\nE\n", "a=", ""},
		{"a<<E\nx\nE", "a=x", ""},
		{"a<<E\nb=1\nE \nE\n", "a=b=1\nE ", ""},
		{"a=x<<E\n", "a=x<<E", ""},
		{"a<<x=y\nv\nx=y\n", "a=v", ""},
		{"a<<E\r\nv\r\nE\r\n", "a=v\r", ""},
		{"a=1\nb<<E\nnever\n", "a=1", `the delimiter "E" does not come`},
		{"nothing\n", "", "neither"},
		{"=1\n", "", "name is empty"},
		{"<<E\nE\n", "", "empty"},
		{"a<<\n\n", "", "empty"},
		{"", "", ""},
	} {
		pairs, err := parseCommands(c.file)
		var got []string
		for _, p := range pairs {
			got = append(got, p.name+"="+p.value)
		}
		if strings.Join(got, "|") != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v; want %q, %q", c.file, got, err, c.want, c.err)
		}
	}
}

// Nothing a step writes may crash the runner, and a heredoc gives back exactly
// what was put in.
func FuzzParseCommands(f *testing.F) {
	for _, s := range []string{"a=1", "a<<E\nx\nE\n", "a<<E", "=", "<<", "a<<\n", "\r\n", "a<<E\n\nE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		pairs, _ := parseCommands(s)
		for _, p := range pairs {
			if p.name == "" {
				t.Errorf("%q gives an empty name", s)
			}
		}
		const delimiter = "ghadelimiter_1"
		if strings.Contains(s, delimiter) {
			return
		}
		pairs, err := parseCommands("v<<" + delimiter + "\n" + s + "\n" + delimiter + "\n")
		if err != nil || len(pairs) != 1 || pairs[0].value != s {
			t.Errorf("%q comes back as %q, %v", s, pairs, err)
		}
	})
}
