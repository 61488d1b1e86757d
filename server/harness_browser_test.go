package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser is a person's browser without its window: it keeps cookies, follows
// redirects and sends the forms of the page it is on.
type browser struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
	text   string
	head   http.Header
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar}}
}

func (b *browser) open(address string) *browser {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.resolve(address), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) resolve(address string) string {
	if b.at == nil {
		return address
	}
	to, err := b.at.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	return to.String()
}

func (b *browser) do(req *http.Request) *browser {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.at, b.status, b.text, b.head = resp.Request.URL, resp.StatusCode, string(body), resp.Header
	return b
}

// press sends the page's form whose button begins so, with what the person filled in.
func (b *browser) press(button string, filled map[string]string) *browser {
	b.t.Helper()
	for _, f := range b.forms() {
		if !strings.HasPrefix(f.button, button) {
			continue
		}
		for name, value := range filled {
			if !f.fields.Has(name) {
				b.t.Fatalf("the form has no field %q", name)
			}
			f.fields.Set(name, value)
		}
		req, err := http.NewRequest(http.MethodPost, b.resolve(f.action), strings.NewReader(f.fields.Encode()))
		if err != nil {
			b.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
		return b.do(req)
	}
	b.t.Fatalf("there is no button %q on %s:\n%s", button, b.at, b.text)
	return b
}

type form struct {
	action, button string
	fields         url.Values
}

func (b *browser) forms() []form {
	root, err := html.Parse(strings.NewReader(b.text))
	if err != nil {
		b.t.Fatal(err)
	}
	var all []form
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form":
			all = append(all, form{action: attribute(n, "action"), fields: url.Values{}})
		case n.Data == "input" && len(all) > 0:
			all[len(all)-1].fields.Set(attribute(n, "name"), attribute(n, "value"))
		case n.Data == "button" && len(all) > 0 && n.FirstChild != nil:
			all[len(all)-1].button = strings.TrimSpace(n.FirstChild.Data)
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// shows fails the test unless the page has all these words.
func (b *browser) shows(status int, words ...string) *browser {
	b.t.Helper()
	if b.status != status {
		b.t.Fatalf("%s answered %d, want %d:\n%s", b.at, b.status, status, b.text)
	}
	for _, word := range words {
		if !strings.Contains(b.text, word) {
			b.t.Errorf("%s does not show %q:\n%s", b.at, word, b.text)
		}
	}
	return b
}
