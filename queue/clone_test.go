package queue

import (
	"reflect"
	"testing"
	"time"
)

// shared are fields whose content Step never changes in place, only replaces.
var shared = map[string]bool{
	"State.sought":    true,
	"Header.Settings": true, "Header.Rules": true, "Header.Pause": true, "Header.RedRuns": true, "Header.Greens": true, "Header.Doubt": true, "Header.Used": true, "Header.Said": true, "Header.Delegated": true, "PullRequest.Wish": true, "PullRequest.ChangesRequested": true,
	"PullRequest.Review": true, "PullRequest.Stack": true, "PullRequest.Needs": true, "PullRequest.Strange": true, "Entry.Own": true, "Header.Linked": true, "Attempt.Retargeted": true, "Member.After": true, "PullRequest.When": true, "PullRequest.Traits": true,
	"Entry.End": true, "Entry.Clashes": true, "Entry.Folders": true, "Batch.Flakes": true, "Attempt.Narrow": true, "Attempt.Results": true, "Attempt.Moved": true,
	"Node.Red": true, "Plan.Suites": true, "Plan.Variants": true, "Member.Folders": true, "Member.Guarded": true, "Entry.Guarded": true, "Member.Commits": true, "Held.Files": true, "Shard.Failed": true, "Shard.Flaky": true, "Shard.Muted": true,
}

// appended are lists that Step appends to or replaces: a copy's must have no room left.
var appended = map[string]bool{
	"Header.Suites": true, "Header.Landed": true, "Red.Members": true, "Red.Tests": true, "Red.Cleared": true, "Batch.Members": true,
	"Batch.Landed": true, "Batch.Out": true, "Batch.Back": true, "Batch.Flakes": true, "Node.PRs": true, "Node.Members": true,
	"Node.Attempts": true, "Attempt.Members": true, "Attempt.Held": true, "Plan.Checks": true,
}

// A copy is equal and goes its own way: no field of it is forgotten, and none that
// Step changes in place is shared.
func TestACloneGoesItsOwnWay(t *testing.T) {
	full := func() *State {
		var rows Rows
		fill(reflect.ValueOf(&rows).Elem())
		rows.Entries[0].Phase = Waiting
		return Restore(rows)
	}
	s := full()
	c := s.Clone()
	if !reflect.DeepEqual(s.Rows(), c.Rows()) || !reflect.DeepEqual(s.line, c.line) {
		t.Fatalf("the copy differs: %+v, want %+v", c.Rows(), s.Rows())
	}
	requireApart(t, "State", reflect.ValueOf(*s), reflect.ValueOf(*c))
	full().CloneInto(c) // over one that is used no more
	if !reflect.DeepEqual(s.Rows(), c.Rows()) {
		t.Fatalf("the second copy differs: %+v, want %+v", c.Rows(), s.Rows())
	}
	requireApart(t, "State", reflect.ValueOf(*s), reflect.ValueOf(*c))
	NewState("main").CloneInto(c)
	if rows := c.Rows(); len(rows.Entries)+len(rows.Batches)+len(rows.Attempts)+len(rows.Header.Reds)+len(c.line) > 0 {
		t.Fatalf("something is left of the copy before: %+v", rows)
	}
}

// fill gives every field a value, and every list one element and room for more.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 4))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		v.SetInt(1)
	}
}

func requireApart(t *testing.T, at string, a, b reflect.Value) {
	t.Helper()
	if shared[at] {
		return
	}
	switch a.Kind() {
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() || a.Type() == reflect.TypeFor[dirty]() {
			return
		}
		for i := range a.NumField() {
			requireApart(t, a.Type().Name()+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		if a.Len() == 0 || appended[at] && b.Cap() == b.Len() {
			break
		}
		if a.Pointer() == b.Pointer() {
			t.Errorf("the copy shares %s", at)
		}
		requireApart(t, at+"[]", a.Index(0), b.Index(0))
	case reflect.Map:
		if a.Pointer() == b.Pointer() {
			t.Errorf("the copy shares %s", at)
		}
		for _, key := range a.MapKeys() {
			requireApart(t, at+"[]", a.MapIndex(key), b.MapIndex(key))
		}
	case reflect.Pointer:
		if a.Pointer() == b.Pointer() {
			t.Errorf("the copy shares %s", at)
		}
		requireApart(t, at+"*", a.Elem(), b.Elem())
	}
}
