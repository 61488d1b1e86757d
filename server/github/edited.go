package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// Edited is a commit that may change the settings file of a branch.
type Edited struct {
	Place  queue.Place // of the branch that its pull request is for, or the default one
	Commit string
	Pull   int // of a fork: its files are still to be listed; 0: it does change the file
}

// EditedConfig tells a push that changes the settings file, by the webhook alone, and
// a fork's pull request that may: its pushes are told to the fork.
func (a *App) EditedConfig(event string, body []byte) (Edited, bool) {
	if place, commit, files := pushedFiles(event, body); slices.Contains(files, configPath) {
		return Edited{Place: place, Commit: commit}, true
	}
	if event != "pull_request" {
		return Edited{}, false
	}
	var h hook
	var p struct {
		Pull pull `json:"pull_request"`
	}
	if json.Unmarshal(body, &h) != nil || json.Unmarshal(body, &p) != nil || h.Repository.ID <= 0 {
		return Edited{}, false
	}
	fresh := h.Action == "opened" || h.Action == "synchronize" || h.Action == "reopened"
	fork := p.Pull.Head.Repo != nil && p.Pull.Base.Repo != nil && p.Pull.Head.Repo.ID != p.Pull.Base.Repo.ID
	if !fresh || !fork || p.Pull.Number <= 0 || p.Pull.Base.Ref == "" || !isCommit(p.Pull.Head.SHA) {
		return Edited{}, false
	}
	return Edited{h.place(p.Pull.Base.Ref), p.Pull.Head.SHA, p.Pull.Number}, true
}

// editedPages is how far a fork's list of files is read.
const editedPages = 3

// ReadEdited reads the settings file as a commit has it, nil where it has none; false
// where the commit does not change it. Errors: *Trouble, or the context's.
func (a *App) ReadEdited(ctx context.Context, e Edited) (config []byte, edits bool, err error) {
	s := a.at(e.Place)
	if e.Pull != 0 {
		if edits, err = s.touchesConfig(ctx, e.Pull); err != nil || !edits {
			return nil, false, err
		}
	}
	config, err = s.readConfigAt(ctx, e.Commit)
	return config, err == nil, err
}

func (s site) touchesConfig(ctx context.Context, number int) (bool, error) {
	for page := 1; page != 0 && page <= editedPages; {
		var files []struct {
			Name string `json:"filename"`
			Was  string `json:"previous_filename"`
		}
		resp, err := s.get(ctx, fmt.Sprintf("pulls/%d/files", number), paged(url.Values{}, page), &files)
		if gone(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("list the files of #%d: %w", number, err)
		}
		for _, f := range files {
			if f.Name == configPath || f.Was == configPath {
				return true, nil
			}
		}
		page = resp.NextPage
	}
	return false, nil
}
