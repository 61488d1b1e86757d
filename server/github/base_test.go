package github

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// What a branch asks must be known before anything lands on it, from rulesets and
// the older protection alike; our own check is not waited for, since we post it.
func TestReadBase(t *testing.T) {
	s := newScene(t)
	s.repo.Protect("main",
		sandbox.Rules{RequiredApprovals: 2, RequiredChecks: []sandbox.RequiredCheck{{Context: "build", AppID: queue.ActionsApp}, {Context: "lint"}, {Context: "Mainstay"}}, LinearHistory: true},
		sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "lint"}, {Context: "Mainstay", AppID: s.us.ID}}})
	tip := s.push("main", "", map[string]string{".github/mainstay.yml": "version: 1\n"})

	base, err := s.app.ReadBase(s.ctx, s.place)
	s.must(err)
	s.expect("the whole base", "GET /branches/main", "GET /rules/branches/main", "GET /contents/.github/mainstay.yml", "GET ")
	want := queue.Rules{Approvals: 2, Linear: true, Checks: []queue.NamedCheck{{Name: "build", App: queue.ActionsApp}, {Name: "lint"}}}
	if !reflect.DeepEqual(base.Rules, want) {
		t.Errorf("rules %+v, want %+v", base.Rules, want)
	}
	if base.Tip != tip || base.Missing || !base.DefaultBranch || string(base.Config) != "version: 1\n" || base.ReadAt.IsZero() {
		t.Errorf("base %+v", base)
	}

	again, err := s.app.ReadRules(s.ctx, s.place)
	s.must(err)
	s.expect("before a landing", "GET /branches/main", "GET /rules/branches/main")
	if again.Tip != tip || !reflect.DeepEqual(again.Rules, want) || again.Config != nil {
		t.Errorf("before a landing: %+v", again)
	}
}

// A repository without rules and config is the common case, a branch that is gone
// the odd one; neither is an error.
func TestReadBaseWithNothingThere(t *testing.T) {
	s := newScene(t)
	s.push("release/1.x", "main", map[string]string{"v": "1"})
	s.place.Branch = "release/1.x"
	base, err := s.app.ReadBase(s.ctx, s.place)
	s.must(err)
	if base.Tip != s.repo.Ref("release/1.x") || base.DefaultBranch || base.Config != nil || !reflect.DeepEqual(base.Rules, queue.Rules{}) {
		t.Errorf("bare: %+v", base)
	}
	s.place.Branch = "never-was"
	if base, err = s.app.ReadBase(s.ctx, s.place); err != nil || !base.Missing || base.Tip != "" {
		t.Errorf("a missing branch: %+v, %v", base, err)
	}
	s.place.Name = "nowhere"
	if _, err = s.app.ReadBase(s.ctx, s.place); KindOf(err) != Gone {
		t.Errorf("a missing repository: %v", err)
	}
}

// A classic protection can only be read with a right most Apps lack: that must be
// said, since the number of approvals is hidden then.
func TestReadBaseWithClassicProtection(t *testing.T) {
	s := newScene(t)
	s.repo.Protect("main", sandbox.Rules{Classic: true, RequiredApprovals: 1, CodeOwnerReviews: true, ResolveThreads: true,
		RequiredChecks: []sandbox.RequiredCheck{{Context: "build"}}})
	base, err := s.app.ReadRules(s.ctx, s.place)
	s.must(err)
	if len(base.Rules.Unknown) != 1 || !reflect.DeepEqual(base.Rules.Reviews, []string{"branch protection"}) || !reflect.DeepEqual(base.Rules.Checks, []queue.NamedCheck{{Name: "build"}}) {
		t.Errorf("without administration: %+v", base.Rules)
	}
	admin, err := s.forge.NewApp(sandbox.AppOptions{Name: "Mainstay with more", WebhookSecret: "s", Permissions: map[string]string{
		"administration": "read", "contents": "read", "metadata": "read"}})
	s.must(err)
	s.us, s.place.Installation = admin, s.repo.Install(admin)
	base, err = s.newApp(Options{}).ReadRules(s.ctx, s.place)
	s.must(err)
	want := queue.Rules{Approvals: 1, Threads: true, Reviews: []string{"code owners"}, Checks: []queue.NamedCheck{{Name: "build"}}}
	if !reflect.DeepEqual(base.Rules, want) {
		t.Errorf("with administration: %+v", base.Rules)
	}
}

// GitHub invents kinds of rules: one we don't know is named, never an error and
// never ignored.
func TestRulesAreReadLeniently(t *testing.T) {
	var rules []rule
	if err := json.Unmarshal([]byte(`[
		{"type":"deletion"},{"type":"non_fast_forward"},{"type":"required_linear_history"},{"type":"creation"},
		{"type":"update","parameters":{"update_allows_fetch_and_merge":true}},
		{"type":"required_status_checks","ruleset_id":9,"parameters":{"strict_required_status_checks_policy":true,
			"required_status_checks":[{"context":"b","integration_id":null},{"context":"a","integration_id":5},{"context":"b","integration_id":-1},{"context":""}]}},
		{"type":"required_status_checks","parameters":"what?"},
		{"type":"pull_request","parameters":{"required_approving_review_count":1,"require_code_owner_review":true}},
		{"type":"pull_request","parameters":{"required_approving_review_count":3,"allowed_merge_methods":["rebase"]}},
		{"type":"pull_request","parameters":{"require_last_push_approval":true,"required_review_thread_resolution":true,"required_reviewers":[
			{"file_patterns":["db/**","*.sql"],"minimum_approvals":1,"reviewer":{"id":5,"type":"Team"}},{"file_patterns":["docs/**"],"minimum_approvals":0}]}},
		{"type":"required_signatures"},{"type":"required_signatures"},{"type":"quantum_review","parameters":{"entangled":[{}]}}]`), &rules); err != nil {
		t.Fatal(err)
	}
	var found asked
	for _, r := range rules {
		found.take(r)
	}
	got := found.rules(newApp(t, Options{}))
	want := queue.Rules{Approvals: 3, Linear: true, Methods: []queue.Method{queue.MethodRebase}, Threads: true, Reviews: []string{"an approval of the last push", "code owners", "required reviewers of db/** *.sql"}, Checks: []queue.NamedCheck{{Name: "a", App: 5}, {Name: "b"}},
		Unknown: []string{"quantum_review", "required_signatures", "required_status_checks"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v\nwant %+v", got, want)
	}
}
