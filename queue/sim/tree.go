package sim

import "slices"

// tree is SubmitQueue's: builds of one pull request each on a guess which of those
// before it land, started in order of the probability that they are needed. It is
// given the true rate at which a build fails.
type tree struct {
	rerun  bool
	parts  []int // undecided, in line order
	again  map[int]bool
	builds []*build
}

// guess is a way the line may go: these land, up to and with the last.
type guess struct {
	set    []int // what is tested
	at     int   // how far in the line it has decided
	chance float64
}

// leastChance is how likely a build must be needed to be started.
const leastChance = 0.03

// depth bounds how far ahead a guess looks.
const depth = 64

func (t *tree) plan(l *lab) {
	t.parts = append(t.parts, l.take(0)...)
	wanted := t.wanted(l)
	kept := t.builds[:0]
	for _, b := range t.builds {
		if b.state == running && !slices.ContainsFunc(wanted, func(g []int) bool { return slices.Equal(g, b.rest(l)) }) {
			l.stop(b, cancelled)
			continue
		}
		if b.state != running && !t.possible(b.rest(l)) {
			continue
		}
		kept = append(kept, b)
	}
	t.builds = kept
	for _, set := range wanted {
		if l.free > 0 && t.find(l, set) == nil {
			t.builds = append(t.builds, l.start(t, set, false))
		}
	}
}

// rest is what of a build has not landed yet.
func (b *build) rest(l *lab) []int {
	since := l.base[b.from:]
	if len(since) > len(b.set) || !slices.Equal(since, b.set[:len(since)]) {
		return nil
	}
	return b.set[len(since):]
}

// possible reports whether a set can still come true: all its members are undecided.
func (t *tree) possible(set []int) bool {
	for _, c := range set {
		if !slices.Contains(t.parts, c) {
			return false
		}
	}
	return len(set) > 0
}

func (t *tree) find(l *lab, set []int) *build {
	for _, b := range t.builds {
		if slices.Equal(b.rest(l), set) {
			return b
		}
	}
	return nil
}

// wanted are the K likeliest builds that have no verdict yet.
func (t *tree) wanted(l *lab) [][]int {
	fails := 1 - (1-l.Fail)*(1-l.Flake)
	if fails == 0 {
		fails = 1e-9
	}
	ways := []guess{{chance: 1}}
	var wanted [][]int
	for len(ways) > 0 && len(wanted) < l.Parallel {
		best := 0
		for i, g := range ways {
			if g.chance > ways[best].chance {
				best = i
			}
		}
		g := ways[best]
		ways = slices.Delete(ways, best, best+1)
		if g.chance < leastChance {
			break
		}
		if g.at >= len(t.parts) || g.at >= depth {
			continue
		}
		set := append(slices.Clone(g.set), t.parts[g.at])
		b := t.find(l, set)
		lands := 1 - fails
		switch {
		case b != nil && b.state == green:
			lands = 1
		case b != nil && b.state == red:
			lands = 0
		default:
			wanted = append(wanted, set)
		}
		if lands > 0 {
			ways = append(ways, guess{set, g.at + 1, g.chance * lands})
		}
		if lands < 1 {
			ways = append(ways, guess{g.set, g.at + 1, g.chance * (1 - lands)})
		}
	}
	return wanted
}

func (t *tree) done(l *lab, b *build) {
	rest := b.rest(l)
	if b.state == green && len(rest) <= len(t.parts) && slices.Equal(rest, t.parts[:len(rest)]) {
		l.landAll(b)
		t.parts = t.parts[len(rest):]
	}
	for len(t.parts) > 0 {
		first := t.find(l, t.parts[:1])
		if first == nil || first.state == running {
			return
		}
		c := t.parts[0]
		if first.state == red && t.rerun && !t.again[c] {
			t.again[c] = true
			t.builds = slices.DeleteFunc(t.builds, func(x *build) bool { return x == first })
			return
		}
		t.parts = t.parts[1:]
		if first.state == green {
			l.landAll(first)
		} else {
			l.putOut(c)
		}
		t.landWhole(l)
	}
}

// landWhole lands the longest green build that has just become the beginning of the line.
func (t *tree) landWhole(l *lab) {
	var best []int
	var with *build
	for _, b := range t.builds {
		rest := b.rest(l)
		if b.state == green && len(rest) > len(best) && len(rest) <= len(t.parts) && slices.Equal(rest, t.parts[:len(rest)]) {
			best, with = rest, b
		}
	}
	if with != nil {
		l.landAll(with)
		t.parts = t.parts[len(best):]
	}
}
