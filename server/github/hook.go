package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// ticketPrefix begins the branches that are ours: their pushes tell no queue anything.
const ticketPrefix = "mainstay/"

// Verify checks X-Hub-Signature-256 over a webhook's body as it came. It fails
// when no secret of ours made that signature.
func (a *App) Verify(signature string, body []byte) error {
	given, ok := strings.CutPrefix(signature, "sha256=")
	if !ok {
		return errors.New("verify webhook: there is no sha256 signature")
	}
	sum, err := hex.DecodeString(given)
	if err != nil || len(sum) != sha256.Size {
		return errors.New("verify webhook: the signature is not 64 hexadecimal digits")
	}
	for _, secret := range a.secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), sum) {
			return nil
		}
	}
	return errors.New("verify webhook: the signature matches no secret of ours")
}

// Interpret boils a webhook down to hints: which queue should look at what again.
// What tells nothing gives no hints. It fails only on a body that does not parse.
func (a *App) Interpret(event string, body []byte) ([]queue.Hint, error) {
	read := hooks[event]
	if read == nil {
		return nil, nil
	}
	var h hook
	if err := json.Unmarshal(body, &h); err != nil {
		return nil, fmt.Errorf("interpret webhook %q: %w", cut(event, 50), err)
	}
	if h.Repository.ID <= 0 {
		return nil, nil
	}
	return read(a, &h), nil
}

var hooks = map[string]func(*App, *hook) []queue.Hint{
	"pull_request":               (*App).hintPull,
	"pull_request_review":        (*App).hintPull,
	"pull_request_review_thread": (*App).hintPull,
	"issues":                     (*App).hintIssue,
	"issue_comment":              (*App).hintComment,
	"push":                       (*App).hintPush,
	"branch_protection_rule":     (*App).hintRules,
	"repository_ruleset":         (*App).hintRules,
	"check_run":                  (*App).hintCheck,
	"check_suite":                func(a *App, h *hook) []queue.Hint { return a.hintResult(h, h.CheckSuite) },
	"workflow_run":               func(a *App, h *hook) []queue.Hint { return a.hintResult(h, h.WorkflowRun) },
	"workflow_job":               func(a *App, h *hook) []queue.Hint { return a.hintResult(h, h.WorkflowJob) },
	"status":                     (*App).hintStatus,
}

// idle are the actions on a pull request that change no fact we read.
var idle = map[string]bool{
	"assigned": true, "unassigned": true, "review_requested": true, "review_request_removed": true,
	"locked": true, "unlocked": true, "milestoned": true, "demilestoned": true,
}

func (a *App) hintPull(h *hook) []queue.Hint {
	pr := h.PullRequest
	if pr.Number <= 0 || idle[h.Action] {
		return nil
	}
	labelled := len(pr.Labels) > 0
	// Only our own label opens a queue: a branch of its own for every labelled pull request would be many.
	opens := pr.Base.Ref != "" && slices.ContainsFunc(pr.Labels, func(l hookLabel) bool { return l.Name == queue.Defaults().Label })
	hints := []queue.Hint{{Place: h.place(pr.Base.Ref), Opens: opens,
		Fact: queue.PullRequestHinted{Number: pr.Number, Labelled: labelled}}}
	if from := h.Changes.Base.Ref.From; from != "" && from != pr.Base.Ref {
		hints = append(hints, queue.Hint{Place: h.place(from), Fact: queue.PullRequestHinted{Number: pr.Number}})
	}
	return hints
}

// hintIssue speaks up for issues that are pull requests; their base is not told.
func (a *App) hintIssue(h *hook) []queue.Hint {
	if h.Issue.Number <= 0 || h.Issue.PullRequest == nil || idle[h.Action] {
		return nil
	}
	return []queue.Hint{{Place: h.place(""),
		Fact: queue.PullRequestHinted{Number: h.Issue.Number, Labelled: len(h.Issue.Labels) > 0}}}
}

// hintComment speaks up for new comments that may have a command in them.
func (a *App) hintComment(h *hook) []queue.Hint {
	if h.Action != "created" || h.Issue.PullRequest == nil || h.Comment.ID <= 0 || !strings.Contains(h.Comment.Body, queue.CommandMark) {
		return nil
	}
	return []queue.Hint{{Place: h.place(""), Fact: queue.CommandHinted{Comment: h.Comment.ID}}}
}

func (a *App) hintPush(h *hook) []queue.Hint {
	branch, ok := strings.CutPrefix(h.Ref, "refs/heads/")
	if !ok || branch == "" || strings.HasPrefix(branch, ticketPrefix) {
		return nil
	}
	tip := h.After
	if h.Deleted || !isCommit(tip) {
		tip = ""
	}
	return []queue.Hint{{Place: h.place(branch), Fact: queue.BaseHinted{Tip: tip}}}
}

