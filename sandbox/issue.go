package sandbox

import (
	"slices"
	"strings"
	"time"
)

type label struct {
	id                       int64
	name, color, description string
}

type comment struct {
	id               int64
	pull             *pull
	by               account
	app              *App
	body             string
	created, updated time.Time
	reactions        []reaction
}

// reaction is one account's emoji; nobody has the same twice on a comment.
type reaction struct {
	id      int64
	by      account
	content string
	at      time.Time
}

// labelNamed finds a label of the repository, ignoring case as GitHub does.
func (r *Repository) labelNamed(name string) *label {
	for _, l := range r.labels {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

func (r *Repository) makeLabel(name, color, description string) *label {
	l := &label{id: r.forge.newID(), name: name, color: color, description: description}
	r.labels = append(r.labels, l)
	return l
}

func (p *pull) addLabel(by *credential, name string) {
	l := p.repo.labelNamed(name)
	if l == nil {
		l = p.repo.makeLabel(name, "ededed", "")
	}
	if slices.Contains(p.labels, l) {
		return
	}
	p.labels = append(p.labels, l)
	p.record(by.account(), "labeled", func(e *issueEvent) { e.label, e.app = l, by.app })
	p.sendAction(by, "labeled", object{"label": labelJSON(p.repo, l)})
}

func (p *pull) removeLabel(by *credential, name string) bool {
	i := slices.IndexFunc(p.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
	if i < 0 {
		return false
	}
	l := p.labels[i]
	p.labels = slices.Delete(p.labels, i, i+1)
	p.record(by.account(), "unlabeled", func(e *issueEvent) { e.label, e.app = l, by.app })
	p.sendAction(by, "unlabeled", object{"label": labelJSON(p.repo, l)})
	return true
}

func (p *pull) addComment(by *credential, body string) *comment {
	f := p.repo.forge
	c := &comment{id: f.newID(), pull: p, by: by.account(), app: by.app, body: body, created: f.now(), updated: f.now()}
	p.repo.comments = append(p.repo.comments, c)
	p.updated = c.created
	p.repo.sendComment(by, "created", c, nil)
	return c
}

func (c *comment) edit(by *credential, body string) {
	before := c.body
	c.body, c.updated = body, c.pull.repo.forge.now()
	c.pull.repo.sendComment(by, "edited", c, object{"changes": object{"body": object{"from": before}}})
}

// Labels are the repository's labels, sorted.
func (r *Repository) Labels() []string {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	var names []string
	for _, l := range r.labels {
		names = append(names, l.name)
	}
	slices.Sort(names)
	return names
}

// DeleteLabel takes a label from the repository and all its pull requests.
func (r *Repository) DeleteLabel(by Actor, name string) error {
	for _, p := range r.PullRequests() {
		if slices.Contains(p.Labels, name) {
			if err := r.Unlabel(p.Number, by, name); err != nil {
				return err
			}
		}
	}
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	r.labels = slices.DeleteFunc(r.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
	r.forge.touch()
	return nil
}
