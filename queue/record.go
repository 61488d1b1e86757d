package queue

import (
	"errors"
	"time"
)

// Place says which queue is meant: one base branch of one repository. Everything
// is keyed by ID and Repository; owner and name may change at GitHub.
type Place struct {
	ID           int64  `json:"id"` // the store's
	Installation int64  `json:"installation"`
	Repository   int64  `json:"repository"`
	Owner        string `json:"owner"`
	Name         string `json:"name"`
	Branch       string `json:"branch"`
}

// Hint is what a webhook boils down to: a fact for the queues of a repository.
type Hint struct {
	// Place names the repository; an empty Branch means each of its queues.
	Place Place
	// Opens lets the hint open a queue for Place.Branch where the repository has none at all.
	Opens bool
	Fact  Fact
}

// Delivery is one webhook as it was kept, before anybody looked into it.
type Delivery struct {
	GUID  string
	Event string // X-GitHub-Event
	Body  []byte
	At    time.Time
}

// PullReport is what a shard of a pull request's own run said, for its page only.
type PullReport struct {
	PR    int    `json:"pr"`
	Head  string `json:"head"`
	Shard Shard  `json:"shard"`
}

// RecordedEvent is an event that waits for its queue's Step.
type RecordedEvent struct {
	ID int64
	Event
	// Trouble is why it could not be decoded; it has no Fact then.
	Trouble string
}

// AsideEvent is an event that could not be taken in and stands beside its queue.
type AsideEvent struct {
	Queue     int64
	At        time.Time
	Kind, Why string
}

// DueEffect is an effect as a store keeps it. Generation grows when a later
// effect of the same key replaces it, so that a finished old one is told apart.
type DueEffect struct {
	ID         int64
	Queue      int64
	Generation int64
	Tries      int
	Effect
	// Trouble is why it could not be decoded; it has no Task then.
	Trouble string
}

// Commit is one or more steps of one queue, written in one transaction: it is
// refused with ErrStale unless the queue's version is still Version.
type Commit struct {
	Queue    int64
	Version  int64
	Changes  Changes
	Consumed []int64 // ids of RecordedEvents
	Effects  []Effect
}

// ErrStale says that the queue's version moved on: load it again.
var ErrStale = errors.New("the queue moved on since it was loaded")

// ErrNotFound says that a store has no such thing.
var ErrNotFound = errors.New("not found")

// ErrDiffers says that something else is already kept under that key.
var ErrDiffers = errors.New("already there with another content")
