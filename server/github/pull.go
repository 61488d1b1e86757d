package github

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

type account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Type  string `json:"type"`
}

func (a account) actor() queue.Actor {
	return queue.Actor{ID: a.ID, Login: a.Login, Bot: a.Type == "Bot"}
}

// pull is what we read of a pull request, single or listed.
type pull struct {
	Number   int     `json:"number"`
	Title    string  `json:"title"`
	Body     string  `json:"body"`
	State    string  `json:"state"`
	Draft    bool    `json:"draft"`
	Merged   bool    `json:"merged"` // not in lists
	MergedAt *string `json:"merged_at"`
	User     account `json:"user"`
	Labels   []named `json:"labels"`
	// What only a single reading has.
	Files     int  `json:"changed_files"`
	Additions int  `json:"additions"`
	Deletions int  `json:"deletions"`
	Head      side `json:"head"`
	Base      side `json:"base"`
	// Stack is there where GitHub itself keeps the stack it is of, whatever it says of it.
	Stack *anything `json:"stack"`
}

// anything is a value of whatever shape that is not null.
type anything struct{}

// UnmarshalJSON never fails.
func (*anything) UnmarshalJSON([]byte) error { return nil }

// named is a label.
type named struct {
	Name string `json:"name"`
}

type side struct {
	Ref  string   `json:"ref"`
	SHA  string   `json:"sha"`
	User *account `json:"user"`
	Repo *struct {
		ID            int64  `json:"id"`
		FullName      string `json:"full_name"`
		DefaultBranch string `json:"default_branch"`
	} `json:"repo"` // null: the fork was deleted
}

func (p *pull) status() queue.Status {
	switch {
	case p.Merged || p.MergedAt != nil && *p.MergedAt != "":
		return queue.Merged
	case p.State == "open":
		return queue.Open
	}
	return queue.ClosedStatus
}

// marks are those of our labels beside the wish's that are on it.
func (p *pull) marks(labels queue.Labels) []string {
	var names []string
	for _, l := range p.Labels {
		_, worth := priority(labels, l.Name)
		if worth || labels.All || strings.EqualFold(l.Name, labels.Hotfix) || strings.EqualFold(l.Name, labels.Solo) || methodOf(l.Name) != "" {
			names = append(names, l.Name)
		}
	}
	return names
}

// priority is what a label is worth, if anything.
func priority(labels queue.Labels, name string) (int, bool) {
	for label, worth := range labels.Priority {
		if strings.EqualFold(label, name) {
			return worth, true
		}
	}
	return 0, false
}

// mark notes what labels say that somebody set who may write. Of several
// priorities the highest counts.
func mark(pr *queue.PullRequest, labels queue.Labels, names []string) {
	ranked := false
	for _, name := range names {
		pr.Hotfix = pr.Hotfix || strings.EqualFold(name, labels.Hotfix)
		pr.Solo = pr.Solo || strings.EqualFold(name, labels.Solo)
		if worth, ok := priority(labels, name); ok && (!ranked || worth > pr.Priority) {
			pr.Priority, ranked = worth, true
		}
	}
	markMethod(pr, names)
}

// labelled ignores case, as GitHub does.
func (p *pull) labelled(label string) bool {
	for _, l := range p.Labels {
		if strings.EqualFold(l.Name, label) {
			return true
		}
	}
	return false
}

func (p *pull) reading(at time.Time) queue.PullRequest {
	pr := queue.PullRequest{Number: p.Number, Title: p.Title, Body: cut(p.Body, maxBody), Author: p.User.actor(), Head: p.Head.SHA, HeadRef: p.Head.Ref,
		Fork: p.Head.Repo == nil || p.Base.Repo == nil || p.Head.Repo.ID != p.Base.Repo.ID,
		Base: p.Base.Ref, Status: p.status(), Draft: p.Draft, ReadAt: at}
	pr.Traits = &queue.Traits{Files: p.Files, Additions: p.Additions, Deletions: p.Deletions}
	for _, l := range p.Labels {
		pr.Traits.Labels = append(pr.Traits.Labels, l.Name)
	}
	if pr.Fork {
		pr.HeadOwner = p.headOwner()
	}
	if p.Base.Repo != nil {
		var needs []int
		needs, pr.Strange = queue.DependsOn(pr.Body, p.Base.Repo.FullName)
		for _, n := range needs {
			pr.Needs = append(pr.Needs, queue.Need{PR: n})
		}
	}
	return pr
}

// maxBody is GitHub's own limit of a description, in characters.
const maxBody = 65_536

// readPull reads one pull request. A name that leads to another repository now
// leads nowhere.
func (s site) readPull(ctx context.Context, number int) (*pull, error) {
	var p pull
	path := fmt.Sprintf("pulls/%d", number)
	if _, err := s.get(ctx, path, nil, &p); err != nil {
		return nil, err
	}
	if s.place.Repository != 0 && p.Base.Repo != nil && p.Base.Repo.ID != s.place.Repository {
		return nil, &Trouble{Kind: Forbidden, Call: path, Message: s.name() + " is another repository now"}
	}
	return &p, nil
}

// ReadPullRequest reads a pull request; its reviews and its wish only where it is
// open and has the label. The wish is the label's newest event, when that set it;
// the other labels count where their newest event is a writer's, and hold whoever
// set it. Errors: *Trouble, or the context's.
func (a *App) ReadPullRequest(ctx context.Context, place queue.Place, number int, label string, labels queue.Labels) (queue.PullRequestRead, error) {
	return a.ReadInStack(ctx, place, queue.ReadPullRequest{Number: number, Label: label, Labels: labels}, nil)
}

