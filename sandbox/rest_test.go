package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// client is what a product uses: go-github over ghinstallation.
func (w *town) client() *github.Client {
	w.t.Helper()
	id := w.repo.Install(w.app)
	transport, err := ghinstallation.New(http.DefaultTransport, w.app.ID, id, w.app.PrivateKeyPEM)
	must(w.t, err)
	transport.BaseURL = w.APIURL()
	client, err := github.NewClient(&http.Client{Transport: transport}).WithEnterpriseURLs(w.APIURL(), w.APIURL())
	must(w.t, err)
	return client
}

// wantStatus checks the status of a refused call.
func wantStatus(t *testing.T, what string, err error, status int) {
	t.Helper()
	var refused *github.ErrorResponse
	if !errors.As(err, &refused) || refused.Response.StatusCode != status {
		t.Errorf("%s: %v, want status %d", what, err, status)
	}
}

// The client library must find a pull request's whole life by its own types.
func TestPullRequestsByClient(t *testing.T) {
	w := found(t)
	gh, ctx := w.client(), soon(t)
	pr := w.open("feature")
	must(t, w.repo.Label(1, w.alice, "merge-queue"))
	must(t, w.repo.Unlabel(1, w.alice, "merge-queue"))
	must(t, w.repo.Label(1, w.alice, "merge-queue"))
	must(t, w.repo.Review(1, w.NewUser("carol"), "approved"))

	got, _, err := gh.PullRequests.Get(ctx, "acme", "widgets", 1)
	must(t, err)
	if got.GetHead().GetSHA() != pr.HeadSHA || got.GetBase().GetRef() != "main" || got.GetUser().GetLogin() != "alice" || got.GetMerged() || len(got.Labels) != 1 {
		t.Errorf("the pull request reads %v", got)
	}
	reviews, _, err := gh.PullRequests.ListReviews(ctx, "acme", "widgets", 1, nil)
	must(t, err)
	if len(reviews) != 1 || reviews[0].GetState() != "APPROVED" || reviews[0].GetCommitID() != pr.HeadSHA {
		t.Errorf("the reviews read %v", reviews)
	}
	events, _, err := gh.Issues.ListIssueEvents(ctx, "acme", "widgets", 1, nil)
	must(t, err)
	var names []string
	for _, e := range events {
		names = append(names, e.GetEvent())
		if e.GetActor().GetID() != w.alice.ID || e.GetLabel().GetName() != "merge-queue" || e.GetID() == 0 {
			t.Errorf("the event reads %v", e)
		}
	}
	if fmt.Sprint(names) != "[labeled unlabeled labeled]" {
		t.Errorf("events %v", names)
	}
	files, _, err := gh.PullRequests.ListFiles(ctx, "acme", "widgets", 1, nil)
	must(t, err)
	if len(files) != 1 || files[0].GetFilename() != "feature.txt" || files[0].GetStatus() != "added" || files[0].GetAdditions() != 1 {
		t.Errorf("the files read %v", files)
	}
	commits, _, err := gh.PullRequests.ListCommits(ctx, "acme", "widgets", 1, nil)
	must(t, err)
	if len(commits) != 1 || commits[0].GetSHA() != pr.HeadSHA || commits[0].GetCommit().GetMessage() != "Write feature.txt" {
		t.Errorf("the commits read %v", commits)
	}
	labelled, _, err := gh.Issues.ListByRepo(ctx, "acme", "widgets", &github.IssueListByRepoOptions{Labels: []string{"merge-queue"}})
	must(t, err)
	if len(labelled) != 1 || !labelled[0].IsPullRequest() {
		t.Errorf("labelled: %v", labelled)
	}
	_, err = gh.Issues.RemoveLabelForIssue(ctx, "acme", "widgets", 1, "merge-queue")
	must(t, err)
	_, err = gh.Issues.RemoveLabelForIssue(ctx, "acme", "widgets", 1, "merge-queue")
	wantStatus(t, "taking off a label that is not there", err, 404)
	level, _, err := gh.Repositories.GetPermissionLevel(ctx, "acme", "widgets", "alice")
	must(t, err)
	if level.GetPermission() != "write" || level.GetUser().GetID() != w.alice.ID {
		t.Errorf("alice's permission reads %v", level)
	}
	made, _, err := gh.Issues.CreateComment(ctx, "acme", "widgets", 1, &github.IssueComment{Body: github.String("one")})
	must(t, err)
	_, _, err = gh.Issues.EditComment(ctx, "acme", "widgets", made.GetID(), &github.IssueComment{Body: github.String("two")})
	must(t, err)
	if got := w.repo.Comments(1); fmt.Sprint(got) != "[two]" {
		t.Errorf("comments %v", got)
	}
	_, _, err = gh.PullRequests.Edit(ctx, "acme", "widgets", 1, &github.PullRequest{State: github.String("closed")})
	must(t, err)
	if w.pull(1).State != "closed" {
		t.Error("it was not closed")
	}
	_, _, err = gh.PullRequests.Get(ctx, "acme", "widgets", 99)
	wantStatus(t, "a pull request that is not", err, 404)
}

