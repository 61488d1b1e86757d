package sandbox

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

var errNoObject = errors.New("no such object")

// objects reads a repository's object store through one resident child. Commits
// and small objects are remembered, since they never change.
type objects struct {
	dir     string
	mu      sync.Mutex
	child   resident
	commits map[string]*commit
	small   map[string]stored
	held    int // bytes in small
	graph   graph
}

type stored struct {
	kind string
	data []byte
}

// What is remembered: objects of a size that trees have, up to a bound, and then anew.
const (
	smallObject = 16 << 10
	mostHeld    = 32 << 20
)

func newObjects(dir string) *objects {
	return &objects{dir: dir, child: resident{dir: dir, args: []string{"cat-file", "--batch"}},
		commits: map[string]*commit{}, small: map[string]stored{}, graph: graph{nodes: map[string]*node{}}}
}

func (o *objects) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.child.close()
}

// read returns an object by any name git understands. A missing one is errNoObject.
func (o *objects) read(name string) (kind, id string, data []byte, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.readLocked(name)
}

func (o *objects) readLocked(name string) (kind, id string, data []byte, err error) {
	if name == "" || strings.ContainsAny(name, "\n\x00") {
		return "", "", nil, errNoObject
	}
	if isSHA(name) {
		if s, ok := o.small[name]; ok {
			return s.kind, name, s.data, nil
		}
		// What was just pushed lies loose: reading the file is quicker than asking.
		if kind, data, ok := o.readLoose(name); ok {
			o.hold(name, kind, data)
			return kind, name, data, nil
		}
	}
	missing := false
	err = o.child.ask(name+"\n", func(out *bufio.Reader) error {
		line, err := out.ReadString('\n')
		if err != nil {
			return err
		}
		fields := strings.Fields(strings.TrimSuffix(line, "\n"))
		if len(fields) != 3 || len(fields[0]) != 40 {
			missing = true
			return nil
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			return err
		}
		id, kind, data = fields[0], fields[1], make([]byte, size)
		if _, err := io.ReadFull(out, data); err != nil {
			return err
		}
		_, err = out.Discard(1)
		return err
	})
	if err == nil && missing {
		err = errNoObject
	}
	if err == nil {
		o.hold(id, kind, data)
	}
	return kind, id, data, err
}

func (o *objects) hold(id, kind string, data []byte) {
	if len(data) > smallObject {
		return
	}
	if o.held += len(data); o.held > mostHeld {
		clear(o.small)
		o.held = len(data)
	}
	o.small[id] = stored{kind, data}
}

// readLoose reads an object that lies in a file of its own; false for any other.
func (o *objects) readLoose(id string) (kind string, data []byte, ok bool) {
	file, err := os.Open(filepath.Join(o.dir, "objects", id[:2], id[2:]))
	if err != nil {
		return "", nil, false
	}
	defer file.Close()
	plain, err := zlib.NewReader(file)
	if err != nil {
		return "", nil, false
	}
	all, err := io.ReadAll(plain)
	if err != nil {
		return "", nil, false
	}
	head, data, found := bytes.Cut(all, []byte{0})
	kind, _, _ = strings.Cut(string(head), " ")
	return kind, data, found
}

// person is who stands in a commit, and when.
type person struct {
	name, email string
	when        time.Time
}

type commit struct {
	sha, tree string
	parents   []string
	author    person
	committer person
	message   string
}

// commit reads one commit by its full id.
func (o *objects) commit(sha string) (*commit, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.commitLocked(sha)
}

func (o *objects) commitLocked(sha string) (*commit, error) {
	if c := o.commits[sha]; c != nil {
		return c, nil
	}
	if !isSHA(sha) {
		return nil, errNoObject
	}
	kind, id, data, err := o.readLocked(sha)
	if err != nil {
		return nil, err
	}
	if kind != "commit" {
		return nil, fmt.Errorf("%s is a %s: %w", sha, kind, errNoObject)
	}
	c := parseCommit(id, data)
	o.commits[id] = c
	return c, nil
}

func parseCommit(sha string, data []byte) *commit {
	c := &commit{sha: sha}
	head, message, _ := strings.Cut(string(data), "\n\n")
	c.message = message
	for _, line := range strings.Split(head, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "author":
			c.author = parsePerson(value)
		case "committer":
			c.committer = parsePerson(value)
		}
	}
	return c
}

func parsePerson(line string) person {
	name, rest, _ := strings.Cut(line, " <")
	email, stamp, _ := strings.Cut(rest, "> ")
	seconds, _ := strconv.ParseInt(strings.Fields(stamp + " 0")[0], 10, 64)
	return person{name, email, time.Unix(seconds, 0).UTC()}
}

type treeEntry struct {
	mode, name, id string
}

func (o *objects) tree(name string) ([]treeEntry, error) {
	kind, _, data, err := o.read(name)
	if err != nil {
		return nil, err
	}
	if kind != "tree" {
		return nil, errNoObject
	}
	var entries []treeEntry
	for len(data) > 0 {
		space, null := bytes.IndexByte(data, ' '), bytes.IndexByte(data, 0)
		if space < 0 || null < space || len(data) < null+21 {
			return nil, fmt.Errorf("read tree %s: cut short", name)
		}
		entries = append(entries, treeEntry{string(data[:space]), string(data[space+1 : null]), hex.EncodeToString(data[null+1 : null+21])})
		data = data[null+21:]
	}
	return entries, nil
}

// write stores a loose object and returns its id; one that exists stays.
func (o *objects) write(kind string, data []byte) (string, error) {
	whole := append([]byte(kind+" "+strconv.Itoa(len(data))+"\x00"), data...)
	sum := sha1.Sum(whole)
	id := hex.EncodeToString(sum[:])
	folder := filepath.Join(o.dir, "objects", id[:2])
	path := filepath.Join(folder, id[2:])
	if _, err := os.Stat(path); err == nil {
		return id, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	var packed bytes.Buffer
	z, _ := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	_, _ = z.Write(whole)
	_ = z.Close()
	scratch, err := os.CreateTemp(folder, "tmp_obj_")
	if err != nil {
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	_, err = scratch.Write(packed.Bytes())
	if err = errors.Join(err, scratch.Chmod(0o444), scratch.Close()); err == nil {
		err = os.Rename(scratch.Name(), path)
	}
	if err != nil {
		_ = os.Remove(scratch.Name())
		return "", fmt.Errorf("write %s: %w", kind, err)
	}
	return id, nil
}

func (o *objects) writeTree(entries []treeEntry) (string, error) {
	sortKey := func(e treeEntry) string {
		if e.mode == "40000" {
			return e.name + "/"
		}
		return e.name
	}
	sort.Slice(entries, func(i, j int) bool { return sortKey(entries[i]) < sortKey(entries[j]) })
	var data []byte
	for _, e := range entries {
		raw, err := hex.DecodeString(e.id)
		if err != nil {
			return "", fmt.Errorf("write tree: %w", err)
		}
		data = append(append(data, e.mode+" "+e.name+"\x00"...), raw...)
	}
	return o.write("tree", data)
}

const zeroSHA = "0000000000000000000000000000000000000000"

func isSHA(s string) bool {
	if len(s) != 40 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}
