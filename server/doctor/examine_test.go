package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sound is a repository with nothing wrong.
func sound() Facts {
	granted := map[string]string{}
	for _, p := range Permissions {
		granted[p.Name] = p.Access
	}
	return Facts{Branch: "main", OurCheck: "Mainstay", OurApp: 7, Granted: granted, Events: Events,
		Actions:   &Policy{Enabled: true, Allowed: "all"},
		Rulesets:  []Ruleset{{Name: "main", Rules: []string{"pull_request", "required_status_checks", "non_fast_forward"}, Bypass: "always"}},
		Required:  []Required{{Name: "test (1.26, linux)", App: ActionsApp, Source: "main"}, {Name: "Mainstay", App: 7, Source: "main"}},
		Workflows: []Workflow{workflow("on: {pull_request: {}, push: {branches: [main, 'mainstay/**']}}", "test:\n    strategy: {matrix: {go: ['1.26'], os: [linux, mac]}}")}}
}

func workflow(head string, jobs ...string) Workflow {
	text := head + "\njobs:\n"
	for _, j := range jobs {
		text += "  " + j + "\n    runs-on: ubuntu-latest\n"
		if !strings.Contains(j, "steps:") {
			text += "    steps: [{run: make}]\n"
		}
	}
	return Workflow{Path: ".github/workflows/ci.yml", Text: []byte(text)}
}

func codes(found []Finding) (all []string) {
	for _, f := range found {
		all = append(all, string(f.Level)+" "+f.Code)
	}
	return all
}