// Reading long lists and reading them again must go as at GitHub: pages, and 304.
func TestPagesAndETags(t *testing.T) {
	w := found(t)
	gh, ctx := w.client(), soon(t)
	for i := range 7 {
		w.open(fmt.Sprintf("b%d", i))
	}
	seen, options := 0, &github.PullRequestListOptions{ListOptions: github.ListOptions{PerPage: 3}}
	for {
		list, response, err := gh.PullRequests.List(ctx, "acme", "widgets", options)
		must(t, err)
		seen += len(list)
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	if seen != 7 || options.Page != 3 {
		t.Errorf("saw %d pull requests on %d pages", seen, options.Page)
	}
	again := func(tag string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.APIURL()+"/repos/acme/widgets/pulls", nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+w.alice.Token)
		req.Header.Set("If-None-Match", tag)
		response, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, response.Body.Close())
		return response
	}
	first := again("")
	second := again(first.Header.Get("ETag"))
	if first.StatusCode != 200 || second.StatusCode != 304 || !strings.HasPrefix(first.Header.Get("ETag"), `W/"`) {
		t.Errorf("status %d, then %d", first.StatusCode, second.StatusCode)
	}
	if first.Header.Get("X-RateLimit-Remaining") != second.Header.Get("X-RateLimit-Remaining") {
		t.Error("a 304 cost a call")
	}
	must(t, w.repo.Label(1, w.alice, "new"))
	if third := again(first.Header.Get("ETag")); third.StatusCode != 200 {
		t.Errorf("after a change the status is %d", third.StatusCode)
	}
	if got := w.Calls()["GET /repos/{owner}/{repo}/pulls"]; got != 6 {
		t.Errorf("%d calls were counted, want 6", got)
	}
}

