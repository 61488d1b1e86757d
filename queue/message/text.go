package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what is taken over, in bytes; GitHub's own for a description is 65,536 characters.
const (
	maxTitle   = 300
	maxBody    = 30_000
	maxCommits = 100 // that are listed
)

// line is hostile text as part of one line.
func line(text string) string {
	return clip(strings.Join(strings.Fields(strings.Map(visible, text)), " "), maxTitle)
}

func headline(text string) string {
	if text = line(text); text == "" {
		return "A pull request without a title"
	}
	return text
}

// prose is hostile text of several lines; what its writer hid from readers is left out.
func prose(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return clip(tidy(strings.Map(visible, withoutComments(text))), maxBody)
}

// visible keeps what a reader sees and drops what could steer a terminal or turn
// the reading order around.
func visible(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == utf8.RuneError:
		return -1
	}
	return r
}

// tidy ends lines where their text ends, and leaves one blank line for many.
func tidy(text string) string {
	var lines []string
	for _, l := range strings.Split(text, "\n") {
		l = strings.TrimRight(l, " \t")
		if l == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, l)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// withoutComments drops <!-- ... -->, which pull request templates are full of.
func withoutComments(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "<!--")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if _, text, found = strings.Cut(after, "-->"); !found {
			return b.String()
		}
	}
}
