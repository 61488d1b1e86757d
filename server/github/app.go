package github

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/queue"
)

// Options say which App we are and where GitHub is.
type Options struct {
	AppID int64
	// Key is the App's private key, PEM.
	Key []byte
	// Secrets are the webhook secrets; any of them matches, so that one can be
	// replaced without losing a delivery.
	Secrets [][]byte
	// WithoutWebhooks lets there be no secret: then no webhook is believed.
	WithoutWebhooks bool

	APIURL string // "" is https://api.github.com
	GitURL string // "" is https://github.com
	// Transport is what requests go through; nil is one of our own.
	Transport http.RoundTripper
	Clock     func() time.Time // nil is time.Now
	Log       *slog.Logger     // nil is silence
	CheckName string           // "" is Mainstay
	// Writes is how many writing calls an installation makes in a minute; 0 is what github.com bears.
	Writes int
	// PageURL is the dashboard's page of a pull request, linked from its check; nil links none.
	PageURL func(place queue.Place, pr int) string
}

// App is our GitHub App on all its installations. Its methods are safe for
// concurrent use.
type App struct {
	id        int64
	key       *rsa.PrivateKey
	secrets   []Secret
	apiURL    *url.URL // ends in a slash
	gitURL    string
	transport http.RoundTripper
	http      *http.Client
	clock     func() time.Time
	log       *slog.Logger
	checkName string
	writes    int
	pageURL   func(place queue.Place, pr int) string

	permits  *permits
	comments sync.Map // comment ids by commentKey
	defaults sync.Map // defaultBranch by repository id
	shared   sync.Map // sharedConfig by installation and owner

	mu            sync.Mutex
	installations map[int64]*installation
}

// New makes the App. It fails on an App id, key, secret or address that cannot work.
func New(o Options) (*App, error) {
	if o.AppID <= 0 {
		return nil, fmt.Errorf("set up the GitHub App: %d is no App id", o.AppID)
	}
	key, err := parseKey(o.Key)
	if err != nil {
		return nil, fmt.Errorf("set up the GitHub App: read its private key: %w", err)
	}
	a := &App{id: o.AppID, key: key, transport: o.Transport, clock: o.Clock, log: o.Log, checkName: o.CheckName, writes: o.Writes,
		pageURL: o.PageURL, permits: newPermits(), installations: map[int64]*installation{}}
	for _, s := range o.Secrets {
		if len(s) == 0 {
			return nil, errors.New("set up the GitHub App: a webhook secret is empty")
		}
		a.secrets = append(a.secrets, Secret(s))
	}
	if len(a.secrets) == 0 && !o.WithoutWebhooks {
		return nil, errors.New("set up the GitHub App: no webhook secret is set")
	}
	if a.apiURL, err = address(o.APIURL, "https://api.github.com"); err != nil {
		return nil, fmt.Errorf("set up the GitHub App: API address: %w", err)
	}
	git, err := address(o.GitURL, "https://github.com")
	if err != nil {
		return nil, fmt.Errorf("set up the GitHub App: git address: %w", err)
	}
	a.gitURL = git.String()
	a.fillIn()
	return a, nil
}

func (a *App) fillIn() {
	if a.transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = 2 * callsAtOnce
		a.transport = own
	}
	a.transport = versioned{a.transport, a.apiURL.Host}
	if a.clock == nil {
		a.clock = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.checkName == "" {
		a.checkName = "Mainstay"
	}
	a.http = a.client(a.transport)
}

// client follows redirects (a renamed repository) on the same host only, so that
// nothing we are authorized with travels elsewhere.
func (a *App) client(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme || req.Method != via[0].Method || len(via) > 3 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// api is a go-github client on our address. Each installation has its own,
// because it remembers rate limits.
func (a *App) api(client *http.Client) *github.Client {
	c := github.NewClient(client)
	c.BaseURL, c.UserAgent = a.apiURL, "mainstay"
	return c
}

// appsTransport signs requests as the App itself. Each user gets one of its own:
// ghinstallation writes to it while refreshing a token.
func (a *App) appsTransport() *ghinstallation.AppsTransport {
	t := ghinstallation.NewAppsTransportFromPrivateKey(a.transport, a.id, a.key)
	t.BaseURL = strings.TrimSuffix(a.apiURL.String(), "/")
	return t
}

// CloneURL is where git finds a repository. It carries no credential.
func (a *App) CloneURL(place queue.Place) string {
	return a.gitURL + url.PathEscape(place.Owner) + "/" + url.PathEscape(place.Name) + ".git"
}

func address(given, usual string) (*url.URL, error) {
	if given == "" {
		given = usual
	}
	u, err := url.Parse(given)
	if err != nil {
		return nil, errors.New("it does not parse")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, errors.New("it has to be http(s)://host, without a user")
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	return u, nil
}

// parseKey reads a PEM key as GitHub gives it (PKCS 1) or as tools turn it (PKCS 8).
// Its errors say nothing of the content.
func parseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM (it should begin with -----BEGIN RSA PRIVATE KEY-----)")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("a PEM block of type %q holds no private key", block.Type)
	}
	key, ok := any.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not an RSA key")
	}
	return key, nil
}
