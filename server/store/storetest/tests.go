package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
)

// Tests is what is known of tests.
type Tests interface {
	LearnTests(ctx context.Context, l flake.Lesson) error
	ChangeQuarantine(ctx context.Context, repository int64, suite, variant string, change func(flake.Book) ([]flake.Entry, error)) error
	Tests(ctx context.Context, repository int64, suite, variant string) (flake.Book, error)
	TestSuites(ctx context.Context, repository int64) ([]flake.Name, error)
}

// A landing is learnt from once, and what a test did adds up.
func learntOnce(t *testing.T, s Store) {
	if book, err := s.Tests(t.Context(), 7, "unit", ""); err != nil || book.Suite.Count != 0 {
		t.Fatalf("before anything: %+v, %v", book, err)
	}
	for i := range 40 {
		l := flake.Lesson{Repository: 7, Suite: "unit", Name: fmt.Sprintf("attempt/%d", i), Commit: fmt.Sprint(i), At: noon.Add(time.Duration(i) * time.Hour), Tests: 200, Term: 14 * 24 * time.Hour}
		if i%8 == 0 {
			l.Failed = []flake.Test{{Key: "t_1", Name: "TestA", Class: "a", File: "a/a_test.go"}}
		}
		must(t, s.LearnTests(t.Context(), l))
		must(t, s.LearnTests(t.Context(), l)) // the effect is done twice
	}
	must(t, s.LearnTests(t.Context(), flake.Lesson{Repository: 8, Suite: "unit", Name: "other", At: noon, Tests: 1}))
	book, err := s.Tests(t.Context(), 7, "unit", "")
	must(t, err)
	if book.Suite.Count != 40 || book.Suite.Tests != 200 || len(book.Tests) != 1 || book.Tests[0].Times != 5 || book.Tests[0].File != "a/a_test.go" {
		t.Fatalf("learnt: %+v", book)
	}
	if len(book.Entries) != 1 || book.Entries[0].Key != "t_1" || book.Version != 1 {
		t.Fatalf("quarantine: %+v", book)
	}
	names, err := s.TestSuites(t.Context(), 7)
	must(t, err)
	if fmt.Sprint(names) != "[{unit }]" {
		t.Fatalf("suites: %v", names)
	}
}

// A person puts a test in, and takes it out; an error changes nothing.
func changedQuarantine(t *testing.T, s Store) {
	put := func(flake.Book) ([]flake.Entry, error) {
		return []flake.Entry{{Key: "t_1", Name: "TestA", By: "ann", Owner: "team", Since: noon, Until: noon.Add(time.Hour)}}, nil
	}
	if err := s.ChangeQuarantine(t.Context(), 7, "unit", "", put); !errors.Is(err, queue.ErrNotFound) {
		t.Fatalf("of a suite nobody knows: %v", err)
	}
	must(t, s.LearnTests(t.Context(), flake.Lesson{Repository: 7, Suite: "unit", Name: "1", At: noon, Tests: 1}))
	must(t, s.ChangeQuarantine(t.Context(), 7, "unit", "", put))
	sick := errors.New("no")
	if err := s.ChangeQuarantine(t.Context(), 7, "unit", "", func(flake.Book) ([]flake.Entry, error) { return nil, sick }); !errors.Is(err, sick) {
		t.Fatalf("a refused change: %v", err)
	}
	must(t, s.ChangeQuarantine(t.Context(), 7, "unit", "", func(b flake.Book) ([]flake.Entry, error) {
		b.Entries[0].Ended, b.Entries[0].End = noon, "mended"
		return b.Entries, nil
	}))
	book, err := s.Tests(t.Context(), 7, "unit", "")
	must(t, err)
	if len(book.Entries) != 1 || book.Entries[0].End != "mended" || book.Entries[0].Owner != "team" || book.Version != 2 || book.Suite.Count != 1 {
		t.Fatalf("%+v", book)
	}
}
