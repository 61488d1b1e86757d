package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// application marks the file as ours ("Mnst"); the first migration writes it.
const application = 1299084148

// minSQLite is the first release without a known fault that loses rows in WAL mode.
const minSQLite = 3_051_003

// readers is how many reads run side by side.
const readers = 4

// Store is one open database. It is safe for use by many goroutines.
type Store struct {
	lock   *os.File
	write  *sql.DB
	conn   *sql.Conn // the one connection of write
	read   *sql.DB
	writer *writer
}

// Open opens the database at path, makes it if there is none, and brings its
// schema up to date. The file belongs to this process until Close. An error says
// what is wrong with which file, and what to do.
func Open(ctx context.Context, path string) (*Store, error) {
	s := &Store{}
	if err := s.open(ctx, path); err != nil {
		s.release()
		return nil, fmt.Errorf("open database: %w", err)
	}
	s.writer = startWriter(s.conn)
	return s, nil
}

// OpenToRead opens a database that another process may be writing to. Nothing can be
// written through it.
func OpenToRead(ctx context.Context, path string) (*Store, error) {
	path, err := realPath(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	s := &Store{}
	if err == nil {
		s.read, err = sql.Open("sqlite3", dsn(path, "mode=ro&_query_only=1&_txlock=deferred"))
	}
	if err == nil {
		err = inspect(ctx, s.read, path)
	}
	if err != nil {
		s.release()
		return nil, fmt.Errorf("open database to read: %w", err)
	}
	return s, nil
}

// Close waits for the writes that were handed over, and gives the file free.
// A write that comes later gets an error.
func (s *Store) Close() error {
	if s.writer != nil {
		s.writer.stop()
	}
	if err := s.release(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

func (s *Store) release() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

func (s *Store) open(ctx context.Context, path string) error {
	if text, number, _ := sqlite3.Version(); number < minSQLite {
		return fmt.Errorf("built with SQLite %s, which can lose rows: build with 3.51.3 or newer", text)
	}
	path, err := realPath(path)
	if err != nil {
		return err
	}
	if s.lock, err = lockFile(path + ".lock"); err != nil {
		return err
	}
	if err := makeFile(path); err != nil {
		return err
	}
	if s.write, err = sql.Open("sqlite3", dsn(path, "_txlock=immediate&_synchronous=FULL")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := inspect(ctx, s.write, path); err != nil {
		return err
	}
	if err := migrate(ctx, s.write, path); err != nil {
		return err
	}
	if s.conn, err = s.write.Conn(ctx); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if s.read, err = sql.Open("sqlite3", dsn(path, "mode=ro&_query_only=1&_txlock=deferred")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return s.read.PingContext(ctx)
}

func dsn(path, params string) string {
	name := (&url.URL{Path: path}).EscapedPath()
	return "file:" + name + "?_busy_timeout=10000&_foreign_keys=1&_stmt_cache_size=64&" + params
}

// realPath follows links, so that two names of one file meet at one lock.
func realPath(path string) (string, error) {
	if path == "" {
		return "", errors.New("no file is named: give the path of the database")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	info, err := os.Stat(filepath.Dir(abs))
	if err != nil {
		return "", fmt.Errorf("%s: its folder: %w: %s", abs, reason(err), advice(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s: %s is not a folder: choose another path", abs, filepath.Dir(abs))
	}
	return abs, nil
}

// makeFile sees to it that the file is there and nobody else may read it. It
// runs under the lock, before SQLite opens the file: closing a second handle
// later would drop SQLite's own locks.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", path, reason(err), advice(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return fmt.Errorf("%s: others may read it and that can't be changed: %w: chmod it to 0600 as its owner", path, reason(err))
		}
	}
	if info.Size() > 0 {
		return nil
	}
	// A new name is safe from a power cut only when its folder is, too.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("%s: its folder: %w: %s", path, reason(err), advice(err))
	}
	defer dir.Close()
	return dir.Sync()
}

// inspect refuses a file that is not ours before anything is written to it.
func inspect(ctx context.Context, db *sql.DB, path string) error {
	var id, tables int
	err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id)
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema
			WHERE type = 'table' AND name NOT IN ('goose_db_version', 'sqlite_sequence')`).Scan(&tables)
	}
	var fault sqlite3.Error
	if errors.As(err, &fault) && (fault.Code == sqlite3.ErrNotADB || fault.Code == sqlite3.ErrCorrupt) {
		return fmt.Errorf("%s is not a SQLite database, or a damaged one (%w): choose another path, or bring back a backup", path, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: see that the folder can be written and that no other program holds the file", path, err)
	}
	if id != application && (id != 0 || tables > 0) {
		return fmt.Errorf("%s is another program's database: choose another path", path)
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil || mode != "wal" {
		return fmt.Errorf("%s: cannot switch to a write-ahead log (it says %q): put the database on a local disk that can be written: %w", path, mode, err)
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_size_limit = 67108864")
	return err
}

// migrate applies what is missing, a transaction a step, and refuses a schema from the future.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	now, newest, err := steps.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("%s: read the schema's version: %w", path, err)
	}
	if now > newest {
		return fmt.Errorf("%s has schema %d, and this build knows only up to %d: run the newer Mainstay that wrote it, or bring back a backup from before", path, now, newest)
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("%s: bring the schema from %d to %d: %w", path, now, newest, err)
	}
	return nil
}

// reason is the bare cause, without the path that the message names already.
func reason(err error) error {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return fault.Err
	}
	return err
}

func advice(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "make the folder, or choose another path"
	case errors.Is(err, fs.ErrPermission):
		return "let this user write the folder and the file, or choose another path"
	default:
		return "choose another path"
	}
}
