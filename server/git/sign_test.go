package git

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sshKey makes a key and the file by which git knows its owner.
func sshKey(t *testing.T, email string, options ...string) (key, allowed string) {
	t.Helper()
	dir := t.TempDir()
	key, allowed = filepath.Join(dir, "key"), filepath.Join(dir, "allowed")
	args := append([]string{"-q", "-t", "ed25519", "-N", "", "-C", "bot", "-f", key}, options...)
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		t.Fatalf("make a key: %v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(allowed, []byte(email+" "+string(public)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(key + ".pub"); err != nil { // the one file must do
		t.Fatal(err)
	}
	return key, allowed
}

// Every commit that is made here is signed as git itself understands it, whichever
// the method; a rebuild gives the same ones, and the key is never on a command line.
func TestCommitsAreSigned(t *testing.T) {
	r := newRepo(t)
	fork := r.commit("start", "a.txt", "a\n")
	one := r.commit("one\n\nWith a body.", "b.txt", "b\n")
	r.git("checkout", "-q", "-b", "two", fork)
	two := r.commit("two", "c.txt", "c\n")
	r.git("checkout", "-q", "-b", "three", fork)
	three := r.commit("three", "d.txt", "d\n")
	base := r.commit("base", "e.txt", "e\n")
	remote := bareRepo(t)
	for name, id := range map[string]string{"main": base, "one": one, "two": two, "three": three} {
		r.publish(remote, id, "refs/heads/"+name)
	}
	key, allowed := sshKey(t, "bot@example.com")
	spec := Spec{Base: base, Committer: Committer{"Bot", "bot@example.com", time.Unix(1_790_000_000, 0)}, Trailers: []string{"Mainstay-Attempt: 1/2"}, Empty: "Nothing",
		Members: []Member{{PR: 1, Head: one}, {PR: 2, Head: two, Method: Squash}, {PR: 3, Head: three, Method: Merge}}}
	var first Built
	for i := range 2 {
		clone, _ := openClone(t, remote)
		clone.signer = &Signer{KeyFile: key}
		built, err := clone.Build(soon(t), spec)
		if err != nil || len(built.Members) != 2 { // three is in the base
			t.Fatalf("built %+v: %v", built, err)
		}
		local := repo{t, clone.dir}
		commits := strings.Fields(local.git("rev-list", "--first-parent", built.Tip, "^"+base))
		if len(commits) != 3 {
			t.Fatalf("commits %v", commits)
		}
		for _, id := range commits {
			if out, err := local.try("-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", "--raw", id); err != nil {
				t.Errorf("%s: %v %s", id, err, out)
			}
		}
		if first.Tip == "" {
			first = built
		} else if fmt.Sprint(first) != fmt.Sprint(built) {
			t.Errorf("build %d gave %v, not %v", i, built, first)
		}
	}
}

// A key that can't sign says why, at once.
func TestAKeyThatCannotSignSaysWhy(t *testing.T) {
	locked, _ := sshKey(t, "x@example.com", "-N", "a passphrase")
	open, _ := sshKey(t, "x@example.com")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"with a passphrase": locked, "open to others": open, "no key": junk, "not there": junk + "-gone"} {
		err := (&Signer{KeyFile: file}).Check(soon(t))
		if err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