// What would hang or be refused is found, each under its own word, and nothing else is.
func TestWhatIsWrongIsFound(t *testing.T) {
	on := func(head string, jobs ...string) func(*Facts) {
		return func(f *Facts) { f.Workflows = []Workflow{workflow(head, jobs...)} }
	}
	required := func(head, job string) func(*Facts) {
		return func(f *Facts) {
			f.Workflows = []Workflow{workflow(head, job)}
			f.Required = []Required{{Name: "build", App: ActionsApp, Source: "main"}}
		}
	}
	const tickets = `on: {push: {branches: ["mainstay/**"]}}`
	const step = "\n    steps: [{uses: mainstay-ci/mainstay@v1}]"
	for name, c := range map[string]struct {
		spoil func(*Facts)
		want  []string
	}{
		"nothing":                       {func(*Facts) {}, nil},
		"no permission to write":        {func(f *Facts) { f.Granted["contents"] = "read" }, []string{"broken permission_missing"}},
		"no permission to read":         {func(f *Facts) { delete(f.Granted, "administration") }, []string{"warning permission_missing"}},
		"permissions could not be read": {func(f *Facts) { f.Granted = nil }, nil},
		"an event":                      {func(f *Facts) { f.Events = f.Events[1:] }, []string{"warning event_missing"}},
		"events without webhooks":       {func(f *Facts) { f.Events, f.Polls = f.Events[1:], true }, nil},
		"a branch named mainstay":       {func(f *Facts) { f.Blocked = true }, []string{"broken branch_named_mainstay"}},
		"no bypass":                     {func(f *Facts) { f.Rulesets[0].Bypass = "never" }, []string{"broken no_bypass"}},
		"bypass for pull requests":      {func(f *Facts) { f.Rulesets[0].Bypass = "pull_requests_only" }, []string{"broken no_bypass"}},
		"bypass not told":               {func(f *Facts) { f.Rulesets[0].Bypass = "" }, []string{"note no_bypass_unknown"}},
		"rules that let us push": {func(f *Facts) {
			f.Rulesets[0] = Ruleset{Rules: []string{"non_fast_forward", "deletion"}, Bypass: "never"}
		}, nil},
		"the native queue":      {func(f *Facts) { f.Rulesets[0].Rules = append(f.Rulesets[0].Rules, "merge_queue") }, []string{"broken native_queue"}},
		"rules on every branch": {func(f *Facts) { f.Tickets = []Ruleset{{Name: "all", Rules: []string{"creation"}, Bypass: "never"}} }, []string{"broken ticket_refused"}},
		"classic protection":    {func(f *Facts) { f.Classic = &Classic{Pulls: true, Restricted: true, Signatures: true} }, []string{"broken no_bypass", "broken no_bypass", "broken no_bypass"}},
		"signatures, and we sign": {func(f *Facts) {
			f.Signs, f.Classic = true, &Classic{Signatures: true}
			f.Rulesets = []Ruleset{{Rules: []string{"required_signatures"}, Bypass: "never"}}
		}, nil},
		"signatures":                 {func(f *Facts) { f.Rulesets = []Ruleset{{Rules: []string{"required_signatures"}, Bypass: "never"}} }, []string{"broken no_bypass"}},
		"Actions off":                {func(f *Facts) { f.Actions.Enabled = false }, []string{"broken actions_off"}},
		"another App's check":        {func(f *Facts) { f.Required[1].App = 8 }, []string{"broken check_of_another"}},
		"our advice required":        {func(f *Facts) { f.Required[1] = Required{Name: "Mainstay doctor", App: 7} }, []string{"broken advice_required"}},
		"a required name of nobody":  {func(f *Facts) { f.Required[0].Name = "test (1.27, linux)" }, []string{"broken required_never_comes"}},
		"a required name of anybody": {func(f *Facts) { f.Required[0] = Required{Name: "ci/other"} }, []string{"warning required_unknown"}},
		"a required name of an App":  {func(f *Facts) { f.Required[0] = Required{Name: "ci/other", App: 99} }, []string{"note required_elsewhere"}},
		"what was not read":          {func(f *Facts) { f.Unread = []string{"the rules"} }, []string{"note not_read"}},
		"not a workflow":             {func(f *Facts) { f.Workflows = append(f.Workflows, Workflow{"x.yml", []byte("- : [")}) }, []string{"warning workflow_unreadable"}},

		"no trigger":              {required("on: pull_request", "build:"), []string{"broken no_trigger", "broken required_not_on_tickets"}},
		"merge_group only":        {required("on: [pull_request, merge_group]", "build:"), []string{"broken merge_group_only", "broken required_not_on_tickets"}},
		"push of main only":       {required("on: {push: {branches: [main]}}", "build:"), []string{"broken no_trigger", "broken required_not_on_tickets"}},
		"push of tags":            {required("on: {push: {tags: ['v*']}}", "build:"), []string{"broken no_trigger", "broken required_not_on_tickets"}},
		"tickets taken out":       {required("on: {push: {branches: ['**', '!mainstay/**']}}", "build:"), []string{"broken no_trigger", "broken required_not_on_tickets"}},
		"tickets ignored":         {required("on: {push: {branches-ignore: ['mainstay/**']}}", "build:"), []string{"broken no_trigger", "broken required_not_on_tickets"}},
		"one star is not enough":  {required("on: {push: {branches: ['mainstay/*']}}", "build:"), []string{"broken no_trigger", "broken required_not_on_tickets"}},
		"every branch":            {required("on: push", "build:"), []string{"warning builds_twice"}},
		"every branch by name":    {required("on: {push: {branches: ['**']}}", "build:"), []string{"warning builds_twice"}},
		"another CI builds":       {func(f *Facts) { f.Workflows, f.Required = nil, []Required{{Name: "ci", App: 99}} }, []string{"note required_elsewhere"}},
		"no workflow at all":      {func(f *Facts) { f.Workflows, f.Required = nil, nil }, []string{"broken no_trigger"}},
		"paths on a required job": {required(`on: {push: {branches: ["mainstay/**"], paths: ["src/**"]}}`, "build:"), []string{"broken paths_filter"}},
		"paths on another": {func(f *Facts) {
			f.Required = nil
			on(`on: {push: {branches: ["mainstay/**"], paths-ignore: ["docs/**"]}}`, "lint:")(f)
		}, []string{"warning paths_filter"}},
		"a condition":             {required(tickets, "build:\n    if: github.actor != 'dependabot[bot]'"), []string{"warning skip_counts"}},
		"needs":                   {required(tickets, "build:\n    needs: [lint]"), []string{"warning needs_skip"}},
		"needs, always":           {required(tickets, "build:\n    needs: [lint]\n    if: ${{ always() }}"), nil},
		"needs, unless cancelled": {required(tickets, "build:\n    needs: [lint]\n    if: \"!cancelled()\""), nil},
		"one group, cancelling":   {required(tickets+"\nconcurrency: {group: ci, cancel-in-progress: true}", "build:"), []string{"broken concurrency_cancels"}},
		"one group of a head":     {required(tickets+"\nconcurrency: {group: \"ci-${{ github.head_ref }}\", cancel-in-progress: true}", "build:"), []string{"broken concurrency_cancels"}},
		"one group of a job":      {required(tickets, "build:\n    concurrency: {group: deploy, cancel-in-progress: true}"), []string{"broken concurrency_cancels"}},
		"one group, waiting":      {required(tickets+"\nconcurrency: ci", "build:"), []string{"warning concurrency_waits"}},
		"a group with the ref":    {required(tickets+"\nconcurrency: {group: \"${{ github.workflow }}-${{ github.ref }}\", cancel-in-progress: true}", "build:"), nil},
		"a group of head or run":  {required(tickets+"\nconcurrency: {group: \"${{ github.head_ref || github.run_id }}\", cancel-in-progress: true}", "build:"), nil},
		"a group not on tickets": {func(f *Facts) {
			w := workflow("on: pull_request\nconcurrency: {group: x, cancel-in-progress: true}", "other:")
			w.Path = "b.yml"
			f.Workflows = append(f.Workflows, w)
		}, nil},
		"no identity":             {required(tickets, "build:"+step), []string{"warning no_identity"}},
		"an identity of the job":  {required(tickets, "build:\n    permissions: {id-token: write}"+step), nil},
		"shards that stop others": {required(tickets+"\npermissions: {contents: read, id-token: write}", "build:\n    name: build\n    strategy: {matrix: {shard: [0, 1]}}"+step), []string{"warning fail_fast"}},
		"our Action not allowed": {func(f *Facts) {
			f.Actions.Allowed = "selected"
			f.Actions.Patterns = []string{"other/*"}
			required(tickets+"\npermissions: write-all", "build:"+step)(f)
		}, []string{"broken action_not_allowed"}},
		"our Action allowed": {func(f *Facts) {
			f.Actions.Allowed = "selected"
			f.Actions.Patterns = []string{"mainstay-ci/*"}
			required(tickets+"\npermissions: write-all", "build:"+step)(f)
		}, nil},
		"actions of the owner": {func(f *Facts) {
			f.Actions.Allowed = "local_only"
			required(tickets+"\npermissions: write-all", "build:"+step)(f)
		}, []string{"broken action_not_allowed"}},
		"actions of the owner, no": {func(f *Facts) { f.Actions.Allowed = "local_only" }, nil},
	} {
		f := sound()
		c.spoil(&f)
		found := Examine(f)
		if got := codes(found); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q\n%+v", name, got, c.want, found)
		}
		for _, one := range found {
			if one.Text == "" || one.Mend == "" || strings.Contains(one.Text+one.Mend, star) {
				t.Errorf("%s: it says %+v", name, one)
			}
		}
	}
}

