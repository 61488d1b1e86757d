package github

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// configPath is where a repository keeps its settings.
const configPath = ".github/mainstay.yml"

// Base is one reading of a base branch.
type Base struct {
	Tip     string
	Missing bool // there is no such branch; everything below is empty
	Rules   queue.Rules
	// Config is the file at ConfigPath on the branch, or the one its owner has for all
	// repositories without one; nil when there is none, or when it was not asked for;
	// empty when that is no file, or over a megabyte.
	Config     []byte
	ConfigPath string
	// DefaultBranch says that this is the repository's default branch; only ReadBase tells.
	DefaultBranch bool
	ReadAt        time.Time // when the reading began
}

// ReadBase reads where a branch stands, what its rules ask and its config: four
// calls side by side, seldom five; and one for the owner's file where there is no other and it was not read lately. Errors: *Trouble, or the context's.
func (a *App) ReadBase(ctx context.Context, place queue.Place) (Base, error) {
	return a.readBase(ctx, place, true)
}

// ReadRules is ReadBase without the config, before a landing: two calls, or three
// where there is a classic branch protection. Errors: *Trouble, or the context's.
func (a *App) ReadRules(ctx context.Context, place queue.Place) (Base, error) {
	return a.readBase(ctx, place, false)
}

func (a *App) readBase(ctx context.Context, place queue.Place, whole bool) (Base, error) {
	s := a.at(place)
	b := Base{ReadAt: a.clock(), ConfigPath: configPath}
	var set, classic asked
	tasks := []func(context.Context) error{
		func(ctx context.Context) (err error) { b.Tip, classic, err = s.readBranch(ctx); return err },
		func(ctx context.Context) (err error) { set, err = s.readRulesets(ctx); return err },
	}
	if whole {
		tasks = append(tasks,
			func(ctx context.Context) (err error) { b.Config, err = s.readConfig(ctx); return err },
			func(ctx context.Context) (err error) { b.DefaultBranch, err = s.isDefault(ctx); return err })
	}
	if err := sideBySide(ctx, tasks...); err != nil {
		return Base{}, fmt.Errorf("read branch %s of %s: %w", place.Branch, s.name(), err)
	}
	if b.Tip == "" {
		return Base{Missing: true, ConfigPath: configPath, ReadAt: b.ReadAt}, nil
	}
	set.add(classic)
	if t, known := s.knownTraits(); known && len(t.methods) > 0 {
		set.allow(t.methods)
	}
	b.Rules = set.rules(a)
	if !whole || b.Config != nil {
		return b, nil
	}
	shared, err := s.readShared(ctx)
	if err != nil {
		return Base{}, fmt.Errorf("read the defaults of %s: %w", place.Owner, err)
	}
	if b.Config = shared; shared != nil {
		b.ConfigPath = place.Owner + "/" + sharedRepository + "/" + configPath
	}
	return b, nil
}

// readBranch reads the tip ("" when there is no such branch) and, where there is
// one, the classic branch protection.
func (s site) readBranch(ctx context.Context) (tip string, rules asked, err error) {
	var branch struct {
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
		Protection struct {
			Enabled bool         `json:"enabled"`
			Checks  classicCheck `json:"required_status_checks"`
		} `json:"protection"`
	}
	path := "branches/" + segment(s.place.Branch)
	_, err = s.get(ctx, path, nil, &branch)
	if gone(err) {
		return "", asked{}, s.mustExist(ctx)
	}
	if err != nil {
		return "", asked{}, err
	}
	if p := branch.Protection; p.Enabled {
		p.Checks.into(&rules)
		err = s.readProtection(ctx, path+"/protection", &rules)
	}
	return branch.Commit.SHA, rules, err
}

// mustExist tells a missing branch from a repository that is gone.
func (s site) mustExist(ctx context.Context) error {
	_, err := s.get(ctx, "", nil, nil)
	return err
}

// readConfig reads the file at the branch's tip; nil when there is none.
func (s site) readConfig(ctx context.Context) ([]byte, error) {
	return s.readConfigAt(ctx, "refs/heads/"+s.place.Branch)
}

// readConfigAt reads the file at a branch or commit.
func (s site) readConfigAt(ctx context.Context, ref string) ([]byte, error) {
	var (
		file struct {
			Encoding string `json:"encoding"`
			Content  string `json:"content"`
		}
		answer json.RawMessage // a list, for a folder
	)
	_, err := s.get(ctx, "contents/"+configPath, url.Values{"ref": {ref}}, &answer)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", configPath, err)
	}
	if json.Unmarshal(answer, &file) != nil || file.Encoding != "base64" {
		return []byte{}, nil
	}
	config, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(file.Content, "\n", ""))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", configPath, err)
	}
	return config, nil
}

func (s site) isDefault(ctx context.Context) (bool, error) {
	t, err := s.traits(ctx)
	return err == nil && t.defaultBranch == s.place.Branch, err
}
