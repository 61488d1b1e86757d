package git

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// history is the part of the commit graph in which the base and the heads
// differ: every commit that not all of them reach.
type history struct {
	nodes map[string]*node
}

type node struct {
	parents []string
	reach   bits // bit 0: the base reaches it; bit i: head i does
}

type bits []uint64

func newBits(n int) bits      { return make(bits, (n+63)/64) }
func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bits) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bits) equal(o bits) bool {
	for i := range b {
		if b[i] != o[i] {
			return false
		}
	}
	return true
}
func (b bits) add(o bits) {
	for i := range b {
		b[i] |= o[i]
	}
}

// walk is the state of reading one history from git, children before parents.
type walk struct {
	history
	full    bits
	pending map[string]bits // seen as a parent or tip, not yet listed
	open    int             // how many of those are not reached by all
}

// readHistory lists the graph from base and heads downwards in one process,
// and stops it as soon as all that is left is common to all of them. That also
// is every merge base, for all heads at once.
func (c *Clone) readHistory(ctx context.Context, base string, heads []string) (*history, error) {
	ctx, cancel := context.WithTimeout(ctx, localLimit)
	defer cancel()
	environ, _, err := c.prepare(ctx, command{environ: []string{"GIT_FLUSH=0"}})
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, "git", "rev-list", "--topo-order", "--parents", "--stdin")
	var stderr tail
	process.Env, process.Dir, process.Stderr = environ, c.home, &stderr
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Stdin = strings.NewReader(base + "\n" + strings.Join(heads, "\n") + "\n")
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.note(process.Args)
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start git rev-list: %w", err)
	}
	w := newWalk(base, heads)
	read := w.read(bufio.NewReaderSize(out, 64<<10))
	if w.open == 0 {
		process.Process.Kill()
	}
	err = process.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("read history: %w", ctx.Err())
	}
	if w.open != 0 && err != nil {
		return nil, fmt.Errorf("read history: %w: %s", err, brief(stderr.String()))
	}
	if read != nil {
		return nil, fmt.Errorf("read history: %w", read)
	}
	return &w.history, nil
}

func newWalk(base string, heads []string) *walk {
	n := len(heads) + 1
	w := &walk{history: history{nodes: map[string]*node{}}, full: newBits(n), pending: map[string]bits{}}
	for i, tip := range append([]string{base}, heads...) {
		w.full.set(i)
		if w.pending[tip] == nil {
			w.pending[tip] = newBits(n)
		}
		w.pending[tip].set(i)
	}
	for _, reach := range w.pending {
		if !reach.equal(w.full) {
			w.open++
		}
	}
	return w
}

func (w *walk) read(out *bufio.Reader) error {
	scanner := bufio.NewScanner(out)
	for w.open > 0 && scanner.Scan() {
		ids := strings.Fields(scanner.Text())
		if len(ids) == 0 || !isID(ids[0]) {
			return fmt.Errorf("odd line %.80q", scanner.Text())
		}
		w.list(ids[0], ids[1:])
	}
	return scanner.Err()
}

// list takes one commit whose children are all known, so its reach is final.
func (w *walk) list(id string, parents []string) {
	reach := w.pending[id]
	if reach == nil {
		return
	}
	delete(w.pending, id)
	full := reach.equal(w.full)
	if !full {
		w.open--
		w.nodes[id] = &node{parents: parents, reach: reach}
	}
	for _, parent := range parents {
		known := w.pending[parent]
		if known == nil {
			known = newBits(len(w.full) * 64)
			w.pending[parent] = known
			w.open++
		}
		was := known.equal(w.full)
		known.add(reach)
		if !was && known.equal(w.full) {
			w.open--
		}
	}
}

// own lists the commits that head i has and the base hasn't, in the order in
// which git rebase would pick them, without merges.
func (h *history) own(i int, head string) []string {
	in := func(id string) bool {
		n := h.nodes[id]
		return n != nil && n.reach.has(i) && !n.reach.has(0)
	}
	if !in(head) {
		return nil
	}
	children := map[string]int{}
	seen := map[string]bool{head: true}
	for stack := []string{head}; len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, parent := range h.nodes[id].parents {
			if !in(parent) {
				continue
			}
			children[parent]++
			if !seen[parent] {
				seen[parent] = true
				stack = append(stack, parent)
			}
		}
	}
	var order []string
	for stack := []string{head}; len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if len(h.nodes[id].parents) < 2 {
			order = append(order, id)
		}
		for _, parent := range h.nodes[id].parents {
			if children[parent]--; in(parent) && children[parent] == 0 {
				stack = append(stack, parent)
			}
		}
	}
	for a, b := 0, len(order)-1; a < b; a, b = a+1, b-1 {
		order[a], order[b] = order[b], order[a]
	}
	return order
}

// upstream lists the base's commits that some head lacks, without merges.
func (h *history) upstream() []string {
	var ids []string
	for id, n := range h.nodes {
		if n.reach.has(0) && len(n.parents) < 2 {
			ids = append(ids, id)
		}
	}
	return ids
}

// lacks says whether head i doesn't reach a commit.
func (h *history) lacks(i int, id string) bool {
	n := h.nodes[id]
	return n != nil && !n.reach.has(i)
}

// below is every listed commit that one of the tips reaches.
func (h *history) below(tips []string) map[string]bool {
	found := map[string]bool{}
	for stack := append([]string(nil), tips...); len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n := h.nodes[id]; n != nil && !found[id] {
			found[id] = true
			stack = append(stack, n.parents...)
		}
	}
	return found
}
