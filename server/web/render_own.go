package web

import (
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
)

// shownReports is how many reports of a pull request's own runs its page shows.
const shownReports = 300

// ownRun is what one run of a pull request itself said.
type ownRun struct {
	Head   link
	Run    link
	Try    int
	Shards []ownShard
}

type ownShard struct {
	Name, State, Sign string
	Tests             int
	Failed            []queue.FailedTest
}

// ownRuns are the reports by run, the newest first.
func (s *scene) ownRuns(reports []queue.PullReport) []ownRun {
	var runs []ownRun
	at := map[string]int{}
	for _, r := range reports {
		sh := r.Shard
		key := fmt.Sprint(sh.RunID, "/", sh.RunTry)
		i, known := at[key]
		if !known {
			i = len(runs)
			at[key] = i
			runs = append(runs, ownRun{Head: s.commit(r.Head), Try: sh.RunTry,
				Run: link{Text: fmt.Sprintf("run %d", sh.RunID), URL: s.at("actions", "runs", fmt.Sprint(sh.RunID))}})
		}
		own := ownShard{Name: fmt.Sprintf("%s %d of %d", sh.Suite, sh.Index+1, sh.Total), State: shardState(sh), Sign: "✓", Tests: sh.Tests, Failed: sh.Failed}
		if sh.Variant != "" {
			own.Name = fmt.Sprintf("%s (%s) %d of %d", sh.Suite, sh.Variant, sh.Index+1, sh.Total)
		}
		if !sh.Result.Green() {
			own.Sign = "✕"
		}
		runs[i].Shards = append([]ownShard{own}, runs[i].Shards...)
	}
	return runs
}
