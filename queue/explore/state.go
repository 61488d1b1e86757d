package explore

import (
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// state is one node of the walk: the queue and the world around it. It is never
// changed once it is made; a transition changes a copy.
type state struct {
	q *queue.State
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
	// BaseTold is the newest reading of the base that Step was told of.
	BaseTold baseTold
	Wishes   int64 // given so far
	Left     Budget
	Healed   bool // the base, which was red by itself
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
	Hotfix   bool
	Hold     bool
	Suspect  bool // was in a red set, or in conflict with a member
	Told     reading
}

type reading struct {
	Head     string
	Approved bool
	Wish     int64
	Status   queue.Status
	Hold     bool
	ReadAt   time.Time
}

type baseTold struct {
	Tip    string
	ReadAt time.Time
}

// ciRun is the workflow run of a ticket's commit.
type ciRun struct {
	Commit, Ticket string
	Reported       bool
	Conclusion     string // empty while it runs
	Copied         bool   // a run of the same commit elsewhere is green
	Narrow         bool   // only some tests ran
	Hangs          bool
}

// flight is an answer under way.
type flight struct {
	Key      string
	Replaced bool // a later effect of the same key waits
	Fact     queue.Fact
}

// ended is a wish's end as it was told.
type ended struct {
	PR    int
	Wish  int64
	Phase queue.Phase
}

// cloneInto makes a state that nobody needs any more a copy of this one.
func (s *state) cloneInto(c *state) {
	s.q.CloneInto(c.q)
	old := c.env
	c.env = s.env
	c.Tickets, c.Pulls, c.CI = append(old.Tickets[:0], s.Tickets...), append(old.Pulls[:0], s.Pulls...), append(old.CI[:0], s.CI...)
	c.Effects, c.Flights = append(old.Effects[:0], s.Effects...), append(old.Flights[:0], s.Flights...)
	c.Zombies, c.Removed, c.Ended = append(old.Zombies[:0], s.Zombies...), append(old.Removed[:0], s.Removed...), append(old.Ended[:0], s.Ended...)
}

func (s *state) pull(n int) *pull { return &s.Pulls[n-1] }

func (s *state) attempt(id int64) *queue.Attempt {
	for _, a := range s.q.Attempts() {
		if a.ID == id {
			return a
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