func (a *App) hintRules(h *hook) []queue.Hint {
	return []queue.Hint{{Place: h.place(""), Fact: queue.BaseHinted{}}}
}

// hintCheck tells a pressed button of ours from a result.
func (a *App) hintCheck(h *hook) []queue.Hint {
	if h.Action != "requested_action" || h.CheckRun.App.ID != a.id {
		return a.hintResult(h, h.CheckRun)
	}
	var pr int
	var wish int64
	_, err := fmt.Sscanf(h.CheckRun.ExternalID, "mainstay/%d/%d", &pr, &wish)
	word := queue.Word(h.RequestedAction.Identifier)
	if _, ours := faces[word]; err != nil || pr <= 0 || !ours || h.Sender.ID <= 0 {
		return nil
	}
	return []queue.Hint{{Place: h.place(""), Fact: queue.ButtonHinted{PR: pr, Word: word, By: h.Sender.actor(), Head: h.CheckRun.HeadSHA}}}
}

// hintResult leaves out what our own App posted: it says nothing that we don't know.
func (a *App) hintResult(h *hook, r hookResult) []queue.Hint {
	if r.App.ID == a.id || !isCommit(r.HeadSHA) {
		return nil
	}
	// A job of Actions ends twice, as a job and as a check run: one hint is enough.
	done := r.Status == "completed" && r.App.ID != queue.ActionsApp
	hinted := queue.ResultsHinted{Commit: r.HeadSHA, Done: done}
	if done && r.Event == "pull_request" && r.ID > 0 {
		hinted.PullRun = r.ID
	}
	return []queue.Hint{{Place: h.place(""), Fact: hinted}}
}

func (a *App) hintStatus(h *hook) []queue.Hint {
	if !isCommit(h.SHA) {
		return nil
	}
	return []queue.Hint{{Place: h.place(""), Fact: queue.ResultsHinted{Commit: h.SHA, Done: h.State != "pending"}}}
}

// isCommit tells a commit id, which is not the zero one, from anything else.
func isCommit(text string) bool {
	if len(text) != 40 && len(text) != 64 || strings.Trim(text, "0") == "" {
		return false
	}
	return strings.Trim(text, "0123456789abcdef") == ""
}

// hook is what we read of a webhook, whichever it is. The rest may be anything.
type hook struct {
	Action     string `json:"action"`
	Repository struct {
		ID    int64  `json:"id"`
		Name  string `json:"name"`
		Owner struct {
			Login string `json:"login"`
		} `json:"owner"`
	} `json:"repository"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	PullRequest struct {
		Number int         `json:"number"`
		Labels []hookLabel `json:"labels"`
		Base   struct {
			Ref string `json:"ref"`
		} `json:"base"`
	} `json:"pull_request"`
	Issue struct {
		Number      int         `json:"number"`
		Labels      []hookLabel `json:"labels"`
		PullRequest *struct{}   `json:"pull_request"`
	} `json:"issue"`
	Comment struct {
		ID   int64  `json:"id"`
		Body string `json:"body"`
	} `json:"comment"`
	RequestedAction struct {
		Identifier string `json:"identifier"`
	} `json:"requested_action"`
	Sender      account     `json:"sender"`
	Changes     hookChanges `json:"changes"`
	Ref         string      `json:"ref"`
	After       string      `json:"after"`
	Deleted     bool        `json:"deleted"`
	CheckRun    hookResult  `json:"check_run"`
	CheckSuite  hookResult  `json:"check_suite"`
	WorkflowRun hookResult  `json:"workflow_run"`
	WorkflowJob hookResult  `json:"workflow_job"`
	SHA         string      `json:"sha"`
	State       string      `json:"state"`
}

// hookLabel is a label of whatever shape: one that can't be read is one without a name.
type hookLabel struct{ Name string }

func (l *hookLabel) UnmarshalJSON(body []byte) error {
	var known struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(body, &known); err == nil {
		l.Name = known.Name
	}
	return nil
}

// hookResult is a check run, check suite, workflow run or job.
type hookResult struct {
	ID      int64  `json:"id"`
	Event   string `json:"event"` // of a workflow run
	HeadSHA string `json:"head_sha"`
	Status  string `json:"status"`
	// ExternalID is what we called a check run of ours.
	ExternalID string `json:"external_id"`
	App        struct {
		ID int64 `json:"id"`
	} `json:"app"`
}

type hookChanges struct {
	Base struct {
		Ref struct {
			From string `json:"from"`
		} `json:"ref"`
	} `json:"base"`
}

func (h *hook) place(branch string) queue.Place {
	return queue.Place{Installation: h.Installation.ID, Repository: h.Repository.ID,
		Owner: h.Repository.Owner.Login, Name: h.Repository.Name, Branch: branch}
}