// A check run carries the queue's news: its rules decide what a product may say.
func TestChecksByClient(t *testing.T) {
	w := found(t)
	gh, ctx := w.client(), soon(t)
	made, _, err := gh.Checks.CreateCheckRun(ctx, "acme", "widgets", github.CreateCheckRunOptions{Name: "Mainstay", HeadSHA: w.base, Status: github.String("in_progress")})
	must(t, err)
	if made.GetApp().GetID() != w.app.ID || made.GetApp().GetSlug() != "main-stay" || made.GetCheckSuite().GetID() == 0 {
		t.Errorf("the check's App reads %v", made.GetApp())
	}
	_, _, err = gh.Checks.UpdateCheckRun(ctx, "acme", "widgets", made.GetID(), github.UpdateCheckRunOptions{Name: "Mainstay", Status: github.String("completed")})
	wantStatus(t, "completed without a conclusion", err, 422)
	_, _, err = gh.Checks.UpdateCheckRun(ctx, "acme", "widgets", made.GetID(), github.UpdateCheckRunOptions{Name: "Mainstay", Conclusion: github.String("bogus")})
	wantStatus(t, "a conclusion that is none", err, 422)
	long := strings.Repeat("x", 65536)
	_, _, err = gh.Checks.UpdateCheckRun(ctx, "acme", "widgets", made.GetID(), github.UpdateCheckRunOptions{Name: "Mainstay", Output: &github.CheckRunOutput{Title: github.String("t"), Summary: &long}})
	wantStatus(t, "a summary too long", err, 422)
	_, _, err = gh.Checks.CreateCheckRun(ctx, "acme", "widgets", github.CreateCheckRunOptions{Name: "x", HeadSHA: strings.Repeat("1", 40)})
	wantStatus(t, "a check on no commit", err, 422)
	_, _, err = gh.Checks.UpdateCheckRun(ctx, "acme", "widgets", made.GetID(), github.UpdateCheckRunOptions{Name: "Mainstay", Conclusion: github.String("success")})
	must(t, err)
	w.repo.SetCheck(w.app, w.base, "Mainstay", "failure")
	list, _, err := gh.Checks.ListCheckRunsForRef(ctx, "acme", "widgets", "main", &github.ListCheckRunsOptions{AppID: &w.app.ID})
	must(t, err)
	if list.GetTotal() != 1 || list.CheckRuns[0].GetConclusion() != "failure" {
		t.Errorf("the latest reads %v", list)
	}
	all, _, err := gh.Checks.ListCheckRunsForRef(ctx, "acme", "widgets", w.base, &github.ListCheckRunsOptions{Filter: github.String("all")})
	must(t, err)
	if all.GetTotal() != 2 {
		t.Errorf("all: %d", all.GetTotal())
	}
	if got := w.repo.CheckWrites()[w.base]; got != (sandbox.CheckWrites{Created: 2, Edited: 1}) {
		t.Errorf("writes %+v", got)
	}
	_, _, err = gh.Repositories.CreateStatus(ctx, "acme", "widgets", w.base, &github.RepoStatus{State: github.String("success"), Context: github.String("ci")})
	must(t, err)
	combined, _, err := gh.Repositories.GetCombinedStatus(ctx, "acme", "widgets", "main", nil)
	must(t, err)
	if combined.GetState() != "success" || combined.GetTotalCount() != 1 {
		t.Errorf("the combined status reads %v", combined)
	}
}

