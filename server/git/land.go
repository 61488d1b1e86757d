package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Landing is the line "move base from Old to New, and delete the tickets".
type Landing struct {
	Base     string // refs/heads/...
	Old, New string
	Tickets  []Ticket
}

// Ticket is a branch of ours with the commit it must stand on.
type Ticket struct{ Ref, Commit string }

// OutcomeKind is one of the five ways a landing can end.
type OutcomeKind string

// The outcomes. Only after Landed and Refused is it known what our pushes did;
// whoever gives up after any of them but Landed deletes the ticket first.
const (
	Landed    OutcomeKind = "landed"
	Elsewhere OutcomeKind = "elsewhere" // the base, or a ticket, is not where it was; nobody is to blame
	Refused   OutcomeKind = "refused"   // by a rule of the remote's
	Transient OutcomeKind = "transient" // this push changed nothing; try again
	Unknown   OutcomeKind = "unknown"   // no answer; the same landing again tells
)

// Outcome is how a landing ended.
type Outcome struct {
	Kind    OutcomeKind
	Tip     string   // with Elsewhere: where the base is, "" when it is gone
	Ref     string   // with Refused: the branch that was refused
	Reason  string   // for people
	Remote  []string // the remote's own lines
	Tickets []string // with Elsewhere: the tickets that are not where they were
}

// ErrNotAncestor says that Old is no ancestor of New: such a landing would
// throw commits away, and is never pushed.
var ErrNotAncestor = errors.New("the old base is no ancestor of the new one")

// Land moves the base and deletes the tickets in one atomic push with an exact
// lease for each. It may be repeated until the outcome is known. The error is
// for a landing that must not be pushed at all (ErrNotAncestor, a bad name, no
// ticket) or that could not be checked; nothing was sent then.
func (c *Clone) Land(ctx context.Context, l Landing) (Outcome, error) {
	if err := l.check(); err != nil {
		return Outcome{}, fmt.Errorf("land on %s: %w", l.Base, err)
	}
	if err := c.Fetch(ctx, []string{l.New}); err != nil {
		return Outcome{}, fmt.Errorf("land on %s: %w", l.Base, err)
	}
	within := c.descends(l.New, l.Old)
	var err error
	if !within {
		within, err = c.Contains(ctx, l.New, l.Old)
	}
	if err == nil && !within {
		err = ErrNotAncestor
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("land on %s: %w", l.Base, err)
	}
	updates := []refUpdate{{l.Base, l.Old, l.New}}
	for _, t := range l.Tickets {
		updates = append(updates, refUpdate{t.Ref, t.Commit, ""})
	}
	p, err := c.push(ctx, true, updates...)
	if errors.Is(err, errNoToken) {
		return Outcome{Kind: Transient, Reason: err.Error()}, nil
	}
	if err != nil {
		return Outcome{Kind: Unknown, Reason: err.Error()}, nil
	}
	verdict := l.judge(p)
	if !verdict.look {
		return verdict.Outcome, nil
	}
	refs, err := c.ReadRefs(ctx, l.refs()...)
	if err != nil {
		return Outcome{Kind: Unknown, Reason: err.Error()}, nil
	}
	contained := false
	if tip := refs[l.Base]; tip != "" && tip != l.Old {
		if contained, err = c.Contains(ctx, tip, l.New); err != nil {
			return Outcome{Kind: Unknown, Reason: err.Error()}, nil
		}
	}
	return l.settle(verdict, refs, contained), nil
}

// check makes sure that the landing has its fence: at least one ticket.
func (l Landing) check() error {
	err := errors.Join(checkRef(l.Base), checkID(l.Old), checkID(l.New))
	if len(l.Tickets) == 0 {
		err = errors.Join(err, errors.New("no ticket to delete with it"))
	}
	seen := map[string]bool{l.Base: true}
	for _, t := range l.Tickets {
		err = errors.Join(err, checkRef(t.Ref), checkID(t.Commit))
		if seen[t.Ref] {
			err = errors.Join(err, fmt.Errorf("%s is named twice", t.Ref))
		}
		seen[t.Ref] = true
	}
	if l.Old == l.New {
		err = errors.Join(err, errors.New("the base would not move"))
	}
	return err
}

func (l Landing) refs() []string {
	refs := []string{l.Base}
	for _, t := range l.Tickets {
		refs = append(refs, t.Ref)
	}
	return refs
}

// verdict is what the push alone says; look asks to read the refs before it
// is believed.
type verdict struct {
	Outcome
	look bool
}

// passing are the reasons of a remote's no that no rule gave: a lock, a race, a
// full disk. They pass.
var passing = []string{
	"atomic transaction failed", "failed to update ref", "cannot lock ref", "failed to lock", "failed to write",
	"unpacker error", "unpack", "internal", "timeout", "try again", "fetch first", "incorrect old value",
	"reference already exists", "unable to migrate",
}

// judge reads the porcelain of the push.
func (l Landing) judge(p pushed) verdict {
	var refused, held, silent bool
	var ref, reason string
	for _, name := range l.refs() {
		r, answered := p.refs[name]
		switch {
		case !answered || r.kind == "remote failure":
			silent = true
		case r.flag == '=':
			held = true // not sent, so its lease was not checked
		case r.flag != '!':
		case strings.HasPrefix(r.reason, "atomic push fail"), r.kind == "rejected", contains(passing, r.reason):
			held = true // a stale lease, a lock, or another ref's fault
		default:
			refused, ref, reason = true, name, r.reason
		}
	}
	switch {
	case p.unsent:
		return verdict{Outcome: Outcome{Kind: Transient, Reason: p.detail, Remote: p.remote}}
	case silent:
		return verdict{Outcome: Outcome{Kind: Unknown, Reason: p.detail, Remote: p.remote}, look: true}
	case refused:
		return verdict{Outcome: Outcome{Kind: Refused, Ref: ref, Reason: reason, Remote: p.remote}, look: true}
	case held:
		return verdict{Outcome: Outcome{Kind: Transient, Reason: p.detail, Remote: p.remote}, look: true}
	}
	return verdict{Outcome: Outcome{Kind: Landed}}
}

func contains(parts []string, text string) bool {
	text = strings.ToLower(text)
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// settle decides with the refs as they are now. They outweigh what the push
// said: an earlier push of the same landing may have been the one that worked,
// and a ref that moved is no rule's doing.
func (l Landing) settle(v verdict, refs map[string]string, contained bool) Outcome {
	tip := refs[l.Base]
	if contained || tip == l.New {
		return Outcome{Kind: Landed}
	}
	var lost []string
	for _, t := range l.Tickets {
		if refs[t.Ref] != t.Commit {
			lost = append(lost, t.Ref)
		}
	}
	if tip != l.Old || len(lost) > 0 {
		reason := "the base is elsewhere"
		if tip == l.Old {
			reason = "a ticket is gone or moved"
		}
		return Outcome{Kind: Elsewhere, Tip: tip, Reason: reason, Tickets: lost}
	}
	return v.Outcome
}

// builtKept is how many builds are remembered: far more than a landing is behind.
const builtKept = 256

// noteBuilt remembers that a tip was put on a base here.
func (c *Clone) noteBuilt(tip, base string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.built == nil || len(c.built) >= builtKept {
		c.built = map[string]string{}
	}
	c.built[tip] = base
}

// descends says whether tip was built on base by this process, in one build or
// in a chain of them: then there is nothing to look up.
func (c *Clone) descends(tip, base string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for tip != "" && tip != base {
		below := c.built[tip]
		if below == tip {
			return false // a build of nothing
		}
		tip = below
	}
	return tip != ""
}
