package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// pull is a pull request; everything of it is guarded by the forge's lock.
type pull struct {
	id, number      int64
	repo            *Repository
	headRepo        *Repository
	headRef         string
	headSHA         string
	baseRef         string
	baseSHA         string // the base's tip when the request was last pushed to or retargeted
	title, body     string
	author          account
	state           string
	draft           bool
	merged          bool
	mergedBy        account
	mergeSHA        string
	labels          []*label
	reviews         []*review
	threads         []*thread
	pushedBy        account // whose push made the head
	events          []*issueEvent
	created         time.Time
	updated, closed time.Time
}

type review struct {
	id     int64
	by     account
	state  string // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED
	body   string
	commit string
	at     time.Time
}

// issueEvent is one line of a pull request's history.
type issueEvent struct {
	id     int64
	name   string
	by     account
	label  *label
	app    *App // through which it was done
	commit string
	at     time.Time
}

func (p *pull) ref() string { return "refs/pull/" + strconv.FormatInt(p.number, 10) + "/head" }

func (p *pull) record(by account, name string, more func(*issueEvent), really ...bool) {
	if len(really) > 0 && !really[0] {
		return
	}
	e := &issueEvent{id: p.repo.forge.newID(), name: name, by: by, at: p.repo.forge.now()}
	if more != nil {
		more(e)
	}
	p.events = append(p.events, e)
	p.updated = e.at
}

// OpenPullRequest describes a new pull request. A nil HeadRepository is the
// base's own, an empty Base the default branch, a nil By the owner.
type OpenPullRequest struct {
	By             *User
	HeadRepository *Repository
	Head, Base     string
	Title, Body    string
	Draft          bool
}

// PullRequest is a pull request as it stood at one moment.
type PullRequest struct {
	ID, Number     int64
	Title, Body    string
	State          string // open or closed
	Draft, Merged  bool
	MergeCommitSHA string
	HeadSHA        string
	HeadRef        string
	HeadRepository string
	BaseRef        string
	Author         string
	Labels         []string
}

// OpenPullRequest opens a pull request. It fails when a branch is missing, the
// head holds nothing new, or one is open already for the same branches.
func (r *Repository) OpenPullRequest(o OpenPullRequest) (PullRequest, error) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	by := &credential{who: r.owner}
	if o.By != nil {
		by = credentialOf(o.By)
	}
	p, err := r.openPull(by, o)
	if err != nil {
		return PullRequest{}, err
	}
	return p.snapshot(), nil
}

// openPull opens a pull request with the lock held.
func (r *Repository) openPull(by *credential, o OpenPullRequest) (*pull, error) {
	p := &pull{repo: r, headRepo: o.HeadRepository, headRef: o.Head, baseRef: o.Base, title: o.Title, body: o.Body,
		draft: o.Draft, state: "open", author: by.account(), created: r.forge.now(), updated: r.forge.now()}
	if p.headRepo == nil {
		p.headRepo = r
	}
	if p.baseRef == "" {
		p.baseRef = r.branch
	}
	head, base := p.headRepo.refs["refs/heads/"+o.Head], r.refs["refs/heads/"+p.baseRef]
	if head == "" || base == "" {
		return nil, fmt.Errorf("open a pull request from %s to %s: no such branch", o.Head, p.baseRef)
	}
	for _, other := range r.pulls {
		if other.state == "open" && other.headRepo == p.headRepo && other.headRef == p.headRef && other.baseRef == p.baseRef {
			return nil, fmt.Errorf("open a pull request from %s to %s: #%d is open already", o.Head, p.baseRef, other.number)
		}
	}
	p.pushedBy = by.account()
	p.id, p.number = r.forge.newID(), int64(len(r.pulls))+1
	if err := p.takeHead(head); err != nil {
		return nil, fmt.Errorf("open a pull request from %s: %w", o.Head, err)
	}
	if p.contains(base, head) {
		return nil, fmt.Errorf("open a pull request from %s to %s: nothing new in it", o.Head, p.baseRef)
	}
	r.pulls = append(r.pulls, p)
	p.sendAction(by, "opened", nil)
	r.forge.touch()
	return p, nil
}

// takeHead puts the head into refs/pull/N/head, fetching a fork's commits.
func (p *pull) takeHead(head string) error {
	if p.headRepo != p.repo {
		if _, err := runGit(p.repo.forge.ctx, p.repo.dir, nil, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
			"--end-of-options", p.headRepo.dir, head); err != nil {
			return err
		}
	}
	if p.repo.refs[p.ref()] != head {
		if err := p.repo.writeRefs([]RefUpdate{{Ref: p.ref(), New: head}}); err != nil {
			return err
		}
	}
	p.headSHA, p.baseSHA = head, p.repo.refs["refs/heads/"+p.baseRef]
	return nil
}

