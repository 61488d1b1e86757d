package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// firstStart starts the town's server as on the first day: nobody has an App yet.
func (w *town) firstStart(change func(*settings)) {
	w.t.Helper()
	s := w.settings()
	s.appID, s.key, s.secrets, s.open, s.password = 0, nil, nil, false, "open sesame"
	// GitHub's own pages are at the forge itself, since it links to them.
	s.github, s.api = w.forge.URL(), w.forge.APIURL()
	if change != nil {
		change(&s)
	}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv, err := start(context.Background(), s, log)
	w.must(err)
	w.server = srv
	w.t.Cleanup(func() {
		srv.stop()
		w.log.showOnFailure(w.t)
	})
}

// createApp walks from the printed link to the page after the installation.
func (w *town) createApp(b *browser, organization string) *browser {
	w.t.Helper()
	b.open(w.server.setup.Link()).shows(200, "Create the GitHub App", "Without it")
	b.press("Create the App", map[string]string{"organization": organization}).shows(200, "Create GitHub App for")
	b.press("Create GitHub App", nil).shows(200, "Install Mainstay", "acme/widgets")
	return b.press("Install", nil).shows(200, "What is next", "acme/widgets")
}

// takeApp makes the created App the town's, from what the data folder keeps.
func (w *town) takeApp() keptApp {
	w.t.Helper()
	kept, err := readKeptApp(filepath.Join(w.dir, "server"))
	w.must(err)
	if kept == nil {
		w.t.Fatal("no App is kept")
	}
	w.app = w.forge.App(kept.ID)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.place, err = w.server.awaitQueue(ctx, w.repo.ID, "main")
	w.must(err)
	return *kept
}

// From the first start to the first landing without a restart, a key that was
// copied, or a setting at GitHub that was clicked by hand.
func TestAFirstStartLeadsFromOneButtonToALanding(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true})
	w.repo.Uninstall(w.app)
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "Mainstay"}}})
	w.firstStart(nil)

	b := w.createApp(newBrowser(t), "acme")
	kept := w.takeApp()
	b.shows(200, w.server.url, `mainstay/**`, "Administration", "bypass actor")

	// What was asked for is what the table says.
	for name, access := range map[string]string{"contents": "write", "administration": "read", "members": "read"} {
		if got := w.app.Permissions()[name]; got != access {
			t.Errorf("the App has %s: %q, want %q", name, got, access)
		}
	}
	if kept.GitHub != w.forge.URL() || kept.Slug == "" || kept.WebhookSecret != w.app.WebhookSecret {
		t.Errorf("kept %+v", kept.Slug)
	}
	info, err := os.Stat(filepath.Join(w.dir, "server", keptAppFile))
	w.must(err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file has the mode %04o", info.Mode().Perm())
	}

	// And it works at once.
	pr := w.opens("topic")
	w.label(pr)
	w.awaitEnds(ends{pr: landed})
	w.seekIn("the log", w.log.bytes())

	// The page stays open to that browser, and is closed to others.
	b.open(w.server.url+"/setup/next").shows(200, "acme/widgets")
	newBrowser(t).open(w.server.url + "/setup/next").shows(401)

	// The next start needs no page.
	again, err := serveCommand{URL: w.server.url, Data: filepath.Join(w.dir, "server"), GitHub: w.forge.URL(), Hooks: "on", Writes: 60}.settings()
	w.must(err)
	if again.appID != kept.ID || string(again.key) != kept.Key || len(again.secrets) != 1 || again.api != w.forge.APIURL() || again.issuer != w.forge.IssuerURL() {
		t.Errorf("the next start has App %d, API %s, issuer %s", again.appID, again.api, again.issuer)
	}
}

