package config

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// A queue says how it lands, in a word or with the words of what it makes.
func TestMergeIsAMethodAndItsWords(t *testing.T) {
	for src, want := range map[string]queue.Merging{
		"merge: rebase": {Method: queue.MethodRebase},
		"merge: auto":   {},
		"merge: squash": {Method: queue.MethodSquash},
		`merge: {method: merge, title: "Land {branch}"}`:                                      {Method: queue.MethodMerge, Title: "Land {branch}"},
		"merge:\n      method: squash\n      body: |\n        {text}\n\n        {trailers}\n": {Method: queue.MethodSquash, Body: "{text}\n\n{trailers}\n"},
		"label: x": {},
	} {
		c, warnings := read(t, "version: 1\nqueues:\n  - branch: main\n    "+src+"\n")
		if got := c.For("main", "main").Merge; got != want || len(warnings) > 0 {
			t.Errorf("%s: %+v, want %+v (%v)", src, got, want, warnings)
		}
	}
	for src, want := range map[string]string{
		"merge: fast":                        `want auto, rebase, squash or merge, got "fast"`,
		"merge: 3":                           "want auto, rebase, squash or merge, or a mapping",
		"merge: {method: ff}":                `merge.method: want auto, rebase, squash or merge, got "ff"`,
		`merge: {title: "{titel}"}`:          "merge.title: there is no {titel}",
		`merge: {title: "a\nb"}`:             "merge.title: want one line",
		"merge: {body: 3}":                   "merge.body: want text of 1 to 4000 characters",
		`merge: {body: "{text}\x07"}`:        "merge.body: want text of 1 to 4000 characters",
		"merge: {method: squash, body: [a]}": "merge.body: want text",
	} {
		if _, _, err := Parse(name, []byte("version: 1\nqueues:\n  - branch: main\n    "+src+"\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", src, err, want)
		}
	}
}

func TestTheGuardIsASwitch(t *testing.T) {
	for src, want := range map[string]bool{"guard: off": false, "guard: on": true, "guard: false": false, "label: x": true} {
		c, _ := read(t, "version: 1\nqueues:\n  - {branch: main, "+src+"}\n")
		if got := c.For("main", "main").Guard; got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
	if _, _, err := Parse(name, []byte("version: 1\nqueues:\n  - {branch: main, guard: maybe}\n")); err == nil || !strings.Contains(err.Error(), `guard: want on or off, got "maybe"`) {
		t.Error(err)
	}
}
