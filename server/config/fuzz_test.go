package config

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mainstay-ci/mainstay/queue"
)

// The file is whatever somebody pushed: no file may stop the server, hang it,
// point outside of itself, or give settings that no message would have allowed.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "version: 1\n", "version: 1\nqueues:\n  - branch: main\n    label: x\n    batch: {size: auto, wait: 10m}\n",
		"queues:\n- checks: [a, {name: b, skipped: ok}]\n  suites: {unit: 4, e2e: auto}\n  timeouts: {start: 10m, run: auto}\n",
		"queues: [{branch: release/*, parallel: 2, move_branches: false}]", "queues: [{labels: {hotfix: a, hold: b, solo: c}, priority: {a: 1, b: -2}, per_author: 3, batch: {min: 2, max: 3}}]", "a: &x [*x]\n", "<<: 1", "!!map {}", "? a\n: b\n", "? [a]\n: b", "{a}", "[a: b]",
		"queues:\n  - batch: {size}\n", "queues:\n  -\n  - ~\n", "version: |\n  1\n", "version: >-\n  1\n", "---\n---\na: b\n...\n", "\ufeff{}", "a: \"\\x00\"",
		"version: 0x1", "version: 1_0", "version: .inf", "label: 2001-01-01", "%YAML 1.1\n---\n{}", "queues: [[[[[[", "\t", "\r", "a:\r  b: c", "-", ":", "?", "|", ">", "@", "`",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var c *Config
		var warnings []Warning
		var err error
		done := make(chan struct{})
		go func() { c, warnings, err = Parse("m.yml", src); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatal("it hangs")
		}
		var wrong Errors
		if err != nil && !errors.As(err, &wrong) {
			t.Fatalf("the error is a %T: %v", err, err)
		}
		if (c == nil) != (err != nil) {
			t.Fatalf("settings %v with error %v", c, err)
		}
		lines := strings.Count(string(src), "\n") + strings.Count(string(src), "\r") + 2
		for _, w := range append(warnings, wrong...) {
			if text := w.String(); w.Line < 1 || w.Column < 1 || w.Line > lines || len(text) > 2000 || strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text) {
				t.Fatalf("a message that does not point: %q", text)
			}
		}
		if c != nil {
			for _, r := range c.rules {
				allowed(t, r.settings)
			}
			allowed(t, c.For("main", "main"))
		}
	})
}

func allowed(t *testing.T, s queue.Settings) {
	t.Helper()
	sizes := s.BatchSize >= 0 && s.BatchSize <= maxBatch && s.Parallel >= 1 && s.Parallel <= maxAside && len(s.Checks) <= maxChecks && len(s.Suites) <= maxSuites
	times := s.BatchWait >= 0 && s.StartLimit >= time.Second && s.RunLimit >= 0
	bounds := s.BatchMin >= 0 && (s.BatchMax == 0 || s.BatchMin <= s.BatchMax) && s.BatchMax <= maxBatch && s.PerAuthor >= 0 && s.PerAuthor <= maxAside
	l := s.Labels
	names := l.Hotfix != "" && l.Hold != "" && l.Solo != "" && l.Hotfix != l.Hold && l.Hold != l.Solo && s.Label != l.Hotfix && len(l.Priority) <= maxRanked
	if !bounds || !names || !sizes || !times || s.Label == "" || len([]rune(s.Label)) > maxLabel {
		t.Fatalf("settings out of bounds: %+v", s)
	}
	for _, c := range s.Checks {
		if c.Name == "" || c.Name == ownCheck {
			t.Fatalf("a check named %q", c.Name)
		}
	}
}