// A stranger who finds the server first gets nothing, and neither does a link that
// was used, a code from elsewhere or a code brought twice.
func TestAStrangerCannotClaimTheSetup(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	w.firstStart(nil)
	link := w.server.setup.Link()
	stranger := newBrowser(t)
	for _, path := range []string{"/setup", "/setup/created?code=x&state=y", "/setup/" + strings.Repeat("A", 52)} {
		stranger.open(w.server.url+path).shows(http.StatusForbidden, "who started the server")
	}
	stranger.open(w.server.url+"/").shows(http.StatusServiceUnavailable, "no GitHub App yet")
	stranger.open(w.server.url + "/webhook").shows(http.StatusServiceUnavailable)
	stranger.open(w.server.url+"/healthz").shows(http.StatusOK, "ok")

	owner := newBrowser(t)
	owner.open(link).shows(200, "Create the GitHub App")
	if strings.Contains(owner.at.String(), strings.TrimPrefix(link, w.server.url)) {
		t.Errorf("the link's token stays in the address: %s", owner.at)
	}
	stranger.open(link).shows(http.StatusForbidden)
	owner.open(link).shows(200, "Create the GitHub App") // in the same browser it goes on

	owner.press("Create the App", nil)
	owner.open(w.server.url+"/setup/created?code=abc&state=guessed").shows(http.StatusBadRequest, "Begin again")
	owner.open(w.server.url+"/setup").press("Create the App", nil).press("Create GitHub App", nil).shows(200, "Install Mainstay")
	if bytes := w.log.bytes(); strings.Contains(string(bytes), "BEGIN RSA") {
		t.Error("the key is in the log")
	}
	// The set-up is over.
	newBrowser(t).open(link).shows(http.StatusNotFound)
}

// GitHub is away while the code is exchanged: it is said, nothing is half kept, and
// beginning again works.
func TestASetupThatBreaksOffBeginsAgain(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	w.firstStart(nil)
	w.forge.Faults.Break(sandbox.HTTPFault{Method: "POST", Route: "/app-manifests/{code}/conversions", Times: 1})
	b := newBrowser(t)
	b.open(w.server.setup.Link()).press("Create the App", nil).press("Create GitHub App", nil).shows(http.StatusBadGateway, "502", "Begin again")
	if strings.Contains(b.text, "app-manifests/A") {
		t.Error("the page shows the code")
	}
	if kept, err := readKeptApp(filepath.Join(w.dir, "server")); kept != nil || err != nil {
		t.Errorf("kept %v, %v", kept != nil, err)
	}
	b.open("/setup").press("Create the App", nil).press("Create GitHub App", nil).shows(200, "Install Mainstay")
}

// With webhooks off nothing is sent here and nothing is asked of the network: the
// server asks, and all lands.
func TestWithoutWebhooksEverythingLands(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{unruled: true})
	w.repo.Uninstall(w.app)
	w.repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "ci"}, {Context: "Mainstay"}}})
	w.firstStart(func(s *settings) { s.polls = true })
	w.createApp(newBrowser(t), "").shows(200)
	w.takeApp()
	w.until("the base was read", func() bool { return w.rows().Header.Tip == w.base })
	good, bad := w.opens("topic"), w.opens("broken-topic")
	w.label(good, bad)
	w.must(w.server.lookForLabels(context.Background())) // a minute has passed, and an idle queue looks
	w.until("both are in line", func() bool { return w.entry(good).Phase != "" && w.entry(bad).Phase != "" })
	w.untilPolled("both have their end", func() bool {
		return w.entry(good).Phase == queue.Landed && w.entry(good).Settled && w.entry(bad).Phase == queue.Out
	})
	w.holds(ends{good: landed, bad: queue.ChecksFailed})
	for _, d := range w.forge.Deliveries() {
		if d.AppID == w.app.ID {
			t.Fatalf("a webhook was sent: %s", d.Event)
		}
	}
}

// untilPolled lets minutes pass until something holds: nothing but the clock wakes the server.
func (w *town) untilPolled(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain until %s\n%s", what, w.picture())
		}
		w.passTime(time.Minute)
		w.awaitRest()
	}
}
