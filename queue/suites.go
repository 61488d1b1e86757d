package queue

import "fmt"

// SuiteState is what the suites of an attempt come to so far.
type SuiteState string

// The states. Incomplete: what was reported does not add up to the whole suite.
// Cancelled: the attempt ended before its suites did.
const (
	SuitesPending    SuiteState = "pending"
	SuitesPassed     SuiteState = "passed"
	SuitesFailed     SuiteState = "failed"
	SuitesIncomplete SuiteState = "incomplete"
	SuitesCancelled  SuiteState = "cancelled"
)

// SuiteVerdict is what the reports of an attempt's suites come to.
type SuiteVerdict struct {
	State  SuiteState
	Reason Reason
	Detail string
}

// SuiteVerdict adds up the shards' reports, for a job that waits for them. It
// does not wait for any other check, because that job may be one itself; and of
// the shards' jobs it takes GitHub's conclusion where that is known, and the
// report's word where it is not yet. So it may say passed a moment before the
// attempt does, which asks GitHub in any case.
func (a *Attempt) SuiteVerdict() SuiteVerdict {
	if a.Phase == AttemptLanded {
		return SuiteVerdict{State: SuitesPassed}
	}
	waits, gap := "", a.gap()
	for _, sh := range a.Shards {
		state, conclusion := a.job(sh)
		switch {
		case sh.Result != "" && !sh.Result.Green():
			return SuiteVerdict{SuitesFailed, ChecksFailed, sh.redText()}
		case sh.Result != "" && state == failed:
			return SuiteVerdict{SuitesFailed, ChecksFailed, fmt.Sprintf("The job of %s concluded %s.", sh.label(), conclusion)}
		case sh.Result == "":
			waits = fmt.Sprintf("Waiting for %s.", sh.label())
		}
	}
	if gap != "" {
		return SuiteVerdict{SuitesIncomplete, ChecksFailed, gap}
	}
	suites := a.suites()
	for _, suite := range sortedNames(suites) {
		state, detail := a.judgeSuite(suite, suites[suite], func(sh Shard) bool { return sh.Result.Green() })
		switch {
		case state == failed:
			return SuiteVerdict{SuitesIncomplete, ChecksFailed, detail}
		case state == pending && waits == "":
			waits = fmt.Sprintf("Waiting for suite %s.", code(suite))
		}
	}
	switch {
	case waits == "" && len(suites) > 0:
		return SuiteVerdict{State: SuitesPassed}
	case !a.live() || a.Phase == AttemptAbandoning:
		return SuiteVerdict{State: SuitesCancelled, Detail: a.Cause}
	}
	return SuiteVerdict{State: SuitesPending, Detail: waits}
}

// gap names a shard whose report is lost for good.
func (a *Attempt) gap() string {
	for _, sh := range a.Shards {
		if a.lost(sh) && sh.Sought && a.SeekingAt.IsZero() {
			return fmt.Sprintf("The job of %s ended without a report.", sh.label())
		}
	}
	return ""
}

// suites are those that must report and those that did, with the shards they must have.
func (a *Attempt) suites() map[string]int {
	all := map[string]int{}
	for suite, total := range a.Plan.Suites {
		all[suite] = total
	}
	for _, sh := range a.Shards {
		if _, planned := all[sh.Suite]; !planned {
			all[sh.Suite] = 0
		}
	}
	return all
}
