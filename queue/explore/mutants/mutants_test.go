package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each mutant is known by a text that stands in its file exactly once: whoever
// changes that text says here what the guard looks like now.
func TestMutantsAreWhereTheyWere(t *testing.T) {
	if len(mutants) < goal {
		t.Errorf("%d mutants, want %d", len(mutants), goal)
	}
	seen := map[string]bool{}
	for _, m := range mutants {
		text, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Errorf("mutant %q: its text stands in queue/%s %d times, want once:\n%s", m.name, m.file, n, m.old)
		}
		if seen[m.name] || m.old == m.new || (m.catch.world == "") == (m.catch.test == "") {
			t.Errorf("mutant %q is said badly", m.name)
		}
		seen[m.name] = true
	}
}
