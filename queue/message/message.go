package message

import (
	"fmt"
	"strconv"
	"strings"
)

// Pull is what a message may name of a pull request.
type Pull struct {
	Number int
	Title  string
	Body   string // its description
	Author string // login
	Branch string // with its owner, like octo/topic
	Base   string
}

// Commit is one of its own commits.
type Commit struct {
	Author  string // "Name <address>"
	Message string
}

// Template is how a message is made; an empty part is the default of the method.
// In it {title}, {body}, {number}, {author}, {branch}, {base}, {commits}, {text}
// and {trailers} are filled in, and {{ is a brace.
type Template struct {
	Title, Body string
}

// The defaults read like GitHub's.
const (
	squashTitle = "{title} (#{number})"
	squashBody  = "{text}"
	mergeTitle  = "Merge pull request #{number} from {branch}"
	mergeBody   = "{title}"
)

// Squash is the message of a squashed pull request, whose author is the first
// commit's. Trailers of its commits, everybody else who wrote them, and issues they
// close that the text does not name stand at its end, or where the body says so.
func Squash(t Template, p Pull, commits []Commit) string {
	t = t.or(squashTitle, squashBody)
	w := words(p, commits)
	w["trailers"] = ""
	title, body := headline(fill(t.Title, w)), fill(t.Body, w)
	trailers := trailersOf(commits, title+"\n\n"+body)
	if strings.Contains(t.Body, "{trailers}") {
		w["trailers"] = strings.Join(trailers, "\n")
		return join(title, fill(t.Body, w), nil)
	}
	return join(title, body, trailers)
}

// Merge is the message of a merge. The commits stay as they are, so that nothing
// is taken over from them.
func Merge(t Template, p Pull, commits []Commit) string {
	t = t.or(mergeTitle, mergeBody)
	w := words(p, commits)
	w["trailers"] = ""
	return join(headline(fill(t.Title, w)), fill(t.Body, w), nil)
}

func (t Template) or(title, body string) Template {
	if t.Title == "" {
		t.Title = title
	}
	if t.Body == "" {
		t.Body = body
	}
	return t
}

// Check says what is wrong with a part of a template.
func Check(part string) error {
	for _, piece := range cut(part) {
		if piece.named && !known[piece.text] {
			return fmt.Errorf("there is no {%.30s}; want {title}, {body}, {number}, {author}, {branch}, {base}, {commits}, {text} or {trailers}, and {{ for a brace", piece.text)
		}
	}
	return nil
}

var known = map[string]bool{"title": true, "body": true, "number": true, "author": true, "branch": true, "base": true,
	"commits": true, "text": true, "trailers": true}

// words are what the names in a template stand for.
func words(p Pull, commits []Commit) map[string]string {
	w := map[string]string{
		"title": line(p.Title), "body": prose(p.Body), "number": strconv.Itoa(p.Number), "author": line(p.Author),
		"branch": line(p.Branch), "base": line(p.Base), "commits": listOf(commits),
	}
	if w["text"] = w["body"]; w["text"] == "" {
		w["text"] = w["commits"]
	}
	return w
}

// piece is a part of a template: text as it is, or a name.
type piece struct {
	text  string
	named bool
}

func cut(template string) (pieces []piece) {
	var text strings.Builder
	for template != "" {
		end := strings.IndexByte(template, '}')
		switch {
		case strings.HasPrefix(template, "{{"):
			text.WriteByte('{')
			template = template[2:]
		case template[0] == '{' && end > 0:
			pieces = append(pieces, piece{text: text.String()}, piece{text: template[1:end], named: true})
			text.Reset()
			template = template[end+1:]
		default:
			text.WriteByte(template[0])
			template = template[1:]
		}
	}
	return append(pieces, piece{text: text.String()})
}

// fill goes over the template once: what it fills in is never read as one.
func fill(template string, w map[string]string) string {
	var b strings.Builder
	for _, piece := range cut(template) {
		if piece.named {
			b.WriteString(w[piece.text])
		} else {
			b.WriteString(piece.text)
		}
	}
	return b.String()
}

// join puts a message together; trailers join a last paragraph of them.
func join(title, body string, trailers []string) string {
	text := title
	if body = tidy(body); body != "" {
		text += "\n\n" + body
	}
	if len(trailers) == 0 {
		return text + "\n"
	}
	glue := "\n\n"
	if _, have := split(text); len(have) > 0 {
		glue = "\n"
	}
	return text + glue + strings.Join(trailers, "\n") + "\n"
}
