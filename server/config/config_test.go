package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

const name = ".github/mainstay.yml"

// read parses what must be right, and returns its warnings as lines.
func read(t *testing.T, src string) (*Config, []string) {
	t.Helper()
	c, warnings, err := Parse(name, []byte(src))
	if err != nil {
		t.Fatalf("refused:\n%v", err)
	}
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.String())
	}
	return c, lines
}

// The file of the documentation must mean what the documentation says.
func TestEveryKey(t *testing.T) {
	c, warnings := read(t, `version: 1
queues:
  - branch: main
    label: land-it
    checks: [build, {name: e2e, skipped: ok}]
    suites:
      unit: 4
      slow: auto
    batch: {size: 8, min: 2, max: 20, wait: 90s}
    parallel: 1
    per_author: 3
    enter: {bots: ["renovate[bot]", {name: deploy-bot, id: 49699333}], forks: false, most: 100, most_per_bot: none}
    labels: {hotfix: urgent, hold: wait, solo: by-itself}
    priority: {security: 10, chore: -5}
    timeouts: {start: 5m, run: 1h30m}
    move_branches: false
    flaky: {reruns: 1, quarantine: 30d}
  - branch: release/*
    batch: {size: auto, wait: 0}
    flaky: {reruns: auto}
    per_author: none
    labels: {}
    timeouts:
      run: auto
`)
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	want := queue.Settings{
		Label: "land-it", Checks: []queue.NamedCheck{{Name: "build"}, {Name: "e2e", SkippedOK: true}},
		Suites: map[string]int{"unit": 4, "slow": 0}, BatchSize: 8, BatchMin: 2, BatchMax: 20, BatchWait: 90 * time.Second, Parallel: 1,
		StartLimit: 5 * time.Minute, RunLimit: 90 * time.Minute, MoveBranches: false, PerAuthor: 3, Enter: queue.Enter{Bots: []queue.Bot{{Login: "renovate"}, {Login: "deploy-bot", ID: 49699333}}, NoForks: true, Most: 100}, Reruns: 1, Quarantine: 30 * 24 * time.Hour,
		Guard:  true,
		Labels: queue.Labels{Hotfix: "urgent", Hold: "wait", Solo: "by-itself", Priority: map[string]int{"security": 10, "chore": -5}},
	}
	if got := c.For("main", "main"); !reflect.DeepEqual(got, want) {
		t.Errorf("main has\n%+v, want\n%+v", got, want)
	}
	if got := c.For("release/1", "main"); !reflect.DeepEqual(got, queue.Defaults()) {
		t.Errorf("what is auto or left out must be the default, got %+v", got)
	}
}

