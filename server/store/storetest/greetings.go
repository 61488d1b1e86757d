package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// Greetings is what was made once on a repository.
type Greetings interface {
	Greetings(ctx context.Context, repository int64) ([]string, error)
	KeepGreeting(ctx context.Context, repository int64, what string, at time.Time) error
}

// What was made is remembered once, each repository's for itself.
func greetedOnce(t *testing.T, s Store) {
	for range 2 {
		must(t, s.KeepGreeting(t.Context(), 7, "label solo", noon))
		must(t, s.KeepGreeting(t.Context(), 7, "check", noon.Add(time.Hour)))
	}
	must(t, s.KeepGreeting(t.Context(), 8, "label hold", noon))
	for repository, want := range map[int64]string{7: "[check label solo]", 8: "[label hold]", 9: "[]"} {
		made, err := s.Greetings(t.Context(), repository)
		must(t, err)
		if fmt.Sprint(made) != want {
			t.Errorf("of repository %d: %q, want %s", repository, made, want)
		}
	}
}
