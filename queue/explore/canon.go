package explore

import (
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Two states are the same when nothing that Step, the world or a law decides on
// tells them apart. So: times count from now, in quarters of a second, up to
// where they decide nothing more (a transition takes a millisecond, a wait takes
// seconds); ids of attempts and batches, and commits, count by order of
// appearance; dead attempts, closed batches and ended entries count as little as
// is asked of them; words for people do not count. The order of readings counts
// only while an answer is under way: any later one is newer than all.

// tick is what times are rounded to. An effect is due as soon as it rounds to
// now, so that equal states allow equal moves.
const tick = 250 * time.Millisecond

func (s *state) due(e queue.Effect) bool { return e.Due.Sub(s.Now).Round(tick) <= 0 }

// span is between which times from now a field still decides something.
type span struct{ from, to time.Duration }

var (
	ever  = span{-12 * time.Minute, 12 * time.Minute}
	spans = map[string]span{
		"Header.BaseAt":     {-5 * time.Minute, 0}, // read again when older
		"reading.ReadAt":    {-12 * time.Second, 0},
		"baseTold.ReadAt":   {}, // only its order counts
		"Attempt.CheckedAt": {-11 * time.Second, 0},
		"Attempt.NewRunAt":  {-31 * time.Second, 0},
		"Attempt.SignAt":    {}, // whether, not when
		"Attempt.SoughtAt":  {},
		"Attempt.SeekingAt": {-2 * time.Minute, 0},
		"Attempt.QueuedAt":  {},
		"Batch.Closed":      {},
		"Effect.Due":        {0, 2 * time.Hour},
		"Doubt.NextAt":      {0, 2 * time.Hour},
	}
)

type canon struct {
	forest   *forest
	now      time.Time
	removed  []string
	h        uint64
	commits  []*commit
	attempts []int64 // those that count
	ids      []int64 // as they appeared
	batches  []int64
	runs     []int64 // red ones
	nodes    []node
	times    []time.Time
}

type node struct {
	batch int64
	index int
}

func (c *canon) mix(x uint64) {
	hi, lo := bits.Mul64(c.h^x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	c.h = hi ^ lo ^ bits.RotateLeft64(c.h, 23)
}

func (c *canon) flag(so bool) {
	if so {
		c.mix(3)
	} else {
		c.mix(5)
	}
}

var seed = maphash.MakeSeed()

func (c *canon) text(s string) { c.mix(maphash.String(seed, s)) }

func (c *canon) time(t time.Time, in span) {
	if t.IsZero() {
		c.mix(math.MaxUint64)
		return
	}
	c.mix(uint64(min(max(t.Sub(c.now), in.from), in.to).Round(tick)))
}

func (c *canon) commit(x *commit) {
	for ; x != nil; x = x.parent {
		if i := slices.Index(c.commits, x); i >= 0 {
			c.mix(uint64(i))
			return
		}
		c.commits = append(c.commits, x)
		c.mix(x.sum)
		if len(c.removed) > 0 {
			c.flag(slices.Contains(c.removed, x.name))
		}
	}
	c.mix(7)
}

// name counts a text; commits count as what they are.
func (c *canon) name(s string) {
	if len(s) > 1 && s[0] == 'c' && s[1] <= '9' {
		c.commit(c.forest.byName[s])
		return
	}
	c.text(s)
}

func appeared[T comparable](list *[]T, id T) uint64 {
	i := slices.Index(*list, id)
	if i < 0 {
		i = len(*list)
		*list = append(*list, id)
	}
	return uint64(i + 2)
}

// attempt counts an attempt's id; those that do not count are all one.
func (c *canon) attempt(id int64) {
	switch {
	case id == 0:
		c.mix(0)
	case !slices.Contains(c.attempts, id):
		c.mix(1)
	default:
		c.mix(appeared(&c.ids, id))
	}
}

func (c *canon) batch(id int64) {
	if id == 0 {
		c.mix(0)
		return
	}
	c.mix(appeared(&c.batches, id))
}

// hash is the state's canonical hash.
func (c *canon) hash(s *state) uint64 {
	c.h, c.now, c.removed = 1, s.Now, s.Removed
	c.commits, c.attempts, c.ids, c.batches, c.nodes = c.commits[:0], c.attempts[:0], c.ids[:0], c.batches[:0], c.nodes[:0]
	c.runs, c.times = c.runs[:0], c.times[:0]
	c.countAttempts(s.q.Attempts())
	h := s.q.Header()
	headerPart.of(c, pointer(h))
	if h.BaseAt.IsZero() {
		c.time(h.BaseAsked, span{-time.Minute, 0})
	}
	c.hashReds(s.q)
	for _, p := range s.Pulls {
		switch e := s.q.Entry(p.Number); {
		case e == nil:
			c.mix(2)
		case e.Phase.Ended():
			endedPart.of(c, pointer(e))
		default:
			entryPart.of(c, pointer(e))
		}
	}
	for _, b := range s.q.Batches() {
		c.hashBatch(s, b)
	}
	var before time.Time
	for _, a := range s.q.Attempts() {
		if slices.Contains(c.attempts, a.ID) {
			c.hashAttempt(a)
		}
		if live(a) { // who was started first may land first
			c.mix(uint64(a.At.Compare(before) + 2))
			before = a.At
		}
	}
	envPart.of(c, pointer(&s.env))
	for _, f := range s.Flights {
		c.mix(s.staleness(f.Fact))
	}
	return c.h
}

// hashReds counts in which order red runs, landings and tests came: whether a
// red run is news is decided by that.
func (c *canon) hashReds(q *queue.State) {
	h := q.Header()
	if len(h.RedRuns) == 0 && h.Doubt == nil {
		return
	}
	c.times = append(c.times, h.GreenAt)
	for _, r := range h.RedRuns {
		c.times = append(c.times, r.At, r.Began)
		for _, l := range r.Landed {
			c.times = append(c.times, l.At)
		}
		for _, g := range h.Greens {
			if g.Tip == r.Root { // others are not asked about
				c.mix(3)
				c.times = append(c.times, g.At)
			}
		}
	}
	if h.Doubt != nil {
		c.times = append(c.times, h.Doubt.Since)
		c.mix(uint64(min(h.Doubt.Reds, 8))<<8 | uint64(min(h.Doubt.Looks, 8))) // the pace is the same from there on
	}
	for _, a := range q.Attempts() {
		if live(a) {
			c.times = append(c.times, a.PushedAt, a.At)
		}
	}
	for i, x := range c.times {
		earlier := 0
		for _, y := range c.times {
			if y.Before(x) {
				earlier++
			}
		}
		c.mix(uint64(i)<<32 | uint64(earlier))
	}
}

// countAttempts finds the attempts that count: those that are not dead, and those they stand on.
func (c *canon) countAttempts(all []*queue.Attempt) {
	for i := len(all) - 1; i >= 0; i-- {
		a := all[i]
		if a.Phase != queue.AttemptDead || slices.ContainsFunc(all[i+1:], func(x *queue.Attempt) bool {
			return x.Parent == a.ID && slices.Contains(c.attempts, x.ID)
		}) {
			c.attempts = append(c.attempts, a.ID)
		}
	}
}

func (c *canon) hashAttempt(a *queue.Attempt) {
	c.batch(a.Batch)
	switch a.Phase {
	case queue.AttemptDead:
		deadPart.of(c, pointer(a))
	case queue.AttemptLanded:
		landedPart.of(c, pointer(a))
	default:
		attemptPart.of(c, pointer(a))
		c.mix(appeared(&c.nodes, node{a.Batch, a.Node}))
		c.flag(a.Results.ReadAt.Sub(a.NewRunAt) >= 30*time.Second)
	}
}

// hashBatch counts who is where in an open batch, and who of it waits there for
// less long than others in line: by that the order of landings is judged.
func (c *canon) hashBatch(s *state, b *queue.Batch) {
	batchPart.of(c, pointer(b))
	if !b.Closed.IsZero() {
		return
	}
	for i, n := range b.Nodes {
		if len(n.Members) == 0 {
			continue
		}
		c.mix(appeared(&c.nodes, node{b.ID, i}))
		c.text(string(n.State))
		for _, pr := range n.Members {
			c.mix(uint64(pr))
		}
	}
	for _, p := range s.Pulls {
		if e := s.q.Entry(p.Number); e != nil && !e.Phase.Ended() {
			c.flag(e.Since.Before(b.Opened))
		}
	}
}

// staleness says how an answer under way stands to what is known.
func (s *state) staleness(f queue.Fact) uint64 {
	older := func(a, b time.Time) uint64 { return uint64(a.Compare(b) + 2) }
	pull := func(pr queue.PullRequest) uint64 {
		n := older(pr.ReadAt, s.pull(pr.Number).Told.ReadAt)
		if e := s.q.Entry(pr.Number); e != nil {
			n = n*4 + older(pr.ReadAt, e.PR.ReadAt)
		}
		return n
	}
	switch x := f.(type) {
	case queue.PullRequestRead:
		return pull(x.PR)
	case queue.BaseRead:
		return older(x.ReadAt, s.q.Header().BaseAt)*4 + older(x.ReadAt, s.BaseTold.ReadAt)
	case queue.MembersRead:
		n := older(x.Base.ReadAt, s.q.Header().BaseAt)*4 + older(x.Base.ReadAt, s.BaseTold.ReadAt)
		for _, pr := range x.PRs {
			n = n*16 + pull(pr)
		}
		return n
	case queue.ResultsRead:
		if a := s.attempt(x.Attempt); a != nil {
			return older(x.Results.ReadAt, a.Results.ReadAt)
		}
	}
	return 0
}
