package queue

import (
	"sort"
	"time"

	"github.com/mainstay-ci/mainstay/queue/search"
)

// Header is the part of a queue that is not an entry, a batch or an attempt.
type Header struct {
	Branch   string    `json:"branch"`
	Settings Settings  `json:"settings"`
	Rules    Rules     `json:"rules"`
	Problem  string    `json:"problem,omitempty"` // why the config on the base is not in force
	Tip      string    `json:"tip,omitempty"`     // the base as last known
	Missing  bool      `json:"missing,omitempty"` // the base branch is gone
	BaseAt   time.Time `json:"base_at,omitzero"`  // when that reading began
	Pause    *Pause    `json:"pause,omitempty"`
	// NextBatch and NextAttempt only ever grow.
	NextBatch   int64 `json:"next_batch"`
	NextAttempt int64 `json:"next_attempt"`
	// Suites are those seen on the base: a suite that reported in a landed
	// attempt must report in the next one.
	Suites []string `json:"suites,omitempty"`
	// Landed are the heads that landed last, oldest first.
	Landed []string `json:"landed,omitempty"`
	// Reds are the red sets nobody has explained yet, RedRuns the attempts that said
	// so; Rates is what the past teaches.
	Reds    []search.Red `json:"reds,omitempty"`
	RedRuns []RedRun     `json:"red_runs,omitempty"`
	Rates   Rates        `json:"rates,omitzero"`
	// GreenAt is when a landing last showed the base green; Doubt is a base that may be red.
	GreenAt time.Time `json:"green_at,omitzero"`
	Greens  []Green   `json:"greens,omitempty"` // the bases that were, oldest first
	Doubt   *Doubt    `json:"doubt,omitempty"`
	// TestTime is the decayed mean of ticket to verdict, for "about 12 min".
	TestTime time.Duration `json:"test_time,omitempty"`
	// RunTimes are what tests took, for the run limit.
	RunTimes RunTimes `json:"run_times,omitzero"`
	// ProgressAt is when anything last went on.
	ProgressAt time.Time `json:"progress_at,omitzero"`
	// BotLast says that the entry tested last is a bot's: while people wait, one of theirs is next.
	BotLast bool `json:"bot_last,omitempty"`
	// Linked are the living entries that stand on others, or depend on some, by number.
	Linked []int `json:"linked,omitempty"`
	// CommandsFrom is from when on comments are read, Used the commands since then
	// that were decided on; Said are pull requests where a comment of ours stands.
	CommandsFrom time.Time     `json:"commands_from,omitzero"`
	Used         []UsedCommand `json:"used,omitempty"`
	Said         []int         `json:"said,omitempty"`
	Delegated    []Delegation  `json:"delegated,omitempty"`
	SweepAt      time.Time     `json:"sweep_at,omitzero"` // when the next sweep is due
	WakeAt       time.Time     `json:"wake_at,omitzero"`  // when the timer set last goes off
	BaseAsked    time.Time     `json:"base_asked,omitzero"`
}

// Pause stops new batches and landings.
type Pause struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// Rule is set when a branch rule refused the landing: GitHub's own words.
	Rule string `json:"rule,omitempty"`
}

// State is one queue in memory. Step owns the one it is given.
type State struct {
	header   Header
	entries  map[int]*Entry
	line     []int // asking and waiting entries, in line order
	batches  []*Batch
	attempts []*Attempt // live ones, and landed ones until their last audit
	dirty    dirty
	// sought is what the search was last asked when it wanted nothing: no more than
	// its answer kept, so that it need not be kept with the rest.
	sought *search.View
}

type dirty struct {
	header   bool
	entries  map[int]bool
	batches  map[int64]bool
	attempts map[int64]bool
	ended    []Entry
	rulings  []Ruling
	receipts []Receipt
}

// Rows is a queue as a store keeps it.
type Rows struct {
	Header   Header
	Entries  []Entry
	Batches  []Batch
	Attempts []Attempt
}

// Changes is what steps wrote since the last TakeChanges, and nothing else.
// The Gone lists name rows to delete. Ended, Rulings and Receipts are history: append them.
type Changes struct {
	Header       *Header
	Entries      []Entry
	EntriesGone  []int
	Batches      []Batch
	BatchesGone  []int64
	Attempts     []Attempt
	AttemptsGone []int64
	Ended        []Entry
	Rulings      []Ruling
	Receipts     []Receipt
}

