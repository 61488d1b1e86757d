package github

import (
	"fmt"
	"strings"
	"testing"
)

// A push tells by itself whether it changes a workflow of a pull request to come.
func TestPushesThatChangeAWorkflow(t *testing.T) {
	a := newApp(t, Options{})
	commit := strings.Repeat("a", 40)
	push := func(ref, after, files string) string {
		return fmt.Sprintf(`{"ref":%q,"after":%q,"commits":[{"added":[],"modified":["README"]},{%s}],"repository":{"id":7,"name":"shop","owner":{"login":"acme"},"default_branch":"main"},"installation":{"id":3}}`, ref, after, files)
	}
	const changed = `"modified":[".github/workflows/ci.yml"]`
	for name, c := range map[string]struct {
		event, body string
		want        bool
	}{
		"changed":              {"push", push("refs/heads/topic", commit, changed), true},
		"added":                {"push", push("refs/heads/topic", commit, `"added":[".github/workflows/new.yml"]`), true},
		"removed":              {"push", push("refs/heads/topic", commit, `"removed":[".github/workflows/old.yml"]`), true},
		"something else":       {"push", push("refs/heads/topic", commit, `"added":["workflows/x.yml", ".github/dependabot.yml"]`), false},
		"the default branch":   {"push", push("refs/heads/main", commit, changed), false},
		"a ticket":             {"push", push("refs/heads/mainstay/main/4", commit, changed), false},
		"a tag":                {"push", push("refs/tags/v1", commit, changed), false},
		"a deleted branch":     {"push", push("refs/heads/topic", strings.Repeat("0", 40), changed), false},
		"a head we moved":      {"push", strings.Replace(push("refs/heads/topic", commit, changed), `"commits"`, `"head_commit":{"committer":{"email":"attempt-4@queue-1.mainstay.invalid"}},"commits"`, 1), false},
		"another event":        {"create", push("refs/heads/topic", commit, changed), false},
		"nonsense":             {"push", `{"commits":7}`, false},
		"nothing":              {"push", ``, false},
		"a push of no commits": {"push", `{"ref":"refs/heads/topic","after":"` + commit + `"}`, false},
	} {
		place, got, ok := a.ChangedWorkflows(c.event, []byte(c.body))
		if ok != c.want || ok && (got != commit || place.Branch != "main" || place.Repository != 7 || place.Installation != 3) {
			t.Errorf("%s: %v %s %+v", name, ok, got, place)
		}
	}
}

// Advice on a commit is one check, however often it is given.
func TestAdviceIsGivenOnce(t *testing.T) {
	s := newScene(t)
	head := s.push("topic", "main", map[string]string{"x": "1\n"})
	v := Advice{Name: "Mainstay doctor", Title: "1 warning", Summary: "text", Conclusion: "neutral",
		Lines: []AdvisedLine{{Path: ".github/workflows/ci.yml", Line: 3, Title: "a_word", Text: "what"}}}
	s.must(s.app.PostAdvice(s.ctx, s.place, head, v))
	v.Conclusion, v.Lines = "success", nil
	s.must(s.app.PostAdvice(s.ctx, s.place, head, v))
	runs := s.repo.CheckRuns(head)
	if len(runs) != 1 || runs[0].Conclusion != "success" || runs[0].Name != v.Name {
		t.Errorf("%+v", runs)
	}
}
