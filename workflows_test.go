package mainstay_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// ourAction is how people name the Action; the docs' workflows are held against
// the action.yml of this tree.
const ourAction = "mainstay-ci/mainstay@v1"

// lint gives what actionlint says of a workflow, scripts included where shellcheck
// is installed.
func lint(t *testing.T, name string, workflow []byte) []string {
	t.Helper()
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Log("SKIPPED: shellcheck is not installed; the workflows' scripts were not checked")
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Shellcheck: shellcheck})
	if err != nil {
		t.Fatal(err)
	}
	// However it is pinned, it is held against the action.yml of this tree.
	workflow = regexp.MustCompile(`mainstay-ci/mainstay@\S+`).ReplaceAll(workflow, []byte(ourAction))
	found, err := linter.Lint(name, workflow, nil)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range found {
		said = append(said, fmt.Sprintf("%s:%d: %s", name, e.Line, e.Message))
	}
	return said
}

// knowOurAction tells actionlint the inputs and outputs of action.yml.
func knowOurAction(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var meta actionlint.ActionMetadata
	if err := yaml.Unmarshal(text, &meta); err != nil {
		t.Fatalf("read action.yml: %v", err)
	}
	actionlint.PopularActions[ourAction] = &meta
}

func parse(t *testing.T, text []byte) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) == 0 {
		return &yaml.Node{}
	}
	return doc.Content[0]
}

// child is the value of a key, nil where there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func mapping(pairs ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i < len(pairs); i += 2 {
		value, ok := pairs[i+1].(*yaml.Node)
		if !ok {
			value = &yaml.Node{Kind: yaml.ScalarNode, Value: pairs[i+1].(string)}
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: pairs[i].(string)}, value)
	}
	return n
}

// complete makes a whole workflow of a piece of one: steps, a job, jobs. It gives
// nil for what is none.
func complete(n *yaml.Node) *yaml.Node {
	isStep := func(n *yaml.Node) bool { return child(n, "uses") != nil || child(n, "run") != nil }
	switch {
	case child(n, "jobs") != nil:
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && isStep(n.Content[0]):
		n = mapping("jobs", mapping("test", mapping("steps", n)))
	case child(n, "steps") != nil:
		n = mapping("jobs", mapping("test", n))
	case n.Kind == yaml.MappingNode && len(n.Content) > 1 && child(n.Content[1], "steps") != nil:
		n = mapping("jobs", n)
	default:
		return nil
	}
	if child(n, "on") == nil {
		n.Content = append(n.Content, mapping("on", "push").Content...)
	}
	jobs := child(n, "jobs")
	for i := 1; i < len(jobs.Content); i += 2 {
		job := jobs.Content[i]
		if child(job, "runs-on") == nil && child(job, "uses") == nil {
			job.Content = append(job.Content, mapping("runs-on", "ubuntu-latest").Content...)
		}
		if child(job, "steps") == nil && child(job, "uses") == nil {
			steps := &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{mapping("run", "echo")}}
			job.Content = append(job.Content, mapping("steps", steps).Content...)
		}
	}
	return n
}

var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// dedent takes off what all lines are indented by.
func dedent(text string) string {
	lines := strings.SplitAfter(text, "\n")
	least := len(text)
	for _, line := range lines {
		if strings.TrimSpace(line) != "" {
			least = min(least, len(line)-len(strings.TrimLeft(line, " ")))
		}
	}
	for i, line := range lines {
		lines[i] = line[min(least, len(line)):]
		if strings.TrimSpace(line) == "" {
			lines[i] = "\n"
		}
	}
	return strings.Join(lines, "")
}

// snippets are the workflows in a text, whole.
func snippets(t *testing.T, text string) []string {
	t.Helper()
	var found []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		n := complete(parse(t, []byte(dedent(m[1]))))
		if n == nil {
			continue
		}
		out, err := yaml.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, string(out))
	}
	return found
}

// People copy what the docs show: each workflow there has to be one that GitHub
// takes, with inputs and outputs that the Action has.
func TestWorkflowsInTheDocsAreClean(t *testing.T) {
	knowOurAction(t)
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, file := range append(files, "README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, workflow := range snippets(t, string(text)) {
			count[file]++
			if said := lint(t, fmt.Sprintf("%s, workflow %d", file, i+1), []byte(workflow)); len(said) > 0 {
				t.Errorf("%s\n%s", strings.Join(said, "\n"), workflow)
			}
		}
	}
	if count["README.md"] == 0 || count["docs/action.md"] < 4 {
		t.Errorf("workflows were found in %v only: are the fences still read?", count)
	}
}

// Our own workflows are clean, and use nothing that can be moved under them.
func TestOwnWorkflowsAreCleanAndPinned(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows (%v)", err)
	}
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, file := range append(files, "action.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file != "action.yml" {
			for _, said := range lint(t, file, text) {
				t.Error(said)
			}
		}
		for _, m := range uses.FindAllStringSubmatch(string(text), -1) {
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s uses %s: pin it by its full SHA, with the version behind it", file, m[1])
			}
		}
	}
}

// action.yml itself: what actionlint says of an action that a workflow uses, and
// of its steps as those of a job with the same inputs.
func TestActionFileIsClean(t *testing.T) {
	text, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, body := range map[string]string{"action.yml": string(text), ".git/HEAD": "", ".github/workflows/w.yml": "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{WorkingDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.LintRepository(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		t.Error(e)
	}

	file := parse(t, text)
	inputs := mapping()
	for i := 0; i < len(child(file, "inputs").Content); i += 2 {
		inputs.Content = append(inputs.Content, mapping(child(file, "inputs").Content[i].Value, mapping("type", "string")).Content...)
	}
	workflow := mapping(
		"on", mapping("workflow_call", mapping("inputs", inputs)),
		"jobs", mapping("action", mapping("runs-on", "ubuntu-latest", "steps", child(child(file, "runs"), "steps"))))
	out, err := yaml.Marshal(workflow)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range lint(t, "the steps of action.yml", out) {
		t.Error(said)
	}
}

// A linter that finds nothing may be one that looks at nothing.
func TestLintingFindsWhatIsWrong(t *testing.T) {
	knowOurAction(t)
	cases := map[string]string{
		"an input that is not there":   "- uses: " + ourAction + "\n  with: {shards: 4}\n",
		"an output that is not there":  "- id: a\n  uses: " + ourAction + "\n- run: echo\n  if: steps.a.outputs.shards\n",
		"a step that is not there":     "- uses: " + ourAction + "\n  with: {outcome: '${{ steps.x.outcome }}'}\n",
		"a title in a script":          "- run: echo ${{ github.event.pull_request.title }}\n",
		"a key that is not a step's":   "- run: echo\n  timeout: 3\n",
		"jobs that need what is not":   "jobs:\n  a:\n    needs: b\n",
		"a matrix value that is not":   "strategy: {matrix: {shard: [0]}}\nsteps:\n  - run: echo ${{ matrix.shart }}\n",
		"jobs without the word before": "a:\n  steps:\n    - run: echo ${{ nosuch }}\n",
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		found := snippets(t, "text\n\n```yaml\n"+cases[name]+"```\n")
		if len(found) != 1 || len(lint(t, name, []byte(found[0]))) == 0 {
			t.Errorf("%s: not found in %q", name, found)
		}
	}
	if found := snippets(t, "```yaml\nversion: 1\nqueues:\n  - branch: main\n```\n"); len(found) != 0 {
		t.Errorf("taken for a workflow: %q", found)
	}
}
