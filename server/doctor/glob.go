package doctor

import (
	"fmt"
	"regexp"
	"strings"
)

// globMatch reads GitHub's patterns: * stops at a slash, ** does not, ? and + repeat
// what stands before them, [] is a set.
func globMatch(pattern, name string) (bool, error) {
	var b strings.Builder
	b.WriteString(`\A`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(`.*`)
			i++
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?' || c == '+' || c == '[' || c == ']':
			b.WriteByte(c)
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	b.WriteString(`\z`)
	match, err := regexp.Compile(b.String())
	if err != nil {
		return false, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return match.MatchString(name), nil
}

// chosen says whether a list of patterns picks the name: the last that matches
// decides, and one with ! takes out again. What is no pattern picks nothing.
func chosen(patterns []string, name string) bool {
	picked := false
	for _, p := range patterns {
		rest, out := strings.CutPrefix(p, "!")
		if ok, err := globMatch(rest, name); err == nil && ok {
			picked = !out
		}
	}
	return picked
}