func (p *pull) snapshot() PullRequest {
	s := PullRequest{ID: p.id, Number: p.number, Title: p.title, Body: p.body, State: p.state, Draft: p.draft, Merged: p.merged,
		MergeCommitSHA: p.mergeSHA, HeadSHA: p.headSHA, HeadRef: p.headRef, HeadRepository: p.headRepo.FullName(),
		BaseRef: p.baseRef, Author: p.author.login}
	for _, l := range p.labels {
		s.Labels = append(s.Labels, l.name)
	}
	return s
}

// PullRequest returns one pull request; ok is false when there is none of that number.
func (r *Repository) PullRequest(number int64) (pr PullRequest, ok bool) {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	p := r.pull(number)
	if p == nil {
		return PullRequest{}, false
	}
	return p.snapshot(), true
}

// PullRequests returns all of them, oldest first.
func (r *Repository) PullRequests() []PullRequest {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	all := make([]PullRequest, 0, len(r.pulls))
	for _, p := range r.pulls {
		all = append(all, p.snapshot())
	}
	return all
}

func (r *Repository) pull(number int64) *pull {
	if number < 1 || number > int64(len(r.pulls)) {
		return nil
	}
	return r.pulls[number-1]
}

func (p *pull) merge(by *credential, m refMove) {
	p.state, p.merged, p.mergedBy, p.closed = "closed", true, by.account(), p.repo.forge.now()
	p.mergeSHA = p.repo.mergePoint(m, p.headSHA)
	p.record(by.account(), "merged", func(e *issueEvent) { e.commit = p.mergeSHA })
	p.record(by.account(), "closed", nil)
	p.sendAction(by, "closed", nil)
}

func (p *pull) close(by *credential) {
	p.state, p.closed = "closed", p.repo.forge.now()
	p.record(by.account(), "closed", nil)
	p.sendAction(by, "closed", nil)
}

// reopen needs both branches, and takes the head's present commit.
func (p *pull) reopen(by *credential) error {
	head := p.headRepo.refs["refs/heads/"+p.headRef]
	base := p.repo.refs["refs/heads/"+p.baseRef]
	if p.merged || head == "" || base == "" || p.contains(base, head) {
		return fmt.Errorf("reopen #%d: it is merged, empty, or a branch of it is gone", p.number)
	}
	if err := p.takeHead(head); err != nil {
		return fmt.Errorf("reopen #%d: %w", p.number, err)
	}
	p.state, p.closed = "open", time.Time{}
	p.record(by.account(), "reopened", nil)
	p.sendAction(by, "reopened", nil)
	return nil
}

func (p *pull) setDraft(by *credential, draft bool) {
	if p.draft == draft {
		return
	}
	p.draft = draft
	event, action := "ready_for_review", "ready_for_review"
	if draft {
		event, action = "convert_to_draft", "converted_to_draft"
	}
	p.record(by.account(), event, nil)
	p.sendAction(by, action, nil)
}

func (p *pull) retarget(by *credential, base string) error {
	if p.repo.refs["refs/heads/"+base] == "" {
		return fmt.Errorf("retarget #%d to %s: no such branch", p.number, base)
	}
	before := p.baseRef
	if before == base {
		return nil
	}
	beforeSHA := p.baseSHA
	p.baseRef, p.baseSHA = base, p.repo.refs["refs/heads/"+base]
	p.record(by.account(), "base_ref_changed", nil)
	p.sendAction(by, "edited", object{"changes": object{"base": object{"ref": object{"from": before}, "sha": object{"from": beforeSHA}}}})
	return nil
}

func (p *pull) edit(by *credential, title, body string) {
	changes := object{}
	if title != p.title {
		changes["title"] = object{"from": p.title}
		p.record(by.account(), "renamed", nil)
	}
	if body != p.body {
		changes["body"] = object{"from": p.body}
	}
	if len(changes) == 0 {
		return
	}
	p.title, p.body, p.updated = title, body, p.repo.forge.now()
	p.sendAction(by, "edited", object{"changes": changes})
}

func (p *pull) addReview(by account, state, body string) *review {
	v := &review{id: p.repo.forge.newID(), by: by, state: strings.ToUpper(state), body: body, commit: p.headSHA, at: p.repo.forge.now()}
	p.reviews = append(p.reviews, v)
	p.updated = v.at
	p.sendReview(&credential{who: by}, "submitted", v)
	return v
}
