package queue

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// world is a model of everything around Step: the store and its effects, GitHub,
// git, CI and people. It runs in virtual time and holds every step against the
// invariants. The forge part is in forge_test.go, the invariants in invariants_test.go.
type world struct {
	t       failer
	now     time.Time
	state   *State
	rows    keptRows
	restore bool // restore the state from its rows after every step
	later   schedule
	seq     int
	effects map[string]*keptEffect
	running map[string]bool
	epoch   int // grows at each crash: what was under way is forgotten
	latency func() time.Duration
	// hint carries a webhook; tests lose, double and delay them.
	hint  func(f Fact)
	steps map[int64]int // by virtual minute: a busy loop shows here
	trace []string
	// lessons are what was to be learnt of the tests.
	lessons []LearnTests

	forge
	seen
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// keptEffect is an effect as a store keeps it: a later one of the same key replaces it.
type keptEffect struct {
	Effect
	seq, generation int
}

type scheduled struct {
	at  time.Time
	seq int
	do  func()
}

type schedule []scheduled

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	return s[i].at.Before(s[j].at) || s[i].at.Equal(s[j].at) && s[i].seq < s[j].seq
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(scheduled)) }
func (s *schedule) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// traceShown is how many lines of the trace a failure shows.
const traceShown = 40

var dawn = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func newWorld(t failer, restore bool) *world {
	w := &world{
		t: t, now: dawn, state: NewState("main"), restore: restore,
		effects: map[string]*keptEffect{}, running: map[string]bool{}, steps: map[int64]int{},
		latency: func() time.Duration { return 100 * time.Millisecond },
	}
	w.hint = func(f Fact) { w.after(50*time.Millisecond, func() { w.tell(f) }) }
	w.rows = newKeptRows(t, w.state.Rows())
	w.forge.open()
	w.seen.open()
	return w
}

// story runs a scenario twice, once on the living state and once restored from
// rows after every step: both must do and say the same.
func story(t *testing.T, tell func(w *world)) {
	t.Helper()
	var traces [2][]string
	for i, mode := range []string{"living", "restored"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, mode == "restored")
			defer w.printTrace(t)
			tell(w)
			w.checkAtRest()
			traces[i] = w.trace
		})
	}
	for i := range min(len(traces[0]), len(traces[1])) {
		if traces[0][i] != traces[1][i] {
			t.Fatalf("the restored state goes another way at step %d:\n living   %s\n restored %s", i, traces[0][i], traces[1][i])
		}
	}
	if traces[1] != nil && len(traces[0]) != len(traces[1]) && !t.Failed() {
		t.Fatalf("the living state took %d steps, the restored %d", len(traces[0]), len(traces[1]))
	}
}

func (w *world) printTrace(t *testing.T) {
	if t.Failed() {
		t.Logf("the last steps:\n%s", strings.Join(w.trace[max(0, len(w.trace)-traceShown):], "\n"))
	}
}

func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if len(line) > 400 {
		line = line[:400] + "…"
	}
	w.trace = append(w.trace, w.now.Sub(dawn).String()+" "+line)
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.later, scheduled{w.now.Add(d), w.seq, do})
}

// run lets virtual time pass.
func (w *world) run(d time.Duration) { w.runUntil(d, func() bool { return false }) }

// runUntil lets time pass until something is so, and reports whether it became so.
func (w *world) runUntil(limit time.Duration, so func() bool) bool {
	end := w.now.Add(limit)
	for !so() {
		at, do := w.next()
		if do == nil || at.After(end) {
			w.now = end
			return so()
		}
		if at.After(w.now) {
			w.now = at
		}
		do()
	}
	return true
}

