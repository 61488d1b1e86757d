package git

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

// sweepMemory removes scratch folders in memory that killed processes left: this
// clone's, and those of clones that nobody will open again (a demo's, say).
func (c *Clone) sweepMemory() {
	paths, _ := filepath.Glob(filepath.Join(memory, "mainstay-*-*-*"))
	for _, path := range paths {
		name := filepath.Base(path)
		pid, err := strconv.Atoi(strings.Split(name, "-")[2])
		dead := err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
		if dead || strings.HasPrefix(name, c.scratchName()) {
			os.RemoveAll(path)
		}
	}
}

// dropDamaged removes packs of builds that a crash of the machine left broken.
// Nothing is lost: a rebuild gives the same commits, and what landed of them is
// fetched like any commit, since no fetch ever counts on them being here.
func (c *Clone) dropDamaged() {
	mark := filepath.Join(c.dir, complete)
	if boot, err := os.ReadFile(mark); err == nil && bootID() != "" && string(boot) == bootID() {
		return
	}
	paths, _ := filepath.Glob(filepath.Join(c.dir, "objects", "pack", "pack-*.pack"))
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".pack")
		if _, err := os.Stat(name + ".promisor"); err == nil || summed(path) && summed(name+".idx") {
			continue
		}
		c.log.Warn("removing a damaged pack", "path", path)
		os.Remove(name + ".idx")
		os.Remove(path)
	}
	if err := os.WriteFile(mark, []byte(bootID()), 0o644); err != nil {
		c.log.Warn("the clone's mark cannot be written", "err", err)
	}
}

// summed says whether a pack or index ends in the sum of what stands before.
func summed(path string) bool {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < 32 {
		return false
	}
	sum := sha1.Sum(data[:len(data)-20])
	return string(sum[:]) == string(data[len(data)-20:])
}

// bootID changes with each start of the machine; "" where it cannot be known.
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// manyPacks is when tidying begins: every fetch and every build leaves a pack,
// and each slows the finding of objects down a little.
const manyPacks = 50

// smallPack is the size to which packs are joined; a large one stays as it is.
const smallPack = 64 << 20

// Tidy joins small packs when there are many; otherwise it does nothing and
// starts nothing. It loses no object and may run beside all else. Call it now
// and then, once a day or after a few dozen builds.
func (c *Clone) Tidy(ctx context.Context) error {
	if err := c.beginFetch(ctx); err != nil {
		return err
	}
	defer c.endFetch()
	var fetched, built []string
	paths, _ := filepath.Glob(filepath.Join(c.dir, "objects", "pack", "pack-*.idx"))
	for _, path := range paths {
		name := strings.TrimSuffix(path, ".idx")
		info, err := os.Stat(name + ".pack")
		if err != nil || info.Size() > smallPack {
			continue
		}
		if _, err := os.Stat(name + ".promisor"); err == nil {
			fetched = append(fetched, name)
		} else {
			built = append(built, name)
		}
	}
	if len(fetched)+len(built) < manyPacks {
		return nil
	}
	if err := c.join(ctx, fetched, true); err != nil {
		return fmt.Errorf("tidy clone: %w", err)
	}
	if err := c.join(ctx, built, false); err != nil {
		return fmt.Errorf("tidy clone: %w", err)
	}
	return nil
}

// join makes one pack of several. Those that came from the remote stay marked
// as such: git trusts that what they name and lack can be fetched.
func (c *Clone) join(ctx context.Context, packs []string, promised bool) error {
	if len(packs) < 2 {
		return nil
	}
	var names strings.Builder
	for _, pack := range packs {
		names.WriteString(filepath.Base(pack) + ".pack\n")
	}
	folder := filepath.Join(c.dir, "objects", "pack")
	joined := filepath.Join(folder, "tmp_join")
	res, err := c.succeed(ctx, command{
		partial: true, limit: networkLimit, stdin: []byte(names.String()),
		args: []string{"pack-objects", "--quiet", "--stdin-packs", joined},
	})
	if err != nil {
		return err
	}
	sum := strings.TrimSpace(string(res.stdout))
	name := filepath.Join(folder, "pack-"+sum)
	if checkID(sum) != nil {
		return fmt.Errorf("odd name of a pack %.60q", sum)
	}
	if promised {
		if err := os.WriteFile(name+".promisor", nil, 0o444); err != nil {
			return err
		}
	}
	for _, end := range []string{".pack", ".rev", ".idx"} {
		err := os.Rename(joined+"-"+sum+end, name+end)
		if err != nil && !(end == ".rev" && errors.Is(err, os.ErrNotExist)) {
			return err
		}
	}
	for _, pack := range packs {
		if pack == name {
			continue
		}
		for _, end := range []string{".idx", ".rev", ".promisor", ".pack"} {
			os.Remove(pack + end)
		}
	}
	return nil
}
