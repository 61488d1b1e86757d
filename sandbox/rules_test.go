package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// Rules are judged on the commit that is pushed, for the one who pushes it.
func TestPushRules(t *testing.T) {
	check := sandbox.RequiredCheck{Context: "build"}
	type scene struct {
		w                   *town
		next, side, merging string
	}
	cases := []struct {
		name  string
		rules func(s scene) []sandbox.Rules
		set   func(s scene)
		push  func(s scene) string
		says  string // "" is accepted
	}{
		{"a required check that is missing", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}}} }, nil, nil, `"build" is expected`},
		{"one that is red", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}}} },
			func(s scene) { s.w.repo.SetCheck(s.w.app, s.next, "build", "failure") }, nil, `"build" is failing`},
		{"one that runs", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}}} },
			func(s scene) { s.w.repo.SetCheck(s.w.app, s.next, "build", "") }, nil, `"build" is in progress`},
		{"red, then green again", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}}} },
			func(s scene) {
				s.w.repo.SetCheck(s.w.app, s.next, "build", "failure")
				s.w.repo.SetCheck(s.w.app, s.next, "build", "skipped")
			}, nil, ""},
		{"a status will do", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}}} },
			func(s scene) { s.w.repo.SetStatus(s.w.alice, s.next, "build", "success") }, nil, ""},
		{"but of the same name both must be green", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}}} },
			func(s scene) {
				s.w.repo.SetStatus(s.w.alice, s.next, "build", "pending")
				s.w.repo.SetCheck(s.w.app, s.next, "build", "success")
			}, nil, "in progress"},
		{"from the App that is asked for", func(s scene) []sandbox.Rules {
			return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{{Context: "build", AppID: s.w.app.ID + 1}}}}
		}, func(s scene) { s.w.repo.SetCheck(s.w.app, s.next, "build", "success") }, nil, "is expected"},
		{"an App that may pass, rules and all", func(s scene) []sandbox.Rules {
			return []sandbox.Rules{{RequiredChecks: []sandbox.RequiredCheck{check}, RequiredApprovals: 2, Bypass: []sandbox.Actor{s.w.app}}}
		}, nil, nil, ""},
		{"passing one ruleset is not passing the other", func(s scene) []sandbox.Rules {
			return []sandbox.Rules{{RequiredApprovals: 1, Bypass: []sandbox.Actor{s.w.app}}, {RequiredChecks: []sandbox.RequiredCheck{check}}}
		}, nil, nil, "is expected"},
		{"only pull requests", func(scene) []sandbox.Rules { return []sandbox.Rules{{RequiredApprovals: 1}} }, nil, nil, "through a pull request"},
		{"only alice may push", func(s scene) []sandbox.Rules {
			return []sandbox.Rules{{RestrictPushesTo: []sandbox.Actor{s.w.alice}}}
		}, nil, nil, "not authorized to push"},
		{"the App may push", func(s scene) []sandbox.Rules { return []sandbox.Rules{{RestrictPushesTo: []sandbox.Actor{s.w.app}}} }, nil, nil, ""},
		{"no force", func(scene) []sandbox.Rules { return []sandbox.Rules{{}} }, nil, func(s scene) string { return "+" + s.side }, "Cannot force-push"},
		{"force where it is allowed", func(scene) []sandbox.Rules { return []sandbox.Rules{{AllowForcePush: true}} }, nil, func(s scene) string { return "+" + s.side }, ""},
		{"no deletion", func(scene) []sandbox.Rules { return []sandbox.Rules{{}} }, nil, func(scene) string { return "" }, "Cannot delete"},
		{"a merge on a linear branch", func(scene) []sandbox.Rules { return []sandbox.Rules{{LinearHistory: true}} }, nil, func(s scene) string { return s.merging }, "merge commits"},
	}
	w := found(t)
	tip := w.commit("main", "a", "1")
	scenes := make([]scene, len(cases))
	fetch := []string{"fetch", "--quiet", w.repo.GitDir(), tip}
	for i := range cases {
		scenes[i] = scene{w: w, next: w.commit(tip, "c", fmt.Sprint(i)), side: w.commit("main", "b", "2")}
		fetch = append(fetch, scenes[i].next, scenes[i].side)
	}
	c := w.clone(w.token())
	c.git(fetch...)
	merging := c.git("-c", "user.name=q", "-c", "user.email=q@example.invalid", "commit-tree", tip+"^{tree}", "-p", tip, "-p", scenes[0].side, "-m", "merge")
	for i, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			s, branch := scenes[i], fmt.Sprintf("release-%d", i)
			s.merging = merging
			w.move(branch, tip)
			w.repo.Protect(branch, one.rules(s)...)
			if one.set != nil {
				one.set(s)
			}
			what := s.next
			if one.push != nil {
				what = one.push(s)
			}
			out, err := c.run("push", "--porcelain", "origin", what+":refs/heads/"+branch)
			if (err == nil) != (one.says == "") {
				t.Fatalf("error %v:\n%s", err, out)
			}
			if !strings.Contains(out, one.says) {
				t.Errorf("did not say %q:\n%s", one.says, out)
			}
			if moved := w.repo.Ref(branch) != tip; moved != (one.says == "") {
				t.Errorf("%s stands at %s", branch, w.repo.Ref(branch))
			}
		})
	}
}

// A person pushes around every rule only where the test says so.
func TestPatternRules(t *testing.T) {
	w := found(t)
	w.repo.Protect("mainstay/**", sandbox.Rules{RestrictPushesTo: []sandbox.Actor{w.app}})
	c := w.clone(w.alice.Token)
	if out, err := c.run("push", "origin", w.base+":refs/heads/mainstay/main/1"); err == nil {
		t.Errorf("alice made a ticket:\n%s", out)
	}
	w.move("mainstay/main/1", w.base)
	if w.repo.Ref("mainstay/main/1") != w.base {
		t.Error("the admin's way is shut")
	}
}
