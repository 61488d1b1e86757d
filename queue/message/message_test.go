package message

import (
	"strings"
	"testing"
)

var (
	ann = "Ann <ann@example.com>"
	bob = "Bob <bob@example.com>"
	one = []Commit{{ann, "Add a button\n\nIt is red.\n\nSigned-off-by: Ann <ann@example.com>\n"}}
	two = []Commit{
		{ann, "Add a button\n\nIt is red.\n\nSigned-off-by: Ann <ann@example.com>\n"},
		{bob, "Mend it, fixes #3\n\nCo-authored-by: Cy <cy@example.com>\nCo-authored-by: Ann B. <ANN@example.com>\n"},
		{bob, "fixup! Mend it\n"},
	}
)

func pull(title, body string) Pull {
	return Pull{Number: 12, Title: title, Body: body, Author: "ann", Branch: "acme/topic", Base: "main"}
}

func TestASquashedMessageKeepsWhoAndWhat(t *testing.T) {
	for name, c := range map[string]struct {
		template Template
		pull     Pull
		commits  []Commit
		want     string
	}{
		"the description, and everybody who wrote": {Template{}, pull("A button", "It is wanted.\n\nCloses #3\n"), two,
			"A button (#12)\n\nIt is wanted.\n\nCloses #3\n\nSigned-off-by: Ann <ann@example.com>\nCo-authored-by: Cy <cy@example.com>\nCo-authored-by: Bob <bob@example.com>\n"},
		"an issue that only a commit closes": {Template{}, pull("A button", "It is wanted."), two,
			"A button (#12)\n\nIt is wanted.\n\nSigned-off-by: Ann <ann@example.com>\nCloses: #3\nCo-authored-by: Cy <cy@example.com>\nCo-authored-by: Bob <bob@example.com>\n"},
		"no description: what the one commit says": {Template{}, pull("A button", "<!-- say why -->\r\n"), one,
			"A button (#12)\n\nIt is red.\n\nSigned-off-by: Ann <ann@example.com>\n"},
		"no description: what the commits say": {Template{}, pull("A button", ""), two,
			"A button (#12)\n\n* Add a button\n\nIt is red.\n\n* Mend it, fixes #3\n\nSigned-off-by: Ann <ann@example.com>\nCo-authored-by: Cy <cy@example.com>\nCo-authored-by: Bob <bob@example.com>\n"},
		"a description that ends in trailers": {Template{}, pull("A button", "Why.\n\nReviewed-by: Di <di@example.com>\nSigned-off-by: Ann <ann@example.com>"), one,
			"A button (#12)\n\nWhy.\n\nReviewed-by: Di <di@example.com>\nSigned-off-by: Ann <ann@example.com>\n"},
		"a template of one's own": {Template{Title: "{{{number}} {title}", Body: "By {author} for {base}.\n\n{trailers}\n\n{text}"}, pull("A button", "Why."), one,
			"{12} A button\n\nBy ann for main.\n\nSigned-off-by: Ann <ann@example.com>\n\nWhy.\n"},
		"hostile text is text": {Template{}, pull("A {body}\nSigned-off-by: x\x00\u202e", "{title} {number}\x1b[31m"), []Commit{{ann, "x"}},
			"A {body} Signed-off-by: x (#12)\n\n{title} {number}[31m\n"},
		"nothing at all": {Template{}, pull("", ""), nil, "(#12)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Squash(c.template, c.pull, c.commits); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAMergesMessageReadsLikeGitHubs(t *testing.T) {
	if got := Merge(Template{}, pull("A button", "Why."), two); got != "Merge pull request #12 from acme/topic\n\nA button\n" {
		t.Errorf("got %q", got)
	}
	if got := Merge(Template{Title: "{title}", Body: "{commits}"}, pull("", ""), nil); got != "A pull request without a title\n" {
		t.Errorf("got %q", got)
	}
}

func TestAMessageStaysShort(t *testing.T) {
	huge := make([]Commit, 3000)
	for i := range huge {
		huge[i] = Commit{ann, "Change " + strings.Repeat("x", 500)}
	}
	if got := Squash(Template{}, pull(strings.Repeat("ß", 5000), ""), huge); len(got) > 40_000 {
		t.Errorf("%d bytes", len(got))
	}
	if got := Squash(Template{}, pull("A", strings.Repeat("word ", 20_000)), huge); len(got) > 40_000 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestATemplateIsCheckedWhereItIsWritten(t *testing.T) {
	for part, good := range map[string]bool{"{title} (#{number})": true, "{{title}": true, "no names": true, "{": true, "{titel}": false, "{}": false, "{ title }": false} {
		if err := Check(part); (err == nil) != good {
			t.Errorf("%q: %v", part, err)
		}
	}
}

func TestWhatATextCloses(t *testing.T) {
	for text, want := range map[string]string{
		"Fixes #12":                                  "#12",
		"fixes: #12, closes GH-3.":                   "#12 #3",
		"This Resolved octo/repo#7":                  "octo/repo#7",
		"Closes https://github.com/a/b/issues/9":     "a/b#9",
		"Fixes #1, #2":                               "#1",
		"fix #1 fix #2 FIX #1":                       "#1 #2",
		"prefixes #1, un-fixes #2":                   "",
		"Fixes 12, fixes #, fixes #0":                "",
		"`Fixes #1` and ``fixes ` #2`` and fixes #3": "#3",
		"> Fixes #1\nFixes #2":                       "#2",
		"```\nFixes #1\n```\nFixes #2":               "#2",
		"~~~~\nFixes #1\n~~~\nFixes #2":              "",
		"<!-- Fixes #1 -->fixes #2 <!-- fixes #3":    "#2",
		"a lone ` then fixes #4":                     "#4",
		"Fixes #99999999999":                         "",
	} {
		var got []string
		for _, r := range Closes(text) {
			got = append(got, r.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q closes %v, want %q", text, got, want)
		}
	}
	if got := Closes(strings.Repeat("fixes #1\nfixes #2\n", 10_000)); len(got) != 2 {
		t.Errorf("%d issues", len(got))
	}
}

// FuzzMessage: whatever people write, a message is text of bounded length that
// ends in one line feed, and has no control characters.
func FuzzMessage(f *testing.F) {
	f.Add("t", "b\r\n```\nFixes #1", "c\n\nA: b", "x{title}{{")
	f.Fuzz(func(t *testing.T, title, body, commit, template string) {
		got := Squash(Template{Body: template}, pull(title, body), []Commit{{ann, commit}, {bob, body}})
		if !strings.HasSuffix(got, "\n") || strings.HasSuffix(got, "\n\n") {
			t.Errorf("%q", got)
		}
		if strings.ContainsAny(strings.ReplaceAll(got, template, ""), "\x00\x1b\r") && !strings.ContainsAny(template, "\x00\x1b\r") {
			t.Errorf("%q", got)
		}
		Closes(body)
	})
}
