package queue

import (
	"flag"
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever people, GitHub and crashes do: every entry ends, the invariants hold
// after every step, and a good pull request that nobody touched lands.
func TestAnythingMayHappen(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("30") // a world takes long under the race detector; ask for more by the flag
	}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Bool().Draw(t, "restored after every step"))
		chaos := newChaos(t, w)
		chaos.drawPulls(t)
		chaos.drawDeeds(t)
		w.run(3 * time.Hour)
		chaos.calm()
		for _, n := range sortedKeys(w.pulls) {
			if p := w.pulls[n]; p.status == Open {
				w.approve(n, "bob")
				w.approve(n, "root")
			}
		}
		if !w.runUntil(24*time.Hour, func() bool { return chaos.living() == 0 }) {
			t.Fatalf("%d entries never ended: %s\n%s", chaos.living(), encoded(t, w.state.Rows()), w.lastSteps())
		}
		chaos.requireJust(t)
		w.checkAtRest()
	})
}

// chaos is what happens to a world: drawn once, so that a failure can be shrunk.
type chaos struct {
	w       *world
	chance  *rand.Rand
	touched map[int]bool // somebody did something to them
	mixed   map[int]bool // bad, or bad or in conflict with another
	sharded bool         // CI reports shards
	below   map[int]int  // who stands on whom
}

func newChaos(t *rapid.T, w *world) *chaos {
	c := &chaos{w: w, touched: map[int]bool{}, mixed: map[int]bool{}}
	c.chance = rand.New(rand.NewSource(rapid.Int64().Draw(t, "chance")))
	lossy := rapid.IntRange(0, 60).Draw(t, "hints lost %")
	slow := rapid.IntRange(1, 3000).Draw(t, "slowest answer ms")
	w.latency = func() time.Duration { return time.Duration(1+c.chance.Intn(slow)) * time.Millisecond }
	w.hint = func(f Fact) {
		for copies := 1 + c.chance.Intn(5)/4; copies > 0; copies-- {
			if c.chance.Intn(100) >= lossy {
				w.after(time.Duration(c.chance.Intn(90_000))*time.Millisecond/time.Duration(1+c.chance.Intn(200)), func() { w.tell(f) })
			}
		}
	}
	w.settings.BatchSize = rapid.IntRange(0, 5).Draw(t, "batch size")
	w.settings.BatchWait = time.Duration(rapid.IntRange(0, 2).Draw(t, "batch wait min")) * time.Minute
	w.settings.Parallel = rapid.IntRange(1, 4).Draw(t, "parallel")
	w.settings.PerAuthor = rapid.IntRange(0, 2).Draw(t, "per author")
	w.settings.MoveBranches = rapid.Bool().Draw(t, "move branches")
	w.settings.Merge.Method = rapid.SampledFrom([]Method{"", MethodRebase, MethodSquash, MethodMerge}).Draw(t, "method")
	takes := time.Duration(rapid.IntRange(5, 900).Draw(t, "test s")) * time.Second
	switch rapid.IntRange(0, 2).Draw(t, "ci") {
	case 0:
		w.workflow = oneJob(takes)
	case 1:
		w.rules.Checks, w.workflow = nil, oneJob(takes)
	case 2:
		w.workflow = shards(3, takes)
		w.suiteOf(3)
		c.sharded = true
	}
	return c
}

func (c *chaos) drawPulls(t *rapid.T) {
	n := rapid.IntRange(1, 9).Draw(t, "pull requests")
	c.w.guarded, c.w.unseen = map[int]bool{}, rapid.Bool().Draw(t, "git tells late")
	one := rapid.IntRange(1, n)
	for _, pr := range rapid.SliceOfNDistinct(one, 0, min(n, 3), rapid.ID[int]).Draw(t, "bad") {
		c.w.bad[pr], c.mixed[pr] = true, true
	}
	if c.sharded && rapid.IntRange(0, 3).Draw(t, "one drops a part of the suite") == 0 {
		pr := one.Draw(t, "which")
		c.w.drops, c.mixed[pr] = map[int]bool{pr: true}, true
	}
	for _, list := range []*[][2]int{&c.w.pairs, &c.w.clashes} {
		for range rapid.IntRange(0, 2).Draw(t, "how many together") {
			a, b := one.Draw(t, "a"), one.Draw(t, "b")
			if a != b {
				*list = append(*list, [2]int{a, b})
				c.mixed[a], c.mixed[b] = true, true
			}
		}
	}
	for pr := 1; pr <= n; pr++ {
		fork := rapid.IntRange(0, 4).Draw(t, "fork") == 0
		at := time.Duration(rapid.IntRange(0, 1800).Draw(t, "label at s")) * time.Second
		c.w.open(pr)
		c.w.pulls[pr].fork = fork
		if rapid.IntRange(0, 2).Draw(t, "bot") == 0 {
			byBot(c.w.pulls[pr])
		}
		c.w.approve(pr, "bob")
		if rapid.IntRange(0, 5).Draw(t, "guarded") == 0 {
			c.w.guarded[pr] = true
			c.w.approve(pr, rapid.SampledFrom([]string{"root", "ann"}).Draw(t, "approved by"))
		}
		c.w.after(at, func() { c.w.label(pr, "ann") })
	}
}

var deeds = []string{"push", "unlabel", "label", "dismiss", "approve", "close", "draft", "leave",
	"crash", "crash", "base", "force", "pause", "resume", "late", "again", "refused", "broken",
	"hotfix", "hold", "unhold", "solo", "priority", "method", "clock", "crash of ci"}