// What is flaky may be told that it is none of our business.
func TestFlakyCanBeTurnedOff(t *testing.T) {
	c, _ := read(t, "version: 1\nqueues:\n  - {branch: main, flaky: {reruns: 0, quarantine: off}}\n")
	if got := c.For("main", "main"); got.Reruns != 0 || got.Quarantine != 0 {
		t.Errorf("reruns %d, quarantine %s", got.Reruns, got.Quarantine)
	}
	for src, want := range map[string]string{
		"flaky: {quarantine: 91d}": "flaky.quarantine: want off or a duration like 10m, from 0s to 2160h, got \"91d\"",
		"flaky: {quarantine: xd}":  "flaky.quarantine: want off or a duration",
		"flaky: {reruns: 4}":       "flaky.reruns: want auto or a number from 0 to 3, got 4",
	} {
		if _, _, err := Parse(name, []byte("version: 1\nqueues:\n  - {branch: main, "+src+"}\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// Each branch gets the first queue that names it.
func TestForPicksTheFirst(t *testing.T) {
	c, warnings := read(t, `version: 1
queues:
  - {branch: release/1.0, label: a}
  - {branch: release/*, label: b}
  - {branch: "**/hot", label: c}
  - {label: d}
  - {branch: "v?", label: e}
  - {branch: release/*, label: never}
`)
	if len(warnings) != 1 || !strings.Contains(warnings[0], ":8:5: branch: the queue in line 4 has the same branch") {
		t.Errorf("warnings: %q", warnings)
	}
	for branch, label := range map[string]string{
		"release/1.0": "a", "release/1.1": "b", "release/1/2": "merge-queue", "x/y/hot": "c", "hot": "merge-queue",
		"trunk": "d", "main": "merge-queue", "v1": "e", "v": "merge-queue", "v12": "merge-queue", "": "merge-queue",
	} {
		if got := c.For(branch, "trunk").Label; got != label {
			t.Errorf("%q has label %q, want %q", branch, got, label)
		}
	}
	var none *Config
	if got := none.For("main", "main"); !reflect.DeepEqual(got, queue.Defaults()) {
		t.Errorf("without a file: %+v", got)
	}
}

// A file may say nothing at all, or be written by somebody ahead of us.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"", nil},
		{"# only a comment\n", nil},
		{"---\n", nil},
		{"\ufeffversion: 1\r\nqueues:\r\n  - branch: main\r\n", nil},
		{"queues: []\n", []string{"1:1: version: missing: read as version 1"}},
		{"version: 1\nqueue: []\n", []string{`2:1: "queue": unknown key: ignored (known are queues, version)`}},
		{"version: 1\nqueues:\n  - branch: main\n    batch: {sise: 4}\n", []string{`4:13: batch."sise": unknown key: ignored (known are max, min, size, wait)`}},
		{"version: 1\nqueues:\n  - checks: [a, b, a]\n", []string{`3:20: checks: "a" stands here twice`}},
		{"version: 1\nqueues:\n  - checks: [{name: a, app: 5}]\n", []string{`3:24: checks."app": unknown key`}},
		{`version: 1
queues:
  - branch: main
    when: pr.files < 500 && !("wip" in pr.labels)
    priority: '"security" in pr.labels ? 10 : 0'
    flaky: {reruns: auto, quarantine: 14d}
    pause: [{from: fri 16:00, to: mon 08:00}]
    deploys: {environment: production}
    notify: [{slack: releases, on: [out]}]
`, []string{
			"7:5: pause: not built yet: ignored",
			"8:5: deploys: not built yet: ignored", "9:5: notify: not built yet: ignored",
		}},
	} {
		_, got := read(t, c.src)
		if len(got) != len(c.want) {
			t.Errorf("%q: warnings are %q, want %q", c.src, got, c.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], name+":"+c.want[i]) {
				t.Errorf("%q: warning %q, want %q", c.src, got[i], c.want[i])
			}
		}
	}
}

// Whoever wrote a wrong value must find it without looking for it.
func TestErrors(t *testing.T) {
	item := func(line string) string { return "version: 1\nqueues:\n  - branch: main\n    " + line + "\n" }
	for _, c := range []struct{ src, want string }{
		{"version: 2\n", "1:10: version: want 1, got 2"},
		{"version: one\n", `1:10: version: want 1, got "one"`},
		{"version: 1.0\n", "1:10: version: want 1, got 1.0"},
		{"just text\n", `1:1: want a mapping of queues, version, got "just text"`},
		{"- a\n", "1:1: want a mapping of queues, version, got a list"},
		{"version: 1\nqueues: main\n", `2:9: queues: want a list of queues, got "main"`},
		{"version: 1\nqueues:\n", "2:9: queues: want a list of queues, got nothing"},
		{"version: 1\nqueues:\n  - main\n", `3:5: want a mapping of`},
		{"version: 1\nqueues:\n  - branch: [main]\n", "3:13: branch: want text, got a list"},
		{"version: 1\nqueues:\n  - branch: 1.0\n", "3:13: branch: want text, got 1.0 (put it in quotes)"},
		{"version: 1\nqueues:\n  - branch: ''\n", `3:13: branch: want one line`},
		{"version: 1\nqueues:\n  - branch: 'a[b]'\n", `3:13: branch: want a branch's name, or a pattern`},
		{"version: 1\nqueues:\n  - branch: refs/heads/main\n", `3:13: branch: want a branch's name without refs/heads/`},
		{item("label: " + strings.Repeat("x", 51)), `4:12: label: want one line of 1 to 50 characters`},
		{item(`label: "a\nb"`), `4:12: label: want one line of 1 to 50 characters without spaces around, got "a\nb"`},
		{item("labels: {hotfix: 1}"), "4:22: labels.hotfix: want text, got 1 (put it in quotes)"},
		{item("labels: hotfix"), `4:13: labels: want a mapping of hold, hotfix, solo, got "hotfix"`},
		{item("labels: {hotfix: x, solo: X}"), `4:22: labels.hotfix: "x" is labels.solo, too: give them different names`},
		{item("labels: {solo: merge-queue}"), `4:20: labels.solo: "merge-queue" is label, too: give them different names`},
		{item("label: hold"), `4:12: label: "hold" is labels.hold, too: give them different names`},
		{item("priority: [security]"), "4:15: priority: want a mapping of labels to numbers, like {security: 10}, or a term, got a list"},
		{item("priority: {security: high}"), `4:26: priority.security: want a number from -1000 to 1000, got "high"`},
		{item("priority: {security: 1001}"), "4:26: priority.security: want a number from -1000 to 1000, got 1001"},
		{item("enter: {bots: renovate}"), "4:19: enter.bots: want a list of bots, like [renovate], got \"renovate\""},
		{item("enter: {bots: [a b]}"), "4:20: enter.bots: want a bot's login"},
		{item("enter: {forks: maybe}"), "4:20: enter.forks: want true or false"},
		{item("enter: {most: 0}"), "4:19: enter.most: want none or a number from 1 to 10000, got 0"},
		{item("per_author: 0"), "4:17: per_author: want none or a number from 1 to 100, got 0"},
		{item("batch: {min: 0}"), "4:18: batch.min: want a number from 1 to 100, got 0"},
		{item("batch: {min: 9, max: 8}"), "4:26: batch.max: want at least batch.min, which is 9, got 8"},
		{item("parallel: 101"), "4:15: parallel: want a number from 1 to 100, got 101"},
		{item("label: {}"), "4:12: label: want text, got a mapping"},
		{item("batch: {size: many}"), `4:19: batch.size: want auto or a number from 1 to 100, got "many"`},
		{item("batch: {size: 0}"), "4:19: batch.size: want auto or a number from 1 to 100, got 0"},
		{item("batch: {size: -3}"), "4:19: batch.size: want auto or a number from 1 to 100, got -3"},
		{item("batch: {size: 101}"), "4:19: batch.size: want auto"},
		{item("batch: {size: 99999999999999999999}"), "4:19: batch.size: want auto"},
		{item("batch: {size: 18446744073709551615}"), "4:19: batch.size: want auto"},
		{item("batch: {size: 2.5}"), "4:19: batch.size: want auto or a number from 1 to 100, got 2.5"},
		{item(`batch: {size: "4"}`), `4:19: batch.size: want auto or a number from 1 to 100, got "4"`},
		{item("batch: 5"), "4:12: batch: want a mapping of max, min, size, wait, got 5"},
		{item("batch:"), "4:12: batch: want a mapping of max, min, size, wait, got nothing"},
		{item("batch: {wait: 5}"), "4:19: batch.wait: want a duration like 10m, from 0s to 24h, got 5"},
		{item("batch: {wait: -1s}"), `4:19: batch.wait: want a duration like 10m, from 0s to 24h, got "-1s"`},
		{item("batch: {wait: auto}"), `4:19: batch.wait: want a duration`},
		{item("timeouts: {start: 0s}"), "4:23: timeouts.start: want a duration like 10m, from 1s to 24h"},
		{item("timeouts: {run: 8d}"), `4:21: timeouts.run: want auto or a duration like 10m, from 1s to 168h, got "8d"`},
		{item("timeouts: {run: true}"), "4:21: timeouts.run: want auto or a duration"},
		{item("parallel: 0"), "4:15: parallel: want a number from 1 to 100, got 0"},
		{item("parallel: two"), `4:15: parallel: want a number from 1 to 100, got "two"`},
		{item("move_branches: yes"), `4:20: move_branches: want true or false, got "yes"`},
		{item("checks: build"), `4:13: checks: want a list of checks, got "build"`},
		{item("checks: [3.10]"), `4:14: checks: want text, got 3.10 (put it in quotes)`},
		{item("checks: [true]"), `4:14: checks: want text, got true (put it in quotes)`},
		{item("checks: [Mainstay]"), `4:14: checks: "Mainstay" is our own check`},
		{item("checks: [{skipped: ok}]"), "4:14: checks.name: missing: say which check"},
		{item("checks: [{name: a, skipped: no}]"), `4:33: checks.skipped: want ok, or leave it out, got "no"`},
		{item("checks: [" + strings.Repeat("a,", 101) + "]"), "checks: want at most 100 items, got 101"},
		{item("suites: [unit]"), "4:13: suites: want a mapping of suites to their number of shards"},
		{item("suites: {unit: 0}"), "4:20: suites.unit: want auto or a number from 1 to 256, got 0"},
		{item("suites: {unit: 257}"), "4:20: suites.unit: want auto"},
		{item("label: a\n    label: b"), "5:5: not YAML as we read it: mapping key \"label\" already defined"},
		{item("label: 'a"), "4:12: not YAML as we read it: "},
		{"version: 1\n\tqueues: []\n", "2:1: not YAML as we read it: found character ' ' that cannot start"},
		{item("label: &a b"), "4:12: not YAML as we read it: anchors, aliases and merges"},
		{item("label: *a"), "4:12: not YAML as we read it: anchors, aliases and merges"},
		{item("<<: {label: a}"), "4:5: not YAML as we read it: anchors, aliases and merges"},
		{item("label: !!str a"), "4:12: not YAML as we read it: tags and directives"},
		{"version: 1\n---\nversion: 1\n", "3:1: want one document, got another after ---"},
		{"version: \xff\n", "1:1: the file is not text in UTF-8"},
		{"version: 1\x00\n", "1:1: the file is not text in UTF-8"},
		{strings.Repeat("#", MaxSize+1), "1:1: the file has 65537 bytes, want at most 65536"},
		{"version: 1\n" + strings.Repeat("[", maxLine+1), "2:2001: the line has more than 2000 bytes: break it"},
		{strings.Repeat("[\n", maxDepth+1), "21:1: not YAML as we read it: nested too deep"},
		{strings.Repeat("[", maxLine), "1:21: not YAML as we read it: nested too deep"},
		{strings.Repeat("- ", maxLine/2), "1:41: not YAML as we read it: nested too deep"},
	} {
		got, _, err := Parse(name, []byte(c.src))
		if err == nil {
			t.Errorf("%.80q was taken", c.src)
			continue
		}
		if got != nil {
			t.Errorf("%.80q: a wrong file gave settings", c.src)
		}
		if !strings.HasPrefix(err.Error(), name+":"+c.want) && !strings.Contains(c.want, "at most 100") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q:\n got %v\nwant %s:%s", c.src, err, name, c.want)
		}
	}
}

