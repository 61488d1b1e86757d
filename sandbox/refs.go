package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// RefUpdate moves one ref. An empty New deletes it. Old is the value it must
// have now: empty is whatever it is.
type RefUpdate struct {
	Ref string
	Old string
	New string
}

var errStale = errors.New("the ref is not where it was said to be")

// writeRefs moves refs in one git transaction and in memory; the lock is held.
// Refs that stand there already are left out.
func (r *Repository) writeRefs(updates []RefUpdate) error {
	var script strings.Builder
	script.WriteString("start\n")
	for _, u := range updates {
		now := r.refs[u.Ref]
		switch {
		case u.New == now:
		case u.New == "":
			fmt.Fprintf(&script, "delete %s %s\n", u.Ref, now)
		case now == "":
			fmt.Fprintf(&script, "create %s %s\n", u.Ref, u.New)
		default:
			fmt.Fprintf(&script, "update %s %s %s\n", u.Ref, u.New, now)
		}
	}
	script.WriteString("prepare\ncommit\n")
	err := r.refWriter.ask(script.String(), func(out *bufio.Reader) error {
		for _, step := range []string{"start", "prepare", "commit"} {
			line, err := out.ReadString('\n')
			if err != nil {
				return err
			}
			if line != step+": ok\n" {
				return fmt.Errorf("answered %q", line)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("move refs of %s: %w", r.FullName(), err)
	}
	for _, u := range updates {
		if u.New == "" {
			delete(r.refs, u.Ref)
		} else {
			r.refs[u.Ref] = u.New
			r.connected[u.New] = true
		}
	}
	return nil
}

// validRef follows git's own rules for ref names, near enough that nothing the
// ref writer would misread gets through.
func validRef(name string) bool {
	if !strings.HasPrefix(name, "refs/") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") || strings.Contains(name, "@{") {
		return false
	}
	for _, part := range strings.Split(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c == 0x7f || strings.ContainsRune("~^:?*[\\", c)
	})
}

// move makes the updates true and lets everything follow from them: pull
// request heads, merges, webhooks and workflow runs. The lock is held. The
// objects must be there; rules are the caller's matter. It is errStale when
// an Old does not hold.
func (r *Repository) move(by *credential, updates []RefUpdate) error {
	var moves []refMove
	all := slices.Clone(updates)
	for i, u := range updates {
		u.Ref = fullRef(u.Ref)
		now := r.refs[u.Ref]
		if u.Old == zeroSHA && now != "" || u.Old != "" && u.Old != zeroSHA && u.Old != now {
			return fmt.Errorf("move %s: %w", u.Ref, errStale)
		}
		if u.New == zeroSHA {
			u.New = ""
		}
		all[i] = u
		if u.New == now {
			continue
		}
		moves = append(moves, refMove{ref: u.Ref, old: now, new: u.New})
		for _, p := range r.pulls {
			if p.state == "open" && p.headRepo == r && "refs/heads/"+p.headRef == u.Ref && u.New != "" {
				all = append(all, RefUpdate{Ref: p.ref(), New: u.New})
			}
		}
	}
	if len(moves) == 0 {
		return nil
	}
	if err := r.writeRefs(all); err != nil {
		return err
	}
	r.pushed = r.forge.now()
	r.followMoves(by, moves)
	r.forge.touch()
	return nil
}

// Push moves refs as somebody whom every rule lets by: what an admin does
// around the queue, and how a test sets its scene. It fails when an object is
// missing, a name is bad or an Old does not hold; then nothing moved.
func (r *Repository) Push(by Actor, updates ...RefUpdate) error {
	for _, u := range updates {
		if !validRef(fullRef(u.Ref)) {
			return fmt.Errorf("push to %s: bad ref name %q", r.FullName(), u.Ref)
		}
		if err := r.connect(r.forge.ctx, u.New); err != nil {
			return fmt.Errorf("push to %s: %w", r.FullName(), err)
		}
	}
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	if err := r.move(credentialOf(by), updates); err != nil {
		return fmt.Errorf("push to %s: %w", r.FullName(), err)
	}
	return nil
}

// connect makes sure that the objects hang together down to what the refs
// reach, as git does before it accepts a push. The lock is not held.
func (r *Repository) connect(ctx context.Context, tips ...string) error {
	var unknown []string
	r.forge.mu.Lock()
	for _, sha := range tips {
		if sha != "" && sha != zeroSHA && !r.connected[sha] {
			unknown = append(unknown, sha)
		}
	}
	r.forge.mu.Unlock()
	if len(unknown) == 0 {
		return nil
	}
	out, err := runGit(ctx, r.dir, strings.NewReader(strings.Join(unknown, "\n")+"\n"), "rev-list", "--objects", "--stdin", "--not", "--all")
	if err != nil {
		return err
	}
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	for _, sha := range unknown {
		r.connected[sha] = true
	}
	for _, line := range strings.Split(string(out), "\n") {
		if len(line) == 40 {
			r.connected[line] = true
		}
	}
	return nil
}