// readStanding reads what people said of an open pull request by reviews and labels.
func (s site) readStanding(ctx context.Context, p *pull, pr *queue.PullRequest, label string, labels queue.Labels) error {
	since := pr.ReadAt.Add(-permitAge)
	may := func(ctx context.Context, who queue.Actor) (bool, error) {
		return s.app.permits.mayWrite(ctx, s, who, since)
	}
	rules := func(ctx context.Context, who queue.Actor) (bool, error) {
		return s.app.permits.mayRule(ctx, s, who, since)
	}
	pr.Hold = p.labelled(labels.Hold)
	var o opinions
	var marks []string
	err := sideBySide(ctx,
		func(ctx context.Context) (err error) { o, err = s.readOpinions(ctx, p.Number, may, rules); return err },
		func(ctx context.Context) (err error) {
			pr.Wish, marks, err = s.readWish(ctx, p.Number, label, p.marks(labels), may)
			return err
		},
	)
	if err == nil {
		o.tell(pr)
		mark(pr, labels, marks)
		pr.Traits.Trusted = marks
	}
	return err
}

// ReadMembers reads pull requests as fresh as may be, for the last look before a
// landing, in the order asked for. Here a wish only means that the label is still
// there, and has no id; of the other labels only hold is looked at. One that GitHub
// no longer knows reads as closed. Errors: *Trouble, or the context's.
func (a *App) ReadMembers(ctx context.Context, place queue.Place, numbers []int, label string, labels queue.Labels) ([]queue.PullRequest, error) {
	s, began := a.at(place), a.clock()
	fresh := newPermits()
	may := func(ctx context.Context, who queue.Actor) (bool, error) {
		return fresh.mayWrite(ctx, s, who, time.Time{})
	}
	rules := func(ctx context.Context, who queue.Actor) (bool, error) {
		return fresh.mayRule(ctx, s, who, time.Time{})
	}
	var found map[int]*pull
	told := make([]opinions, len(numbers))
	tasks := []func(context.Context) error{
		func(ctx context.Context) (err error) { found, err = s.readPulls(ctx, numbers); return err },
	}
	for i, number := range numbers {
		tasks = append(tasks, func(ctx context.Context) (err error) {
			told[i], err = s.readOpinions(ctx, number, may, rules)
			if gone(err) {
				return nil // readPulls finds out as well
			}
			return err
		})
	}
	if err := sideBySide(ctx, tasks...); err != nil {
		return nil, fmt.Errorf("read %d members in %s: %w", len(numbers), s.name(), err)
	}
	prs := make([]queue.PullRequest, len(numbers))
	for i, number := range numbers {
		p := found[number]
		if p == nil {
			prs[i] = queue.PullRequest{Number: number, Base: place.Branch, Status: queue.ClosedStatus, ReadAt: began}
			continue
		}
		prs[i] = p.reading(began)
		prs[i].Hold = p.labelled(labels.Hold)
		told[i].tell(&prs[i])
		if p.labelled(label) {
			prs[i].Wish = &queue.Wish{}
		}
	}
	return prs, nil
}

// readPulls reads several pull requests in few calls: from the list of open ones,
// most lately changed first, as far as that pays, then one by one. Those that
// GitHub does not know are missing.
func (s site) readPulls(ctx context.Context, numbers []int) (map[int]*pull, error) {
	found, missing := map[int]*pull{}, map[int]bool{}
	for _, number := range numbers {
		missing[number] = true
	}
	query := url.Values{"state": {"open"}, "base": {s.place.Branch}, "sort": {"updated"}, "direction": {"desc"}}
	for page, useful := 1, true; len(missing) > 1 && useful && page != 0; {
		var list []*pull
		resp, err := s.get(ctx, "pulls", paged(query, page), &list)
		if err != nil {
			return nil, err
		}
		useful = false
		for _, p := range list {
			if p != nil && missing[p.Number] {
				found[p.Number], useful = p, true
				delete(missing, p.Number)
			}
		}
		page = resp.NextPage
	}
	var (
		mu    sync.Mutex
		tasks []func(context.Context) error
	)
	for number := range missing {
		tasks = append(tasks, func(ctx context.Context) error {
			p, err := s.readPull(ctx, number)
			if gone(err) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			found[number] = p
			return err
		})
	}
	err := sideBySide(ctx, tasks...)
	return found, err
}

// ReadStatus reads where a pull request stands, in one call. Errors: *Trouble, or the context's.
func (a *App) ReadStatus(ctx context.Context, place queue.Place, pr int) (queue.Status, error) {
	s := a.at(place)
	p, err := s.readPull(ctx, pr)
	if err != nil {
		return "", fmt.Errorf("read the status of #%d of %s: %w", pr, s.name(), err)
	}
	return p.status(), nil
}

// ShowsHeads says whether every pull request shows the head it was moved to: one
// call for one, a list for several. Errors: *Trouble, or the context's.
func (a *App) ShowsHeads(ctx context.Context, place queue.Place, moves []queue.Move) (bool, error) {
	s := a.at(place)
	numbers := make([]int, len(moves))
	for i, m := range moves {
		numbers[i] = m.PR
	}
	found, err := s.readPulls(ctx, numbers)
	if err != nil {
		return false, fmt.Errorf("read %d moved heads in %s: %w", len(moves), s.name(), err)
	}
	for _, m := range moves {
		if p := found[m.PR]; p == nil || p.Head.SHA != m.New {
			return false, nil
		}
	}
	return true, nil
}