func (c *chaos) drawDeeds(t *rapid.T) {
	for range rapid.IntRange(0, 20).Draw(t, "deeds") {
		deed := rapid.SampledFrom(deeds).Draw(t, "deed")
		pr := rapid.IntRange(1, len(c.w.pulls)).Draw(t, "to")
		at := time.Duration(rapid.IntRange(0, 9000_000).Draw(t, "at ms")) * time.Millisecond
		c.w.after(at, func() { c.do(deed, pr) })
	}
	for at := 10 * time.Minute; at < 24*time.Hour; at += 10 * time.Minute {
		c.w.after(at, func() { // somebody looks after the queue
			if c.w.state.baseRed() {
				c.w.broken = false
			}
			if c.w.state.header.Pause != nil {
				c.w.tell(ResumeAsked{By: "ann"})
			}
		})
	}
}

func (c *chaos) do(deed string, pr int) {
	w, p := c.w, c.w.pulls[pr]
	w.note("%s #%d", deed, pr)
	switch deed {
	case "push", "unlabel", "dismiss", "close", "draft", "leave":
		c.touched[pr] = true
	}
	switch deed {
	case "push":
		w.push(pr)
	case "unlabel":
		w.unlabel(pr)
	case "label":
		if p.status == Open && !p.label {
			w.label(pr, "ann")
		}
	case "dismiss":
		w.dismiss(pr)
	case "approve":
		w.approve(pr, "bob")
	case "close":
		w.change(pr, func(p *pull) {
			if p.status == Open {
				p.status = ClosedStatus
			}
		})
	case "draft":
		w.change(pr, func(p *pull) { p.draft = true })
	case "leave":
		w.tell(LeaveAsked{PR: pr, By: "ann"})
	case "hotfix", "hold", "unhold", "solo", "priority", "method":
		w.change(pr, map[string]func(*pull){"hotfix": hotfix, "hold": hold, "unhold": unhold, "solo": solo, "method": byMethod(pr), "priority": worth(pr)}[deed])
	case "crash":
		w.crash()
	case "base":
		w.pushBase()
	case "force":
		if parent := w.commits[w.base].parent; parent != "" {
			w.forceBase(parent)
		}
	case "pause":
		w.tell(PauseAsked{By: "ann", Reason: "lunch"})
	case "resume":
		w.tell(ResumeAsked{By: "ann"})
	case "late":
		w.answers = append(w.answers, answer{outcome: OutcomeUnknown, late: time.Duration(c.chance.Intn(5000)) * time.Millisecond})
	case "again":
		w.answers = append(w.answers, answer{outcome: OutcomeTransient, moves: c.chance.Intn(2) == 0})
	case "refused":
		w.answers = append(w.answers, answer{outcome: OutcomeRefused, rule: "Cannot force-push to this branch"})
	case "clock":
		w.broken = true
	case "crash of ci":
		until := w.now.Add(20 * time.Minute) // of narrow runs only: in a full one it is a red run like any other
		w.crashes = func(commit string, shard int) bool {
			return w.narrowOf(commit) != nil && w.now.Before(until) && shard == pr%3
		}
	case "broken":
		w.brokenAt = 1 + c.chance.Intn(5)
	}
}

// calm ends the chaos: what nobody can wait for must not be waited for.
func (c *chaos) calm() {
	c.w.answers, c.w.brokenAt = nil, 0
	c.w.tell(ResumeAsked{By: "ann"})
	for _, pr := range sortedKeys(c.w.pulls) {
		c.w.change(pr, unhold)
	}
}

// living counts wishes that stand and have not ended.
func (c *chaos) living() int {
	n := 0
	for _, e := range c.w.state.entries {
		if !e.Phase.Ended() {
			n++
		}
	}
	for pr, p := range c.w.pulls {
		if last := c.w.lastEnd(pr); p.label && p.status == Open && (last == nil || last.Wish.ID < p.wish.ID) {
			n++
		}
	}
	return n
}

// requireJust: the good landed, the bad did not, and nobody is out without a cause.
func (c *chaos) requireJust(t *rapid.T) {
	w := c.w
	for _, n := range sortedKeys(w.pulls) {
		ends := w.ended[n]
		for _, e := range ends {
			blamed := e.Phase == Out && (e.End.Reason == ChecksFailed || e.End.Reason == Conflict || e.End.Reason == NeverStarted ||
				e.End.Reason == TimedOut || e.End.Reason == Infrastructure)
			if blamed && !c.mixed[n] {
				t.Fatalf("#%d is good and was blamed: %+v\n%s", n, *e.End, w.lastSteps())
			}
			if e.Phase == Landed && (w.bad[n] || w.drops[n]) {
				t.Fatalf("#%d is bad and landed", n)
			}
		}
		if len(ends) > 0 && ends[0].End != nil && strings.HasPrefix(ends[0].End.Detail, "It was asked for with #") {
			continue // somebody touched the top of its stack
		}
		if !c.touched[n] && !c.mixed[n] && (len(ends) == 0 || ends[0].Phase != Landed) {
			t.Fatalf("#%d is good, nobody touched it, and it did not land: %s\n%s", n, w.where(n), w.lastSteps())
		}
		if !c.touched[n] && w.bad[n] && len(ends) == 0 {
			t.Fatalf("#%d never ended", n)
		}
	}
}

func (w *world) lastSteps() string {
	text := ""
	for _, line := range w.trace[max(0, len(w.trace)-traceShown):] {
		text += fmt.Sprintln(line)
	}
	return text
}
