package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// stateNone is the verdict on a commit that is no attempt's.
const stateNone = "none"

// showVerdict says what the suites of the caller's commit come to so far.
func (d *door) showVerdict(w http.ResponseWriter, r *http.Request) {
	if body, refused := d.verdict(r); refused != nil {
		refused.write(w)
	} else {
		w.Header().Set("Cache-Control", "no-store")
		answer(w, http.StatusOK, body)
	}
}

// verdict looks the attempt up by itself: one that is over is an answer here.
func (d *door) verdict(r *http.Request) (*shard.VerdictAnswer, *refusal) {
	c, refused := d.identify(r)
	if refused != nil {
		return nil, refused
	}
	place, attempt, err := d.Reports.FindAttempt(r.Context(), c.Repository, c.SHA)
	switch {
	case errors.Is(err, queue.ErrNotFound) && c.onAnyTicket():
		return &shard.VerdictAnswer{State: string(queue.SuitesCancelled), Detail: "The attempt is no longer known."}, nil
	case err != nil && !errors.Is(err, queue.ErrNotFound):
		return nil, d.unavailable(err)
	case err != nil || !c.onTicket(attempt) && attempt.Ticket != "":
		return &shard.VerdictAnswer{State: stateNone}, nil
	case attempt.Ticket == "" && !c.onAnyTicket(): // landed long ago: its receipt does not name the ticket
		return &shard.VerdictAnswer{State: stateNone}, nil
	}
	v := attempt.SuiteVerdict()
	return &shard.VerdictAnswer{State: string(v.State), Reason: string(v.Reason), Detail: v.Detail, URL: d.batchURL(place, attempt)}, nil
}

// batchURL is the page of an attempt's batch, or of its queue where it has none.
func (d *door) batchURL(place queue.Place, a queue.Attempt) string {
	if a.Batch == 0 {
		return d.URL + queuePath(place)
	}
	return fmt.Sprintf("%s%s/batch/%d", d.URL, queuePath(place), a.Batch)
}
