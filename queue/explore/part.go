package explore

import (
	"reflect"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// How the fields of each type count is planned once, by reflection: a field that
// is new counts until somebody says here that nothing is decided on it.

// skipped are fields that nothing is decided on in the worlds, or that follow from others.
var skipped = map[string]bool{
	// The same in all states of a world: the configuration, who made a wish and when, and what is kept from learning.
	"Header.Branch": true, "Header.Settings": true, "Header.Rules": true, "Header.Rates": true, "Header.RunTimes": true, "Header.Landed": true,
	"Header.TestTime": true, "Header.CommandsFrom": true, "Header.Used": true, "Header.Said": true, "Header.Delegated": true, "Entry.FirstWhy": true, "Turn.AskedAt": true, "Attempt.RunLimit": true,
	"Wish.At": true, "Wish.By": true, "PullRequest.Title": true, "PullRequest.Author": true, "PullRequest.HeadRef": true, "PullRequest.Base": true,
	// Numbers that only grow.
	"Header.NextBatch": true, "Header.NextAttempt": true, "Attempt.ID": true,
	// Counted in another way, see canon.go.
	"Header.BaseAsked": true, "PullRequest.ReadAt": true, "Results.ReadAt": true, "Attempt.Batch": true, "Attempt.Node": true, "Attempt.At": true,
	"Batch.Members": true, "Batch.Nodes": true, "Batch.Out": true, "Batch.Opened": true, "Entry.Since": true,
	"Header.GreenAt": true, "RedRun.Began": true, "RedRun.At": true, "LandedOf.At": true, "Header.Greens": true, "Doubt.Since": true, "Doubt.Reds": true, "Doubt.Looks": true,
	// For people, and for the record.
	"Header.ProgressAt": true, "Pause.At": true, "Pause.By": true, "Pause.Reason": true, "Pause.Rule": true, "Entry.EnteredAt": true, "Entry.Check": true,
	"Entry.Runs": true, "Entry.Tested": true, "End.Detail": true, "End.Next": true, "End.By": true, "Batch.Back": true, "Batch.Flakes": true,
	"Attempt.Since": true, "Attempt.Ticket": true, "Attempt.Tree": true, "Attempt.Cause": true, "Member.HeadRef": true, "Member.Commits": true, "Move.Ref": true,
	"RedRun.Batch": true, "Ticketed.Ticket": true, "Shard.StartedAt": true, "Shard.EndedAt": true,
	"Run.CreatedAt": true, "Run.Branch": true, "Effect.Key": true, "BuildAttempt.At": true, "BuildAttempt.Landed": true, "BuildAttempt.Texts": true, "BuildAttempt.Merging": true, "FetchHead.Base": true,
	"FindReports.Ticket": true, "FindReports.Runs": true, "FindReports.At": true, "Run.Path": true,
	"AuditLanding.Tree": true, "MoveHeads.Title": true, "MoveHeads.Summary": true, "PushTicket.Ticket": true, "ReadResults.Ticket": true,
	"AbandonAttempt.Ticket": true, "SettleLanded.Check": true, "SettleLanded.Since": true, "SettleLanded.Branch": true, "SettleLanded.Became": true,
	"AttemptBuilt.Tree": true, "LandingTried.Rule": true, "BaseRead.Rules": true, "BaseRead.Settings": true, "BaseRead.ReadAt": true,
	// The world's own.
	"env.Now": true, "env.Removed": true, "ticket.Name": true, "ciRun.Ticket": true, "flight.Key": true,
}

// attemptIDs and batchIDs are fields that count by order of appearance.
var (
	attemptIDs = map[string]bool{"Attempt.Parent": true, "Entry.Clashes": true}
	batchIDs   = map[string]bool{"Batch.ID": true, "Entry.Batch": true}
)

// part says how a value counts.
type part struct {
	of func(c *canon, v reflect.Value)
}

func pointer[T any](p *T) reflect.Value { return reflect.ValueOf(p).Elem() }

var (
	timeType = reflect.TypeFor[time.Time]()
	// behind are the types that stand behind interfaces.
	behind      = map[reflect.Type]part{}
	headerPart  = partOf(reflect.TypeFor[queue.Header](), "")
	entryPart   = partOf(reflect.TypeFor[queue.Entry](), "")
	batchPart   = partOf(reflect.TypeFor[queue.Batch](), "")
	attemptPart = partOf(reflect.TypeFor[queue.Attempt](), "")
	envPart     = partOf(reflect.TypeFor[env](), "")
	// What is over counts as little as is asked of it.
	endedPart  = structPart(reflect.TypeFor[queue.Entry](), "Phase", "Wish", "Attempt", "Settled", "End")
	deadPart   = structPart(reflect.TypeFor[queue.Attempt](), "Phase", "Parent", "Old", "New")
	landedPart = structPart(reflect.TypeFor[queue.Attempt](), "Phase", "Parent", "Old", "New", "Members", "Moved", "Held", "EndAt", "Audits")
)

func init() {
	for _, t := range []reflect.Type{
		reflect.TypeFor[queue.ReadPullRequest](), reflect.TypeFor[queue.ReadBase](), reflect.TypeFor[queue.FindWishes](),
		reflect.TypeFor[queue.BuildAttempt](), reflect.TypeFor[queue.PushTicket](), reflect.TypeFor[queue.ReadResults](),
		reflect.TypeFor[queue.ReadMembers](), reflect.TypeFor[queue.MoveHeads](), reflect.TypeFor[queue.MoveBase](),
		reflect.TypeFor[queue.AbandonAttempt](), reflect.TypeFor[queue.RemoveLabel](), reflect.TypeFor[queue.SettleLanded](),
		reflect.TypeFor[queue.AuditLanding](), reflect.TypeFor[queue.FindReports](), reflect.TypeFor[queue.Wake](),
		reflect.TypeFor[queue.PullRequestRead](), reflect.TypeFor[queue.BaseRead](), reflect.TypeFor[queue.ResultsRead](),
		reflect.TypeFor[queue.MembersRead](), reflect.TypeFor[queue.HeadsMoved](), reflect.TypeFor[queue.LandingTried](),
		reflect.TypeFor[queue.Abandoned](), reflect.TypeFor[queue.WishesFound](),
	} {
		behind[t] = partOf(t, "")
	}
}

// partOf plans how values of a type count; field is "Type.Field" where it is one.
func partOf(t reflect.Type, field string) part {
	switch {
	case field == "Red.Run" || field == "RedRun.Attempt":
		return part{func(c *canon, v reflect.Value) { c.mix(appeared(&c.runs, v.Int())) }}
	case attemptIDs[field] && t.Kind() == reflect.Int64:
		return part{func(c *canon, v reflect.Value) { c.attempt(v.Int()) }}
	case batchIDs[field]:
		return part{func(c *canon, v reflect.Value) { c.batch(v.Int()) }}
	case t == timeType:
		return timePart(field)
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int64:
		return part{func(c *canon, v reflect.Value) { c.mix(uint64(v.Int())) }}
	case reflect.Bool:
		return part{func(c *canon, v reflect.Value) { c.flag(v.Bool()) }}
	case reflect.String:
		return part{func(c *canon, v reflect.Value) { c.name(v.String()) }}
	case reflect.Map:
		return part{func(c *canon, v reflect.Value) { c.mix(uint64(v.Len())) }} // of suites, always the same ones
	case reflect.Struct:
		return structPart(t)
	case reflect.Pointer, reflect.Slice, reflect.Interface:
		return innerPart(t, field)
	}
	panic("explore: no way to count a " + t.String())
}

func timePart(field string) part {
	in, found := spans[field]
	if !found {
		in = ever
	}
	return part{func(c *canon, v reflect.Value) {
		if v.CanAddr() {
			c.time(*v.Addr().Interface().(*time.Time), in)
			return
		}
		c.time(v.Interface().(time.Time), in)
	}}
}

func innerPart(t reflect.Type, field string) part {
	if t.Kind() == reflect.Interface {
		return part{func(c *canon, v reflect.Value) {
			e := v.Elem()
			c.text(e.Type().Name())
			behind[e.Type()].of(c, e)
		}}
	}
	of := partOf(t.Elem(), field).of
	if t.Kind() == reflect.Pointer {
		return part{func(c *canon, v reflect.Value) {
			if v.IsNil() {
				c.mix(11)
				return
			}
			of(c, v.Elem())
		}}
	}
	return part{func(c *canon, v reflect.Value) {
		n := v.Len()
		c.mix(uint64(n))
		for i := range n {
			of(c, v.Index(i))
		}
	}}
}

// structPart counts the fields of a struct that are not skipped; only these, where some are named.
func structPart(t reflect.Type, only ...string) part {
	var fields []int
	var of []func(c *canon, v reflect.Value)
	for i := range t.NumField() {
		f := t.Field(i)
		name := t.Name() + "." + f.Name
		if skipped[name] || len(only) > 0 && !contains(only, f.Name) {
			continue
		}
		if f.Name == "Attempt" && name != "RedRun.Attempt" && f.Type.Kind() == reflect.Int64 {
			name = "Attempt.Parent"
		}
		fields, of = append(fields, i), append(of, partOf(f.Type, name).of)
	}
	return part{func(c *canon, v reflect.Value) {
		for j, i := range fields {
			of[j](c, v.Field(i))
		}
	}}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
