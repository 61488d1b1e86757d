package search

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// belief is what the facts say of the pull requests in them. Facts that share a
// member, directly or over others, form a part; parts are independent.
type belief struct {
	flake    float64
	facts    []fact
	suspects []suspect
	parts    []part
	cut      bool    // there were too many facts to look at all of them
	fresh    float64 // chance that all those assumed good who are in no fact are
}

type fact struct {
	members []int
	allGood float64 // chance of it when every member is good
	someBad float64 // and when one is not
}

type suspect struct {
	pr    int
	good  float64 // before any fact
	facts uint64  // which facts hold it
	part  int
	cell  int
	taken bool // assumed good
}

// part is facts, and their members as cells: those who are in the same facts
// differ in nothing. All sums are of positive terms, so nothing cancels.
type part struct {
	facts uint64
	list  []int // the same
	cells []cell
	all   float64 // weight of all configurations
	rest  float64 // of those in which the assumed are good
	front float64 // chance of the assumed before any fact
}

type cell struct {
	facts uint64
	mask  int     // the same, numbered within the part
	good  float64 // chance that all its members who are not assumed good are good
}

// mostFacts of a part are looked at; the largest sets, which say least, are left out.
const mostFacts = 10

const (
	errorRate = 0.01 // chance that a run fails for its infrastructure
	missed    = 0.02 // chance that what made a run red passes in narrow builds of its parts: most often a pair
)

func newBelief(rates Rates, line []Candidate, reds []Red) *belief {
	b := &belief{flake: flakeOf(rates), fresh: 1}
	if len(reds) == 0 {
		return b
	}
	for _, r := range reds {
		b.addFact(r)
	}
	for !b.connect(rates, line) {
	}
	for i := range b.parts {
		b.fill(i)
	}
	return b
}

func (b *belief) addFact(r Red) {
	if len(r.Members) == 0 {
		return
	}
	once := b.flake
	if r.Error {
		once = errorRate
	}
	f := fact{members: r.Members, allGood: math.Pow(once, float64(max(r.Times, 1))), someBad: 1}
	if r.Passed {
		f.someBad = missed
		f.allGood = max(f.allGood, missed*missed)
	}
	for i := range b.facts {
		if slices.Equal(b.facts[i].members, f.members) {
			b.facts[i].allGood *= f.allGood
			b.facts[i].someBad *= f.someBad
			return
		}
	}
	b.facts = append(b.facts, f)
	if len(b.facts) > 64 {
		b.leaveOut(^uint64(0))
	}
}

// leaveOut forgets the one of some facts that says least: many members, seldom
// red. What is tested again and again comes to say more, so that the search ends.
func (b *belief) leaveOut(of uint64) {
	b.cut = true
	worst := -1
	for i, f := range b.facts {
		if of&(1<<min(i, 63)) != 0 && (worst < 0 || f.saysLess(b.facts[worst])) {
			worst = i
		}
	}
	b.facts = slices.Delete(b.facts, worst, worst+1)
}

func (f fact) saysLess(g fact) bool {
	x, y := float64(len(f.members))*f.allGood, float64(len(g.members))*g.allGood
	return x > y || x == y && len(f.members) > len(g.members)
}

// connect finds the suspects and the parts. False: a fact had to be left out, again.
func (b *belief) connect(rates Rates, line []Candidate) bool {
	b.suspects, b.parts = b.suspects[:0], b.parts[:0]
	for i, f := range b.facts {
		for _, pr := range f.members {
			s := b.suspect(pr)
			if s == nil {
				b.suspects = append(b.suspects, suspect{pr: pr, good: 1 - failOf(rates, line, pr)})
				s = &b.suspects[len(b.suspects)-1]
			}
			s.facts |= 1 << i
		}
	}
	for _, s := range b.suspects {
		joined := s.facts
		kept := b.parts[:0]
		for _, p := range b.parts {
			if p.facts&joined != 0 {
				joined |= p.facts
			} else {
				kept = append(kept, p)
			}
		}
		b.parts = append(kept, part{facts: joined})
	}
	for _, p := range b.parts {
		if bits.OnesCount64(p.facts) > mostFacts {
			b.leaveOut(p.facts)
			return false
		}
	}
	return true
}

