package sandbox

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"time"
)

// account is anybody GitHub knows by login and number.
type account struct {
	id    int64
	login string
	kind  string // User, Organization, Bot
}

// Actor is somebody who does things: a *User or an *App (as its bot).
type Actor interface{ account() account }

// User is a person.
type User struct {
	ID    int64
	Login string
	// Token is the person's own access token, for git and REST.
	Token string
}

func (u *User) account() account { return account{u.ID, u.Login, "User"} }

// NewUser makes a person, or returns the one of that login.
func (f *Forge) NewUser(login string) *User {
	f.mu.Lock()
	defer f.mu.Unlock()
	if user := f.users[strings.ToLower(login)]; user != nil {
		return user
	}
	user := &User{ID: f.newID(), Login: login, Token: newToken("ghp_", 36)}
	f.users[strings.ToLower(login)] = user
	f.accounts[strings.ToLower(login)] = user.account()
	f.credentials[user.Token] = &credential{user: user}
	return user
}

// AppOptions describes a GitHub App.
type AppOptions struct {
	Name          string
	WebhookURL    string
	WebhookSecret string
	// Permissions of each installation; nil grants all the sandbox knows but administration.
	Permissions map[string]string
	// Events the App subscribed to; nil is all of them.
	Events []string
}

// App is a GitHub App. Its fields are fixed at its making.
type App struct {
	ID            int64
	Slug          string
	Name          string
	BotID         int64
	BotLogin      string
	WebhookSecret string
	PrivateKeyPEM []byte

	forge       *Forge
	key         *rsa.PrivateKey
	webhookURL  string
	setupURL    string // where who installs it is led
	permissions map[string]string
	events      map[string]bool
	outbox      *outbox
	created     time.Time
}

func (a *App) account() account { return account{a.BotID, a.BotLogin, "Bot"} }

// actionsAppID is the number of GitHub's own App that reports workflow jobs.
const actionsAppID = 15368

func everyPermission() map[string]string {
	all := map[string]string{"metadata": "read", "members": "read"}
	for _, name := range []string{"actions", "checks", "contents", "issues", "pull_requests", "statuses", "workflows", "deployments"} {
		all[name] = "write"
	}
	return all
}

// NewApp registers an App and makes its private key. With a webhook address a
// ping is sent.
func (f *Forge) NewApp(options AppOptions) (*App, error) {
	slug := slugOf(options.Name)
	if slug == "" {
		return nil, fmt.Errorf("register the App %q: its name has no letter", options.Name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	signing := appKey(len(f.apps))
	app := &App{
		ID: f.newID(), Slug: slug, Name: options.Name, BotID: f.newID(), BotLogin: slug + "[bot]",
		WebhookSecret: options.WebhookSecret, forge: f, key: signing.private, webhookURL: options.WebhookURL,
		permissions: options.Permissions, created: f.now(),
	}
	app.PrivateKeyPEM = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(signing.private)})
	if app.permissions == nil {
		app.permissions = everyPermission()
	}
	if options.Events != nil {
		app.events = map[string]bool{}
		for _, event := range unasked {
			app.events[event] = true
		}
		for _, event := range options.Events {
			app.events[event] = true
		}
	}
	f.enlist(app)
	f.sendPing(app)
	return app, nil
}

func (f *Forge) newActionsApp() *App {
	app := &App{ID: actionsAppID, Slug: "github-actions", Name: "GitHub Actions", BotID: 41898282,
		BotLogin: "github-actions[bot]", forge: f, permissions: everyPermission(), created: f.now()}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enlist(app)
	return app
}

// enlist makes the App known and starts its deliveries; the lock is held.
func (f *Forge) enlist(app *App) {
	app.outbox = newOutbox()
	f.apps = append(f.apps, app)
	f.accounts[strings.ToLower(app.BotLogin)] = app.account()
	f.work.Go(func() { f.deliverAll(app) })
	f.touch()
}

// App returns the App of that number, nil when there is none.
func (f *Forge) App(id int64) *App {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, app := range f.apps {
		if app.ID == id {
			return app
		}
	}
	return nil
}

// Permissions are what the App asks of each installation.
func (a *App) Permissions() map[string]string { return maps.Clone(a.permissions) }

// SetWebhook changes where the App's webhooks go and pings the new address;
// "" sends none from now on.
func (a *App) SetWebhook(url string) {
	a.forge.mu.Lock()
	defer a.forge.mu.Unlock()
	a.webhookURL = url
	a.forge.sendPing(a)
}

func slugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// byLogin finds an account, ignoring case; the lock is held.
func (f *Forge) byLogin(login string) (account, bool) {
	a, ok := f.accounts[strings.ToLower(login)]
	return a, ok
}

// owner returns the account of a repository's owner, making an organisation
// where nobody has that login; the lock is held.
func (f *Forge) owner(login string) account {
	if a, ok := f.byLogin(login); ok {
		return a
	}
	a := account{f.newID(), login, "Organization"}
	f.accounts[strings.ToLower(login)] = a
	return a
}
