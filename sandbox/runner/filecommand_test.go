package runner

import (
	"strings"
	"testing"
)

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
