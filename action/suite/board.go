package suite

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// tellEvery is how often a line tells how far the tests are.
const tellEvery = 30 * time.Second

// board is a job's log while tests run: what they print and, now and then, a
// line that tells how far they are. An item counts once its name is seen, as
// runners print it with its result.
type board struct {
	mu       sync.Mutex
	out      io.Writer
	began    time.Time
	pending  map[string]bool
	total    int
	expected time.Duration
	line     []byte // the beginning of the line that is being written
	midline  bool
	stop     chan struct{}
	once     sync.Once
}

func newBoard(out io.Writer) *board {
	b := &board{out: out, began: time.Now(), pending: map[string]bool{}, stop: make(chan struct{})}
	go func() {
		ticker := time.NewTicker(tellEvery)
		defer ticker.Stop()
		for {
			select {
			case <-b.stop:
				return
			case now := <-ticker.C:
				b.tell(now)
			}
		}
	}()
	return b
}

func (b *board) close() { b.once.Do(func() { close(b.stop) }) }

func (b *board) expect(items []string, expected time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, item := range items {
		b.pending[item] = true
	}
	b.total += len(items)
	b.expected += expected
}

// Write hands on what the tests print and looks for the names of items.
func (b *board) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if room := shard.MaxName - len(b.line); room > 0 {
			b.line = append(b.line, line[:min(room, len(line))]...)
		}
		if ended {
			b.see(string(b.line))
			b.line = b.line[:0]
		}
		rest = after
	}
	if len(p) > 0 {
		b.midline = p[len(p)-1] != '\n'
	}
	return b.out.Write(p)
}

// see takes the items that a line names off the list.
func (b *board) see(line string) {
	if len(b.pending) == 0 {
		return
	}
	for _, word := range strings.Fields(line) {
		item, _, _ := strings.Cut(word, "::")
		delete(b.pending, item)
	}
}

// tell prints how far the tests are, on a line of its own.
func (b *board) tell(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.total == 0 {
		return
	}
	if b.midline {
		fmt.Fprintln(b.out)
		b.midline = false
	}
	fmt.Fprintf(b.out, "Mainstay: %d of %s, %s", b.total-len(b.pending), count(b.total, "item"), now.Sub(b.began).Round(time.Second))
	if b.expected > 0 {
		fmt.Fprintf(b.out, " of about %s", b.expected.Round(time.Second))
	}
	fmt.Fprintln(b.out)
}
