package message

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Reference is an issue that a text names; without Owner and Name it is one of the
// repository itself.
type Reference struct {
	Owner, Name string
	Number      int
}

func (r Reference) String() string {
	if r.Owner == "" {
		return fmt.Sprintf("#%d", r.Number)
	}
	return fmt.Sprintf("%s/%s#%d", r.Owner, r.Name, r.Number)
}

// maxClosed bounds how many issues one text closes.
const maxClosed = 50

var closing = regexp.MustCompile(`(?i)(?:^|[^\w/.-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+` +
	`(?:(?:([\w.-]{1,100})/([\w.-]{1,100}))?#|GH-|https?://[\w.:-]+/([\w.-]{1,100})/([\w.-]{1,100})/issues/)(\d{1,9})\b`)

// Closes finds the issues that a text closes in GitHub's way: "Fixes #12",
// "closes: octo/repo#3", a keyword for each. What stands in code, in a quotation or
// in a comment closes nothing.
func Closes(text string) []Reference {
	var found []Reference
	seen := map[Reference]bool{}
	for _, m := range closing.FindAllStringSubmatch(spoken(text), -1) {
		number, err := strconv.Atoi(m[5])
		r := Reference{m[1] + m[3], m[2] + m[4], number}
		if err != nil || number == 0 || seen[r] {
			continue
		}
		seen[r] = true
		if found = append(found, r); len(found) == maxClosed {
			break
		}
	}
	return found
}

// spoken is a text without its code, quotations and comments.
func spoken(text string) string {
	var b strings.Builder
	fence := ""
	for _, l := range strings.Split(withoutComments(strings.ReplaceAll(text, "\r", "")), "\n") {
		start := strings.TrimLeft(l, " ")
		switch {
		case fence != "":
			if strings.HasPrefix(start, fence) && strings.Trim(start, fence[:1]+" \t") == "" {
				fence = ""
			}
		case strings.HasPrefix(start, "```"), strings.HasPrefix(start, "~~~"):
			fence = start[:len(start)-len(strings.TrimLeft(start, start[:1]))]
		case strings.HasPrefix(start, ">"):
		default:
			b.WriteString(l)
		}
		b.WriteString("\n")
	}
	return withoutSpans(b.String())
}

// withoutSpans drops `code`: from a run of backticks to the next of the same length
// in its paragraph.
func withoutSpans(text string) string {
	var b strings.Builder
	for _, paragraph := range strings.SplitAfter(text, "\n\n") {
		for paragraph != "" {
			at := strings.IndexByte(paragraph, '`')
			if at < 0 {
				b.WriteString(paragraph)
				break
			}
			b.WriteString(paragraph[:at])
			rest := strings.TrimLeft(paragraph[at:], "`")
			run := len(paragraph) - at - len(rest)
			end := closingRun(rest, run)
			if end < 0 {
				b.WriteString(paragraph[at : at+run])
				paragraph = rest
				continue
			}
			b.WriteString(" code ")
			paragraph = rest[end+run:]
		}
	}
	return b.String()
}

// closingRun is where the next run of exactly so many backticks begins.
func closingRun(text string, run int) int {
	for at := 0; at < len(text); {
		next := strings.IndexByte(text[at:], '`')
		if next < 0 {
			return -1
		}
		at += next
		length := len(text[at:]) - len(strings.TrimLeft(text[at:], "`"))
		if length == run {
			return at
		}
		at += length
	}
	return -1
}