// Names of jobs are told as GitHub tells them, and what only a run knows fits anything.
func TestNamesOfJobs(t *testing.T) {
	for _, c := range []struct {
		job  string
		gets []string
		not  []string
	}{
		{"build:", []string{"build"}, []string{"Build", "build (1)"}},
		{"build:\n    name: Build it", []string{"Build it"}, []string{"build"}},
		{"build:\n    strategy: {matrix: {os: [linux, mac], go: [1.26]}}", []string{"build (linux, 1.26)", "build (mac, 1.26)"}, []string{"build", "build (1.26, linux)"}},
		{"build:\n    name: \"on ${{ matrix.OS }}\"\n    strategy: {matrix: {os: [linux]}}", []string{"on linux"}, []string{"on mac", "on "}},
		{"build:\n    name: \"on ${{ inputs.os }} now\"", []string{"on any thing now"}, []string{"on"}},
		{"build:\n    strategy: {matrix: \"${{ fromJSON(needs.plan.outputs.matrix) }}\"}", []string{"build (anything)"}, []string{"build"}},
		{"build:\n    strategy: {matrix: {include: [{os: linux, fast: true}]}}", []string{"build (linux, true)"}, []string{"build (true, linux)"}},
		{"build:\n    strategy: {matrix: {os: [linux, \"${{ vars.OS }}\"]}}", []string{"build (linux)", "build (mac)"}, []string{"build"}},
	} {
		f, err := readFile(workflow("on: push", c.job))
		if err != nil {
			t.Fatal(err)
		}
		n := allJobs([]*file{f})[0]
		for _, name := range c.gets {
			if !n.gives(name) {
				t.Errorf("%s does not give %q: %q", c.job, name, n.names)
			}
		}
		for _, name := range c.not {
			if n.gives(name) {
				t.Errorf("%s gives %q: %q", c.job, name, n.names)
			}
		}
	}
}

