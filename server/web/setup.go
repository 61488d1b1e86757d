package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Grant is one line of the table of what the App asks for.
type Grant struct{ Title, Access, Why, Lost string }

// SetupOptions are what the set-up pages need.
type SetupOptions struct {
	URL       string // the server's own public address
	GitHubURL string
	Manifest  string // of the App, JSON
	Grants    []Grant
	Events    []string
	Polls     bool // GitHub sends no webhooks here
	// Create takes the App that the code stands for, begins to serve it and says
	// where it is installed.
	Create func(ctx context.Context, code string) (install string, err error)
	Log    *slog.Logger
}

// Setup is the page that creates the App, before there is one. Only who has the
// link printed at the start gets in, and only once: a stranger who finds the
// server first can't make its App theirs.
type Setup struct {
	SetupOptions
	pages *pages // draws

	mu      sync.Mutex
	token   string // of the link; empty: used
	session string // of the browser that used it
	state   string // what GitHub has to bring back; empty: nothing is under way
}

// NewSetup makes the pages and their link.
func NewSetup(o SetupOptions) *Setup {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.GitHubURL = strings.TrimSuffix(o.GitHubURL, "/")
	return &Setup{SetupOptions: o, token: rand.Text() + rand.Text(), pages: newPages(PageOptions{Log: o.Log})}
}

// Link is where the page is, for the one who started the server.
func (s *Setup) Link() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.URL + "/setup/" + s.token
}

const setupCookie = "mainstay_setup"

// Handler answers everything while there is no App.
func (s *Setup) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /setup/{token}", s.claim)
	mux.Handle("GET /setup", s.guard(s.showSetup))
	mux.Handle("POST /setup/create", s.guard(s.leave))
	mux.Handle("GET /setup/created", s.guard(s.comeBack))
	mux.HandleFunc("GET /static/{file}", serveStatic)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusServiceUnavailable, "Mainstay has no GitHub App yet. The link to its set-up page was printed where it was started.")
	})
	return mux
}

// claim gives the page to the first browser that brings the link.
func (s *Setup) claim(w http.ResponseWriter, r *http.Request) {
	s.headers(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.token != "" && same(r.PathValue("token"), s.token):
		s.token, s.session = "", rand.Text()
		http.SetCookie(w, &http.Cookie{Name: setupCookie, Value: s.session, Path: "/setup", HttpOnly: true,
			Secure: strings.HasPrefix(s.URL, "https:"), SameSite: http.SameSiteLaxMode})
	case s.knows(r): // the same browser again
	default:
		s.refuse(w)
		return
	}
	http.Redirect(w, r, "/setup", http.StatusSeeOther)
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// knows tells the browser that used the link; the lock is held.
func (s *Setup) knows(r *http.Request) bool {
	cookie, err := r.Cookie(setupCookie)
	return err == nil && s.session != "" && same(cookie.Value, s.session)
}

// Knows tells the browser that set this server up, also after it has.
func (s *Setup) Knows(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.knows(r)
}

func (s *Setup) refuse(w http.ResponseWriter) {
	say(w, http.StatusForbidden, "This page is for the one who started the server. Its link was printed there and is good once, in one browser; start the server again for a new one.")
}

func (s *Setup) headers(w http.ResponseWriter) {
	for name, value := range pageHeaders {
		w.Header().Set(name, value)
	}
	if u, err := url.Parse(s.GitHubURL); err == nil {
		// The form ends at GitHub; browsers hold redirects of forms against this, too.
		w.Header().Set("Content-Security-Policy", strings.Replace(pageHeaders["Content-Security-Policy"], "form-action 'self'",
			"form-action 'self' "+u.Scheme+"://"+u.Host, 1))
	}
}

func (s *Setup) guard(next http.HandlerFunc) http.Handler {
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.headers(w)
		if !s.Knows(r) || foreign.Check(r) != nil {
			s.refuse(w)
			return
		}
		next(w, r)
	})
}

type setupBody struct {
	SetupOptions
	GitHubHost string
	Unseen     bool // GitHub can't reach this server
}

func (s *Setup) showSetup(w http.ResponseWriter, _ *http.Request) {
	body := setupBody{SetupOptions: s.SetupOptions, Unseen: !s.Polls && onThisMachine(s.URL)}
	if u, err := url.Parse(s.GitHubURL); err == nil {
		body.GitHubHost = u.Host
	}
	s.pages.write(w, http.StatusOK, page{Name: "setup", Title: "Set-up", Crumbs: []link{{Text: "Set-up"}}, Body: body})
}

func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "::1")
}

// leave sends the form on to GitHub as it came (307 keeps method and body), to the
// person's own page or to the organisation's.
func (s *Setup) leave(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		say(w, http.StatusBadRequest, "The form could not be read.")
		return
	}
	to := s.GitHubURL + "/settings/apps/new"
	if name := strings.TrimSpace(r.PostForm.Get("organization")); name != "" {
		if strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(name) > 39 {
			say(w, http.StatusBadRequest, "That is no organisation's name. Go back and write it as it stands in its address at GitHub.")
			return
		}
		to = s.GitHubURL + "/organizations/" + name + "/settings/apps/new"
	}
	s.mu.Lock()
	s.state = rand.Text()
	to += "?" + url.Values{"state": {s.state}}.Encode()
	s.mu.Unlock()
	http.Redirect(w, r, to, http.StatusTemporaryRedirect)
}

// comeBack takes the code GitHub leads back with: once, and only where this browser
// set out from here.
func (s *Setup) comeBack(w http.ResponseWriter, r *http.Request) {
	code, state := r.URL.Query().Get("code"), r.URL.Query().Get("state")
	s.mu.Lock()
	good := s.state != "" && same(state, s.state)
	if good {
		s.state = ""
	}
	s.mu.Unlock()
	if !good || code == "" {
		s.trouble(w, http.StatusBadRequest, "This did not come from the form, or came twice. Begin again.")
		return
	}
	install, err := s.Create(r.Context(), code)
	if err != nil {
		s.Log.Error("the App could not be taken over", "err", err)
		s.trouble(w, http.StatusBadGateway, upperFirst(err.Error())+". Delete the App at GitHub if it was created, and begin again.")
		return
	}
	http.Redirect(w, r, install, http.StatusSeeOther)
}

func (s *Setup) trouble(w http.ResponseWriter, status int, text string) {
	s.pages.write(w, status, page{Name: "setup-trouble", Title: "Set-up", Crumbs: []link{{Text: "Set-up", URL: "/setup"}}, Body: plainLine(text, 600)})
}
