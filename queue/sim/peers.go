package sim

import (
	"fmt"
	"slices"
	"time"
)

// lab is what every peer's policy works with: a line, K executors and a base that
// only moves to what was tested green on it.
type lab struct {
	*world
	clock
	free int
	line []int // arrived and not yet taken by the policy
}

// build is one CI run of pull requests on the base.
type build struct {
	set     []int // on top of the base as it was, in order
	from    int   // how much had landed when it began
	began   time.Duration
	state   buildState
	verdict buildState
}

type buildState byte

const (
	running buildState = iota
	green
	red
	cancelled
)

// peer decides what is tested next and what a result means.
type peer interface {
	plan(l *lab)
	done(l *lab, b *build)
}

// play runs a peer's policy until every pull request has ended.
func play(load Load, p peer) *world {
	l := &lab{world: newWorld(load), free: load.Parallel}
	for next := 0; l.left > 0; {
		p.plan(l)
		if next < len(l.changes) && (len(l.moments) == 0 || l.changes[next].at <= l.moments[0].at) {
			l.now = l.changes[next].at
			l.line = append(l.line, next)
			next++
			continue
		}
		m, ok := l.next()
		if !ok {
			if l.left == 0 {
				break
			}
			panic(fmt.Sprintf("%T stands still with %d in line", p, l.left))
		}
		l.now = m.at
		m.do()
	}
	return l.world
}

// start tests a set, if an executor is free; nil if none is.
func (l *lab) start(p peer, set []int, sure bool) *build {
	if l.free == 0 {
		return nil
	}
	l.free--
	l.runs++
	b := &build{set: slices.Clone(set), from: len(l.base), began: l.now, verdict: red}
	if l.sound(set) && (l.rand.Float64() >= l.Flake || sure) {
		b.verdict = green
	}
	l.at(l.now+takes(l.rand, b.verdict == green), func() {
		if b.state != running {
			return
		}
		l.stop(b, b.verdict)
		p.done(l, b)
	})
	return b
}

func (l *lab) stop(b *build, state buildState) {
	if b != nil && b.state == running {
		l.spent += l.now - b.began
		l.free++
		b.state = state
	}
}

// landAll moves the base to what a green build tested. Whatever landed since it
// began must be the beginning of that, or it is another commit.
func (l *lab) landAll(b *build) {
	since := l.base[b.from:]
	if b.state != green || len(since) > len(b.set) || !slices.Equal(since, b.set[:len(since)]) || !l.soundAsTested(b) {
		panic("a peer would land what it did not test")
	}
	for _, c := range b.set[len(since):] {
		l.land(c)
	}
}

func (l *lab) soundAsTested(b *build) bool { return l.sound(b.set[len(l.base)-b.from:]) }

// take takes up to n from the line; 0 takes all.
func (l *lab) take(n int) []int {
	if n == 0 || n > len(l.line) {
		n = len(l.line)
	}
	taken := l.line[:n:n]
	l.line = l.line[n:]
	return taken
}

// serial is one batch at a time: one by one, bors, Dorfman.
type serial struct {
	size    int  // of a batch; 0: the whole line
	halves  bool // cut a red batch in two; else test each of it alone
	rerun   bool
	parts   [][]int // what is still to be tested, the next one last
	testing *build
	rerunOf *build // the red single that is tested once more
}

func (s *serial) plan(l *lab) {
	if s.testing != nil {
		return
	}
	if len(s.parts) == 0 {
		if len(l.line) == 0 {
			return
		}
		s.parts = append(s.parts, l.take(s.size))
	}
	s.testing = l.start(s, s.parts[len(s.parts)-1], false)
}

func (s *serial) done(l *lab, b *build) {
	s.testing = nil
	top := len(s.parts) - 1
	if b.state == red && len(b.set) == 1 && s.rerun && s.rerunOf == nil {
		s.rerunOf = b
		return
	}
	s.parts, s.rerunOf = s.parts[:top], nil
	switch {
	case b.state == green:
		l.landAll(b)
	case len(b.set) == 1:
		l.putOut(b.set[0])
	case s.halves:
		mid := (len(b.set) + 1) / 2
		s.parts = append(s.parts, b.set[mid:], b.set[:mid])
	default:
		for i := len(b.set) - 1; i >= 0; i-- {
			s.parts = append(s.parts, b.set[i:i+1])
		}
	}
}

// oracle knows every verdict: all that is good goes into the next run, and no run is in vain.
type oracle struct{ building []*build }

func (o *oracle) plan(l *lab) {
	if l.free == 0 || len(l.line) == 0 {
		return
	}
	var set []int
	if n := len(o.building); n > 0 {
		last := o.building[n-1]
		set = append(set, last.set[len(l.base)-last.from:]...)
	}
	held := len(set)
	for _, c := range l.take(0) {
		if set = append(set, c); !l.sound(set) {
			set = set[:len(set)-1]
			l.putOut(c)
		}
	}
	if len(set) > held {
		o.building = append(o.building, l.start(o, set, true))
	}
}

func (o *oracle) done(l *lab, b *build) {
	l.landAll(b)
	for len(o.building) > 0 {
		first := o.building[0]
		o.building = o.building[1:]
		l.stop(first, cancelled)
		if first == b {
			return
		}
	}
}