// A called workflow's jobs carry their caller's name; one of elsewhere fits anything below it.
func TestNamesOfCalledWorkflows(t *testing.T) {
	caller := Workflow{".github/workflows/ci.yml", []byte("on: {push: {branches: ['mainstay/**']}}\njobs:\n  here: {uses: ./.github/workflows/inner.yml}\n  there: {uses: acme/ci/.github/workflows/x.yml@v1}\n")}
	inner := Workflow{".github/workflows/inner.yml", []byte("on: workflow_call\njobs:\n  unit: {runs-on: x, steps: [{run: a}]}\n")}
	for name, want := range map[string]string{"here / unit": "", "here / other": "broken required_never_comes", "there / whatever": "", "unit": "broken required_not_on_tickets"} {
		f := sound()
		f.Workflows, f.Required = []Workflow{caller, inner}, []Required{{Name: name, App: ActionsApp}}
		if got := strings.Join(codes(Examine(f)), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// The worst comes first.
func TestFindingsAreSorted(t *testing.T) {
	f := sound()
	f.Unread, f.Blocked = []string{"x"}, true
	f.Granted["administration"] = ""
	if got := fmt.Sprint(codes(Examine(f))); got != "[broken branch_named_mainstay warning permission_missing note not_read]" {
		t.Error(got)
	}
}

// Whatever stands in a workflow, it is read or said not to be; nothing panics.
func FuzzExamine(f *testing.F) {
	f.Add("on: push\njobs: {a: {strategy: {matrix: {x: [1]}}, name: '${{ matrix.x }}'}}", "a (1)")
	f.Add("on: {push: {branches: ['[', '*?+']}}\nconcurrency: {}", "\x00")
	f.Add("jobs: {a: {steps: [{uses: }]}}", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		facts := sound()
		facts.Workflows = []Workflow{{"a.yml", []byte(text)}}
		facts.Required = []Required{{Name: name}}
		Examine(facts)
	})
}

var coded = regexp.MustCompile(`(?:add\((?:Broken|Warning|Note|level), |stopped\(set, \w+, |code := |code, text = )"(\w+)"`)

// A script may count on the words of findings, so each is in the docs.
func TestTheDocsHaveEveryFinding(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range coded.FindAllStringSubmatch(string(source), -1) {
			if seen++; !strings.Contains(string(page), "`"+code[1]+"`") {
				t.Errorf("docs/doctor.md lacks `%s`", code[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d findings were found in the source", seen)
	}
}
