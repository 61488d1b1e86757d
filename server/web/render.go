package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// page is what the layout shows; Name picks the body's template.
type page struct {
	Name   string
	Title  string
	Events string // where changes are told; empty: nowhere
	Crumbs []link
	Body   any
}

// link is a text that may lead somewhere.
type link struct {
	Text string
	URL  string // empty: plain text
}

// moment is a point in time and how it reads from now.
type moment struct {
	At   time.Time
	Text string
}

var templates = parseTemplates()

// parseTemplates makes one set per page, so that each may define its own "body".
func parseTemplates() map[string]*template.Template {
	funcs := template.FuncMap{"code": codeSpans, "plural": plural, "brief": brief,
		"more": func(list []string, shown int) int { return len(list) - shown }}
	set := map[string]*template.Template{}
	for _, name := range []string{"home", "queue", "batch", "pull", "tests", "setup", "setup-trouble", "next", "trouble"} {
		set[name] = template.Must(template.New("layout.html").Funcs(funcs).ParseFS(templateFiles,
			"templates/layout.html", "templates/parts.html", "templates/"+name+".html"))
	}
	return set
}

// render executes one template of a page's set: "page" or only its "main".
func (p *pages) render(part string, content page) ([]byte, error) {
	var out bytes.Buffer
	if err := templates[content.Name].ExecuteTemplate(&out, part, content); err != nil {
		return nil, fmt.Errorf("render the %s page: %w", content.Name, err)
	}
	return out.Bytes(), nil
}

// write renders first, so that a broken page is never half sent.
func (p *pages) write(w http.ResponseWriter, status int, content page) {
	body, err := p.render("page", content)
	if err != nil {
		p.Log.Error("a page could not be rendered", "err", err)
		say(w, http.StatusInternalServerError, "The page could not be rendered.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the reader is gone, or has it
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	body, err := fs.ReadFile(staticFiles, "static/"+name)
	if err != nil {
		say(w, http.StatusNotFound, "There is no such file.")
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	w.Header().Set("Cache-Control", "private, max-age=300")
	_, _ = w.Write(body)
}

// codeSpans shows `this` as code; everything else is text.
func codeSpans(text string) template.HTML {
	var out strings.Builder
	parts := strings.Split(text, "`")
	for i, part := range parts {
		escaped := template.HTMLEscapeString(part)
		switch {
		case i%2 == 1 && i < len(parts)-1:
			out.WriteString("<code>" + escaped + "</code>")
		case i%2 == 1: // the last backtick stands alone
			out.WriteString("`" + escaped)
		default:
			out.WriteString(escaped)
		}
	}
	return template.HTML(out.String()) //nolint:gosec // every part was escaped above
}

// since is a moment as it reads at now.
func since(now, at time.Time) moment { return moment{At: at.UTC(), Text: ago(now, at)} }

// ISO is the moment for a machine.
func (m moment) ISO() string { return m.At.Format(time.RFC3339) }

// Full is the moment in full, for the tooltip.
func (m moment) Full() string { return m.At.Format("Mon 2 Jan 2006 15:04:05 MST") }

// Length is the time that passed, for "for 2 min".
func (m moment) Length() string {
	if text, ok := strings.CutSuffix(m.Text, " ago"); ok {
		return text
	}
	return "a moment"
}

// Known reports whether there is one.
func (m moment) Known() bool { return !m.At.IsZero() }

func ago(now, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	switch d := now.Sub(at); {
	case d < 10*time.Second:
		return "just now"
	case d < 7*24*time.Hour:
		return roughly(d) + " ago"
	case now.Year() == at.Year():
		return "on " + at.UTC().Format("2 Jan")
	}
	return "on " + at.UTC().Format("2 Jan 2006")
}

// roughly is a length of time as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < 36*time.Hour:
		return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
	}
	return plural(int((d+12*time.Hour).Hours()/24), "day")
}

// brief keeps a test's name to a line or two.
func brief(name string) string { return plainLine(name, 100) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// upperFirst makes a sentence of a detail that begins in lower case.
func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

func short(commit string) string {
	if len(commit) > 7 {
		return commit[:7]
	}
	return commit
}
