package github

import (
	"context"
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// writer tells whether somebody may write.
type writer func(ctx context.Context, who queue.Actor) (bool, error)

type review struct {
	User     account `json:"user"`
	State    string  `json:"state"`
	CommitID string  `json:"commit_id"`
	ruler    bool    // by an admin or a maintainer
}

// opinions are the reviews that count: the newest decisive one of each writer, in
// the order in which people first spoke up.
type opinions []review

// readOpinions reads the reviews and looks up who of those who approve or ask
// for changes may write, and who of them rules.
func (s site) readOpinions(ctx context.Context, number int, may, rules writer) (opinions, error) {
	var all []review
	err := eachPage(ctx, s, fmt.Sprintf("pulls/%d/reviews", number), nil, func(page []review) { all = append(all, page...) })
	if err != nil {
		return nil, fmt.Errorf("read reviews: %w", err)
	}
	var (
		newest = newestOpinions(all)
		counts = make([]bool, len(newest))
		tasks  []func(context.Context) error
	)
	for i, r := range newest {
		tasks = append(tasks, func(ctx context.Context) (err error) {
			if counts[i], err = may(ctx, r.User.actor()); err == nil && counts[i] {
				newest[i].ruler, err = rules(ctx, r.User.actor()) // the same look-up
			}
			return err
		})
	}
	if err := sideBySide(ctx, tasks...); err != nil {
		return nil, err
	}
	var o opinions
	for i := range newest {
		if counts[i] {
			o = append(o, newest[i])
		}
	}
	return o, nil
}

// newestOpinions picks each person's newest decisive review and drops those that
// were dismissed. A comment changes nothing.
func newestOpinions(all []review) []review {
	var people []int64
	newest := map[int64]review{}
	for _, r := range all {
		switch r.State {
		case "APPROVED", "CHANGES_REQUESTED", "DISMISSED":
		default:
			continue
		}
		if r.User.ID == 0 {
			continue // a deleted account
		}
		if _, known := newest[r.User.ID]; !known {
			people = append(people, r.User.ID)
		}
		newest[r.User.ID] = r
	}
	var standing []review
	for _, id := range people {
		if r := newest[id]; r.State != "DISMISSED" {
			standing = append(standing, r)
		}
	}
	return standing
}

// tell counts the opinions on a reading. The author's own does not count.
func (o opinions) tell(pr *queue.PullRequest) {
	for _, r := range o {
		switch {
		case r.User.ID == pr.Author.ID:
		case r.State == "CHANGES_REQUESTED":
			pr.ChangesRequested = append(pr.ChangesRequested, r.User.Login)
		case r.CommitID == pr.Head:
			pr.Approvals++
			if r.ruler {
				pr.Rulers++
			}
		default:
			pr.StaleApprovals++
			pr.StaleHead = r.CommitID
		}
	}
}
