package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// takeReport keeps a shard's report and tells the queue what it comes to.
func (d *door) takeReport(w http.ResponseWriter, r *http.Request) {
	if body, refused := d.report(w, r); refused != nil {
		refused.write(w)
	} else {
		answer(w, http.StatusOK, body)
	}
}

func (d *door) report(w http.ResponseWriter, r *http.Request) (*shard.ReportAnswer, *refusal) {
	c, refused := d.call(r)
	if refused != nil {
		return nil, refused
	}
	var report shard.Report
	body, refused := readBody(w, r, &report)
	if refused != nil {
		return nil, refused
	}
	if err := report.Validate(); err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, shard.CodeInvalid, "%v", err)
	}
	if !report.Matches(r.PathValue("suite"), r.PathValue("shard"), r.PathValue("chunk")) {
		return nil, refuse(http.StatusUnprocessableEntity, shard.CodeInvalid, "the body is another report than its address says")
	}
	if report.Scope == shard.ScopeNarrow && !c.narrow() {
		return nil, refuse(http.StatusConflict, shard.CodePlanMismatch, "the report is of a few tests only, and all of the suite was asked for")
	}
	chunks := []shard.Report{report}
	if c.attempt != nil {
		var refused *refusal
		if chunks, refused = d.keep(r.Context(), c, report, body); refused != nil {
			return nil, refused
		}
	}
	return d.answerReport(c, report, shard.Judge(chunks, nil)), nil
}

func (c caller) shard(suite, variant string, at shard.Position, inventory string) queue.Shard {
	return queue.Shard{Suite: suite, Variant: variant, Index: at.Index, Total: at.Total, CheckRun: c.CheckRun,
		RunID: c.Run, RunTry: c.RunTry, Inventory: inventory}
}

// keep keeps one chunk. The last of a report's chunks brings the shard's verdict.
func (d *door) keep(ctx context.Context, c caller, report shard.Report, body []byte) ([]shard.Report, *refusal) {
	prefix := fmt.Sprintf("%d/%d/%d/%s/%s/%d/", c.attempt.ID, c.Run, c.RunTry, hexed(report.Suite), hexed(report.Variant), report.Shard.Index)
	chunks := []shard.Report{report}
	if report.Chunks > 1 {
		kept, err := d.Reports.ReportBodies(ctx, c.place.ID, prefix)
		if err != nil {
			return nil, d.unavailable(err)
		}
		for _, text := range kept {
			var other shard.Report
			if err := json.Unmarshal(text, &other); err == nil && other.Chunk != report.Chunk {
				chunks = append(chunks, other)
			}
		}
	}
	var fact queue.Fact = queue.ShardStarted{Commit: c.SHA, Shard: c.shard(report.Suite, report.Variant, report.Shard, report.InventoryDigest)}
	if len(chunks) == report.Chunks {
		fact = queue.ShardReported{Commit: c.SHA, Shard: d.shardReported(c, report, chunks)}
	}
	digest := sha256.Sum256(body)
	_, err := d.Reports.KeepReport(ctx, c.place.ID, prefix+fmt.Sprintf("%03d", report.Chunk), hex.EncodeToString(digest[:]), body,
		queue.Event{At: d.Clock(), Fact: fact})
	switch {
	case errors.Is(err, queue.ErrDiffers):
		return nil, refuse(http.StatusConflict, shard.CodeConflict, "another report of this shard and run was kept already")
	case err != nil:
		return nil, d.unavailable(err)
	}
	d.Reports.Wake(c.place.ID)
	return chunks, nil
}

// hexed keeps a hostile name from looking like a part of a key.
func hexed(name string) string { return hex.EncodeToString([]byte(name)) }

// What a queue keeps of failing tests: enough to name them and to say why.
const (
	keptTests   = 50
	keptMessage = 4 << 10
)

func (d *door) shardReported(c caller, report shard.Report, chunks []shard.Report) queue.Shard {
	verdict := shard.Judge(chunks, nil)
	sh := c.shard(report.Suite, report.Variant, report.Shard, report.InventoryDigest)
	sh.EndedAt, sh.Result = d.Clock(), verdict.Result
	for _, chunk := range chunks {
		sh.Tests += len(chunk.Tests)
	}
	for _, t := range verdict.Blocking {
		if len(sh.Failed) == keptTests {
			break
		}
		last := t.Last()
		failed := queue.FailedTest{Name: t.Name, Suite: report.Suite, Package: t.Class, File: last.File, Line: last.Line, Message: last.Message}
		if failed.File == "" {
			failed.File = t.File
		}
		if len(failed.Message) > keptMessage {
			failed.Message = strings.ToValidUTF8(failed.Message[:keptMessage], "") + "…"
		}
		sh.Failed = append(sh.Failed, failed)
	}
	return sh
}

func (d *door) answerReport(c caller, report shard.Report, verdict shard.ShardVerdict) *shard.ReportAnswer {
	a := &shard.ReportAnswer{Accepted: true, ShardResult: verdict.Result, Job: shard.JobFail,
		Flaky: testKeys(verdict.Flaky), Quarantined: testKeys(verdict.Muted), Blocking: testKeys(verdict.Blocking),
		Coverage: shard.CoverageAnswer{MissingShards: []int{}}, Next: shard.NextAnswer{Action: shard.NextNone}}
	if verdict.Result.Green() {
		a.Job = shard.JobPass
	}
	if c.attempt == nil {
		return a
	}
	seen := map[int]bool{report.Shard.Index: true}
	for _, sh := range c.attempt.Shards {
		if sh.Suite == report.Suite && sh.Variant == report.Variant && sh.Result != "" {
			seen[sh.Index] = true
		}
	}
	for i := range report.Shard.Total {
		if !seen[i] {
			a.Coverage.MissingShards = append(a.Coverage.MissingShards, i)
		}
	}
	a.Coverage.Planned, a.Coverage.Seen = report.Shard.Total, len(seen)
	a.Batch = &shard.BatchAnswer{ID: strconv.FormatInt(c.attempt.Batch, 10), State: string(c.attempt.Phase),
		URL: fmt.Sprintf("%s/q/%s/%s/%s", d.URL, c.place.Owner, c.place.Name, c.place.Branch)}
	return a
}

func testKeys(tests []shard.Test) []string {
	keys := make([]string, len(tests))
	for i, t := range tests {
		keys[i] = t.Key
	}
	return keys
}
