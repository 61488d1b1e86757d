package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	return d.accept(r.Context(), c, report, body)
}

// accept takes a report that is sound, however it came here.
func (d *door) accept(ctx context.Context, c caller, report shard.Report, body []byte) (*shard.ReportAnswer, *refusal) {
	if report.Scope == shard.ScopeNarrow && !c.narrow() {
		return nil, refuse(http.StatusConflict, shard.CodePlanMismatch, "the report is of a few tests only, and all of the suite was asked for")
	}
	if c.attempt != nil {
		if refused := c.clash(c.shard(report.Suite, report.Variant, report.Shard, "")); refused != nil {
			return nil, refused
		}
	}
	// The run's plan, whoever cut this slice; nil where none was made.
	key := shard.PlanKey{Repository: c.Repository, Run: c.Run, Suite: report.Suite, Variant: report.Variant, Total: report.Shard.Total}
	plan, err := d.frozen(ctx, c.Repository, key.ID())
	if err != nil {
		return nil, d.unavailable(err)
	}
	chunks, err := d.chunks(ctx, c, report)
	if err != nil {
		return nil, d.unavailable(err)
	}
	again := d.again(ctx, c, chunks, judge(chunks, plan))
	if c.attempt != nil {
		if refused := d.keep(ctx, c, body, chunks, len(again) > 0, plan); refused != nil {
			return nil, refused
		}
	}
	if len(again) == 0 {
		d.learnBase(ctx, c, report)
	}
	a := d.answerReport(c, report, plan, judge(chunks, plan))
	if len(again) > 0 {
		a.Next, a.Job = shard.NextAnswer{Action: shard.NextRerun, Tests: again}, shard.JobFail
	}
	return a, nil
}

// judge gives the verdict on a shard. What its job did not know to be in quarantine
// is not excused: it has failed for it by itself.
func judge(chunks []shard.Report, plan *shard.Frozen) shard.ShardVerdict {
	var quarantine map[string]bool
	if plan != nil && plan.Quarantine != nil && chunks[0].PlanID == plan.ID {
		quarantine = make(map[string]bool, len(plan.Quarantine.Tests))
		for _, key := range plan.Quarantine.Tests {
			quarantine[key] = true
		}
	}
	return shard.Judge(chunks, quarantine)
}

func (c caller) shard(suite, variant string, at shard.Position, inventory string) queue.Shard {
	return queue.Shard{Suite: suite, Variant: variant, Index: at.Index, Total: at.Total, CheckRun: c.CheckRun,
		RunID: c.Run, RunTry: c.RunTry, Inventory: inventory}
}

// clash refuses a job that says it is another shard as well, or another job's.
func (c caller) clash(sh queue.Shard) *refusal {
	if why := c.attempt.Clash(sh); why != "" {
		return refuse(http.StatusConflict, shard.CodeConflict, "%s", why)
	}
	return nil
}

// reportPrefix is how the keys of a shard's chunks begin.
func (c caller) reportPrefix(r shard.Report) string {
	return fmt.Sprintf("%d/%d/%d/%s/%s/%d/", c.attempt.ID, c.Run, c.RunTry, hexed(r.Suite), hexed(r.Variant), r.Shard.Index)
}

// chunks gives what came of a report: this chunk, and those of its round before it.
func (d *door) chunks(ctx context.Context, c caller, report shard.Report) ([]shard.Report, error) {
	chunks := []shard.Report{report}
	if report.Chunks == 1 || c.attempt == nil {
		return chunks, nil
	}
	kept, err := d.Reports.ReportBodies(ctx, c.place.ID, c.reportPrefix(report))
	if err != nil {
		return nil, err
	}
	for _, text := range kept {
		var other shard.Report
		if err := json.Unmarshal(text, &other); err == nil && other.Round == report.Round && other.Chunk != report.Chunk {
			chunks = append(chunks, other)
		}
	}
	return chunks, nil
}

// keep keeps one chunk, the first of chunks. The last of a report's chunks brings
// the shard's verdict, unless the shard is to run tests again: then it has not ended.
func (d *door) keep(ctx context.Context, c caller, body []byte, chunks []shard.Report, again bool, plan *shard.Frozen) *refusal {
	report := chunks[0]
	begun := c.shard(report.Suite, report.Variant, report.Shard, report.InventoryDigest)
	begun.Plan, begun.Units = coveredBy(plan)
	var fact queue.Fact = queue.ShardStarted{Commit: c.SHA, Shard: begun}
	if len(chunks) == report.Chunks && !again {
		fact = queue.ShardReported{Commit: c.SHA, Shard: d.shardReported(begun, report, chunks, plan)}
	}
	digest := sha256.Sum256(body)
	fresh, err := d.Reports.KeepReport(ctx, c.place.ID, c.reportPrefix(report)+chunkKey(report), hex.EncodeToString(digest[:]), body,
		queue.Event{At: d.Clock(), Fact: fact})
	switch {
	case errors.Is(err, queue.ErrDiffers):
		return refuse(http.StatusConflict, shard.CodeConflict, "another report of this shard and run was kept already")
	case err != nil:
		return d.unavailable(err)
	case !fresh && report.Reruns && len(chunks) == report.Chunks && !again && !c.ended(report):
		// It was to run tests again when it came first, and the answer was lost.
		if err := d.Reports.Tell(ctx, c.place.ID, fact); err != nil {
			return d.unavailable(err)
		}
	}
	d.Reports.Wake(c.place.ID)
	return nil
}

