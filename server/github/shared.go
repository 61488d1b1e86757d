package github

import (
	"context"
	"time"
)

// sharedRepository is where an owner keeps the settings of repositories without a file
// of their own, at the same path, on its default branch.
const sharedRepository = ".github"

// sharedAge is how long such a file read once is believed.
const sharedAge = 30 * time.Minute

// ConfigPath is where a repository keeps its settings.
const ConfigPath = configPath

type sharedConfig struct {
	config []byte
	at     time.Time
}

// readShared reads the owner's file; nil where there is none, or the App may not see it.
func (s site) readShared(ctx context.Context) ([]byte, error) {
	if s.place.Name == sharedRepository {
		return nil, nil
	}
	key := [2]any{s.place.Installation, s.place.Owner}
	if known, ok := s.app.shared.Load(key); ok {
		if c := known.(sharedConfig); s.app.clock().Sub(c.at) < sharedAge {
			return c.config, nil
		}
	}
	place := s.place
	place.Name, place.Repository, place.Branch = sharedRepository, 0, ""
	config, err := s.app.at(place).readConfigAt(ctx, "HEAD")
	if KindOf(err) == Forbidden {
		err = nil // the App is not installed on it
	}
	if err == nil {
		s.app.shared.Store(key, sharedConfig{config, s.app.clock()})
	}
	return config, err
}
