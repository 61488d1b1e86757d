package message

import (
	"strings"
)

// listOf is what the commits say themselves: one as it is, several as a list.
func listOf(commits []Commit) string {
	var items []string
	for _, c := range commits {
		subject, body := subjectOf(c)
		if subject == "" || strings.HasPrefix(subject, "fixup! ") || strings.HasPrefix(subject, "squash! ") {
			continue
		}
		if len(commits) == 1 {
			return body
		}
		if len(items) == maxCommits {
			items = append(items, "* and more")
			break
		}
		item := "* " + subject
		if body != "" {
			item += "\n\n" + body
		}
		items = append(items, item)
	}
	return clip(strings.Join(items, "\n\n"), maxBody)
}

// subjectOf is a commit's first line, and what follows it without its trailers.
func subjectOf(c Commit) (subject, body string) {
	text, _ := split(prose(c.Message))
	subject, body, _ = strings.Cut(text, "\n")
	return line(subject), strings.TrimLeft(body, "\n")
}

// split cuts a message before its trailers: the lines of a last paragraph that
// has nothing else. The first paragraph is never one.
func split(text string) (before string, trailers []string) {
	text = strings.TrimRight(text, "\n")
	at := strings.LastIndex(text, "\n\n")
	if at < 0 {
		return text, nil
	}
	for _, l := range strings.Split(text[at+2:], "\n") {
		if strings.HasPrefix(l, " ") && len(trailers) > 0 {
			trailers[len(trailers)-1] += "\n" + l
		} else if isTrailer(l) {
			trailers = append(trailers, l)
		} else {
			return text, nil
		}
	}
	return strings.TrimRight(text[:at], "\n"), trailers
}

func isTrailer(text string) bool {
	key, value, found := strings.Cut(text, ": ")
	if !found || key == "" || strings.TrimSpace(value) == "" {
		return false
	}
	return strings.IndexFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) < 0
}

const coAuthor = "Co-authored-by: "

// trailersOf gathers what must not be lost when commits become one: their own
// trailers, the issues they close that the text does not name, and everybody who
// wrote them beside the author of the whole.
func trailersOf(commits []Commit, text string) []string {
	var all []string
	seen := map[string]bool{}
	_, have := split(text)
	for _, l := range have {
		seen[trailerKey(l)] = true
	}
	add := func(l string) {
		if key := trailerKey(l); !seen[key] {
			seen[key] = true
			all = append(all, l)
		}
	}
	var people []string
	for i, c := range commits {
		_, own := split(prose(c.Message))
		for _, l := range own {
			if hasCoAuthor(l) {
				people = append(people, l[len(coAuthor):])
			} else {
				add(l)
			}
		}
		if i > 0 {
			people = append(people, line(c.Author))
		}
	}
	named := map[Reference]bool{}
	for _, r := range Closes(text) {
		named[r] = true
	}
	for _, c := range commits {
		for _, r := range Closes(c.Message) {
			if !named[r] {
				named[r] = true
				add("Closes: " + r.String())
			}
		}
	}
	if len(commits) > 0 {
		seen[trailerKey(coAuthor+line(commits[0].Author))] = true
	}
	for _, who := range people {
		if strings.HasSuffix(who, ">") {
			add(coAuthor + who)
		}
	}
	return all
}

func hasCoAuthor(trailer string) bool {
	return len(trailer) > len(coAuthor) && strings.EqualFold(trailer[:len(coAuthor)], coAuthor)
}

// trailerKey is equal for two trailers that say the same: of two lines about one
// person the first counts, however the name is spelt.
func trailerKey(trailer string) string {
	if hasCoAuthor(trailer) {
		if at := strings.LastIndexByte(trailer, '<'); at >= 0 {
			return strings.ToLower(coAuthor + trailer[at:])
		}
	}
	return strings.ToLower(trailer)
}
