package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// job is one step at work.
type job struct {
	set    settings
	flow   *workflow
	client *client // nil: no server, or none that can be asked
	began  time.Time
}

func newJob(set settings, flow *workflow) *job {
	j := &job{set: set, flow: flow, began: time.Now()}
	if set.server == "" {
		return j
	}
	client, err := newClient(set, flow.token)
	if err != nil {
		flow.warn(err.Error() + "; Mainstay does without the server")
		return j
	}
	j.client = client
	return j
}

// slice is this shard's share of the suite. It is kept in a file between the
// steps of a job.
type slice struct {
	PlanID   string       `json:"plan_id"`
	Source   shard.Source `json:"source"`
	Scope    shard.Scope  `json:"scope"`
	Digest   string       `json:"inventory_digest"`
	Suite    int          `json:"inventory_items"`
	Items    []string     `json:"items"`
	Untested []string     `json:"untested"`
	Only     []string     `json:"only,omitempty"` // narrow: the tests asked for; nil: all of the items'
	Shards   [][]string   `json:"-"`              // of every shard, for a plan job
}

// run lists what is to be handed to the test runner.
func (s slice) run() []string {
	return append(append([]string{}, s.Items...), s.Untested...)
}

// cut finds this shard's share: the server's plan, or our own cut where there
// is no server to ask. It fails only where the suite cannot be listed.
func (j *job) cut(ctx context.Context, limit time.Duration) (slice, error) {
	found, err := j.set.suite.Discover(ctx, j.flow.out)
	if err != nil {
		return slice{}, err
	}
	s, ok := slice{}, false
	if j.client != nil {
		s, ok = j.ask(ctx, found.Items, limit)
	}
	if !ok {
		s = j.cutLocally(found.Items)
	}
	s.Digest, s.Suite = shard.Digest(found.Items), len(found.Items)
	s.Untested = shard.Slice(found.Untested, j.set.at.Index, j.set.at.Total)
	switch s.Scope {
	case shard.ScopeAll:
		s.Untested = found.Untested
	case shard.ScopeNarrow:
		s.Untested = nil
	}
	j.announce(s)
	return s, nil
}

// ask asks the server. Whatever goes wrong there is a warning and nothing more.
func (j *job) ask(ctx context.Context, items []string, limit time.Duration) (s slice, ok bool) {
	defer j.guard("plan")
	request := shard.PlanRequest{
		API: shard.API, Suite: j.set.suite.Name, Variant: j.set.suite.Variant, Runner: string(j.set.suite.Runner),
		Shard: j.set.at, All: j.set.planJob, Mode: shard.ModeStatic, Inventory: shard.NewInventory(items),
	}
	answer, err := j.client.plan(ctx, request, limit)
	if err != nil {
		j.flow.warn(fmt.Sprintf("the server could not be asked (%v); this job cuts the suite by itself, and its tests alone decide", err))
		return slice{}, false
	}
	for _, advice := range answer.Warnings {
		j.flow.say("Mainstay: %s", shard.CleanName(advice))
	}
	s = slice{PlanID: answer.PlanID, Source: shard.SourceServer, Scope: answer.Scope, Items: answer.Shard.IDs()}
	if s.Scope == shard.ScopeNarrow {
		s.Only = only(answer.Shard)
	}
	for _, other := range answer.Shards {
		s.Shards = append(s.Shards, other.IDs())
	}
	return s, true
}

// only lists the tests that a narrow shard is asked for; nil where an item is
// wanted as it is.
func only(s shard.PlannedShard) []string {
	var tests []string
	for _, item := range s.Items {
		if len(item.Tests) == 0 {
			return nil
		}
		tests = append(tests, item.Tests...)
	}
	return shard.Normalise(tests)
}

// cutLocally comes to the same cut in every shard. But where a server made an
// earlier attempt's plan and cannot be asked now, our own slice might leave out
// the very tests that failed: then the whole suite runs.
func (j *job) cutLocally(items []string) slice {
	s := slice{
		Source: shard.SourceFallback, Scope: shard.ScopeSlice,
		Items: shard.Slice(items, j.set.at.Index, j.set.at.Total), Shards: shard.Split(items, j.set.at.Total),
	}
	if j.set.server != "" && j.set.attempt > 1 {
		s.Scope, s.Items = shard.ScopeAll, items
	}
	return s
}

// guard keeps a fault of ours from changing the job's result.
func (j *job) guard(what string) {
	if fault := recover(); fault != nil {
		j.flow.warn(fmt.Sprintf("%s: a fault of Mainstay's own: %v", what, fault))
	}
}

