package queue

import "fmt"

// What a job says of itself is held against what GitHub said of its run, and
// against what other jobs said before.

// Disowns reports whether GitHub told us of this run as another one than a job
// says: by another event, on another branch or of another workflow. One that it
// has not told us of yet may be right; its shards are not green before it has.
func (a *Attempt) Disowns(run int64, workflow string) bool {
	r := a.run(run)
	return r != nil && (!a.counts(*r) || workflow != "" && r.Path != "" && workflow != r.Path)
}

// mostShards of one attempt are kept: GitHub starts at most 256 jobs a workflow.
const mostShards = 2048

// Clash says what speaks against a shard's word, in a sentence; nothing where it
// may stand. Of a suite, one job is one shard and one shard is one job: else a
// single job could say that it is all of them. A job that runs two suites is fine.
func (a *Attempt) Clash(sh Shard) string {
	if sh.CheckRun == 0 {
		return a.crowd(sh)
	}
	for _, have := range a.Shards {
		if have.Suite != sh.Suite || have.RunID != sh.RunID || have.RunTry != sh.RunTry || have.CheckRun == 0 {
			continue
		}
		switch own := have.same(sh); {
		case have.CheckRun == sh.CheckRun && !own:
			return fmt.Sprintf("This job is %s already; it can't be %s as well.", have.label(), sh.label())
		case have.CheckRun != sh.CheckRun && own:
			return fmt.Sprintf("Another job of this run is %s already.", have.label())
		}
	}
	return a.crowd(sh)
}

func (a *Attempt) crowd(sh Shard) string {
	if len(a.Shards) < mostShards {
		return ""
	}
	for _, have := range a.Shards {
		if have.same(sh) {
			return ""
		}
	}
	return fmt.Sprintf("This attempt has %d shards already.", mostShards)
}

// same reports whether two are one shard of one run, whichever try.
func (sh Shard) same(other Shard) bool {
	return sh.Suite == other.Suite && sh.Variant == other.Variant && sh.Index == other.Index && sh.RunID == other.RunID
}
