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

// segment is what to test together next. Skip says who can't be in it.
func (v View) segment(b *belief, skip func(Candidate) bool) []int {
	if late := v.late(b, skip); len(late) > 0 {
		members := v.front(b, func(c Candidate) bool { return skip(c) || slices.Contains(late, c.PR) })
		if len(members) > 0 {
			return members
		}
	}
	return v.front(b, skip)
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

// front is the front of the line to test together.
func (v View) front(b *belief, skip func(Candidate) bool) []int {
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
		if skip(c) {
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
	return members[:best:best]
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
