package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var pendingKey = regexp.MustCompile(`name="key" value="(\w+)"`)

// form sends a form to one of the forge's pages, without following where it leads.
func (w *town) form(path string, fields url.Values) (status int, text, goTo string) {
	w.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(w.URL()+path, fields)
	must(w.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return resp.StatusCode, string(body), resp.Header.Get("Location")
}

// codeOf walks from a manifest to the code that it leads back with.
func (w *town) codeOf(manifest string) string {
	w.t.Helper()
	status, text, _ := w.form("/settings/apps/new?state=abc", url.Values{"manifest": {manifest}})
	key := pendingKey.FindStringSubmatch(text)
	if status != http.StatusOK || key == nil {
		w.t.Fatalf("the form: %d %s", status, text)
	}
	status, _, back := w.form("/settings/apps/manifest", url.Values{"key": {key[1]}})
	to, err := url.Parse(back)
	must(w.t, err)
	if status != http.StatusFound || to.Query().Get("state") != "abc" {
		w.t.Fatalf("created: %d, back to %s", status, back)
	}
	return to.Query().Get("code")
}

// An App is made by the person who saw what it may do, and told once; what GitHub
// does not know is refused before anybody sees it.
func TestAnAppIsCreatedFromAManifestOnce(t *testing.T) {
	w := found(t)
	code := w.codeOf(`{"name":"Keeper","url":"https://example.com","redirect_url":"https://example.com/created",
		"hook_attributes":{"url":"https://example.com/webhook","active":false},"default_permissions":{"checks":"write"},"default_events":["push"]}`)
	anybody := w.caller("")
	anybody.do(404, "POST", "/app-manifests/another/conversions", "")
	anybody.do(201, "POST", "/app-manifests/"+code+"/conversions", "")
	anybody.do(404, "POST", "/app-manifests/"+code+"/conversions", "")

	for manifest, want := range map[string]string{
		`{`: "no JSON",
		`{"url":"https://example.com","redirect_url":"x"}`:                                                           "Name",
		`{"name":"` + strings.Repeat("x", 35) + `","url":"https://example.com","redirect_url":"x"}`:                  "too long",
		`{"name":"a","url":"https://example.com","redirect_url":"x","default_permissions":{"everything":"write"}}`:   "not a valid permission",
		`{"name":"a","url":"https://example.com","redirect_url":"x","default_events":["installation_repositories"]}`: "unsupported",
	} {
		if status, text, _ := w.form("/settings/apps/new", url.Values{"manifest": {manifest}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %q", manifest, status, text, want)
		}
	}
}
