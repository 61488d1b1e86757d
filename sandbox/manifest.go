package sandbox

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// manifest is what a form asks an App to be created from.
type manifest struct {
	Name  string `json:"name"`
	URL   string `json:"url"`
	Hooks struct {
		URL    string `json:"url"`
		Active *bool  `json:"active"`
	} `json:"hook_attributes"`
	RedirectURL string            `json:"redirect_url"`
	SetupURL    string            `json:"setup_url"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`

	state, organization string
}

// knownPermissions and knownEvents are what GitHub's form knows, as far as anybody
// here asks for it: a name that it does not know is refused there, too.
var (
	knownPermissions = []string{"actions", "administration", "checks", "contents", "deployments", "issues", "members", "metadata",
		"pull_requests", "statuses", "workflows"}
	knownEvents = []string{"branch_protection_rule", "check_run", "check_suite", "deployment_status", "issue_comment", "issues",
		"merge_group", "pull_request", "pull_request_review", "pull_request_review_thread", "push", "repository", "repository_ruleset",
		"status", "workflow_job", "workflow_run"}
)

// objection is what GitHub's form says against it, "" when nothing.
func (m manifest) objection() string {
	switch {
	case m.Name == "" || len(m.Name) > 34:
		return "Name is missing or too long (maximum is 34 characters)"
	case m.URL == "" || m.RedirectURL == "":
		return "url and redirect_url are needed"
	}
	for name, access := range m.Permissions {
		if !slices.Contains(knownPermissions, name) || access != "read" && access != "write" {
			return fmt.Sprintf("Default permission records resource %q is not a valid permission", name)
		}
	}
	for _, event := range m.Events {
		if !slices.Contains(knownEvents, event) {
			return "Default events unsupported: " + event
		}
	}
	return ""
}

func (f *Forge) manifestRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /settings/apps/new", f.showManifest)
	mux.HandleFunc("POST /organizations/{org}/settings/apps/new", f.showManifest)
	mux.HandleFunc("POST /settings/apps/manifest", f.createFromManifest)
	mux.HandleFunc("GET /apps/{slug}/installations/new", f.showInstall)
	mux.HandleFunc("POST /apps/{slug}/installations", f.installByForm)
}

var manifestPages = template.Must(template.New("").Parse(`{{define "top"}}<!doctype html><html lang="en"><meta charset="utf-8"><title>GitHub in a box</title>
<style>body{font:15px/1.5 system-ui;max-width:560px;margin:48px auto;padding:0 16px}button{font:inherit;padding:8px 16px;background:#1f883d;color:#fff;border:0;border-radius:6px}li{margin:8px 0}</style>{{end}}
{{define "create"}}{{template "top"}}<h1>Create GitHub App for {{.Owner}}</h1><p>{{.Name}}</p><ul>{{range $name, $access := .Permissions}}<li>{{$name}}: {{$access}}</li>{{end}}</ul>
<form method="post" action="/settings/apps/manifest"><input type="hidden" name="key" value="{{.Key}}"><button>Create GitHub App for {{.Owner}}</button></form>{{end}}
{{define "install"}}{{template "top"}}<h1>Install {{.Name}}</h1><ul>{{$slug := .Slug}}{{range .Repositories}}<li>{{.}} <form method="post" action="/apps/{{$slug}}/installations"><input type="hidden" name="repository" value="{{.}}"><button>Install</button></form></li>{{end}}</ul>{{end}}`))

// showManifest is GitHub's page behind the form of a product: it creates nothing
// before the person has seen what it is.
func (f *Forge) showManifest(w http.ResponseWriter, r *http.Request) {
	m := manifest{state: r.URL.Query().Get("state"), organization: r.PathValue("org")}
	if err := json.Unmarshal([]byte(r.PostFormValue("manifest")), &m); err != nil {
		http.Error(w, "The manifest is no JSON.", http.StatusUnprocessableEntity)
		return
	}
	if no := m.objection(); no != "" {
		http.Error(w, no, http.StatusUnprocessableEntity)
		return
	}
	key := newToken("", 24)
	f.mu.Lock()
	f.manifests[key] = m
	f.mu.Unlock()
	owner := m.organization
	if owner == "" {
		owner = "you"
	}
	f.showPage(w, "create", map[string]any{"Owner": owner, "Name": m.Name, "Permissions": m.Permissions, "Key": key})
}

func (f *Forge) showPage(w http.ResponseWriter, name string, content any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := manifestPages.ExecuteTemplate(w, name, content); err != nil {
		f.log.Error("a page could not be shown", "page", name, "error", err)
	}
}

// createFromManifest makes the App and leads back with the code it is taken with.
func (f *Forge) createFromManifest(w http.ResponseWriter, r *http.Request) {
	key := r.PostFormValue("key")
	f.mu.Lock()
	m, known := f.manifests[key]
	delete(f.manifests, key)
	f.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	options := AppOptions{Name: m.Name, WebhookSecret: newToken("", 40), Permissions: m.Permissions, Events: m.Events}
	if m.Hooks.Active == nil || *m.Hooks.Active {
		options.WebhookURL = m.Hooks.URL
	}
	app, err := f.NewApp(options)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	code := newToken("", 40)
	f.mu.Lock()
	app.setupURL = m.SetupURL
	f.codes[code] = app
	f.mu.Unlock()
	http.Redirect(w, r, m.RedirectURL+"?"+url.Values{"code": {code}, "state": {m.state}}.Encode(), http.StatusFound)
}

// convertManifest gives the App and its secrets for a code, once.
func convertManifest(q *call) reply {
	app := q.f.codes[q.r.PathValue("code")]
	if app == nil {
		return notFound
	}
	delete(q.f.codes, q.r.PathValue("code"))
	o := q.f.appJSON(app)
	o["client_secret"], o["webhook_secret"], o["pem"] = newToken("", 40), app.WebhookSecret, string(app.PrivateKeyPEM)
	return reply{http.StatusCreated, o}
}

func (f *Forge) appBySlug(slug string) *App {
	for _, app := range f.apps {
		if app.Slug == slug {
			return app
		}
	}
	return nil
}

func (f *Forge) showInstall(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	app := f.appBySlug(r.PathValue("slug"))
	var names []string
	for _, repo := range f.repos {
		names = append(names, repo.FullName())
	}
	f.mu.Unlock()
	if app == nil {
		http.NotFound(w, r)
		return
	}
	f.showPage(w, "install", map[string]any{"Name": app.Name, "Slug": app.Slug, "Repositories": names})
}

func (f *Forge) installByForm(w http.ResponseWriter, r *http.Request) {
	owner, name, _ := strings.Cut(r.PostFormValue("repository"), "/")
	f.mu.Lock()
	app, repo := f.appBySlug(r.PathValue("slug")), f.repository(owner, name)
	f.mu.Unlock()
	if app == nil || repo == nil {
		http.NotFound(w, r)
		return
	}
	id := repo.Install(app)
	to := app.setupURL
	if to == "" {
		to = fmt.Sprintf("/settings/installations/%d", id)
	}
	http.Redirect(w, r, fmt.Sprintf("%s?installation_id=%d&setup_action=install", to, id), http.StatusFound)
}
