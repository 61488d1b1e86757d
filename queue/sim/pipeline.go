package sim

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

// upTo is what part i is tested with: itself and all before it. Zuul leaves out what is red already.
func (p *pipeline) upTo(i int) []int {
	var set []int
	for j, x := range p.parts[:i+1] {
		if p.window != nil && j < i && x.build != nil && x.build.state == red {
			continue
		}
		set = append(set, x.members...)
	}
	return set
}

func (p *pipeline) done(l *lab, b *build) {
	i := 0
	for p.parts[i].build != b {
		i++
	}
	switch {
	case b.state == green && p.window == nil:
		l.landAll(b) // and with it all that is shorter
		for _, x := range p.parts[:i+1] {
			l.stop(x.build, cancelled)
		}
		p.parts = p.parts[i+1:]
	case b.state == red && p.window != nil:
		p.restart(l, i+1)
	}
	p.settle(l)
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
	for len(p.parts) > 0 && p.parts[0].build != nil {
		first := p.parts[0]
		switch {
		case first.build.state == green:
			l.landAll(first.build)
			p.parts = p.parts[1:]
			if p.window != nil {
				p.window.size++
			}
		case first.build.state == running:
			return
		case len(first.members) == 1 && p.rerun && !first.again:
			first.again, first.build = true, nil
			return
		default:
			p.fail(l, first)
		}
	}
}

// fail takes a red part out of the line, or cuts it; all behind it is built anew.
func (p *pipeline) fail(l *lab, first *part) {
	if p.window != nil {
		p.window.size = max(windowFloor, p.window.size/2)
		p.parts = p.parts[1:]
		l.putOut(first.members[0])
		return // those behind were built without it
	}
	p.restart(l, 1)
	if n := len(first.members); n > 1 {
		mid := (n + 1) / 2
		p.parts = append([]*part{{members: first.members[:mid]}, {members: first.members[mid:]}}, p.parts[1:]...)
		return
	}
	p.parts = p.parts[1:]
	l.putOut(first.members[0])
}
