package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Found is a report file that a run left at GitHub. All but Body is GitHub's word,
// and only by that is it said whose the report is.
type Found struct {
	Run     queue.Run
	Try     int
	HeadSHA string
	Name    string
	Body    []byte
}

// TakeFound takes the reports in a file as if the run's job had sent them, when the
// run is the one that an attempt's ticket started. One that was sent as well, and
// one that can't be read, is passed over. The error is the store's.
func (f *Front) TakeFound(ctx context.Context, place queue.Place, found Found) error {
	d := f.door
	c := caller{claims{Repository: place.Repository, Run: found.Run.ID, RunTry: found.Try, SHA: found.HeadSHA,
		Ref: "refs/heads/" + found.Run.Branch, Event: found.Run.Event, Workflow: found.Run.Path}, place, nil}
	place, attempt, err := d.Reports.FindAttempt(ctx, c.Repository, c.SHA)
	if errors.Is(err, queue.ErrNotFound) || err == nil && (!live(attempt) || !c.onTicket(attempt)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take the report %s: %w", found.Name, err)
	}
	c.place, c.attempt = place, &attempt
	for _, chunk := range d.readFound(found) {
		chunk.Reruns = false // its job has ended
		if _, refused := d.accept(ctx, c, chunk.Report, chunk.body); refused != nil && refused.status >= http.StatusInternalServerError {
			return fmt.Errorf("take the report %s: %s", found.Name, refused.Message)
		} else if refused != nil {
			d.Log.Info("a report found at GitHub was passed over", "artifact", found.Name, "run", found.Run.ID, "why", refused.Message)
		}
	}
	return nil
}

// KeepFound keeps the report in a file for a pull request's page, and does nothing
// else with it: whoever opened the pull request may have written it.
func (f *Front) KeepFound(ctx context.Context, place queue.Place, pr int, found Found) error {
	d := f.door
	var chunks []shard.Report
	for _, chunk := range d.readFound(found) {
		chunks = append(chunks, chunk.Report)
	}
	if len(chunks) == 0 {
		return nil
	}
	c := caller{claims{Repository: place.Repository, Run: found.Run.ID, RunTry: found.Try, SHA: found.HeadSHA, Event: found.Run.Event}, place, nil}
	sh := d.shardReported(c.shard(chunks[0].Suite, chunks[0].Variant, chunks[0].Shard, ""), chunks[0], chunks, nil)
	return d.Reports.KeepPullReport(ctx, place.ID, queue.PullReport{PR: pr, Head: found.HeadSHA, Shard: sh}, d.Clock())
}

type foundChunk struct {
	shard.Report
	body []byte
}

// readFound reads a file of reports, a chunk a line, which must all be of one shard.
func (d *door) readFound(found Found) []foundChunk {
	var chunks []foundChunk
	odd := func(why string) []foundChunk {
		d.Log.Warn("a report found at GitHub is not one", "artifact", found.Name, "run", found.Run.ID, "why", why)
		return nil
	}
	for line := range bytes.Lines(found.Body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var r shard.Report
		if err := json.Unmarshal(line, &r); err != nil {
			return odd("a line is not JSON")
		}
		if err := r.Validate(); err != nil {
			return odd(err.Error())
		}
		if len(chunks) > 0 {
			if first := chunks[0]; r.Suite != first.Suite || r.Variant != first.Variant || r.Shard != first.Shard || r.Chunks != first.Chunks {
				return odd("it has several reports")
			}
		}
		if chunks = append(chunks, foundChunk{r, bytes.Clone(line)}); len(chunks) > shard.MaxChunks {
			return odd("it has too many chunks")
		}
	}
	return chunks
}
