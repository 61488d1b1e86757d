package main

import (
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// chunks makes the report of the results, cut so that each part fits the wire.
func (j *job) chunks(s slice, r suite.Results, outcome shard.Outcome, setup time.Duration, round int) []shard.Report {
	head := shard.Report{
		API: shard.API, PlanID: s.PlanID, Suite: j.set.suite.Name, Variant: j.set.suite.Variant, Runner: string(j.set.suite.Runner),
		Shard: j.set.at, Source: s.Source, Scope: s.Scope, InventoryDigest: s.Digest, Outcome: outcome, ExitCode: r.ExitCode,
		WallMS: r.Wall.Milliseconds(), SetupMS: setup.Milliseconds(), Items: r.Items, NotRun: r.NotRun, Extra: r.Extra, Tool: tool(),
		Round: round, Reruns: j.set.mode == modeRun && j.client != nil && !r.Blind && j.set.suite.Reruns(),
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