// All mistakes are told at once, up to a number a person reads.
func TestAllErrorsAtOnce(t *testing.T) {
	_, warnings, err := Parse(name, []byte("version: 3\nnonsense: 1\nqueues:\n  - {label: 1, parallel: 0}\n"))
	var all Errors
	if !errors.As(err, &all) || len(all) != 3 || len(warnings) != 1 {
		t.Fatalf("errors %v, warnings %v", err, warnings)
	}
	if first := all[0]; first.File != name || first.Line != 1 || first.Column != 10 || first.Key != "version" {
		t.Errorf("the first is %+v", first)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 {
		t.Errorf("the text has %d lines: %q", len(lines), lines)
	}
	var src strings.Builder
	src.WriteString("version: 1\nqueues:\n")
	for i := range 50 {
		fmt.Fprintf(&src, "  - {parallel: no, key%d: 1}\n", i)
	}
	_, warnings, err = Parse(name, []byte(src.String()))
	if !errors.As(err, &all) || len(all) != maxFindings || len(warnings) != maxFindings {
		t.Errorf("%d errors and %d warnings, want %d of each", len(all), len(warnings), maxFindings)
	}
}

// A stranger's text in a message stays one short line.
func TestMessagesAreShort(t *testing.T) {
	long := strings.Repeat("é", 900)
	_, warnings, err := Parse(name, []byte("version: 1\n"+long+": 1\nqueues:\n  - batch: {size: "+long+"}\n    suites: {\"a\\nb\": 1, "+long+": 1}\n"))
	if err == nil || len(warnings) != 1 {
		t.Fatalf("error %v, warnings %v", err, warnings)
	}
	for _, line := range append(strings.Split(err.Error(), "\n"), warnings[0].String()) {
		if len(line) > 400 || !strings.HasPrefix(line, name) {
			t.Errorf("a line of %d bytes: %.100q", len(line), line)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"main", "main", true}, {"main", "mainly", false}, {"main", "Main", false},
		{"*", "main", true}, {"*", "a/b", false}, {"**", "a/b/c", true}, {"**", "", true},
		{"a*c", "abbc", true}, {"a*c", "ac", true}, {"a*c", "ab/c", false}, {"a**c", "ab/c", true},
		{"release/*", "release/", true}, {"release/?.?", "release/1.2", true}, {"?", "/", false}, {"?", "é", true},
		{"***", "a/b", true}, {"*/*", "a/b", true}, {"*/*", "ab", false}, {"{a,b}", "a", false}, {"{a,b}", "{a,b}", true},
	} {
		if got := match(c.pattern, c.name); got != c.want {
			t.Errorf("%q fits %q: %v, want %v", c.name, c.pattern, got, c.want)
		}
	}
	// A pattern made to be slow is not.
	if match(strings.Repeat("*a", 100), strings.Repeat("a", 200)+"b") {
		t.Error("it fits, and must not")
	}
}

// The example that people copy must work, and its defaults must be the defaults.
func TestDocumentedExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```yaml\n")
	src, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("the page has no example")
	}
	c, warnings := read(t, src)
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	want := queue.Defaults()
	want.Checks = []queue.NamedCheck{{Name: "build"}, {Name: "e2e", SkippedOK: true}}
	want.Suites = map[string]int{"unit": 4, "browser": 0}
	want.Labels.Priority = map[string]int{"security": 10, "chore": -5}
	want.When = `pr.files < 500 && !("wip" in pr.labels)`
	want.Enter.Bots = []queue.Bot{{Login: "renovate"}}
	if got := c.For("main", "main"); !reflect.DeepEqual(got, want) {
		t.Errorf("main has\n%+v, want\n%+v", got, want)
	}
	if got := c.For("release/1", "main").BatchSize; got != 1 {
		t.Errorf("a release has batches of %d", got)
	}
	for key := range fieldsOf(t) {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("the page says nothing of %s", key)
		}
	}
}

// fieldsOf asks the reader itself which keys it knows.
func fieldsOf(t *testing.T) map[string]bool {
	t.Helper()
	_, warnings := read(t, "queues:\n  - {x: 1, when: pr.draft, priority: {}, merge: {x: 1}, flaky: {x: 1}, enter: {x: 1}, pause: 1, deploys: 1, notify: 1, batch: {x: 1}, timeouts: {x: 1}, labels: {x: 1}}\nx: 1\n")
	keys := map[string]bool{}
	for _, w := range warnings {
		_, list, ok := strings.Cut(w, "(known are ")
		if !ok {
			continue
		}
		for _, key := range strings.Split(strings.TrimSuffix(list, ")"), ", ") {
			switch key {
			case "size", "min", "max", "wait":
				key = "batch." + key
			case "start", "run":
				key = "timeouts." + key
			case "hotfix", "hold", "solo":
				key = "labels." + key
			case "reruns", "quarantine":
				key = "flaky." + key
			case "method", "title", "body":
				key = "merge." + key
			case "bots", "forks", "most", "most_per_bot":
				key = "enter." + key
			case "enter", "batch", "timeouts", "labels", "flaky", "merge":
				continue
			}
			keys[key] = true
		}
	}
	if len(keys) < 26 {
		t.Fatalf("the reader knows %v", keys)
	}
	return keys
}
