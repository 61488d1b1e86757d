//go:build unix

package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lockFile takes the lock beside a database, so that two servers never share a
// file: each would perform the other's effects. The kernel drops it when the
// process ends, however it ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot make the lock file: %w: %s", path, reason(err), advice(err))
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder := holderOf(f)
		f.Close()
		return nil, fmt.Errorf("%s is held by another Mainstay server%s: stop that one, or give this one a database of its own", path, holder)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: cannot lock: %w: put the database on a local disk", path, err)
	}
	// Who holds it is for the message above only.
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return f, nil
}

func holderOf(f *os.File) string {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	pid, errPID := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || errPID != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