// ended tells whether the queue has heard how the report's shard ended in this try.
func (c caller) ended(r shard.Report) bool {
	return c.attempt != nil && slices.ContainsFunc(c.attempt.Shards, func(sh queue.Shard) bool {
		return sh.Suite == r.Suite && sh.Variant == r.Variant && sh.Index == r.Shard.Index && sh.RunTry == c.RunTry && sh.Result != ""
	})
}

// chunkKey is a chunk's own part of its key; what was run again has keys of its own.
func chunkKey(r shard.Report) string {
	if r.Round == 0 {
		return fmt.Sprintf("%03d", r.Chunk)
	}
	return fmt.Sprintf("again%d/%03d", r.Round, r.Chunk)
}

// hexed keeps a hostile name from looking like a part of a key.
func hexed(name string) string { return hex.EncodeToString([]byte(name)) }

// What a queue keeps of failing tests: enough to name them and to say why.
const (
	keptTests   = 50
	keptMessage = 4 << 10
)

// shardReported is what the queue hears of a shard that ended: what it came to, and
// which of the plan's units it ran.
func (d *door) shardReported(sh queue.Shard, report shard.Report, chunks []shard.Report, plan *shard.Frozen) queue.Shard {
	verdict := judge(chunks, plan)
	sh.EndedAt, sh.Result = d.Clock(), verdict.Result
	if sh.Plan != "" {
		sh.Ran = plan.UnitsOf(report).String()
	}
	for _, chunk := range chunks {
		sh.Tests += len(chunk.Tests)
	}
	sh.Failed = keepTests(report.Suite, verdict.Blocking, shard.Test.Last)
	sh.Flaky = keepTests(report.Suite, verdict.Flaky, firstRed)
	sh.Muted = keepTests(report.Suite, verdict.Muted, shard.Test.Last)
	return sh
}

// firstRed is how a flaky test failed before it passed.
func firstRed(t shard.Test) shard.Execution {
	if i := slices.IndexFunc(t.Executions, shard.Execution.Red); i >= 0 {
		return t.Executions[i]
	}
	return t.Last()
}

// keepTests is what a queue keeps of tests, each with the execution that tells.
func keepTests(suite string, tests []shard.Test, telling func(shard.Test) shard.Execution) []queue.FailedTest {
	var kept []queue.FailedTest
	for _, t := range tests[:min(len(tests), keptTests)] {
		e := telling(t)
		failed := queue.FailedTest{Key: t.Key, Name: t.Name, Suite: suite, Package: t.Class, File: e.File, Line: e.Line, Message: e.Message}
		if failed.File == "" {
			failed.File = t.File
		}
		if len(failed.Message) > keptMessage {
			failed.Message = strings.ToValidUTF8(failed.Message[:keptMessage], "") + "…"
		}
		kept = append(kept, failed)
	}
	return kept
}

func (d *door) answerReport(c caller, report shard.Report, plan *shard.Frozen, verdict shard.ShardVerdict) *shard.ReportAnswer {
	a := &shard.ReportAnswer{Accepted: true, ShardResult: verdict.Result, Job: shard.JobFail,
		Flaky: testKeys(verdict.Flaky), Quarantined: testKeys(verdict.Muted), Blocking: testKeys(verdict.Blocking),
		Coverage: shard.CoverageAnswer{MissingShards: []int{}}, Next: shard.NextAnswer{Action: shard.NextNone}}
	if verdict.Result.Green() {
		a.Job = shard.JobPass
	}
	if c.attempt == nil {
		return a
	}
	a.Coverage = coverage(c.attempt.Shards, report, plan)
	a.Batch = &shard.BatchAnswer{ID: strconv.FormatInt(c.attempt.Batch, 10), State: string(c.attempt.Phase),
		URL: fmt.Sprintf("%s/q/%s/%s/%s", d.URL, c.place.Owner, c.place.Name, c.place.Branch)}
	return a
}

// coverage is what was heard of the report's suite so far: its shards, and, where
// there is a plan, its items. How many there are without one nobody has told.
func coverage(shards []queue.Shard, report shard.Report, plan *shard.Frozen) shard.CoverageAnswer {
	a := shard.CoverageAnswer{MissingShards: []int{}}
	id, units := coveredBy(plan)
	ran := shard.NewUnits(units)
	if id != "" {
		ran.Join(plan.UnitsOf(report))
	}
	seen := map[int]bool{report.Shard.Index: true}
	for _, sh := range shards {
		if sh.Suite != report.Suite || sh.Variant != report.Variant || sh.Result == "" {
			continue
		}
		seen[sh.Index] = true
		if theirs, ok := shard.ParseUnits(sh.Ran, units); ok && sh.Plan == id && sh.Index != report.Shard.Index {
			ran.Join(theirs)
		}
	}
	for i := range report.Shard.Total {
		if !seen[i] {
			a.MissingShards = append(a.MissingShards, i)
		}
	}
	if id != "" {
		a.Planned, a.Seen = plan.Coverage(ran)
	}
	return a
}

func testKeys(tests []shard.Test) []string {
	keys := make([]string, len(tests))
	for i, t := range tests {
		keys[i] = t.Key
	}
	return keys
}
