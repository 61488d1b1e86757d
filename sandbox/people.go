package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// onPull runs a change of one pull request under the lock and wakes who waits.
func (r *Repository) onPull(number int64, what string, change func(p *pull) error) error {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	p := r.pull(number)
	if p == nil {
		return fmt.Errorf("%s #%d: no such pull request", what, number)
	}
	if err := change(p); err != nil {
		return err
	}
	r.forge.touch()
	return nil
}

// Review leaves a review of the present head: approved, changes_requested or commented.
func (r *Repository) Review(number int64, by Actor, state string) error {
	switch state = strings.ToUpper(state); state {
	case "APPROVED", "CHANGES_REQUESTED", "COMMENTED":
	default:
		return fmt.Errorf("review #%d: no such state %q", number, state)
	}
	return r.onPull(number, "review", func(p *pull) error {
		p.addReview(by.account(), state, "")
		return nil
	})
}

// DismissReviews dismisses whatever that person approved or objected to.
func (r *Repository) DismissReviews(number int64, by, of Actor) error {
	return r.onPull(number, "dismiss reviews of", func(p *pull) error {
		for _, v := range p.reviews {
			if v.by.id == of.account().id && (v.state == "APPROVED" || v.state == "CHANGES_REQUESTED") {
				v.state = "DISMISSED"
				p.record(by.account(), "review_dismissed", nil)
				p.sendReview(&credential{who: by.account()}, "dismissed", v)
			}
		}
		return nil
	})
}

// Label puts a label on, making it where the repository has none of that name.
func (r *Repository) Label(number int64, by Actor, name string) error {
	return r.onPull(number, "label", func(p *pull) error {
		p.addLabel(credentialOf(by), name)
		return nil
	})
}

// Unlabel takes a label off; it fails when the label is not there.
func (r *Repository) Unlabel(number int64, by Actor, name string) error {
	return r.onPull(number, "unlabel", func(p *pull) error {
		if !p.removeLabel(credentialOf(by), name) {
			return fmt.Errorf("unlabel #%d: it has no label %q", number, name)
		}
		return nil
	})
}

// Close closes an open pull request.
func (r *Repository) Close(number int64, by Actor) error {
	return r.onPull(number, "close", func(p *pull) error {
		if p.state == "open" {
			p.close(credentialOf(by))
		}
		return nil
	})
}

// Reopen opens a closed one again; it fails when it is merged or a branch is gone.
func (r *Repository) Reopen(number int64, by Actor) error {
	return r.onPull(number, "reopen", func(p *pull) error {
		if p.state == "open" {
			return nil
		}
		return p.reopen(credentialOf(by))
	})
}

// ConvertToDraft makes it a draft.
func (r *Repository) ConvertToDraft(number int64, by Actor) error {
	return r.onPull(number, "convert", func(p *pull) error {
		p.setDraft(credentialOf(by), true)
		return nil
	})
}

// ReadyForReview makes it a draft no longer.
func (r *Repository) ReadyForReview(number int64, by Actor) error {
	return r.onPull(number, "make ready", func(p *pull) error {
		p.setDraft(credentialOf(by), false)
		return nil
	})
}

// Retarget changes the base branch; it fails when there is no such branch.
func (r *Repository) Retarget(number int64, by Actor, base string) error {
	return r.onPull(number, "retarget", func(p *pull) error { return p.retarget(credentialOf(by), base) })
}

// EditPullRequest changes title and body.
func (r *Repository) EditPullRequest(number int64, by Actor, title, body string) error {
	return r.onPull(number, "edit", func(p *pull) error {
		p.edit(credentialOf(by), title, body)
		return nil
	})
}

// Comment writes a comment and returns its id.
func (r *Repository) Comment(number int64, by Actor, body string) (int64, error) {
	var id int64
	err := r.onPull(number, "comment on", func(p *pull) error {
		id = p.addComment(credentialOf(by), body).id
		return nil
	})
	return id, err
}

// Comments returns the bodies of a pull request's comments, oldest first.
func (r *Repository) Comments(number int64) []string {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	var bodies []string
	for _, c := range r.comments {
		if c.pull.number == number {
			bodies = append(bodies, c.body)
		}
	}
	return bodies
}

// onComment runs a change of one comment under the lock.
func (r *Repository) onComment(id int64, what string, change func(c *comment)) error {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	for _, c := range r.comments {
		if c.id == id {
			change(c)
			r.forge.touch()
			return nil
		}
	}
	return fmt.Errorf("%s comment %d: no such comment", what, id)
}

// EditComment changes a comment's text; its last change is from then on later than its making.
func (r *Repository) EditComment(id int64, by Actor, body string) error {
	return r.onComment(id, "edit", func(c *comment) {
		c.edit(credentialOf(by), body)
		c.updated = c.updated.Add(time.Second) // GitHub's stamps are whole seconds: this one is a later second
	})
}

// DeleteComment takes a comment away.
func (r *Repository) DeleteComment(id int64, by Actor) error {
	return r.onComment(id, "delete", func(c *comment) {
		r.comments = slices.DeleteFunc(r.comments, func(other *comment) bool { return other == c })
		r.sendComment(credentialOf(by), "deleted", c, nil)
	})
}

// Reactions are the emojis on a comment, as "login content", in order.
func (r *Repository) Reactions(id int64) (all []string) {
	_ = r.onComment(id, "read", func(c *comment) {
		for _, one := range c.reactions {
			all = append(all, one.by.login+" "+one.content)
		}
	})
	return all
}

// Press has somebody press a button on a check run.
func (r *Repository) Press(check int64, by Actor, identifier string) error {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	c := r.checkRun(check)
	if c == nil || !slices.ContainsFunc(c.actions, func(a object) bool { return a["identifier"] == identifier }) {
		return fmt.Errorf("press %q on check run %d: there is no such button", identifier, check)
	}
	if len(r.forge.listeners(r, "check_run")) > 0 {
		r.emit(credentialOf(by), "check_run", "requested_action", object{"check_run": r.toldCheckJSON(c), "requested_action": object{"identifier": identifier}})
	}
	return nil
}
