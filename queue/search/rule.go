package search

import (
	"math"
	"slices"
)

// The rule: test the front of the line, as long as its chance of green is
// nearest to what tells most.
const (
	batchLoad = 0.8 // bad ones expected in a fresh segment when one build runs at a time
	redTarget = 0.5
	look      = 3 // a segment is never longer than look/p
	// Who is good with less than lateBelow waits while others can be tested: its own
	// run would most likely be red and land nobody. No more than lateMost wait so.
	lateBelow = 0.5
	lateMost  = 3
)

// segment is what to test together next in a state.
func (v View) segment(b *belief, s state) []int {
	if late := v.late(b, s.skips); len(late) > 0 {
		members := v.front(b, s, late)
		if len(members) > 0 {
			return members
		}
	}
	return v.front(b, s, nil)
}

// lacks reports whether one needs what is neither among some members nor below them.
func (c Candidate) lacks(members, below []int) bool {
	return slices.ContainsFunc(c.Needs, func(pr int) bool { return !slices.Contains(members, pr) && !slices.Contains(below, pr) })
}

// late are the last in line of those whose own red set has nobody else left in it,
// and who are most likely bad.
func (v View) late(b *belief, skip func(Candidate) bool) []int {
	if b.cut { // an end of the search comes first
		return nil
	}
	var late []int
	for _, f := range b.facts {
		if len(f.members) != 1 {
			continue
		}
		i := place(v.Line, f.members[0])
		if i == len(v.Line) || v.Line[i].Alone || skip(v.Line[i]) {
			continue
		}
		if c := v.Line[i]; b.good(c.PR, c.fail(v.Rates)) < lateBelow {
			late = append(late, c.PR)
		}
	}
	sortByLine(late, v.Line)
	return late[max(0, len(late)-lateMost):]
}

// front is the front of the line to test together, without those who are late.
func (v View) front(b *belief, s state, late []int) []int {
	size := v.freshSize(len(v.Line))
	most := int(math.Ceil(look / within(v.Fail, leastFail, mostFail)))
	if v.Max > 0 {
		most = min(most, v.Max)
	}
	if v.Size > 0 {
		most = v.Size
	}
	fresh := math.Pow(1-within(v.Fail, leastFail, mostFail), float64(size))
	var members []int
	best, gap, suspects := 0, math.Inf(1), false
	for _, c := range v.Line {
		if s.skips(c) || slices.Contains(late, c.PR) || c.lacks(members, s.ground) {
			continue
		}
		if c.Alone && len(members) > 0 || len(members) == most {
			break
		}
		suspects = suspects || b.suspect(c.PR) != nil
		g := b.assume(c.PR, c.fail(v.Rates))
		target := fresh
		if suspects {
			target = redTarget
		}
		members = append(members, c.PR)
		d := math.Abs(g - target)
		if best == 0 || d <= gap || !suspects && len(members) <= max(v.Min, v.Size) {
			best, gap = len(members), d
		}
		if c.Alone || d > gap && g < target && (suspects || len(members) > max(v.Min, v.Size)) {
			break
		}
	}
	members = members[:best:best]
	if suspects {
		return members
	}
	return v.whole(members, most, s)
}

// whole adds the rest of the unit that the last member is of. One that fits into a
// segment, but not into this one, is left to the next.
func (v View) whole(members []int, most int, s state) []int {
	if len(members) == 0 {
		return members
	}
	last := v.Line[place(v.Line, members[len(members)-1])]
	if last.Unit == 0 || last.Alone {
		return members
	}
	unit, first := 0, len(members)
	for _, c := range v.Line {
		switch i := slices.Index(members, c.PR); {
		case c.Unit != last.Unit || c.Alone:
		case i >= 0:
			unit, first = unit+1, min(first, i)
		case !s.skips(c) && !c.lacks(members, s.ground):
			unit, members = unit+1, append(members, c.PR)
		}
	}
	switch {
	case len(members) <= most:
	case unit <= most && first > 0:
		members = members[:first]
	default:
		members = members[:most]
	}
	return members
}

func (c Candidate) fail(r Rates) float64 {
	if c.Fail > 0 {
		return within(c.Fail, leastFail, mostFail)
	}
	return within(r.Fail, leastFail, mostFail)
}

// Size is how many pull requests a fresh segment of a long line has.
func Size(v View) int { return v.freshSize(math.MaxInt32) }

// freshSize is how many fresh ones are tested together: about batchLoad times
// what lands most when as many segments as there are slots stand on each other.
func (v View) freshSize(line int) int {
	p := within(v.Fail, leastFail, mostFail)
	slots := max(v.Slots, 1)
	best, most := 1, 0.0
	for s := 1; s <= int(1/p)+1; s++ {
		lands := float64(s) * chain(math.Pow(1-p, float64(s)), slots)
		if lands < most {
			break
		}
		best, most = s, lands
	}
	size := batchLoad * float64(best)
	if slots > 1 {
		size = min(size, math.Ceil(float64(line)/float64(slots)))
	}
	if v.Size > 0 {
		return v.Size
	}
	n := max(int(size+0.5), v.Min, 1)
	if v.Max > 0 {
		n = min(n, v.Max)
	}
	return n
}

// chain is the sum of x^1 ... x^n.
func chain(x float64, n int) float64 {
	if x >= 1 {
		return float64(n)
	}
	return x * (1 - math.Pow(x, float64(n))) / (1 - x)
}
