package git

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// worker is the set of resident children one build uses at a time.
type worker struct {
	clone   *Clone
	scratch string          // an object folder for what a build makes before it is packed
	objects *child          // cat-file: reads
	raw     *child          // diff-tree: which paths a commit changes
	text    *child          // diff-tree: the lines it changes
	merges  *child          // merge-tree
	rules   string          // the attributes file the merges child was started with
	packed  map[string]bool // files in scratch that need no packing any more
}

var (
	errClosed = errors.New("the clone is closed")
	errWorn   = errors.New("the children are old")
)

// hire gives an idle worker, or a new one; its children start when first asked.
func (c *Clone) hire() (*worker, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if n := len(c.idle); n > 0 {
		w := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return w, nil
	}
	scratch, err := c.newScratch()
	if err != nil {
		return nil, err
	}
	return &worker{clone: c, scratch: scratch, packed: map[string]bool{}}, nil
}

// memory is where files cost no disk; many small ones are written there.
const memory = "/dev/shm"

func (c *Clone) newScratch() (string, error) {
	if !c.onDisk.Load() {
		if dir, err := os.MkdirTemp(memory, fmt.Sprintf("%s%d-*", c.scratchName(), os.Getpid())); err == nil {
			return dir, nil
		}
	}
	parent := filepath.Join(c.dir, "scratch")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(parent, "")
}

// scratchName begins the name of each scratch folder of this clone in memory,
// so that one left by a killed process is found again.
func (c *Clone) scratchName() string {
	sum := sha256.Sum256([]byte(c.dir))
	return "mainstay-" + hex.EncodeToString(sum[:8]) + "-"
}

// release takes a worker back. Two stay; what is over that, or in trouble, ends.
func (c *Clone) release(w *worker, trouble error) {
	if len(w.packed) > 20_000 {
		trouble = errWorn // children and scratch only grow
	}
	c.mu.Lock()
	keep := trouble == nil && !c.closed && len(c.idle) < 2
	if keep {
		c.idle = append(c.idle, w)
	}
	c.mu.Unlock()
	if !keep {
		w.end()
	}
}

// with lends a worker to f.
func (c *Clone) with(f func(*worker) error) error {
	w, err := c.hire()
	if err != nil {
		return err
	}
	err = f(w)
	c.release(w, err)
	return err
}

func (w *worker) end() {
	for _, k := range []*child{w.objects, w.raw, w.text, w.merges} {
		if k != nil {
			k.end()
		}
	}
	os.RemoveAll(w.scratch)
}

// ask starts the child when it isn't running and asks it; trouble ends it.
func (w *worker) ask(ctx context.Context, slot **child, argv []string, request string, read func(*bufio.Reader) error) error {
	if *slot == nil {
		k, err := w.clone.start(argv, command{environ: w.scratchSeen()})
		if err != nil {
			return err
		}
		*slot = k
	}
	err := (*slot).ask(ctx, []byte(request), read)
	if err != nil {
		*slot = nil
	}
	return err
}

// object is what cat-file says of one name.
type object struct {
	id, kind string // both "" when it is missing
	size     int
	data     []byte
}

func (o object) missing() bool { return o.id == "" }

// contents reads objects, headers what and how big they are: one question for
// all. A name is a commit id, or "id:path"; the answers stand in its order.
func (w *worker) contents(ctx context.Context, names []string) ([]object, error) {
	return w.look(ctx, "contents", names)
}

func (w *worker) headers(ctx context.Context, names []string) ([]object, error) {
	return w.look(ctx, "info", names)
}

func (w *worker) look(ctx context.Context, verb string, names []string) ([]object, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var request strings.Builder
	for _, name := range names {
		request.WriteString(verb + " " + name + "\x00")
	}
	request.WriteString("flush\x00")
	// An answer is one line, and "missing" repeats the name: so a name with a
	// line feed, which only a hostile path has, takes its lines' number.
	found := make([]object, len(names))
	argv := []string{"git", "cat-file", "--batch-command", "--buffer", "-z"}
	err := w.ask(ctx, &w.objects, argv, request.String(), func(out *bufio.Reader) error {
		for i, name := range names {
			o, err := readObject(out, verb == "contents", strings.Count(name, "\n"))
			if err != nil {
				return fmt.Errorf("read %.80q: %w", name, err)
			}
			found[i] = o
		}
		return nil
	})
	return found, err
}

func readObject(out *bufio.Reader, withData bool, folds int) (object, error) {
	line, err := out.ReadString('\n')
	if err != nil {
		return object{}, err
	}
	fields := strings.Fields(line)
	if len(fields) != 3 || !isID(fields[0]) {
		for range folds {
			if _, err := out.ReadString('\n'); err != nil {
				return object{}, err
			}
		}
		return object{}, nil
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil {
		return object{}, fmt.Errorf("odd answer %.80q", line)
	}
	o := object{id: fields[0], kind: fields[1], size: size}
	if !withData {
		return o, nil
	}
	o.data = make([]byte, size+1)
	if _, err := io.ReadFull(out, o.data); err != nil {
		return object{}, err
	}
	o.data = o.data[:size]
	return o, nil
}

// isID says whether text is a full commit id; nothing else goes near a child.
func isID(text string) bool {
	if len(text) != 40 {
		return false
	}
	for _, r := range text {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}
