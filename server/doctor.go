package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/github"
)

// appAccess is what a command needs to speak as the App: what `serve` has, from
// the same settings.
type appAccess struct {
	Data    string `default:"mainstay-data" env:"MAINSTAY_DATA" help:"Folder where the set-up page kept the App."`
	AppID   int64  `name:"app-id" env:"MAINSTAY_APP_ID" help:"The GitHub App's id, where none is kept."`
	KeyFile string `name:"key-file" env:"MAINSTAY_KEY_FILE" help:"The App's private key, a PEM file; or the key itself in MAINSTAY_KEY."`
	GitHub  string `name:"github-url" default:"https://github.com" env:"MAINSTAY_GITHUB_URL" help:"GitHub, or a GitHub Enterprise Server."`
	API     string `name:"api-url" env:"MAINSTAY_API_URL" help:"GitHub's REST API; by default the one of the GitHub above."`
	SignKey string `name:"signing-key-file" env:"MAINSTAY_SIGNING_KEY_FILE" help:"The key that signs the server's commits, where there is one."`
	Hooks   string `name:"webhooks" default:"on" enum:"on,off" env:"MAINSTAY_WEBHOOKS" help:"Off where the server asks GitHub instead."`
}

// open makes the App. No webhook is taken here, so no secret is needed.
func (a appAccess) open() (*github.App, settings, error) {
	given := addresses{GitHub: a.GitHub, API: a.API}.filled()
	s := settings{data: a.Data, appID: a.AppID, github: given.GitHub, api: given.API, polls: true}
	err := errors.Join(checkAddress("MAINSTAY_GITHUB_URL", s.github), checkAddress("MAINSTAY_API_URL", s.api))
	if err == nil {
		err = serveCommand{KeyFile: a.KeyFile}.identify(&s)
	}
	if err == nil && s.appID == 0 {
		err = fmt.Errorf("there is no GitHub App: none is kept in %s, and MAINSTAY_APP_ID is not set", s.data)
	}
	if err != nil {
		return nil, s, err
	}
	s.polls = a.Hooks == "off"
	app, err := github.New(github.Options{AppID: s.appID, Key: s.key, WithoutWebhooks: true, APIURL: s.api, GitURL: s.github})
	return app, s, err
}

// doctorCommand is `mainstay doctor`.
type doctorCommand struct {
	Repository string        `arg:"" help:"The repository, owner/name."`
	Branch     string        `help:"The base branch; by default the repository's default branch."`
	JSON       bool          `name:"json" help:"Print JSON."`
	SelfTest   bool          `name:"self-test" help:"Push an empty ticket, and say which required checks came. It starts your workflows once."`
	Wait       time.Duration `default:"15m" help:"How long the self-test waits for them."`
	appAccess
}

// diagnosis is what the command prints as JSON.
type diagnosis struct {
	Repository string           `json:"repository"`
	Branch     string           `json:"branch"`
	Findings   []doctor.Finding `json:"findings"`
	SelfTest   *selfTest        `json:"self_test,omitempty"`
}

// foundBroken is the exit code where something would hang or be refused.
const foundBroken = exitCode(2)

// Run examines a repository.
func (c doctorCommand) Run(ctx context.Context) error {
	app, s, err := c.open()
	if err != nil {
		return err
	}
	d, err := c.diagnose(ctx, app, s)
	if err != nil {
		return err
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		err = out.Encode(d)
	} else {
		err = d.print(os.Stdout)
	}
	if err == nil && d.broken() {
		return foundBroken
	}
	return err
}

func (c doctorCommand) diagnose(ctx context.Context, app *github.App, s settings) (diagnosis, error) {
	owner, name, ok := strings.Cut(c.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return diagnosis{}, fmt.Errorf("%q is no repository: write owner/name", c.Repository)
	}
	place, err := app.FindInstallation(ctx, owner, name)
	if err != nil {
		return diagnosis{}, err
	}
	if c.Branch != "" {
		place.Branch = c.Branch
	}
	d := diagnosis{Repository: place.Owner + "/" + place.Name, Branch: place.Branch, Findings: []doctor.Finding{}}
	found, required, err := examine(ctx, app, place, "refs/heads/"+place.Branch, s.polls, c.SignKey != "")
	if err != nil {
		return d, err
	}
	d.Findings = append(d.Findings, found...)
	if c.SelfTest {
		d.SelfTest, err = runSelfTest(ctx, app, place, required, c.Wait)
	}
	return d, err
}

func (d diagnosis) broken() bool {
	for _, f := range d.Findings {
		if f.Level == doctor.Broken {
			return true
		}
	}
	return d.SelfTest != nil && len(d.SelfTest.Missing) > 0
}

var levelSigns = map[doctor.Level]string{doctor.Broken: "✕", doctor.Warning: "!", doctor.Note: "·"}

func (d diagnosis) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, base %s: %s\n", d.Repository, d.Branch, sumUp(d.Findings))
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "\n%s %s", levelSigns[f.Level], f.Code)
		if f.Where != "" {
			fmt.Fprintf(&b, "  %s", f.Where)
		}
		fmt.Fprintf(&b, "\n  %s\n  → %s\n", f.Text, f.Mend)
	}
	if d.SelfTest != nil {
		b.WriteString("\n" + d.SelfTest.text())
	}
	_, err := io.WriteString(w, plain(b.String()))
	return err
}

// plain keeps what a repository's people wrote from steering a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			return '?'
		}
		return r
	}, text)
}

func sumUp(found []doctor.Finding) string {
	n := map[doctor.Level]int{}
	for _, f := range found {
		n[f.Level]++
	}
	if len(found) == 0 {
		return "nothing is in the way"
	}
	var parts []string
	for _, level := range []doctor.Level{doctor.Broken, doctor.Warning, doctor.Note} {
		switch word := string(level); {
		case n[level] == 0:
		case n[level] == 1 || level == doctor.Broken:
			parts = append(parts, fmt.Sprintf("%d %s", n[level], word))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n[level], word))
		}
	}
	return strings.Join(parts, ", ")
}
