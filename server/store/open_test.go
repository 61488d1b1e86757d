package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

var shop = queue.Place{Installation: 7, Repository: 42, Owner: "octo", Name: "shop", Branch: "main"}

// sqlite runs statements on a file without us.
func sqlite(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Whoever starts a server with a wrong path must learn what to do, and lose nothing.
func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, path string) // path is not there yet
		says    []string
	}{
		{"a folder", func(t *testing.T, path string) { check(t, os.Mkdir(path, 0o700)) },
			[]string{"is a directory", "choose another path"}},
		{"text", func(t *testing.T, path string) {
			check(t, os.WriteFile(path, bytes.Repeat([]byte("not a database\n"), 100), 0o600))
		}, []string{"not a SQLite database", "backup"}},
		{"another program's", func(t *testing.T, path string) { sqlite(t, path, "CREATE TABLE songs (title)") },
			[]string{"another program's database", "choose another path"}},
		{"another program's by its mark", func(t *testing.T, path string) { sqlite(t, path, "PRAGMA application_id = 5") },
			[]string{"another program's database"}},
		{"a newer schema", func(t *testing.T, path string) {
			openClose(t, path)
			sqlite(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		}, []string{"has schema 9999", "only up to ", "newer Mainstay"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mainstay.db")
			c.prepare(t, path)
			before, _ := os.ReadFile(path)
			s, err := Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			for _, want := range append(c.says, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			// And it is free: the right path can be tried at once.
			openClose(t, filepath.Join(filepath.Dir(path), "right.db"))
		})
	}
}

// The path itself may be wrong in more ways than the file.
func TestOpenRefusesPaths(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for path, says := range map[string][]string{
		"":                                {"no file is named"},
		filepath.Join(dir, "no/where.db"): {"no such file or directory", "make the folder", "where.db"},
		filepath.Join(dir, "file/x.db"):   {"not a folder"},
	} {
		s, err := Open(t.Context(), path)
		if err == nil {
			s.Close()
			t.Errorf("%q was opened", path)
			continue
		}
		for _, want := range says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %q does not say %q", path, err, want)
			}
		}
	}
}

func TestOpenWithoutPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere: run it as another user to see this refused")
	}
	dir := t.TempDir()
	check(t, os.Chmod(dir, 0o500))
	_, err := Open(t.Context(), filepath.Join(dir, "mainstay.db"))
	if err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "let this user write") {
		t.Errorf("a folder we may not write: %v", err)
	}
}

// Two servers on one file would each perform the other's effects.
func TestOneServerAFile(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "mainstay.db"), filepath.Join(dir, "link.db")
	s, err := Open(t.Context(), path)
	check(t, err)
	check(t, os.Symlink(path, link))
	for _, again := range []string{path, link} {
		_, err := Open(t.Context(), again)
		if err == nil {
			t.Fatalf("%s was opened twice", again)
		}
		for _, want := range []string{"another Mainstay server", fmt.Sprintf("process %d", os.Getpid()), "of its own"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	}
	// The refused ones must not have cost the first its locks.
	if _, err := s.OpenQueue(t.Context(), shop); err != nil {
		t.Error(err)
	}
	check(t, s.Close())
	openClose(t, link)
}

// What a store holds concerns private repositories: nobody else on the machine reads it.
func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mainstay.db")
	check(t, os.WriteFile(path, nil, 0o644))
	s, err := Open(t.Context(), path)
	check(t, err)
	defer s.Close()
	_, err = s.OpenQueue(t.Context(), shop)
	check(t, err)
	files, err := filepath.Glob(path + "*")
	check(t, err)
	if len(files) != 4 {
		t.Errorf("files are %v, want database, -wal, -shm and .lock", files)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		check(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode().Perm())
		}
	}
}

// A path may hold what means something in a URI.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a?mode=memory", "b#c", "d%20e", "f g é.db", ":memory:", "'h\"", "file:i"} {
		path := filepath.Join(t.TempDir(), name)
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		_, err = s.OpenQueue(t.Context(), shop)
		check(t, err)
		check(t, s.Close())
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: its file is not there (%v)", name, err)
		}
		again, err := Open(t.Context(), path)
		check(t, err)
		if all, err := again.Queues(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("%q: opened again it has %v (%v)", name, all, err)
		}
		check(t, again.Close())
	}
}

// "On disk" must mean on disk, and readers must not be able to write.
func TestSettingsOfTheConnections(t *testing.T) {
	s := openTemp(t)
	for pragma, want := range map[string]int{"synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000} {
		var got int
		check(t, s.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("%s is %d, want %d", pragma, got, want)
		}
	}
	var mode string
	check(t, s.read.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode))
	if mode != "wal" {
		t.Errorf("journal mode is %q", mode)
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM queues"); err == nil {
		t.Error("a reader wrote")
	}
}

func openClose(t *testing.T, path string) {
	t.Helper()
	s, err := Open(context.Background(), path)
	check(t, err)
	check(t, s.Close())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
