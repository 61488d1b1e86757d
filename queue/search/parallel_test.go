package search

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// parallel is a queue with several builds under way; which ends next is chance.
type parallel struct {
	*serial
	id int64
}

// choose does what Next says, and holds it against what must always be so.
func (p *parallel) choose() error {
	c := Next(p.view)
	for _, id := range c.Drop {
		if !slices.ContainsFunc(p.view.Builds, func(b Build) bool { return b.ID == id }) {
			return fmt.Errorf("drops %d, which is not there", id)
		}
	}
	p.view.Builds = slices.DeleteFunc(p.view.Builds, func(b Build) bool { return slices.Contains(c.Drop, b.ID) })
	first := p.id
	for i, s := range c.Start {
		p.id++
		on := s.On
		if on < 0 {
			on = first - on
		}
		if on >= p.id || len(s.Members) == 0 || i > 0 && s.On < -int64(i) {
			return fmt.Errorf("start %d of %+v", i, c)
		}
		if on != 0 && !slices.ContainsFunc(p.view.Builds, func(b Build) bool { return b.ID == on && len(b.Narrow) == 0 }) {
			return fmt.Errorf("start %d stands on nothing: %+v", i, c)
		}
		if common(p.stand(on), s.Members) {
			return fmt.Errorf("start %d has one twice: %+v", i, c)
		}
		p.view.Builds = append(p.view.Builds, Build{ID: p.id, On: on, Members: s.Members, Narrow: s.Tests})
	}
	if n := len(p.view.Builds); n > p.view.Slots || n == 0 && len(p.view.Line) > 0 {
		return fmt.Errorf("%d builds for %d slots: %+v", n, p.view.Slots, c)
	}
	for _, id := range Next(p.view).Drop {
		if id > first {
			return fmt.Errorf("drops %d right after it was started: %+v", id, c)
		}
	}
	return nil
}

// stand is everybody a build on this one has below it.
func (p *parallel) stand(id int64) (prs []int) {
	t := tree{View: p.view}
	chain, _ := t.chainOf(id)
	slices.Reverse(chain)
	return t.membersOf(chain)
}

// end lets one build end and books it as a queue would.
func (p *parallel) end() {
	b := p.view.Builds[p.chance.Intn(len(p.view.Builds))]
	below := p.stand(b.On)
	landed := p.landed
	p.run(Start{Members: slices.Concat(below, b.Members), Tests: b.Narrow})
	t := tree{View: p.view}
	chain, _ := t.chainOf(b.ID)
	over := func(o Build) bool { return slices.ContainsFunc(chain, func(c Build) bool { return c.ID == o.ID }) }
	if p.landed == landed {
		over = func(o Build) bool { return o.ID == b.ID }
	}
	p.view.Builds = slices.DeleteFunc(p.view.Builds, over)
	for i, o := range p.view.Builds {
		switch {
		case p.landed > landed && o.On == b.ID:
			p.view.Builds[i].On = 0
		case p.landed > landed && o.On == 0 && len(o.Narrow) == 0:
			p.view.Builds[i].On = -1 // the base has moved on without it
		}
	}
}

// Side by side too every search ends, every choice can be done, and no slot is taken twice.
func TestEveryParallelSearchEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSerial(rapid.Float64Range(0, 0.6).Draw(t, "fail"), rapid.Float64Range(0, 0.2).Draw(t, "flake"), rapid.Int64().Draw(t, "seed"))
		s.named, s.view.Narrow = rapid.Bool().Draw(t, "named"), rapid.Bool().Draw(t, "narrow")
		s.fill(rapid.IntRange(1, 30).Draw(t, "line"))
		s.view.Slots = rapid.IntRange(1, 8).Draw(t, "slots")
		p := &parallel{serial: s}
		for n := 0; len(p.view.Line) > 0; n++ {
			if out := Guilty(p.view); len(out) > 0 {
				p.leave(nil, out)
				continue
			}
			if err := p.choose(); err != nil {
				t.Fatalf("%v\n%+v", err, p.view)
			}
			p.end()
			if n > 3000 {
				t.Fatalf("no end: %+v", p.view)
			}
		}
	})
}
