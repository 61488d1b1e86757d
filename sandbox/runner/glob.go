package runner

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// pattern is one entry of a branches: or tags: list in GitHub's own glob
// dialect: * stops at a slash, ** does not, ? and + repeat what stands before
// them, [] is a set, ! in front takes out again.
type pattern struct {
	match *regexp.Regexp
	out   bool
}

func parsePattern(s string) (pattern, error) {
	rest, out := strings.CutPrefix(s, "!")
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	repeatable := false
	for rest != "" {
		length, expression, repeats, err := translate(rest)
		if err == nil && strings.ContainsAny(expression, "?+") && len(expression) == 1 && !repeatable {
			err = fmt.Errorf("%q has nothing to repeat", expression)
		}
		if err != nil {
			return pattern{}, fmt.Errorf("glob %q: %w", s, err)
		}
		b.WriteString(expression)
		repeatable = repeats
		rest = rest[length:]
	}
	b.WriteString(`\z`)
	match, err := regexp.Compile(b.String())
	if err != nil {
		return pattern{}, fmt.Errorf("glob %q: %w", s, err)
	}
	return pattern{match: match, out: out}, nil
}

// translate turns the first piece of a glob into a regular expression and says
// how long the piece was and whether ? or + may follow it.
func translate(glob string) (length int, expression string, repeats bool, err error) {
	switch {
	case strings.HasPrefix(glob, "**/"):
		return 3, `(?:.*/)?`, false, nil
	case strings.HasPrefix(glob, "**"):
		return 2, `.*`, false, nil
	case glob[0] == '*':
		return 1, `[^/]*`, false, nil
	case glob[0] == '?' || glob[0] == '+':
		return 1, glob[:1], false, nil
	case glob[0] == '[':
		end := strings.IndexByte(glob, ']')
		if end < 2 {
			return 0, "", false, fmt.Errorf("the set is not closed or empty")
		}
		set := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `^`, `\^`).Replace(glob[1:end])
		return end + 1, "[" + set + "]", true, nil
	}
	escaped := 0
	if glob[0] == '\\' && len(glob) > 1 {
		escaped = 1
	}
	_, size := utf8.DecodeRuneInString(glob[escaped:])
	return escaped + size, regexp.QuoteMeta(glob[escaped : escaped+size]), true, nil
}

// chosen says whether a list of patterns picks the name: the last one that
// matches decides.
func chosen(name string, patterns []pattern) bool {
	picked := false
	for _, p := range patterns {
		if p.match.MatchString(name) {
			picked = !p.out
		}
	}
	return picked
}
