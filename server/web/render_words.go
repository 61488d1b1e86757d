package web

import (
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// reasonWords says each reason in a few plain words.
var reasonWords = map[queue.Reason]string{
	queue.Conflict:         "Conflict",
	queue.ChecksFailed:     "Checks failed",
	queue.TimedOut:         "Timed out",
	queue.NeverStarted:     "CI never started",
	queue.HeadMoved:        "Pushed to while in line",
	queue.ApprovalLost:     "Approval lost",
	queue.LabelRemoved:     "Label removed",
	queue.Closed:           "Closed",
	queue.Draft:            "Turned into a draft",
	queue.Retargeted:       "Targets another branch",
	queue.NotPermitted:     "Not permitted",
	queue.RefusedByRule:    "Refused by a rule",
	queue.Withdrawn:        "Taken out",
	queue.AlreadyContained: "Already in the base",
	queue.LandedElsewhere:  "Merged around the queue",
	queue.ConflictingPair:  "Conflicting pair",
	queue.Infrastructure:   "Infrastructure trouble",
	queue.AppRemoved:       "The App was removed",
	queue.Integrity:        "Integrity",
}

// reasonText is a reason's words; one without any shows itself.
func reasonText(r queue.Reason) string {
	if text := reasonWords[r]; text != "" {
		return text
	}
	return strings.ReplaceAll(string(r), "_", " ")
}

var waitWords = map[queue.Wait]string{
	queue.NotApproved:       "Waits for approval",
	queue.ConditionUnmet:    "Waits for the config’s condition to hold",
	queue.InLine:            "Waits its turn",
	queue.InTest:            "Is being tested",
	queue.InLanding:         "Is landing",
	queue.OnHold:            "Tested green; waits for the hold label to be taken off",
	queue.NoRunner:          "Waits for a runner to take its jobs",
	queue.Paused:            "Waits for the queue to be resumed",
	queue.BaseRed:           "Waits for the base to be green again",
	queue.InvalidConfig:     "Waits for a valid config on the base branch",
	queue.GitHubUnavailable: "Waits for GitHub to answer",
}

// waitText says what an entry in line waits for, and for how much of it.
func waitText(e queue.Entry, h queue.Header) string {
	switch {
	case e.Phase == queue.Asking && (e.Wait == queue.NotApproved || e.Wait == queue.ConditionUnmet):
		return lackText(e, h)
	case e.Wait == queue.OnHold:
		return waitWords[queue.OnHold]
	case e.Phase == queue.Waiting && h.Pause != nil:
		return waitWords[queue.Paused]
	case e.Phase == queue.Waiting && h.Doubt != nil && h.Doubt.Red:
		return waitWords[queue.BaseRed]
	case e.Phase == queue.Waiting && h.Missing:
		return "Waits for the branch to come back"
	case waitWords[e.Wait] != "":
		return waitWords[e.Wait]
	case e.Phase == queue.Asking:
		return "Waits for the branch's rules to be met"
	}
	return waitWords[queue.InLine]
}

// lackText says it in the words of the check, which are Markdown.
func lackText(e queue.Entry, h queue.Header) string {
	if lack := e.Lacks(&h); lack != nil {
		return "Waits for " + strings.ReplaceAll(lack.What, "`", "")
	}
	return waitWords[e.Wait]
}

// waitGuess is about how long the entry at a place in line still has, or "".
func waitGuess(h queue.Header, place, openBatches int) string {
	wait := h.Wait(place, openBatches)
	if wait == 0 || h.Pause != nil {
		return ""
	}
	return "about " + roughly(wait)
}

// phaseText says where an attempt stands.
func phaseText(a queue.Attempt, branch string) string {
	switch a.Phase {
	case queue.AttemptBuilding:
		return "Putting the batch together"
	case queue.AttemptPushing:
		return "Sending it to GitHub"
	case queue.AttemptTesting:
		if a.SignAt.IsZero() {
			return "Waiting for CI to start"
		}
		return "Testing"
	case queue.AttemptChecking:
		return "Green: reading approvals and heads once more"
	case queue.AttemptMoving:
		return "Landing: moving the pull requests’ branches"
	case queue.AttemptLanding:
		return "Landing: moving " + branch
	case queue.AttemptCarried:
		return "Landing with the attempt that stands on it"
	case queue.AttemptAbandoning:
		if a.Aim == queue.AimSearch && len(a.Narrow) > 0 {
			return "Clearing away: the search goes on with what it said"
		}
		return "Clearing away: " + aimText[a.Aim]
	case queue.AttemptLanded:
		return "Landed"
	}
	return "Set aside"
}

var aimText = map[queue.Aim]string{
	queue.AimRebuild: "it is built again",
	queue.AimSearch:  "it is red, and the search goes on",
	queue.AimDrop:    "it can't help any more",
	queue.AimPause:   "a rule refused it, and the queue stops",
}

// stepNames are an attempt's way, for people; stepOf says which it is at.
var stepNames = []string{"Build", "Push", "Test", "Check", "Land"}

func stepOf(phase queue.AttemptPhase) int {
	switch phase {
	case queue.AttemptBuilding:
		return 0
	case queue.AttemptPushing:
		return 1
	case queue.AttemptTesting:
		return 2
	case queue.AttemptChecking:
		return 3
	case queue.AttemptMoving, queue.AttemptLanding, queue.AttemptCarried:
		return 4
	case queue.AttemptLanded:
		return 5
	}
	return -1
}

// methodText says how a landed entry went onto the base, where it was not rebased.
func methodText(e queue.Entry) string {
	switch {
	case e.Squashed:
		return "as one squashed commit, since a rebase conflicts without its merges, "
	case e.Method == queue.MethodSquash:
		return "by squash "
	case e.Method == queue.MethodMerge:
		return "by merge "
	}
	return ""
}