// next is the earliest thing that happens: something of the world's, or a due effect.
func (w *world) next() (time.Time, func()) {
	var best *keptEffect
	for key, e := range w.effects {
		if w.running[key] {
			continue
		}
		if best == nil || e.Due.Before(best.Due) || e.Due.Equal(best.Due) && e.seq < best.seq {
			best = e
		}
	}
	if len(w.later) > 0 && (best == nil || w.later[0].at.Before(maxTime(best.Due, w.now))) {
		return w.later[0].at, func() { heap.Pop(&w.later).(scheduled).do() }
	}
	if best == nil {
		return time.Time{}, nil
	}
	return best.Due, func() { w.start(best) }
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// start performs an effect: the world changes now, the outcome comes back later,
// and not at all when the process dies before.
func (w *world) start(e *keptEffect) {
	key, epoch, generation := e.Key, w.epoch, e.generation
	w.running[key] = true
	facts, again := w.perform(e.Task)
	wait := w.latency()
	if _, ok := e.Task.(Wake); ok {
		wait = time.Millisecond
	}
	w.after(wait, func() {
		if epoch != w.epoch {
			return
		}
		delete(w.running, key)
		if kept := w.effects[key]; kept != nil && kept.generation == generation {
			if again > 0 {
				kept.Due = w.now.Add(again)
				return
			}
			delete(w.effects, key)
		}
		if again > 0 {
			return
		}
		for _, f := range facts {
			w.tell(f)
		}
	})
}

// crash kills the process: effects under way may be done and are done again.
func (w *world) crash() {
	w.note("crash")
	w.epoch++
	w.running = map[string]bool{}
	w.state = Restore(w.rows.backwards(w.t))
	w.tell(BaseHinted{})
	w.tell(TimePassed{})
}

// tell takes one fact through Step and keeps what comes of it as a store does.
func (w *world) tell(f Fact) {
	w.t.Helper()
	kind, body, err := EncodeFact(f)
	if err != nil {
		w.t.Fatalf("encode %T: %v", f, err)
	}
	w.note("%s %s", kind, body)
	if w.steps[w.now.Unix()/60]++; w.steps[w.now.Unix()/60] > 500 {
		w.t.Fatalf("the queue runs in a busy loop:\n%s", strings.Join(w.trace[len(w.trace)-20:], "\n"))
	}
	decoded, err := DecodeFact(kind, body)
	if err != nil {
		w.t.Fatalf("decode %s: %v", kind, err)
	}
	w.requireSame("fact "+kind, f, decoded)
	before := w.before()
	w.remember(decoded)
	state, effects := Step(w.state, Event{At: w.now, Fact: decoded})
	w.state = state
	changes := state.TakeChanges()
	w.rows.apply(w.t, changes)
	w.rows.requireSame(w.t, state.Rows())
	for _, e := range effects {
		w.keep(e)
	}
	w.checkStep(before, changes)
	if w.restore {
		w.state = Restore(w.rows.backwards(w.t))
	}
}

func (w *world) keep(e Effect) {
	w.t.Helper()
	kind, body, err := EncodeTask(e.Task)
	if err != nil {
		w.t.Fatalf("encode %T: %v", e.Task, err)
	}
	task, err := DecodeTask(kind, body)
	if err != nil {
		w.t.Fatalf("decode %s: %v", kind, err)
	}
	w.requireSame("effect "+kind, e.Task, task)
	w.note("  → %s in %s: %s %s", e.Key, e.Due.Sub(w.now), kind, body)
	e.Task = task
	w.seq++
	kept := &keptEffect{Effect: e, seq: w.seq}
	if old := w.effects[e.Key]; old != nil {
		kept.generation = old.generation + 1
	} else {
		kept.generation = w.seq
	}
	w.effects[e.Key] = kept
}

func (w *world) requireSame(what string, a, b any) {
	w.t.Helper()
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		w.t.Fatalf("%s differ:\n%s\n%s", what, x, y)
	}
}

// keptRows are the rows as a store holds them: encoded, one by one.
type keptRows struct {
	header   []byte
	entries  map[int][]byte
	batches  map[int64][]byte
	attempts map[int64][]byte
}

func newKeptRows(t failer, rows Rows) keptRows {
	k := keptRows{entries: map[int][]byte{}, batches: map[int64][]byte{}, attempts: map[int64][]byte{}}
	k.header = encoded(t, rows.Header)
	return k
}

func encoded(t failer, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %T: %v", v, err)
	}
	return body
}

func decoded[T any](t failer, body []byte) (v T) {
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("decode %T: %v", v, err)
	}
	return v
}

func (k *keptRows) apply(t failer, c Changes) {
	if c.Header != nil {
		k.header = encoded(t, *c.Header)
	}
	for _, e := range c.Entries {
		k.entries[e.PR.Number] = encoded(t, e)
	}
	for _, pr := range c.EntriesGone {
		delete(k.entries, pr)
	}
	for _, b := range c.Batches {
		k.batches[b.ID] = encoded(t, b)
	}
	for _, id := range c.BatchesGone {
		delete(k.batches, id)
	}
	for _, a := range c.Attempts {
		k.attempts[a.ID] = encoded(t, a)
	}
	for _, id := range c.AttemptsGone {
		delete(k.attempts, id)
	}
}

// requireSame holds the rows as written against the state: every change must have been told.
func (k *keptRows) requireSame(t failer, rows Rows) {
	t.Helper()
	same := func(what string, kept []byte, row any) {
		t.Helper()
		if now := encoded(t, row); string(kept) != string(now) {
			t.Fatalf("a change of the %s was not written:\n%s\n%s", what, kept, now)
		}
	}
	same("header", k.header, rows.Header)
	for _, e := range rows.Entries {
		same("entry", k.entries[e.PR.Number], e)
	}
	for _, b := range rows.Batches {
		same("batch", k.batches[b.ID], b)
	}
	for _, a := range rows.Attempts {
		same("attempt", k.attempts[a.ID], a)
	}
	if len(k.entries) != len(rows.Entries) || len(k.batches) != len(rows.Batches) || len(k.attempts) != len(rows.Attempts) {
		t.Fatalf("rows that are gone were kept: %d, %d, %d of %d, %d, %d", len(k.entries), len(k.batches), len(k.attempts),
			len(rows.Entries), len(rows.Batches), len(rows.Attempts))
	}
}

// backwards is the rows in an order no store would choose: a state is restored from any.
func (k *keptRows) backwards(t failer) Rows {
	rows := k.rows(t)
	slices.Reverse(rows.Entries)
	slices.Reverse(rows.Batches)
	slices.Reverse(rows.Attempts)
	return rows
}

func (k *keptRows) rows(t failer) Rows {
	rows := Rows{Header: decoded[Header](t, k.header)}
	for _, pr := range sortedKeys(k.entries) {
		rows.Entries = append(rows.Entries, decoded[Entry](t, k.entries[pr]))
	}
	for _, id := range sortedKeys(k.batches) {
		rows.Batches = append(rows.Batches, decoded[Batch](t, k.batches[id]))
	}
	for _, id := range sortedKeys(k.attempts) {
		rows.Attempts = append(rows.Attempts, decoded[Attempt](t, k.attempts[id]))
	}
	return rows
}
