package github

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// permitAge is how long a permission read once serves other readings.
const permitAge = 10 * time.Second

// permits remembers who may write. Readers that ask for the same person at the
// same time share one call.
type permits struct {
	mu    sync.Mutex
	known map[permitKey]*permit
}

type permitKey struct {
	repository int64
	name       string
	login      string
}

type permit struct {
	began  time.Time
	done   chan struct{} // closed when the fields below are set
	person int64
	writes bool
	rules  bool // an admin or a maintainer
	err    error
}

func newPermits() *permits { return &permits{known: map[permitKey]*permit{}} }

// mayWrite says whether somebody may write to the repository, as read at a
// moment not before since. A login that belongs to somebody else by now may not.
func (p *permits) mayWrite(ctx context.Context, s site, who queue.Actor, since time.Time) (bool, error) {
	e, err := p.of(ctx, s, who, since)
	return err == nil && e.writes, err
}

// mayRule says likewise whether somebody is an admin or a maintainer.
func (p *permits) mayRule(ctx context.Context, s site, who queue.Actor, since time.Time) (bool, error) {
	e, err := p.of(ctx, s, who, since)
	return err == nil && e.rules, err
}

// nobody may do nothing.
var nobody = &permit{}

// of is what somebody may do; the error leaves that open.
func (p *permits) of(ctx context.Context, s site, who queue.Actor, since time.Time) (*permit, error) {
	if who.ID == 0 || who.Login == "" {
		return nobody, nil // a deleted account
	}
	key := permitKey{s.place.Repository, strings.ToLower(s.name()), strings.ToLower(who.Login)}
	for {
		e, mine := p.entry(key, s.app.clock(), since)
		if mine {
			e.err = s.readPermission(ctx, who.Login, e)
			if e.err != nil {
				p.forget(key, e)
			}
			close(e.done)
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if e.err == nil && e.person != who.ID {
			return nobody, nil
		}
		if e.err == nil {
			return e, nil
		}
		if mine || ctx.Err() != nil || KindOf(e.err) != "" {
			return nil, e.err
		}
		// Whoever read it was called off, which is not our matter: read it ourselves.
	}
}

func (p *permits) entry(key permitKey, now, since time.Time) (e *permit, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.known[key]; e != nil && !e.began.Before(since) {
		return e, false
	}
	if len(p.known) >= 1000 {
		for k, old := range p.known {
			if now.Sub(old.began) > permitAge {
				delete(p.known, k)
			}
		}
	}
	e = &permit{began: now, done: make(chan struct{})}
	p.known[key] = e
	return e, true
}

func (p *permits) forget(key permitKey, e *permit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[key] == e {
		delete(p.known, key)
	}
}

// readPermission asks GitHub. Triage counts as read there, maintain as write.
func (s site) readPermission(ctx context.Context, login string, into *permit) error {
	var answer struct {
		Permission string  `json:"permission"`
		Role       string  `json:"role_name"` // tells maintain apart
		User       account `json:"user"`
	}
	_, err := s.get(ctx, "collaborators/"+segment(login)+"/permission", nil, &answer)
	if gone(err) {
		return nil // no such person, or a bot
	}
	if err != nil {
		return fmt.Errorf("read the permission of %s: %w", login, err)
	}
	into.person = answer.User.ID
	switch answer.Permission {
	case "admin", "maintain", "write":
		into.writes = true
	}
	into.rules = answer.Permission == "admin" || into.writes && answer.Role == "maintain"
	return nil
}