func (j *job) announce(s slice) {
	by := "cut locally"
	if s.Source == shard.SourceServer {
		by = "by plan " + s.PlanID
	}
	what := fmt.Sprintf("%d of %d items", len(s.Items), s.Suite)
	if s.Scope == shard.ScopeAll {
		what = fmt.Sprintf("all %d items", s.Suite)
	}
	if s.Scope == shard.ScopeNarrow {
		what += ", a narrow search"
		if len(s.Only) > 0 {
			what += " for " + strings.Join(s.Only[:min(len(s.Only), 10)], ", ")
		}
	}
	j.flow.say("Suite %s, shard %d of %d: %s, %s", j.set.suite.Name, j.set.at.Index+1, j.set.at.Total, what, by)
	if s.Suite == 0 {
		j.flow.warn(fmt.Sprintf("suite %s has no tests", j.set.suite.Name))
	}
}

// plan is mode plan: it leaves the slice for a later step.
func (j *job) plan(ctx context.Context) (int, error) {
	s, err := j.cut(ctx, j.set.timeout)
	if err != nil {
		return exitUsage, err
	}
	if err := j.keep(s); err != nil {
		return exitUsage, err
	}
	j.tellSlice(s)
	if j.set.planJob {
		j.flow.output("matrix", matrix(s.Shards))
	}
	return exitFine, nil
}

// tellSlice sets the outputs that a slice has.
func (j *job) tellSlice(s slice) {
	j.flow.output("tests-file", j.file("tests.txt"))
	j.flow.output("count", strconv.Itoa(len(s.run())))
	j.flow.output("source", string(s.Source))
	j.flow.output("plan-id", s.PlanID)
	j.flow.output("scope", s.scopeOutput())
}

// scopeOutput is the scope in the two words that a workflow decides by.
func (s slice) scopeOutput() string {
	if s.Scope == shard.ScopeNarrow {
		return "narrow"
	}
	return "full"
}

func (j *job) file(name string) string { return filepath.Join(j.set.folder, name) }

// keep writes the slice, for people's commands and for mode report.
func (j *job) keep(s slice) error {
	text := ""
	if list := s.run(); len(list) > 0 {
		text = strings.Join(list, "\n") + "\n"
	}
	if err := os.WriteFile(j.file("tests.txt"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the list of tests: %w", err)
	}
	state, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(j.file("plan.json"), state, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	return nil
}

// maxMatrix is how large the lists in a matrix may be, in bytes. Above it they
// are left out, and each job of the matrix plans for itself.
const maxMatrix = 256 << 10

// matrix is the plan as a job's matrix, in one line of JSON.
func matrix(shards [][]string) string {
	type row struct {
		Shard int     `json:"shard"`
		Total int     `json:"total"`
		Tests *string `json:"tests,omitempty"`
	}
	write := func(lists bool) string {
		rows := make([]row, len(shards))
		for i, items := range shards {
			rows[i] = row{Shard: i, Total: len(shards)}
			if lists {
				tests := strings.Join(items, "\n")
				rows[i].Tests = &tests
			}
		}
		text, err := json.Marshal(map[string][]row{"include": rows})
		if err != nil {
			return ""
		}
		return string(text)
	}
	text := write(true)
	if len(text) > maxMatrix {
		text = write(false)
	}
	// Inside JSON the delimiter can be written so that it isn't one any more.
	return strings.ReplaceAll(text, delimiter, `\u005f`+delimiter[1:])
}

// chunks makes the report of the results, cut so that each part fits the wire.
func (j *job) chunks(s slice, r suite.Results, outcome shard.Outcome, setup time.Duration) []shard.Report {
	head := shard.Report{
		API: shard.API, PlanID: s.PlanID, Suite: j.set.suite.Name, Variant: j.set.suite.Variant, Runner: string(j.set.suite.Runner),
		Shard: j.set.at, Source: s.Source, Scope: s.Scope, InventoryDigest: s.Digest, Outcome: outcome, ExitCode: r.ExitCode,
		WallMS: r.Wall.Milliseconds(), SetupMS: setup.Milliseconds(), Items: r.Items, NotRun: r.NotRun, Extra: r.Extra, Tool: tool(),
	}
	var parts [][]shard.Test
	for begin, size := 0, 0; ; {
		end := begin
		for end < len(r.Tests) && end-begin < shard.MaxTests && size < maxChunk {
			size += weight(r.Tests[end])
			end++
		}
		parts = append(parts, r.Tests[begin:end])
		if end == len(r.Tests) {
			break
		}
		begin, size = end, 0
	}
	reports := make([]shard.Report, len(parts))
	for i, tests := range parts {
		reports[i] = head
		reports[i].Chunk, reports[i].Chunks, reports[i].Final = i, len(parts), i == len(parts)-1
		reports[i].Tests = tests
	}
	return reports
}

// maxChunk is about how many bytes of tests go into one chunk.
const maxChunk = 4 << 20

// weight is about how many bytes a test takes on the wire.
func weight(t shard.Test) int {
	n := 64 + len(t.Key) + len(t.File) + len(t.Class) + len(t.Name)
	for _, e := range t.Executions {
		n += 80 + len(e.Message) + len(e.File)
	}
	return n
}
