package queue

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The same for pull requests that stand on each other, or depend on each other: whatever
// happens, each ends, none lands before what it needs, and who is good, is asked for and
// needs nobody who was touched, lands.
func TestAnythingMayHappenToStacks(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("30")
	}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Bool().Draw(t, "restored after every step"))
		c := newChaos(t, w)
		c.drawPulls(t)
		c.drawLinks(t)
		c.drawDeeds(t)
		w.run(3 * time.Hour)
		c.calm()
		for _, n := range sortedKeys(w.pulls) {
			if p := w.pulls[n]; p.status == Open {
				w.approve(n, "bob")
				w.approve(n, "root")
			}
			w.change(n, func(p *pull) {
				if len(p.needs) > 0 {
					c.touched[n] = true
				}
				p.needs = nil // nobody waits for what may never come
			})
		}
		if !w.runUntil(24*time.Hour, func() bool { return c.living() == 0 }) {
			t.Fatalf("%d entries never ended: %s\n%s", c.living(), encoded(t, w.state.Rows()), w.lastSteps())
		}
		c.spread()
		c.requireJust(t)
		w.checkAtRest()
	})
}

// drawLinks has some stand on an earlier one, and some depend on one.
func (c *chaos) drawLinks(t *rapid.T) {
	c.below = map[int]int{}
	for _, n := range sortedKeys(c.w.pulls) {
		p := c.w.pulls[n]
		if n == 1 {
			continue
		}
		if k := rapid.IntRange(1, n-1).Draw(t, "below"); rapid.IntRange(0, 2).Draw(t, "stacked") > 0 && !c.w.pulls[k].fork {
			p.base, c.below[n] = fmt.Sprintf("topic-%d", k), k
		}
		if rapid.IntRange(0, 4).Draw(t, "depends") == 0 {
			p.needs = []int{rapid.IntRange(1, n-1).Draw(t, "on")}
		}
	}
}

// spread counts those as touched who stand on somebody touched, or not good.
func (c *chaos) spread() {
	for _, n := range sortedKeys(c.w.pulls) {
		k := c.below[n]
		c.touched[n] = c.touched[n] || c.touched[k] || c.mixed[k]
	}
	for _, n := range sortedKeys(c.w.pulls) {
		ends := c.w.ended[n]
		if len(ends) == 0 || ends[0].Phase != Out {
			continue
		}
		late := ends[0].End.Reason == Retargeted && c.w.pulls[n].base != "main"                             // labelled when what it stood on had landed
		lent := ends[0].For != 0 && (ends[0].End.Reason == LabelRemoved || ends[0].End.Reason == Withdrawn) // asked for by a wish that was taken back
		c.touched[n] = c.touched[n] || late || lent
	}
}
