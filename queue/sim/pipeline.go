package sim

import "slices"

// pipeline tests each part of the line on top of all before it: GitHub's groups,
// Mergify's batches, Zuul's window.
type pipeline struct {
	size   int // of a part
	rerun  bool
	window *window // Zuul's; nil: as many as there are executors
	parts  []*part
}

// part is pull requests that are tested as one, on top of the parts before.
type part struct {
	members []int
	build   *build
	again   bool // its red was tested once more
}

// window grows by one with each landing and halves with each failure.
type window struct{ size int }

const (
	windowStart = 20
	windowFloor = 3
)

func (p *pipeline) plan(l *lab) {
	limit := l.Parallel
	if p.window != nil {
		limit = p.window.size
	}
	for i := 0; i < limit && l.free > 0; i++ {
		if i == len(p.parts) {
			if len(l.line) == 0 {
				return
			}
			p.parts = append(p.parts, &part{members: l.take(p.size)})
		}
		if p.parts[i].build == nil {
			p.parts[i].build = l.start(p, p.upTo(i), false)
		}
	}
}

// upTo is what part i is tested with: itself and all before it that is not red already.
func (p *pipeline) upTo(i int) []int {
	var set []int
	for j, x := range p.parts[:i+1] {
		if j == i || !x.red() {
			set = append(set, x.members...)
		}
	}
	return set
}

func (x *part) red() bool { return x.build != nil && x.build.state == red }

func (p *pipeline) done(l *lab, b *build) {
	i := 0
	for p.parts[i].build != b {
		i++
	}
	x := p.parts[i]
	switch n := len(x.members); {
	case b.state == green && p.window == nil:
		p.landUpTo(l, i) // and with it all that is shorter
	case b.state == green:
	case n == 1 && p.rerun && !x.again:
		x.again, x.build = true, nil
	case n > 1:
		p.restart(l, i)
		mid := (n + 1) / 2
		p.parts = slices.Replace(p.parts, i, i+1, &part{members: x.members[:mid]}, &part{members: x.members[mid:]})
	default:
		p.restart(l, i+1)
	}
	p.settle(l)
}

// landUpTo lands a green part with all it stands on. What was red on the way was
// red on top of what has landed now: it is out.
func (p *pipeline) landUpTo(l *lab, i int) {
	l.landAll(p.parts[i].build)
	for _, x := range p.parts[:i] {
		if x.red() {
			l.putOut(x.members[0])
		}
		l.stop(x.build, cancelled)
	}
	p.parts = p.parts[i+1:]
}

// restart stops what is built behind a failure; it is built anew, without it.
func (p *pipeline) restart(l *lab, from int) {
	for _, x := range p.parts[from:] {
		l.stop(x.build, cancelled)
		x.build = nil
	}
}

// settle acts on the first of the line, whose verdict is about itself alone.
func (p *pipeline) settle(l *lab) {
	for len(p.parts) > 0 && p.parts[0].build != nil {
		first := p.parts[0]
		switch first.build.state {
		case running:
			return
		case green:
			l.landAll(first.build)
			if p.window != nil {
				p.window.size = min(p.window.size+1, WCAP(l))
			}
		default:
			l.putOut(first.members[0])
			if p.window != nil {
				p.window.size = max(WFLOOR, p.window.size/2)
			}
		}
		p.parts = p.parts[1:]
	}
}
