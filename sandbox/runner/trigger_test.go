package runner

import (
	"testing"
)

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