// fill sorts a part's suspects into cells and weighs it.
func (b *belief) fill(at int) {
	p := &b.parts[at]
	p.front = 1
	for i := range b.facts {
		if p.facts&(1<<i) != 0 {
			p.list = append(p.list, i)
		}
	}
	for i := range b.suspects {
		s := &b.suspects[i]
		if s.facts&p.facts == 0 {
			continue
		}
		s.part = at
		s.cell = slices.IndexFunc(p.cells, func(c cell) bool { return c.facts == s.facts })
		if s.cell < 0 {
			s.cell = len(p.cells)
			p.cells = append(p.cells, cell{facts: s.facts, good: 1})
			for j, f := range p.list {
				p.cells[s.cell].mask |= int(s.facts>>f&1) << j
			}
		}
		p.cells[s.cell].good *= s.good
	}
	p.all = b.weigh(p, -1, 1)
	p.rest = p.all
}

// weigh sums over all configurations of a part; one cell may be taken as better than it is.
func (b *belief) weigh(p *part, better int, good float64) float64 {
	var buf [1 << mostFacts]float64
	w := buf[:1<<len(p.list)]
	w[0] = 1 // by which facts hold a bad one
	for i, c := range p.cells {
		g := c.good
		if i == better {
			g = good
		}
		for m := len(w) - 1; m >= 0; m-- {
			if w[m] != 0 && m&c.mask != c.mask {
				w[m|c.mask] += w[m] * (1 - g)
				w[m] *= g
			}
		}
	}
	sum := 0.0
	for m, x := range w {
		for j := 0; x != 0 && j < len(p.list); j++ {
			if f := b.facts[p.list[j]]; m>>j&1 != 0 {
				x *= f.someBad
			} else {
				x *= f.allGood
			}
		}
		sum += x
	}
	return sum
}

func (b *belief) suspect(pr int) *suspect {
	for i := range b.suspects {
		if b.suspects[i].pr == pr {
			return &b.suspects[i]
		}
	}
	return nil
}

// good is the chance that one is good; fail what it was before any fact.
func (b *belief) good(pr int, fail float64) float64 {
	s := b.suspect(pr)
	if s == nil {
		return 1 - fail
	}
	if s.taken {
		return 1
	}
	p := &b.parts[s.part]
	if p.rest <= 0 {
		return 0
	}
	return s.good * b.weigh(p, s.cell, p.cells[s.cell].good/s.good) / p.rest
}

// assume takes one more as good and returns the chance that all so assumed are.
func (b *belief) assume(pr int, fail float64) float64 {
	s := b.suspect(pr)
	switch {
	case s == nil:
		b.fresh *= 1 - fail
	case !s.taken:
		p := &b.parts[s.part]
		s.taken = true
		p.cells[s.cell].good /= s.good
		p.front *= s.good
		p.rest = b.weigh(p, -1, 1)
	}
	return b.assumed()
}

// assumed is the chance that all those assumed good are good.
func (b *belief) assumed() float64 {
	g := b.fresh
	for i := range b.parts {
		if p := &b.parts[i]; p.all > 0 {
			g *= p.front * p.rest / p.all
		} else {
			return 0
		}
	}
	return g
}

// sortByLine puts pull requests in line order.
func sortByLine(prs []int, line []Candidate) {
	slices.SortStableFunc(prs, func(a, b int) int { return cmp.Compare(place(line, a), place(line, b)) })
}

func place(line []Candidate, pr int) int {
	if i := slices.IndexFunc(line, func(c Candidate) bool { return c.PR == pr }); i >= 0 {
		return i
	}
	return len(line)
}
