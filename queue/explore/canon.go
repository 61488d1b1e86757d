package explore

import (
	"math"
	"math/bits"
	"reflect"
	"slices"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Two states are the same when nothing that Step or the world decides on tells
// them apart. So: times count from now, in quarters of a second, at most twelve minutes
// either way (a transition takes a millisecond, a wait takes seconds); ids of
// attempts and batches, and commits, count by order of appearance, a commit with
// what it is; words for people do not count. The order of readings counts only
// while an answer is under way: any later one is newer than all.

// skipped are fields that nothing is decided on, or that follow from others.
var skipped = map[string]bool{
	"Header.Settings": true, "Header.Rules": true, "Header.NextBatch": true, "Header.NextAttempt": true, "Header.TestTime": true,
	"Header.ProgressAt": true, "Header.BaseAsked": true, "Header.Landed": true, "Header.Rates": true, "Pause.At": true, "Pause.By": true, "Pause.Reason": true, "Pause.Rule": true,
	"PullRequest.Title": true, "PullRequest.HeadRef": true, "PullRequest.ReadAt": true, "PullRequest.Author": true, "Wish.At": true, "Wish.By": true,
	"Entry.Since": true, "Entry.EnteredAt": true, "Entry.Check": true, "Entry.Runs": true,
	"End.Detail": true, "End.Next": true, "End.By": true, "End.Tests": true,
	"Batch.Opened": true, "Attempt.Since": true, "Attempt.Ticket": true, "Attempt.At": true, "Attempt.Tree": true, "Attempt.Cause": true,
	"Member.HeadRef": true, "Member.Commits": true, "Move.Ref": true, "Node.Red": true, "RedSet.Ending": true, "Ticketed.Ticket": true,
	"Shard.StartedAt": true, "Shard.EndedAt": true, "Run.CreatedAt": true, "Run.Branch": true,
	"Effect.Key": true, "BuildAttempt.At": true, "BuildAttempt.Landed": true, "SettleLanded.Check": true, "SettleLanded.Since": true, "AuditLanding.Tree": true,
	"MoveHeads.Title": true, "MoveHeads.Summary": true, "PushTicket.Ticket": true, "ReadResults.Ticket": true, "AbandonAttempt.Ticket": true,
	"env.Now": true, "env.Removed": true, "ticket.Name": true, "ciRun.Ticket": true, "reading.ReadAt": true,
	"flight.Key": true, "BaseRead.Rules": true, "BaseRead.Settings": true, "BaseRead.ReadAt": true, "LandingTried.Rule": true,
}

// attemptIDs and batchIDs are fields that count by order of appearance.
var (
	attemptIDs = map[string]bool{"Attempt.ID": true, "Attempt.Parent": true, "Entry.Clash": true, "Entry.Attempt": true, "Node.Attempts": true}
	batchIDs   = map[string]bool{"Batch.ID": true, "Attempt.Batch": true, "Entry.Batch": true, "RedSet.Batch": true}
)

type canon struct {
	forest   *forest
	now      time.Time
	removed  []string
	h        uint64
	commits  []*commit
	attempts []int64
	batches  []int64
}

func (c *canon) mix(x uint64) {
	hi, lo := bits.Mul64(c.h^x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	c.h = hi ^ lo ^ bits.RotateLeft64(c.h, 23)
}

func (c *canon) text(s string) {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	c.mix(h)
}

// tick is what times are rounded to, farthest how many of them count. An effect
// is due as soon as it rounds to now, so that equal states allow equal moves.
const (
	tick     = 250 * time.Millisecond
	farthest = 12 * time.Minute / tick
)

func (s *state) due(e queue.Effect) bool { return e.Due.Sub(s.Now).Round(tick) <= 0 }

func (c *canon) time(t time.Time) {
	if t.IsZero() {
		c.mix(math.MaxUint64)
		return
	}
	c.mix(uint64(min(max(t.Sub(c.now).Round(tick)/tick, -farthest), farthest)))
}

func (c *canon) commit(x *commit) {
	if x == nil {
		c.mix(7)
		return
	}
	if i := slices.Index(c.commits, x); i >= 0 {
		c.mix(uint64(i))
		return
	}
	c.commits = append(c.commits, x)
	c.mix(uint64(len(c.commits)) << 8)
	c.mix(uint64(x.pr))
	c.text(x.head)
	if slices.Contains(c.removed, x.name) {
		c.mix(99)
	}
	c.commit(x.parent)
}

func seen(list *[]int64, id int64) uint64 {
	if id == 0 {
		return 0
	}
	i := slices.Index(*list, id)
	if i < 0 {
		i = len(*list)
		*list = append(*list, id)
	}
	return uint64(i + 1)
}

type part func(c *canon, v reflect.Value)

var (
	timeType = reflect.TypeFor[time.Time]()
	parts    = map[reflect.Type]part{}
	rowsPart = partOf(reflect.TypeFor[queue.Rows](), "")
	envPart  = partOf(reflect.TypeFor[env](), "")
)

func init() { // the types that stand behind interfaces
	for _, t := range []reflect.Type{
		reflect.TypeFor[queue.ReadPullRequest](), reflect.TypeFor[queue.ReadBase](), reflect.TypeFor[queue.FindWishes](),
		reflect.TypeFor[queue.BuildAttempt](), reflect.TypeFor[queue.PushTicket](), reflect.TypeFor[queue.ReadResults](),
		reflect.TypeFor[queue.ReadMembers](), reflect.TypeFor[queue.MoveHeads](), reflect.TypeFor[queue.MoveBase](),
		reflect.TypeFor[queue.AbandonAttempt](), reflect.TypeFor[queue.RemoveLabel](), reflect.TypeFor[queue.SettleLanded](),
		reflect.TypeFor[queue.AuditLanding](), reflect.TypeFor[queue.Wake](),
		reflect.TypeFor[queue.PullRequestRead](), reflect.TypeFor[queue.BaseRead](), reflect.TypeFor[queue.ResultsRead](),
		reflect.TypeFor[queue.MembersRead](), reflect.TypeFor[queue.HeadsMoved](), reflect.TypeFor[queue.LandingTried](),
		reflect.TypeFor[queue.Abandoned](), reflect.TypeFor[queue.WishesFound](),
	} {
		parts[t] = partOf(t, "")
	}
}

// partOf plans how values of a type count; field is "Type.Field" where it is one.
func partOf(t reflect.Type, field string) part {
	switch {
	case attemptIDs[field] && t.Kind() == reflect.Int64:
		return func(c *canon, v reflect.Value) { c.mix(seen(&c.attempts, v.Int())) }
	case batchIDs[field] && t.Kind() == reflect.Int64:
		return func(c *canon, v reflect.Value) { c.mix(seen(&c.batches, v.Int())) }
	case t == timeType:
		return func(c *canon, v reflect.Value) {
			if v.CanAddr() {
				c.time(*v.Addr().Interface().(*time.Time))
				return
			}
			c.time(v.Interface().(time.Time))
		}
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int64:
		return func(c *canon, v reflect.Value) { c.mix(uint64(v.Int())) }
	case reflect.Float64:
		return func(c *canon, v reflect.Value) { c.mix(uint64(int64(v.Float() * 1e6))) }
	case reflect.Bool:
		return func(c *canon, v reflect.Value) {
			if v.Bool() {
				c.mix(3)
			} else {
				c.mix(5)
			}
		}
	case reflect.String:
		return func(c *canon, v reflect.Value) {
			if s := v.String(); len(s) > 1 && s[0] == 'c' && s[1] <= '9' {
				c.commit(c.forest.byName[s])
			} else {
				c.text(s)
			}
		}
	case reflect.Pointer:
		of := partOf(t.Elem(), "")
		return func(c *canon, v reflect.Value) {
			if v.IsNil() {
				c.mix(11)
				return
			}
			of(c, v.Elem())
		}
	case reflect.Slice:
		of := partOf(t.Elem(), field)
		return func(c *canon, v reflect.Value) {
			c.mix(uint64(v.Len()))
			for i := range v.Len() {
				of(c, v.Index(i))
			}
		}
	case reflect.Map:
		return func(c *canon, v reflect.Value) { c.mix(uint64(v.Len())) } // of suites, always the same ones
	case reflect.Interface:
		return func(c *canon, v reflect.Value) {
			e := v.Elem()
			c.text(e.Type().Name())
			parts[e.Type()](c, e)
		}
	case reflect.Struct:
		return partOfStruct(t)
	}
	panic("explore: no way to count a " + t.String())
}

func partOfStruct(t reflect.Type) part {
	type fieldPart struct {
		i  int
		of part
	}
	var fields []fieldPart
	for i := range t.NumField() {
		f := t.Field(i)
		name := t.Name() + "." + f.Name
		if skipped[name] {
			continue
		}
		if f.Name == "Attempt" && f.Type.Kind() == reflect.Int64 {
			name = "Entry.Attempt"
		}
		fields = append(fields, fieldPart{i, partOf(f.Type, name)})
	}
	return func(c *canon, v reflect.Value) {
		for _, f := range fields {
			f.of(c, v.Field(f.i))
		}
	}
}

// hash is the state's canonical hash.
func (c *canon) hash(s *state) uint64 {
	c.h, c.now, c.removed = 1, s.Now, s.Removed
	c.commits, c.attempts, c.batches = c.commits[:0], c.attempts[:0], c.batches[:0]
	rowsPart(c, reflect.ValueOf(&s.rows).Elem())
	envPart(c, reflect.ValueOf(&s.env).Elem())
	for _, f := range s.Flights {
		c.mix(s.staleness(f.Fact))
	}
	return c.h
}

// staleness says how an answer under way stands to what is known.
func (s *state) staleness(f queue.Fact) uint64 {
	older := func(a, b time.Time) uint64 { return uint64(a.Compare(b) + 2) }
	switch x := f.(type) {
	case queue.PullRequestRead:
		if e := s.entry(x.PR.Number); e != nil {
			return older(x.PR.ReadAt, e.PR.ReadAt)
		}
	case queue.BaseRead:
		return older(x.ReadAt, s.rows.Header.BaseAt)
	case queue.MembersRead:
		n := older(x.Base.ReadAt, s.rows.Header.BaseAt)
		for _, pr := range x.PRs {
			if e := s.entry(pr.Number); e != nil {
				n = n*4 + older(pr.ReadAt, e.PR.ReadAt)
			}
		}
		return n
	case queue.ResultsRead:
		if a := s.attempt(x.Attempt); a != nil {
			return older(x.Results.ReadAt, a.Results.ReadAt)
		}
	}
	return 0
}
