package explore

import (
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Budget is how often each kind of trouble may come in a world.
type Budget struct {
	Crash    int8 // an effect is done and its answer lost, or what was under way is forgotten
	Slow     int8 // an answer is under way while other things happen
	Late     int8 // a landing push without an answer, that may land later
	Odd      int8 // a landing push answered "unknown" though done, or "transient"
	Refused  int8 // a landing push refused by a rule
	Lost     int8 // a webhook never arrives
	Flake    int8 // a good commit tested red
	Push     int8 // somebody pushes to a pull request
	Dismiss  int8 // an approval is taken back
	Approve  int8 // and given again
	Unlabel  int8 // the label is taken off
	Label    int8 // and set again
	Admin    int8 // somebody pushes to the base
	Force    int8 // somebody takes the newest commit out of the base
	Merge    int8 // somebody merges a pull request around the queue
	Copy     int8 // somebody runs CI on the ticket's commit elsewhere
	Impolite int8 // time passes while something is under way
}

// state is one node of the walk: the queue's rows and the world around them. It
// is never changed once it is made; a transition changes a copy.
type state struct {
	rows queue.Rows
	env
}

// env is everything that is not the queue.
type env struct {
	Now     time.Time
	Base    string
	Tickets []ticket
	Pulls   []pull // by number, from 1
	CI      []ciRun
	Effects []queue.Effect // as a store keeps them: one a key, in the order of keys
	Flights []flight
	Zombies []queue.MoveBase
	Removed []string // commits somebody took out of the base
	Ended   []ended
	Wishes  int64 // given so far
	Left    Budget
}

type ticket struct{ Name, Commit string }

// pull is a pull request at GitHub, and what Step was last told of it.
type pull struct {
	Number   int
	Version  int8
	Head     string
	Approved bool
	Wish     int64 // 0: not labelled
	Status   queue.Status
	Suspect  bool // was in a red set
	Told     reading
}

type reading struct {
	Head     string
	Approved bool
	Wish     int64
	Status   queue.Status
	ReadAt   time.Time
}

// ciRun is the workflow run of a ticket's commit.
type ciRun struct {
	Commit, Ticket string
	Reported       bool
	Conclusion     string // empty while it runs
	Copied         bool   // a run of the same commit elsewhere is green
}

// flight is an answer under way.
type flight struct {
	Key      string
	Replaced bool // a later effect of the same key waits
	Fact     queue.Fact
}

// ended is a wish's end as it was told.
type ended struct {
	PR     int
	Wish   int64
	Phase  queue.Phase
	Pinned string
	Became string
}

func (s *state) clone() *state {
	c := *s
	c.rows = cloneRows(s.rows)
	c.Tickets, c.Pulls, c.CI = slices.Clone(s.Tickets), slices.Clone(s.Pulls), slices.Clone(s.CI)
	c.Effects, c.Flights = slices.Clone(s.Effects), slices.Clone(s.Flights)
	c.Zombies, c.Removed, c.Ended = slices.Clone(s.Zombies), slices.Clip(s.Removed), slices.Clip(s.Ended)
	return &c
}

// cloneRows copies what Step changes in place; what it only appends to is clipped.
func cloneRows(r queue.Rows) queue.Rows {
	r.Header.Landed, r.Header.Suites = slices.Clip(r.Header.Landed), slices.Clip(r.Header.Suites)
	r.Header.Reds = slices.Clone(r.Header.Reds)
	for i := range r.Header.Reds {
		red := &r.Header.Reds[i]
		red.PRs, red.Tests, red.Of = slices.Clone(red.PRs), slices.Clone(red.Tests), slices.Clone(red.Of)
	}
	r.Entries, r.Batches, r.Attempts = slices.Clone(r.Entries), slices.Clone(r.Batches), slices.Clone(r.Attempts)
	for i := range r.Batches {
		b := &r.Batches[i]
		b.Members, b.Landed, b.Out = slices.Clone(b.Members), slices.Clone(b.Landed), slices.Clone(b.Out)
		b.Nodes, b.Back, b.Flakes = slices.Clone(b.Nodes), slices.Clone(b.Back), slices.Clone(b.Flakes)
		for j := range b.Nodes {
			n := &b.Nodes[j]
			n.Members, n.PRs, n.Attempts = slices.Clone(n.Members), slices.Clone(n.PRs), slices.Clip(n.Attempts)
		}
	}
	for i := range r.Attempts {
		a := &r.Attempts[i]
		a.Members, a.Shards, a.Held = slices.Clone(a.Members), slices.Clone(a.Shards), slices.Clip(a.Held)
		a.Plan.Checks = slices.Clip(a.Plan.Checks)
	}
	return r
}

func (s *state) pull(n int) *pull { return &s.Pulls[n-1] }

func (s *state) attempt(id int64) *queue.Attempt {
	for i := range s.rows.Attempts {
		if s.rows.Attempts[i].ID == id {
			return &s.rows.Attempts[i]
		}
	}
	return nil
}

func (s *state) entry(pr int) *queue.Entry {
	for i := range s.rows.Entries {
		if s.rows.Entries[i].PR.Number == pr {
			return &s.rows.Entries[i]
		}
	}
	return nil
}

func live(a *queue.Attempt) bool {
	return a != nil && a.Phase != queue.AttemptLanded && a.Phase != queue.AttemptDead
}

func (s *state) ticketAt(name string) string {
	for _, t := range s.Tickets {
		if t.Name == name {
			return t.Commit
		}
	}
	return ""
}

// holds reports whether every lease on a ticket would hold.
func (s *state) holds(tickets []queue.Ticketed) bool {
	return len(tickets) > 0 && !slices.ContainsFunc(tickets, func(t queue.Ticketed) bool { return s.ticketAt(t.Ticket) != t.Commit })
}

// path is the attempts from the base up to one, those that have not landed.
func (s *state) path(a *queue.Attempt) (path []*queue.Attempt) {
	for x := a; x != nil && x.Phase != queue.AttemptLanded; x = s.attempt(x.Parent) {
		path = append([]*queue.Attempt{x}, path...)
	}
	return path
}

func (s *state) dropTicket(name string) {
	s.Tickets = slices.DeleteFunc(s.Tickets, func(t ticket) bool { return t.Name == name })
}

func (s *state) run(commit string) *ciRun {
	for i := range s.CI {
		if s.CI[i].Commit == commit {
			return &s.CI[i]
		}
	}
	return nil
}

func (s *state) flying(key string) bool {
	return slices.ContainsFunc(s.Flights, func(f flight) bool { return f.Key == key })
}

// keep puts an effect in the place of an earlier one of its key.
func (s *state) keep(e queue.Effect) {
	for i := range s.Flights {
		if s.Flights[i].Key == e.Key {
			s.Flights[i].Replaced = true
		}
	}
	i, found := slices.BinarySearchFunc(s.Effects, e.Key, func(x queue.Effect, key string) int { return strings.Compare(x.Key, key) })
	if found {
		s.Effects[i] = e
		return
	}
	s.Effects = slices.Insert(s.Effects, i, e)
}

func (s *state) drop(key string) {
	s.Effects = slices.DeleteFunc(s.Effects, func(e queue.Effect) bool { return e.Key == key })
}

func (s *state) wasTold(wish int64, phase queue.Phase) bool {
	return slices.ContainsFunc(s.Ended, func(e ended) bool { return e.Wish == wish && e.Phase == phase })
}