// Receipt is the record of one landing.
type Receipt struct {
	Attempt int64     `json:"attempt"`
	Batch   int64     `json:"batch"`
	Branch  string    `json:"branch"`
	Old     string    `json:"old"`
	Commit  string    `json:"commit"` // the tested commit, now in the base
	Tree    string    `json:"tree"`
	Members []Member  `json:"members"`
	Shards  []Shard   `json:"shards,omitempty"`
	Runs    []Run     `json:"runs,omitempty"`
	At      time.Time `json:"at"`
}

// NewState is the empty queue of a branch.
func NewState(branch string) *State {
	return Restore(Rows{Header: Header{
		Branch: branch, Settings: Defaults(), NextBatch: 1, NextAttempt: 1,
	}})
}

// Restore makes a state of stored rows, in whatever order they come.
func Restore(rows Rows) *State {
	s := &State{header: rows.Header, entries: make(map[int]*Entry, len(rows.Entries))}
	for i := range rows.Entries {
		e := rows.Entries[i]
		s.entries[e.PR.Number] = &e
		if e.Phase == Asking || e.Phase == Waiting {
			s.line = append(s.line, e.PR.Number)
		}
	}
	sort.Slice(s.line, func(i, j int) bool { return s.entries[s.line[i]].ahead(s.entries[s.line[j]]) })
	for i := range rows.Batches {
		b := rows.Batches[i]
		s.batches = append(s.batches, &b)
	}
	sort.Slice(s.batches, func(i, j int) bool { return s.batches[i].ID < s.batches[j].ID })
	for i := range rows.Attempts {
		a := rows.Attempts[i]
		s.attempts = append(s.attempts, &a)
	}
	sort.Slice(s.attempts, func(i, j int) bool { return s.attempts[i].ID < s.attempts[j].ID })
	return s
}

// Rows is the whole state as rows, in a fixed order: entries by Order, the rest by id.
func (s *State) Rows() Rows {
	rows := Rows{Header: s.header}
	for _, e := range s.entries {
		rows.Entries = append(rows.Entries, *e)
	}
	sort.Slice(rows.Entries, func(i, j int) bool {
		a, b := &rows.Entries[i], &rows.Entries[j]
		return a.Order < b.Order || a.Order == b.Order && a.PR.Number < b.PR.Number
	})
	for _, b := range s.batches {
		rows.Batches = append(rows.Batches, *b)
	}
	for _, a := range s.attempts {
		rows.Attempts = append(rows.Attempts, *a)
	}
	return rows
}

// TakeChanges returns what changed since the last call and forgets it.
func (s *State) TakeChanges() Changes {
	var c Changes
	if s.dirty.header {
		h := s.header
		c.Header = &h
	}
	for _, pr := range sortedKeys(s.dirty.entries) {
		if e := s.entries[pr]; e != nil {
			c.Entries = append(c.Entries, *e)
		} else {
			c.EntriesGone = append(c.EntriesGone, pr)
		}
	}
	for _, id := range sortedKeys(s.dirty.batches) {
		if b := s.batch(id); b != nil {
			c.Batches = append(c.Batches, *b)
		} else {
			c.BatchesGone = append(c.BatchesGone, id)
		}
	}
	for _, id := range sortedKeys(s.dirty.attempts) {
		if a := s.attempt(id); a != nil {
			c.Attempts = append(c.Attempts, *a)
		} else {
			c.AttemptsGone = append(c.AttemptsGone, id)
		}
	}
	c.Ended, c.Rulings, c.Receipts = s.dirty.ended, s.dirty.rulings, s.dirty.receipts
	s.dirty = dirty{}
	return c
}

func sortedKeys[K int | int64, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	return keys
}

func (s *State) batch(id int64) *Batch {
	for _, b := range s.batches {
		if b.ID == id {
			return b
		}
	}
	return nil
}

func (s *State) attempt(id int64) *Attempt {
	for _, a := range s.attempts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (s *State) touchHeader() { s.dirty.header = true }

func (s *State) touchEntry(pr int) {
	if s.dirty.entries == nil {
		s.dirty.entries = map[int]bool{}
	}
	s.dirty.entries[pr] = true
}

func (s *State) touchBatch(id int64) {
	if s.dirty.batches == nil {
		s.dirty.batches = map[int64]bool{}
	}
	s.dirty.batches[id] = true
}

func (s *State) touchAttempt(id int64) {
	if s.dirty.attempts == nil {
		s.dirty.attempts = map[int64]bool{}
	}
	s.dirty.attempts[id] = true
}