// Refs, histories, files and rules as a product reads them.
func TestGitByClient(t *testing.T) {
	w := found(t)
	gh, ctx := w.client(), soon(t)
	next, side := w.commit("main", "dir/a.txt", "1"), w.commit("main", "b", "2")
	_, _, err := gh.Git.CreateRef(ctx, "acme", "widgets", &github.Reference{Ref: github.String("refs/heads/mainstay/main/1"), Object: &github.GitObject{SHA: &next}})
	must(t, err)
	_, _, err = gh.Git.UpdateRef(ctx, "acme", "widgets", &github.Reference{Ref: github.String("refs/heads/mainstay/main/1"), Object: &github.GitObject{SHA: &side}}, false)
	wantStatus(t, "no fast forward", err, 422)
	branch, _, err := gh.Repositories.GetBranch(ctx, "acme", "widgets", "mainstay/main/1", 0)
	must(t, err)
	if branch.GetCommit().GetSHA() != next {
		t.Errorf("the branch stands at %s", branch.GetCommit().GetSHA())
	}
	for state, pair := range map[string][2]string{"ahead": {w.base, next}, "behind": {next, w.base}, "diverged": {next, side}, "identical": {next, next}} {
		got, _, err := gh.Repositories.CompareCommits(ctx, "acme", "widgets", pair[0], pair[1], nil)
		must(t, err)
		if got.GetStatus() != state {
			t.Errorf("%s compared reads %s", state, got.GetStatus())
		}
	}
	file, _, _, err := gh.Repositories.GetContents(ctx, "acme", "widgets", "dir/a.txt", &github.RepositoryContentGetOptions{Ref: next})
	must(t, err)
	if text, err := file.GetContent(); err != nil || text != "1" {
		t.Errorf("the file reads %q, %v", text, err)
	}
	_, _, _, err = gh.Repositories.GetContents(ctx, "acme", "widgets", "dir/none", nil)
	wantStatus(t, "a file that is not", err, 404)
	w.repo.Protect("main", sandbox.Rules{RequiredApprovals: 2, RequiredChecks: []sandbox.RequiredCheck{{Context: "build", AppID: w.app.ID}}})
	rules, _, err := gh.Repositories.GetRulesForBranch(ctx, "acme", "widgets", "main")
	must(t, err)
	kinds := map[string]bool{}
	for _, rule := range rules {
		kinds[rule.Type] = true
	}
	if !kinds["pull_request"] || !kinds["required_status_checks"] || !kinds["non_fast_forward"] {
		t.Errorf("the rules read %v", kinds)
	}
	_, _, err = gh.Repositories.GetBranchProtection(ctx, "acme", "widgets", "main")
	wantStatus(t, "protection without administration", err, 403)
	_, err = gh.Git.DeleteRef(ctx, "acme", "widgets", "refs/heads/mainstay/main/1")
	must(t, err)
	if w.repo.Ref("mainstay/main/1") != "" {
		t.Error("the ticket is still there")
	}
}

// An App proves itself by its key, and gets tokens no wider than it asks for.
func TestAppAuthentication(t *testing.T) {
	now := time.Now()
	w := found(t, func(o *sandbox.Options) { o.Now = func() time.Time { return now } })
	ctx := soon(t)
	transport, err := ghinstallation.NewAppsTransport(http.DefaultTransport, w.app.ID, w.app.PrivateKeyPEM)
	must(t, err)
	transport.BaseURL = w.APIURL()
	gh, err := github.NewClient(&http.Client{Transport: transport}).WithEnterpriseURLs(w.APIURL(), w.APIURL())
	must(t, err)
	me, _, err := gh.Apps.Get(ctx, "")
	must(t, err)
	installation, _, err := gh.Apps.FindRepositoryInstallation(ctx, "acme", "widgets")
	must(t, err)
	other, err := w.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "other"})
	must(t, err)
	other.Install(w.app)
	token, _, err := gh.Apps.CreateInstallationToken(ctx, installation.GetID(), &github.InstallationTokenOptions{RepositoryIDs: []int64{other.ID}})
	must(t, err)
	if n := len(token.GetToken()); me.GetID() != w.app.ID || n != 520 || !strings.ContainsAny(token.GetToken()[4:], "._") {
		t.Errorf("App %d, a token of %d characters", me.GetID(), n)
	}
	read := func(token string) int { return w.get(ctx, token, "/repos/acme/widgets/pulls") }
	whole, _, err := gh.Apps.CreateInstallationToken(ctx, installation.GetID(), nil)
	must(t, err)
	if got := read(token.GetToken()); got != 404 {
		t.Errorf("another repository's token reads with status %d", got)
	}
	if got := read(whole.GetToken()); got != 200 {
		t.Errorf("the installation's token reads with status %d", got)
	}
	now = now.Add(61 * time.Minute)
	if got := read(whole.GetToken()); got != 401 {
		t.Errorf("an hour later it reads with status %d", got)
	}
	_, _, err = gh.Apps.Get(ctx, "")
	wantStatus(t, "a JWT from an hour ago", err, 401)
}

func (w *town) get(ctx context.Context, token, path string) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.APIURL()+path, nil)
	must(w.t, err)
	req.Header.Set("Authorization", "token "+token)
	response, err := http.DefaultClient.Do(req)
	must(w.t, err)
	must(w.t, response.Body.Close())
	return response.StatusCode
}
