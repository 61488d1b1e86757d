package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// scene is one reading of a queue and all a page needs to show it.
type scene struct {
	now      time.Time
	github   string
	place    queue.Place
	rows     queue.Rows
	ended    []queue.Entry
	receipts []queue.Receipt
	known    map[int]queue.PullRequest
}

// pullView is a pull request as a list shows it.
type pullView struct {
	Number int
	Path   string // our page
	URL    string // GitHub's
	Title  string
	Author string
	Became link
	Fate   string // "", "landed" or "out"
}

// scene reads a queue and as much of its history as is asked for.
func (p *pages) scene(ctx context.Context, id int64, ended int) (*scene, error) {
	place, _, rows, err := p.Reader.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read queue %d: %w", id, err)
	}
	s := &scene{now: p.Clock(), github: p.GitHubURL, place: place, rows: rows, known: map[int]queue.PullRequest{}}
	if s.ended, err = p.Reader.Ended(ctx, id, ended); err != nil {
		return nil, fmt.Errorf("read the ended entries of queue %d: %w", id, err)
	}
	if s.receipts, err = p.Reader.Receipts(ctx, id, shownEnded); err != nil {
		return nil, fmt.Errorf("read the landings of queue %d: %w", id, err)
	}
	for i := len(s.ended) - 1; i >= 0; i-- { // the newest reading wins
		s.known[s.ended[i].PR.Number] = s.ended[i].PR
	}
	for _, e := range rows.Entries {
		s.known[e.PR.Number] = e.PR
	}
	return s, nil
}

func (s *scene) since(at time.Time) moment { return since(s.now, at) }

func (s *scene) repository() string { return s.place.Owner + "/" + s.place.Name }

// at is an address in the repository at GitHub, or "" where no links are wanted.
func (s *scene) at(parts ...string) string {
	if s.github == "" {
		return ""
	}
	address := s.github + "/" + url.PathEscape(s.place.Owner) + "/" + url.PathEscape(s.place.Name)
	for _, part := range parts {
		for _, name := range strings.Split(part, "/") {
			address += "/" + url.PathEscape(name)
		}
	}
	return address
}

func (s *scene) commit(id string) link {
	if id == "" {
		return link{}
	}
	return link{Text: short(id), URL: s.at("commit", id)}
}

func (s *scene) branch(name string) link { return link{Text: name, URL: s.at("tree", name)} }

func (s *scene) pull(number int) pullView {
	pr := s.known[number]
	return pullView{Number: number, Path: pullPath(s.place, number), URL: s.at("pull", fmt.Sprint(number)),
		Title: pr.Title, Author: pr.Author.Login}
}
