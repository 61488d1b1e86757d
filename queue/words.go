package queue

import (
	"fmt"
	"strings"
	"time"
)

// short is a commit id as people read it.
func short(commit string) string {
	if len(commit) > 7 {
		commit = commit[:7]
	}
	return code(commit)
}

// code fences hostile text for Markdown: no backtick, no line break, nothing long.
func code(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case r < ' ', r == 0x7f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:199]) + "…"
	}
	return "`" + text + "`"
}

// plain is text from the config for a check's title, which is no Markdown.
func plain(text string) string { return strings.Trim(code(text), "`") }

func inFiles(files []string) string {
	if len(files) == 0 {
		return ""
	}
	text := " in " + code(files[0])
	if more := len(files) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func outTitle(end *End) string {
	if end.Reason == ConflictingPair {
		what, _, _ := strings.Cut(end.Detail, ":")
		return "Out: " + lowerFirst(what)
	}
	switch len(end.Tests) {
	case 0:
		return "Out: " + strings.ReplaceAll(strings.TrimSuffix(end.Detail, "."), "`", "")
	case 1:
		return "Out: " + end.Tests[0].Name + " failed"
	}
	return fmt.Sprintf("Out: %s and %d more failed", end.Tests[0].Name, len(end.Tests)-1)
}

func outText(end *End) string {
	var b strings.Builder
	b.WriteString(end.Detail)
	if len(end.Tests) > 0 {
		b.WriteString("\n")
	}
	for i, f := range end.Tests {
		if i == 20 {
			fmt.Fprintf(&b, "\n- and %d more", len(end.Tests)-i)
			break
		}
		fmt.Fprintf(&b, "\n- %s", code(f.Name))
		if f.File != "" {
			fmt.Fprintf(&b, " at %s", code(fmt.Sprintf("%s:%d", f.File, f.Line)))
		}
	}
	if end.Next != "" {
		b.WriteString("\n\n" + end.Next)
	}
	return b.String()
}
