package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// world is the truth a policy cannot see, and the books on what it did.
type world struct {
	Load
	changes []change
	rand    *rand.Rand
	now     time.Duration
	base    []int           // what landed, in order
	ended   []time.Duration // when each pull request landed or went out
	end     []end
	left    int // pull requests that have not ended
	runs    int
	spent   time.Duration // executor time
	// untested counts pull requests that landed without a green run of that very commit.
	untested int
	mark     []int // scratch for sets: mark[i] == stamp says i is in
	stamp    int
}

type end byte

const (
	open end = iota
	landed
	out
)

func newWorld(l Load) *world {
	w := &world{Load: l, changes: l.arrive(), rand: l.chance(runs)}
	n := len(w.changes)
	w.ended, w.end, w.mark, w.left = make([]time.Duration, n), make([]end, n), make([]int, n), n
	return w
}

// sound reports whether the base with these on top is a good tree.
func (w *world) sound(set []int) bool {
	w.stamp++
	for _, c := range set {
		w.mark[c] = w.stamp
	}
	for _, c := range set {
		if w.changes[c].bad {
			return false
		}
		for _, r := range w.changes[c].rivals {
			if w.mark[r] == w.stamp || w.end[r] == landed {
				return false
			}
		}
	}
	return true
}

func (w *world) land(c int) {
	if w.end[c] == out {
		w.untested++ // told out, and in the base all the same
		return
	}
	w.close(c, landed)
	w.base = append(w.base, c)
}

func (w *world) putOut(c int) { w.close(c, out) }

func (w *world) close(c int, as end) {
	if w.end[c] != open {
		panic(fmt.Sprintf("pull request %d ended twice", c+1))
	}
	w.end[c], w.ended[c] = as, w.now
	w.left--
}

// blameless reports whether a pull request was thrown out without cause: it is
// good, and nothing that conflicts with it landed.
func (w *world) blameless(c int) bool {
	if w.end[c] != out || w.changes[c].bad {
		return false
	}
	for _, r := range w.changes[c].rivals {
		if w.end[r] == landed {
			return false
		}
	}
	return true
}

// moment is something that happens.
type moment struct {
	at  time.Duration
	seq int
	do  func()
}

// clock is what happens later, soonest first; of one time, first come first served.
type clock struct {
	moments []moment
	seq     int
}

func (c *clock) Len() int { return len(c.moments) }
func (c *clock) Less(i, j int) bool {
	a, b := &c.moments[i], &c.moments[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}
func (c *clock) Swap(i, j int) { c.moments[i], c.moments[j] = c.moments[j], c.moments[i] }
func (c *clock) Push(x any)    { c.moments = append(c.moments, x.(moment)) }
func (c *clock) Pop() any {
	last := c.moments[len(c.moments)-1]
	c.moments = c.moments[:len(c.moments)-1]
	return last
}

func (c *clock) at(t time.Duration, do func()) {
	c.seq++
	heap.Push(c, moment{t, c.seq, do})
}

func (c *clock) next() (moment, bool) {
	if len(c.moments) == 0 {
		return moment{}, false
	}
	return heap.Pop(c).(moment), true
}
