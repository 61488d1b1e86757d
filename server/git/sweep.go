package git

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// sweep clears what a killed process may have left: locks, half-written files
// and scratch objects. The folder's lock makes sure nobody is using them.
func (c *Clone) sweep() {
	for _, pattern := range []string{
		"*.lock", "refs/mainstay/seen/*.lock", "objects/info/*.lock", "objects/info/commit-graphs/*.lock",
		"objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/tmp_*", "objects/??/tmp_*", "scratch", "attributes",
	} {
		paths, _ := filepath.Glob(filepath.Join(c.dir, pattern))
		for _, path := range paths {
			os.RemoveAll(path)
		}
	}
}

// sound says whether the clone can be trusted. Loose objects are written
// without waiting for the disk, since a rebuild gives the same ones; so after
// the machine itself went down each is read once and compared with its name.
func (c *Clone) sound() bool {
	mark := filepath.Join(c.dir, complete)
	boot, err := os.ReadFile(mark)
	if err != nil {
		return false
	}
	if strings.TrimSpace(string(boot)) == bootID() {
		return true
	}
	for _, path := range c.loose() {
		if !intact(path) {
			c.log.Warn("a loose object is damaged", "path", path)
			return false
		}
	}
	return os.WriteFile(mark, []byte(bootID()+"\n"), 0o644) == nil
}

// bootID changes with each start of the machine; empty where there is none,
// which then never looks like a restart.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

func (c *Clone) loose() []string {
	paths, _ := filepath.Glob(filepath.Join(c.dir, "objects", "[0-9a-f][0-9a-f]", "*"))
	return paths
}

func intact(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	z, err := zlib.NewReader(bufio.NewReader(f))
	if err != nil {
		return false
	}
	sum := sha1.New()
	if _, err := io.Copy(sum, z); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == filepath.Base(filepath.Dir(path))+filepath.Base(path)
}

// Tidying begins above these, as git's own housekeeping does.
const (
	manyLoose = 6000
	manyPacks = 60
)

// Tidy packs loose objects and joins packs when there are many; otherwise it
// does nothing and starts nothing. It loses no object, and may run beside all
// else; a quiet hour is best.
func (c *Clone) Tidy(ctx context.Context) error {
	loose := c.loose()
	packs, _ := filepath.Glob(filepath.Join(c.dir, "objects", "pack", "*.pack"))
	if len(loose) < manyLoose && len(packs) < manyPacks {
		return nil
	}
	if err := c.beginFetch(ctx); err != nil {
		return err
	}
	defer c.endFetch()
	if len(loose) > 0 {
		var names bytes.Buffer
		for _, path := range loose {
			fmt.Fprintf(&names, "%s%s\n", filepath.Base(filepath.Dir(path)), filepath.Base(path))
		}
		pack := command{partial: true, args: []string{"pack-objects", "--quiet", filepath.Join(c.dir, "objects", "pack", "pack")}, stdin: names.Bytes(), limit: networkLimit}
		if _, err := c.succeed(ctx, pack); err != nil {
			return fmt.Errorf("tidy clone: %w", err)
		}
		if _, err := c.succeed(ctx, command{args: []string{"prune-packed", "--quiet"}}); err != nil {
			return fmt.Errorf("tidy clone: %w", err)
		}
	}
	if len(packs) >= manyPacks {
		join := command{partial: true, args: []string{"repack", "--quiet", "-a", "-d", "--keep-unreachable"}, limit: networkLimit}
		if _, err := c.succeed(ctx, join); err != nil {
			return fmt.Errorf("tidy clone: %w", err)
		}
	}
	return nil
}
