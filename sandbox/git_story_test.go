package sandbox_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox"
)

func basic(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("x-access-token:" + token))
}

func wantIn(t *testing.T, out string, wanted ...string) {
	t.Helper()
	for _, one := range wanted {
		if !strings.Contains(out, one) {
			t.Errorf("git did not say %q:\n%s", one, out)
		}
	}
}

// A queue lives on clone, fetch by commit id and push: they must be git's own.
func TestGitOverHTTP(t *testing.T) {
	w := found(t)
	pr := w.open("feature")
	c := w.clone(w.token())
	if got := c.git("rev-parse", "refs/heads/main"); got != w.base {
		t.Fatalf("cloned main at %s, want %s", got, w.base)
	}
	c.git("fetch", "--quiet", "--filter=blob:none", "origin", pr.HeadSHA, "refs/pull/1/head:refs/pull/1")
	if got := c.git("rev-parse", "refs/pull/1"); got != pr.HeadSHA {
		t.Fatalf("fetched the head as %s, want %s", got, pr.HeadSHA)
	}
	tree := c.git("rev-parse", pr.HeadSHA+"^{tree}")
	made := c.git("-c", "user.name=q", "-c", "user.email=q@example.invalid", "commit-tree", tree, "-p", w.base, "-m", "made here")
	c.git("push", "--quiet", "origin", made+":refs/heads/mainstay/main/1")
	if got := w.repo.Ref("mainstay/main/1"); got != made {
		t.Fatalf("the pushed ticket stands at %q, want %s", got, made)
	}
	c.git("push", "--quiet", "origin", ":refs/heads/mainstay/main/1")
	if got := w.repo.Ref("mainstay/main/1"); got != "" {
		t.Fatalf("the deleted ticket stands at %s", got)
	}
	if out := c.git("ls-remote", "--symref", "origin", "HEAD"); !strings.Contains(out, "ref: refs/heads/main\tHEAD") {
		t.Errorf("HEAD is not shown as a symbolic ref: %s", out)
	}
	fsck := &clone{t: t, dir: w.repo.GitDir()}
	wantClean(t, fsck.git("fsck", "--strict"))
}

func wantClean(t *testing.T, out string) {
	t.Helper()
	if strings.Contains(out, "error") || strings.Contains(out, "missing") || strings.Contains(out, "broken") {
		t.Errorf("fsck complains:\n%s", out)
	}
}

// Large pushes come as a probe and a chunked body, and are kept as a pack.
func TestLargePush(t *testing.T) {
	w := found(t)
	c := w.clone(w.token())
	other := found(t)
	at := other.base
	for i := range 150 {
		at = other.commit(at, "file", strings.Repeat("line ", i)+"\n")
	}
	other.move("main", at)
	c.git("fetch", "--quiet", other.repo.GitDir(), "main")
	c.git("-c", "http.postBuffer=1000", "push", "--quiet", "origin", at+":refs/heads/large")
	if got := w.repo.Ref("large"); got != at {
		t.Fatalf("large stands at %q, want %s", got, at)
	}
}

// A token opens what it is for, as long as it lives, and nothing else.
func TestTokensAtTheDoor(t *testing.T) {
	w := found(t)
	good := w.token()
	c := w.clone(good)
	other, err := w.NewRepository(sandbox.RepositoryOptions{Owner: "acme", Name: "secret"})
	must(t, err)
	other.Install(w.app)
	foreign, err := other.InstallationToken(w.app)
	must(t, err)
	reader := w.NewUser("reader")
	must(t, w.repo.SetPermission(reader, "read"))
	cases := []struct{ name, token, verb, says string }{
		{"nobody", "", "fetch", "could not read Username"},
		{"a made-up token", "ghs_made_up", "fetch", "Authentication failed|could not read Username"},
		{"another repository's token", foreign, "fetch", "not found"},
		{"a reader's fetch", reader.Token, "fetch", ""},
		{"a reader's push", reader.Token, "push", "403"},
		{"a writer's push", w.alice.Token, "push", ""},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			c := &clone{t: t, dir: c.dir, token: one.token}
			args := []string{"fetch", "origin", "main"}
			if one.verb == "push" {
				args = []string{"push", "origin", w.base + ":refs/heads/from-" + strings.ReplaceAll(one.name, " ", "-")}
			}
			out, err := c.run(args...)
			if (err == nil) != (one.says == "") {
				t.Fatalf("error %v, output:\n%s", err, out)
			}
			said := false
			for _, words := range strings.Split(one.says, "|") {
				said = said || strings.Contains(out, words)
			}
			if !said {
				t.Errorf("said:\n%s", out)
			}
		})
	}
	w.ExpireTokens()
	if out, err := c.run("fetch", "origin", "main"); err == nil {
		t.Errorf("an expired token still fetches:\n%s", out)
	}
}

