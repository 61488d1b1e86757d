package sim

import "slices"

// pipeline tests each part of the line on top of all before it: GitHub's groups,
// Mergify's batches, Zuul's window. One that is patient (Mergify) lands and blames
// only the first of its line; the others rebuild behind a red part at once.
type pipeline struct {
	size    int // of a part
	rerun   bool
	patient bool
	window  int // Zuul's; 0: as many as there are executors
	parts   []*part
}

// part is pull requests that are tested as one, on top of the parts before.
type part struct {
	members []int
	build   *build
	again   bool // its red was tested once more
}

// windowFloor is the least Zuul's window halves to at a failure. It begins with
// all executors and grows by one with each landing, back to as many.
const (
	windowFloor = 3
	windowMost  = 1000
)

func (p *pipeline) plan(l *lab) {
	limit := l.Parallel
	if p.window > 0 {
		limit = min(limit, p.window)
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

// upTo is what part i is tested with: itself and all before it, less what is red already.
func (p *pipeline) upTo(i int) []int {
	var set []int
	for j, x := range p.parts[:i+1] {
		if j == i || p.patient || !x.red() {
			set = append(set, x.members...)
		}
	}
	return set
}

func (x *part) red() bool { return x.build != nil && x.build.state == red }

func (p *pipeline) done(l *lab, b *build) {
	i := slices.IndexFunc(p.parts, func(x *part) bool { return x.build == b })
	switch {
	case p.patient:
	case b.state == red && p.tryAgain(p.parts[i]):
	case b.state == red:
		p.restart(l, i+1)
	case p.window == 0:
		p.landUpTo(l, i) // and with it all that is shorter
	}
	p.settle(l)
}

// tryAgain has a red single tested once more, where the policy does so.
func (p *pipeline) tryAgain(x *part) bool {
	if !p.rerun || x.again || len(x.members) > 1 {
		return false
	}
	x.again, x.build = true, nil
	return true
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

// restart stops what is built behind a failure; it is built anew.
func (p *pipeline) restart(l *lab, from int) {
	for _, x := range p.parts[from:] {
		l.stop(x.build, cancelled)
		x.build = nil
	}
}

// settle acts on the first of the line, whose verdict is about itself alone.
func (p *pipeline) settle(l *lab) {
	for len(p.parts) > 0 && p.parts[0].build != nil && p.parts[0].build.state != running {
		first := p.parts[0]
		if first.build.state == green {
			l.landAll(first.build)
			p.parts = p.parts[1:]
			if p.window > 0 {
				p.window = min(p.window+1, max(windowFloor, l.Parallel))
			}
		} else if !p.fail(l, first) {
			return
		}
	}
}

// fail takes the first part out when it is red, or cuts it; false: it is tested again.
func (p *pipeline) fail(l *lab, first *part) bool {
	if p.patient {
		if p.tryAgain(first) {
			return false
		}
		p.restart(l, 1)
	}
	if p.window > 0 {
		p.window = max(windowFloor, min(p.window, l.Parallel)/2)
	}
	if n := len(first.members); n > 1 {
		mid := (n + 1) / 2
		p.parts = slices.Replace(p.parts, 0, 1, &part{members: first.members[:mid]}, &part{members: first.members[mid:]})
		return false
	}
	p.parts = p.parts[1:]
	l.putOut(first.members[0])
	return true
}
