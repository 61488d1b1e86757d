package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// serveCommand is `mainstay serve` and its settings: flags, or MAINSTAY_… in the environment.
// Secrets come from the environment or from files, never from flags, which every process list shows.
type serveCommand struct {
	Listen  string `default:"127.0.0.1:8080" env:"MAINSTAY_LISTEN" help:"Address to listen on."`
	URL     string `name:"url" required:"" env:"MAINSTAY_URL" help:"The server's own public address, which is also the audience of the Action's tokens."`
	Data    string `default:"mainstay-data" env:"MAINSTAY_DATA" help:"Folder for the database and the clones."`
	AppID   int64  `name:"app-id" required:"" env:"MAINSTAY_APP_ID" help:"The GitHub App's id."`
	KeyFile string `name:"key-file" env:"MAINSTAY_KEY_FILE" help:"The App's private key, a PEM file; or the key itself in MAINSTAY_KEY."`
	Secret  string `name:"webhook-secret-file" env:"MAINSTAY_WEBHOOK_SECRET_FILE" help:"A file with the webhook secret, two lines while it is rotated; or the secret itself in MAINSTAY_WEBHOOK_SECRET."`
	GitHub  string `name:"github-url" default:"https://github.com" env:"MAINSTAY_GITHUB_URL" help:"Where repositories are cloned from."`
	API     string `name:"api-url" default:"https://api.github.com" env:"MAINSTAY_API_URL" help:"GitHub's REST API."`
	Issuer  string `default:"https://token.actions.githubusercontent.com" env:"MAINSTAY_OIDC_ISSUER" help:"Who issues the Action's identity tokens; several, separated by commas."`
	Token   string `name:"action-token-file" env:"MAINSTAY_ACTION_TOKEN_FILE" help:"A file with a secret shared with jobs on hosts without OIDC, or the secret itself in MAINSTAY_ACTION_TOKEN. Without one there is none. What such a job says is never trusted to land anything."`
	Verbose bool   `env:"MAINSTAY_VERBOSE" help:"Log more."`
}

// settings are checked and complete.
type settings struct {
	listen, url, data, github, api, issuer string

	appID   int64
	key     []byte
	secrets [][]byte
	// actionToken is the secret of jobs on hosts without OIDC; empty: there is none.
	actionToken string

	password string // of the dashboard; empty: closed
	open     bool   // the dashboard is open to everybody: the demo's, on loopback
	unlinked bool   // the dashboard leads nowhere at GitHub: the demo's forge has no pages
	verbose  bool
	clock    func() time.Time // nil is time.Now: a test's own
}

func (c serveCommand) settings() (settings, error) {
	s := settings{listen: c.Listen, url: strings.TrimSuffix(c.URL, "/"), data: c.Data, github: c.GitHub, api: c.API, issuer: c.Issuer,
		appID: c.AppID, password: os.Getenv("MAINSTAY_DASHBOARD_PASSWORD"), verbose: c.Verbose}
	addresses := [][2]string{{"MAINSTAY_URL", c.URL}, {"MAINSTAY_GITHUB_URL", c.GitHub}, {"MAINSTAY_API_URL", c.API}}
	for _, issuer := range s.issuers() {
		addresses = append(addresses, [2]string{"MAINSTAY_OIDC_ISSUER", issuer})
	}
	for _, one := range addresses {
		name, address := one[0], one[1]
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.User != nil {
			if at := strings.LastIndex(address, "@"); at >= 0 {
				address = "…" + address[at:] // a password may stand before it
			}
			return s, fmt.Errorf("%s is %q; it must be an address like https://mainstay.example.com, without a user in it", name, address)
		}
	}
	key, err := secret("MAINSTAY_KEY", c.KeyFile, "the App's private key")
	if err != nil {
		return s, err
	}
	s.key = []byte(key)
	lines, err := secret("MAINSTAY_WEBHOOK_SECRET", c.Secret, "the webhook secret")
	if err != nil {
		return s, err
	}
	for _, line := range strings.Split(lines, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.secrets = append(s.secrets, []byte(line))
		}
	}
	if c.Token != "" || os.Getenv("MAINSTAY_ACTION_TOKEN") != "" {
		token, err := secret("MAINSTAY_ACTION_TOKEN", c.Token, "the Action's token")
		if err != nil {
			return s, err
		}
		if s.actionToken = strings.TrimSpace(token); len(s.actionToken) < 16 {
			return s, errors.New("the Action's token is shorter than 16 characters: take a long random one, `openssl rand -hex 32` say")
		}
	}
	return s, nil
}

// issuers are those who may issue the Action's identity tokens, at least one.
func (s settings) issuers() []string {
	all := strings.Split(s.issuer, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// secret takes a secret from the environment or from a file.
func secret(variable, file, what string) (string, error) {
	if v := os.Getenv(variable); strings.TrimSpace(v) != "" {
		return v, nil
	}
	if file == "" {
		return "", errors.New(what + " is missing: set " + variable + " or " + variable + "_FILE")
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	if strings.TrimSpace(string(body)) == "" {
		return "", fmt.Errorf("read %s: %s is empty", what, file)
	}
	return string(body), nil
}
