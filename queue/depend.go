package queue

import (
	"regexp"
	"strconv"
	"strings"
)

// Need is one that a pull request's text says it depends on: it does not land before it.
type Need struct {
	PR int `json:"pr"`
	// Status is empty where GitHub knows no such pull request, or was not asked.
	Status Status `json:"status,omitempty"`
	Head   string `json:"head,omitempty"`
}

// mostNeeds is how many dependencies one may have: each is looked up.
const mostNeeds = 20

var (
	dependsLine = regexp.MustCompile(`(?i)^\s*depends-on\s*:(.*)$`)
	htmlComment = regexp.MustCompile(`(?s)<!--.*?(-->|$)`)
	oneNeed     = regexp.MustCompile(`^(?:([\w.-]+/[\w.-]+)#|#|https?://[^/\s]+/([\w.-]+/[\w.-]+)/pull/)(\d{1,9})/?$`)
)

// DependsOn reads the lines "Depends-On: #12" of a description: several lines count,
// and several on one. What is quoted, fenced as code or commented out is no line.
// Strange are those that are not understood: of another repository than this one,
// "owner/name", or nothing of the kind.
func DependsOn(body, repository string) (prs []int, strange []string) {
	fence := ""
	var lines, words []string
	lines = strings.Split(htmlComment.ReplaceAllString(body, ""), "\n")
	for _, line := range lines {
		line = strings.TrimRight(line, "\r")
		mark := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(mark, fence) {
				fence = ""
			}
			continue
		case strings.HasPrefix(mark, "```"), strings.HasPrefix(mark, "~~~"):
			fence = mark[:3]
			continue
		}
		m := dependsLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		words = strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		for _, word := range words {
			if len(prs)+len(strange) == mostNeeds {
				return prs, append(strange, "more than "+strconv.Itoa(mostNeeds)+" dependencies")
			}
			n := needOf(word, repository)
			switch {
			case n == 0:
				strange = append(strange, clipped(word, 100))
			case !contains(prs, n):
				prs = append(prs, n)
			}
		}
	}
	return prs, strange
}

// needOf is the number of a pull request of this repository; 0: it is none.
func needOf(word, repository string) int {
	m := oneNeed.FindStringSubmatch(word)
	if m == nil {
		return 0
	}
	if elsewhere := m[1] + m[2]; elsewhere != "" && !strings.EqualFold(elsewhere, repository) {
		return 0
	}
	n, _ := strconv.Atoi(m[3])
	return n
}

func clipped(text string, most int) string {
	text = strings.ToValidUTF8(text, "?")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