// The landing push must look to the client exactly as git's own server lets it look.
func TestLandingPush(t *testing.T) {
	w := found(t)
	next := w.commit("main", "a", "1")
	other := w.commit("main", "b", "2")
	w.move("ticket", next)
	c := w.clone(w.token())
	c.git("fetch", "--quiet", w.repo.GitDir(), other)

	t.Run("a stale lease changes nothing", func(t *testing.T) {
		out, err := c.land("main="+next+":"+other, "ticket="+next+":")
		if err == nil {
			t.Fatal("it was taken")
		}
		wantIn(t, out, "[rejected] (stale info)", "(atomic push failed)")
	})
	t.Run("a ticket is made once", func(t *testing.T) {
		if out, err := c.land("ticket2=:" + next); err != nil {
			t.Fatal(out)
		}
		out, err := c.land("ticket2=:" + next)
		if err != nil {
			t.Fatalf("the same again: %s", out)
		}
		wantIn(t, out, "=\t")
		out, err = c.land("ticket2=:" + other)
		if err == nil {
			t.Fatal("another value was taken")
		}
		wantIn(t, out, "stale info")
	})
	t.Run("a rule refuses all", func(t *testing.T) {
		w.repo.Protect("main", sandbox.Rules{Classic: true, RequiredChecks: []sandbox.RequiredCheck{{Context: "Mainstay"}}})
		out, err := c.land("main="+w.base+":"+next, "ticket="+next+":")
		if err == nil {
			t.Fatal("it was taken")
		}
		wantIn(t, out, "[remote rejected] (pre-receive hook declined)", "[remote rejected] (atomic push failure)",
			"remote: error: GH006: Protected branch update failed for refs/heads/main.",
			`remote: error: Required status check "Mainstay" is expected.`)
		if w.repo.Ref("main") != w.base || w.repo.Ref("ticket") != next {
			t.Error("something moved")
		}
	})
	t.Run("and lands when the check is there", func(t *testing.T) {
		w.repo.SetCheck(w.app, next, "Mainstay", "success")
		if out, err := c.land("main="+w.base+":"+next, "ticket="+next+":"); err != nil {
			t.Fatal(out)
		}
		if w.repo.Ref("main") != next || w.repo.Ref("ticket") != "" {
			t.Error("it did not land whole")
		}
	})
	t.Run("the same push again", func(t *testing.T) {
		out, err := c.land("main="+w.base+":"+next, "ticket="+next+":")
		if err == nil {
			t.Fatal("it was taken twice")
		}
		wantIn(t, out, "[up to date]", "stale info")
	})
	t.Run("deleting a ticket that is gone", func(t *testing.T) {
		out, err := c.land("ticket=" + next + ":")
		if err == nil {
			t.Fatal("it was taken")
		}
		wantIn(t, out, "stale info")
	})
}

// A ref that moves between the advertisement and the push is the server's to catch.
func TestRefMovedAfterAdvertisement(t *testing.T) {
	w := found(t)
	next, other := w.commit("main", "a", "1"), w.commit("main", "b", "2")
	w.move("ticket", next)
	c := w.clone(w.token())
	hook := w.hookBetween(func() { w.move("main", other) })
	out, err := c.run("-c", "core.hooksPath="+hook, "push", "--porcelain", "--atomic", "--force-with-lease=refs/heads/main:"+w.base,
		"--force-with-lease=refs/heads/ticket:"+next, "origin", next+":refs/heads/main", ":refs/heads/ticket")
	if err == nil {
		t.Fatalf("it was taken:\n%s", out)
	}
	wantIn(t, out, "[remote rejected] (atomic transaction failed)")
	if w.repo.Ref("main") != other || w.repo.Ref("ticket") != next {
		t.Error("something moved")
	}
}
