package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keptApp is the GitHub App that the set-up page created, as the data folder keeps it.
type keptApp struct {
	ID     int64  `json:"id"`
	Slug   string `json:"slug"`
	Name   string `json:"name"`
	Page   string `json:"page"`   // the App's own page at GitHub
	GitHub string `json:"github"` // where it was created

	Key           string `json:"private_key"`
	WebhookSecret string `json:"webhook_secret,omitempty"`
}

// keptAppFile is beside the database. Only the server's own user may read it.
const keptAppFile = "app.json"

// readKeptApp gives the App kept in the data folder, nil when there is none.
func readKeptApp(data string) (*keptApp, error) {
	path := filepath.Join(data, keptAppFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		// A data folder that is no folder is told by who makes it.
		return nil, ignoreNoFolder(fmt.Errorf("read the kept App: %w", err), data)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("others may read the App's key in %s (its mode is %04o): make it yours with `chmod 600 %s`", path, mode, path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the kept App: %w", err)
	}
	var kept keptApp
	if err := json.Unmarshal(body, &kept); err != nil || kept.ID <= 0 || kept.Key == "" {
		return nil, fmt.Errorf("read the kept App: %s holds no App: bring it back from a backup, or move it away to have a new App created", path)
	}
	return &kept, nil
}

func ignoreNoFolder(err error, data string) error {
	if info, statErr := os.Stat(data); statErr == nil && !info.IsDir() {
		return nil
	}
	return err
}

// keep writes the App to the data folder: whole or not at all, for this user alone.
func (k keptApp) keep(data string) error {
	body, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the App: %w", err)
	}
	draft, err := os.CreateTemp(data, keptAppFile+".*") // of mode 0600
	if err != nil {
		return fmt.Errorf("keep the App: %w", err)
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(append(body, '\n'))
	err = errors.Join(err, draft.Sync(), draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), filepath.Join(data, keptAppFile))
	}
	if err != nil {
		return fmt.Errorf("keep the App: %w", err)
	}
	folder, err := os.Open(data)
	if err != nil {
		return fmt.Errorf("keep the App: %w", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("keep the App: %w", err)
	}
	return nil
}
