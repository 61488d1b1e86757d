package queue

import (
	"fmt"
	"strings"
)

// A matrix has more jobs than those that reported: another configuration's, whose
// machine is late or broke before the Action could speak. Its shards are nowhere,
// so nothing misses them. But GitHub names the jobs of a matrix alike, "test
// (linux, 0)" and "test (windows, 0)": where some are a suite's, all have to end.

// matrixJobs names a matrix: a check suite, and what its jobs' names begin with.
type matrixJobs struct {
	suite int64
	name  string
}

// judgeSiblings judges the jobs beside a planned suite's shards that reported
// nothing. One that failed is its run's to judge: a job may be allowed to fail.
func (a *Attempt) judgeSiblings() (verdictState, string) {
	shards, matrices := map[int64]int64{}, map[matrixJobs]bool{} // jobs to the check suite of a planned suite's; 0: none
	for _, sh := range a.Shards {
		shards[sh.CheckRun] += 0 // known, whatever it is of
		if _, planned := a.Plan.Suites[sh.Suite]; !planned {
			continue
		}
		if run := a.run(sh.RunID); run != nil && a.counts(*run) {
			shards[sh.CheckRun] = run.Suite
		}
	}
	for _, c := range a.Results.Checks {
		if name := matrixName(c.Name); name != "" && c.Suite != 0 && shards[c.ID] == c.Suite {
			matrices[matrixJobs{c.Suite, name}] = true
		}
	}
	state, detail := passed, ""
	for _, c := range a.Results.Checks {
		if _, reports := shards[c.ID]; reports || !matrices[matrixJobs{c.Suite, matrixName(c.Name)}] || concluded(c.Status, c.Conclusion, true) == passed {
			continue
		}
		switch run := a.runOf(c.Suite); {
		case run == nil || run.Status != "completed":
			state, detail = pending, fmt.Sprintf("job %s", code(c.Name))
		case run.Conclusion != "success":
			return failed, fmt.Sprintf("The job %s concluded %s and told no report.", code(c.Name), c.Conclusion)
		}
	}
	return state, detail
}

// runOf is the counting run of a check suite; nil where there is none.
func (a *Attempt) runOf(suite int64) *Run {
	for i, r := range a.Results.Runs {
		if r.Suite == suite && a.counts(r) {
			return &a.Results.Runs[i]
		}
	}
	return nil
}

// matrixName is what the names of a matrix's jobs have in common; "" of a job that is alone.
func matrixName(job string) string {
	name, _, in := strings.Cut(job, " (")
	if !in || !strings.HasSuffix(job, ")") {
		return ""
	}
	return name
}
