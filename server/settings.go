package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/server/git"
)

// serveCommand is `mainstay serve` and its settings: flags, or MAINSTAY_… in the environment.
// Secrets come from the environment or from files, never from flags, which every process list shows.
type serveCommand struct {
	Listen  string `default:"127.0.0.1:8080" env:"MAINSTAY_LISTEN" help:"Address to listen on."`
	URL     string `name:"url" required:"" env:"MAINSTAY_URL" help:"The server's own public address, which is also the audience of the Action's tokens."`
	Data    string `default:"mainstay-data" env:"MAINSTAY_DATA" help:"Folder for the database and the clones."`
	AppID   int64  `name:"app-id" env:"MAINSTAY_APP_ID" help:"The GitHub App's id. Without one, the App kept in the data folder; without that, a page is opened that creates one."`
	KeyFile string `name:"key-file" env:"MAINSTAY_KEY_FILE" help:"The App's private key, a PEM file; or the key itself in MAINSTAY_KEY."`
	Secret  string `name:"webhook-secret-file" env:"MAINSTAY_WEBHOOK_SECRET_FILE" help:"A file with the webhook secret, two lines while it is rotated; or the secret itself in MAINSTAY_WEBHOOK_SECRET."`
	GitHub  string `name:"github-url" default:"https://github.com" env:"MAINSTAY_GITHUB_URL" help:"GitHub, or a GitHub Enterprise Server: https://ghe.example.com."`
	API     string `name:"api-url" env:"MAINSTAY_API_URL" help:"GitHub's REST API; by default the one of the GitHub above."`
	Issuer  string `env:"MAINSTAY_OIDC_ISSUER" help:"Who issues the Action's identity tokens; several, separated by commas. By default the one of the GitHub above."`
	Hooks   string `name:"webhooks" default:"on" enum:"on,off" env:"MAINSTAY_WEBHOOKS" help:"Off where GitHub can't reach this server: then it asks GitHub, each minute."`
	Token   string `name:"action-token-file" env:"MAINSTAY_ACTION_TOKEN_FILE" help:"A file with a secret shared with jobs on hosts without OIDC, or the secret itself in MAINSTAY_ACTION_TOKEN. Without one there is none. What such a job says is never trusted to land anything."`
	SignKey string `name:"signing-key-file" env:"MAINSTAY_SIGNING_KEY_FILE" help:"A file with an ssh key that signs the commits we make, where a rule asks for signatures. Wants --committer."`
	Commits string `name:"committer" env:"MAINSTAY_COMMITTER" help:"Who makes our commits, like 'Release Bot <bot@example.com>': the machine user whose key signs them. Without one each attempt has a committer of its own."`
	Writes  int    `name:"writes-per-minute" default:"60" env:"MAINSTAY_WRITES_PER_MINUTE" help:"How much is written to GitHub in a minute for one installation. github.com limits more than 80; a GitHub Enterprise Server may have no limit."`
	Verbose bool   `env:"MAINSTAY_VERBOSE" help:"Log more."`
}

// settings are checked and complete.
type settings struct {
	listen, url, data, github, api, issuer string

	appID   int64 // 0: there is no App yet
	key     []byte
	secrets [][]byte
	polls   bool // GitHub sends no webhooks here
	writes  int  // of an installation in a minute; 0: what github.com bears

	signer    *git.Signer   // of our commits; nil: they are not signed
	committer git.Committer // of our commits; empty: each attempt's own
	// actionToken is the secret of jobs on hosts without OIDC; empty: there is none.
	actionToken string

	password string // of the dashboard; empty: closed
	open     bool   // the dashboard is open to everybody: the demo's, on loopback
	unlinked bool   // the dashboard leads nowhere at GitHub: the demo's forge has no pages
	verbose  bool
	clock    func() time.Time // nil is time.Now: a test's own
}

func (c serveCommand) settings() (settings, error) {
	s := settings{listen: c.Listen, url: strings.TrimSuffix(c.URL, "/"), data: c.Data, appID: c.AppID, polls: c.Hooks == "off", writes: c.Writes,
		password: os.Getenv("MAINSTAY_DASHBOARD_PASSWORD"), verbose: c.Verbose}
	given := addresses{GitHub: c.GitHub, API: c.API, Issuer: c.Issuer}.filled()
	s.github, s.api, s.issuer = given.GitHub, given.API, given.Issuer
	checked := [][2]string{{"MAINSTAY_URL", c.URL}, {"MAINSTAY_GITHUB_URL", s.github}, {"MAINSTAY_API_URL", s.api}}
	for _, issuer := range s.issuers() {
		checked = append(checked, [2]string{"MAINSTAY_OIDC_ISSUER", issuer})
	}
	for _, one := range checked {
		if err := checkAddress(one[0], one[1]); err != nil {
			return s, err
		}
	}
	if c.Writes != 0 && c.Writes < 10 || c.Writes > 10_000 {
		return s, fmt.Errorf("MAINSTAY_WRITES_PER_MINUTE is %d; it must be from 10 to 10000, and github.com bears 60", c.Writes)
	}
	if err := c.identify(&s); err != nil {
		return s, err
	}
	if err := c.sign(&s); err != nil {
		return s, err
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

// identify finds who we are at GitHub. What the environment says wins over what is
// kept; nothing at all is a first start, and leaves the App's id 0.
func (c serveCommand) identify(s *settings) error {
	kept, err := readKeptApp(s.data)
	if err != nil {
		return err
	}
	if s.appID == 0 && (kept == nil || kept.GitHub != s.github) {
		switch {
		case os.Getenv("MAINSTAY_KEY") != "" || c.KeyFile != "":
			return errors.New("there is a private key but no App id: set MAINSTAY_APP_ID, or take MAINSTAY_KEY and MAINSTAY_KEY_FILE away to have an App created")
		case kept != nil:
			return fmt.Errorf("the App kept in %s is of %s, and MAINSTAY_GITHUB_URL is %s: use a data folder for each", s.data, kept.GitHub, s.github)
		}
		return nil
	}
	if kept == nil || s.appID != 0 && s.appID != kept.ID {
		kept = &keptApp{} // another one's secrets are of no use
	}
	if kept.ID != 0 {
		kept.into(s)
	}
	if key, err := secret("MAINSTAY_KEY", c.KeyFile, "the App's private key"); err == nil {
		s.key = []byte(key)
	} else if len(s.key) == 0 || c.KeyFile != "" {
		return err
	}
	lines, err := secret("MAINSTAY_WEBHOOK_SECRET", c.Secret, "the webhook secret")
	switch {
	case err == nil:
		s.secrets = nil
	case c.Secret != "" || len(s.secrets) == 0 && !s.polls:
		return err
	}
	for _, line := range strings.Split(lines, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.secrets = append(s.secrets, []byte(line))
		}
	}
	return nil
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
