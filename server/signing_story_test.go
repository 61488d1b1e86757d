package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/server/git"
)

// newSigningKey makes a machine user's key, and the file by which git knows it.
func newSigningKey(t *testing.T, email string) (key, allowed string) {
	t.Helper()
	dir := t.TempDir()
	key, allowed = filepath.Join(dir, "key"), filepath.Join(dir, "allowed")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("make a key: %v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err == nil {
		err = os.WriteFile(allowed, []byte(email+" "+string(public)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key, allowed
}

// With a machine user's key what lands is signed by it, and names its attempt.
func TestWhatLandsIsSignedByTheMachineUser(t *testing.T) {
	t.Parallel()
	key, allowed := newSigningKey(t, "bot@example.com")
	w := foundWithoutServer(t, scene{})
	w.tune = func(s *settings) {
		s.signer = &git.Signer{KeyFile: key}
		s.committer = git.Committer{Name: "Release Bot", Email: "bot@example.com"}
	}
	w.serve()
	pr := w.opens("topic")
	w.label(pr)
	w.awaitEnds(ends{pr: landed})

	tip := w.repo.Ref("main")
	out, err := exec.Command("git", "--git-dir", w.repo.GitDir(), "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", "--raw", tip).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `Good "git" signature for bot@example.com`) {
		t.Errorf("verify-commit: %v: %s", err, out)
	}
	if got := w.git("log", "-1", "--format=%cn <%ce> %(trailers:key=Mainstay-Attempt,valueonly)", tip); got != "Release Bot <bot@example.com> 1/1" {
		t.Errorf("the commit is of %q", got)
	}
}

// A setting that can't work is refused before the server starts.
func TestSigningSettingsAreTriedAtOnce(t *testing.T) {
	key, _ := newSigningKey(t, "bot@example.com")
	for name, c := range map[string]struct {
		command serveCommand
		want    string
	}{
		"both":         {serveCommand{SignKey: key, Commits: "Release Bot <bot@example.com>"}, ""},
		"a name alone": {serveCommand{Commits: "Release Bot <bot@example.com>"}, ""},
		"neither":      {serveCommand{}, ""},
		"no committer": {serveCommand{SignKey: key}, "MAINSTAY_COMMITTER is not"},
		"no address":   {serveCommand{Commits: "Release Bot"}, "it must read like"},
		"no name":      {serveCommand{Commits: "bot@example.com"}, "it must read like"},
		"no such key":  {serveCommand{SignKey: key + ".gone", Commits: "B <b@example.com>"}, "MAINSTAY_SIGNING_KEY_FILE can't be used"},
	} {
		var s settings
		err := c.command.sign(&s)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
