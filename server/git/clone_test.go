package git

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOpenReusesAClone: the second start costs no process; a folder that a
// crash left half made is moved away and made again.
func TestOpenReusesAClone(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	base := work.commit("start", "a", "1\n")
	work.publish(remote, base, mainRef)
	dir := filepath.Join(t.TempDir(), "clone.git")
	options := Options{Dir: dir, RemoteURL: remote.dir, AllowFile: true}

	// Given a clone, nobody else gets the folder while it is open.
	first, err := Open(soon(t), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(soon(t), options); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second one opened: %v", err)
	}
	first.Close()

	// When it is opened again with litter in it, it is used as it is.
	litter := filepath.Join(dir, "objects/pack/tmp_pack_x")
	os.WriteFile(litter, []byte("x"), 0o644)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	orphan, err := os.MkdirTemp(memory, fmt.Sprintf("mainstay-0123-%d-*", dead.Process.Pid))
	if err != nil {
		t.Skip("no memory folder here")
	}
	living, err := os.MkdirTemp(memory, fmt.Sprintf("mainstay-0123-%d-*", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(living)
	second, err := Open(soon(t), options)
	if err != nil {
		t.Fatal(err)
	}
	if n := second.Processes(); n != 0 {
		t.Errorf("%d processes", n)
	}
	for path, want := range map[string]bool{litter: false, orphan: false, living: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", path, err == nil, want)
		}
	}
	second.Close()

	// When it looks half made, it is moved away, and the new one works.
	os.Remove(filepath.Join(dir, complete))
	third, err := Open(soon(t), options)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	if _, err := os.Stat(dir + ".broken"); err != nil {
		t.Error("nothing was moved away")
	}
	if tree, err := third.Tree(soon(t), base); err != nil || tree == "" {
		t.Error(err)
	}
	// And there is no work tree, no remote and no token in it.
	config, _ := os.ReadFile(filepath.Join(dir, "config"))
	if !bytes.Contains(config, []byte("bare = true")) || bytes.Contains(config, []byte(remote.dir)) || bytes.Contains(config, []byte("promisor")) {
		t.Errorf("config %s", config)
	}
}

// TestOpenSaysWhatIsWrong: one clear sentence for each.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	for name, o := range map[string]Options{
		"must hold no user":  {Dir: t.TempDir() + "/c", RemoteURL: "https://user:secret@example.com/x"},
		"an http or https":   {Dir: t.TempDir() + "/c", RemoteURL: "ext::sh -c x"},
		"https address":      {Dir: t.TempDir() + "/c", RemoteURL: t.TempDir()},
		"cannot be used":     {RemoteURL: "https://example.com/x"},
		"does not appear to": {Dir: t.TempDir() + "/c", RemoteURL: t.TempDir(), AllowFile: true},
	} {
		if _, err := Open(soon(t), o); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, name)
		}
	}
	for text, want := range map[string]string{
		"git version 2.39.5\n": "", "git version 2.50.1 (Apple Git-155)": "", "git version 3.0.0": "",
		"git version 2.38.1": "git is version 2.38; 2.39 or newer is needed", "nonsense": "no version that can be read",
	} {
		_, err := parseVersion(text)
		if got := fmt.Sprint(err); (want == "") != (err == nil) || !strings.Contains(got, want) && want != "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := CheckVersion(soon(t)); err != nil {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := CheckVersion(soon(t)); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Error(err)
	}
}

// TestOpenAnEmptyRemote: a repository without a commit is no fault.
func TestOpenAnEmptyRemote(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	clone, _ := openClone(t, remote)
	base := work.commit("start", "a", "1\n")
	work.publish(remote, base, mainRef)
	if err := clone.Fetch(soon(t), []string{base}); err != nil {
		t.Error(err)
	}
}

// TestFetchStartsNothingWhenAllIsHere: the common case costs no process, and
// many commits cost one fetch.
func TestFetchStartsNothingWhenAllIsHere(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	work.publish(remote, work.commit("start", "a", "1\n"), mainRef)
	clone, log := openClone(t, remote)
	var ids []string
	for i := range 5 {
		ids = append(ids, work.commit("more", "a", fmt.Sprint(i)))
		work.publish(remote, ids[i], fmt.Sprintf("refs/heads/x%d", i))
	}
	if err := clone.Fetch(soon(t), append(ids, ids...)); err != nil {
		t.Fatal(err)
	}
	if n := log.count("fetch"); n != 1 {
		t.Errorf("%d fetches", n)
	}
	// What came stays in the remote's marked packs: a build's packs may be lost
	// in a power cut, these must not.
	packs, _ := filepath.Glob(filepath.Join(clone.dir, "objects/pack/*.pack"))
	marks, _ := filepath.Glob(filepath.Join(clone.dir, "objects/pack/*.promisor"))
	if loose := looseIn(filepath.Join(clone.dir, "objects")); len(loose) > 0 || len(packs) != 2 || len(marks) != 2 {
		t.Errorf("%d loose objects, %d packs, %d of them marked", len(loose), len(packs), len(marks))
	}
	before := clone.Processes()
	if err := clone.Fetch(soon(t), ids); err != nil || clone.Processes() != before {
		t.Errorf("%d processes, %v", clone.Processes()-before, err)
	}
}

// TestTidyJoinsPacks: many small packs become two, one of them still marked as
// the remote's, and building goes on, also in children that knew the old ones.
func TestTidyJoinsPacks(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	spec := threeBuilds(t, remote, work)
	clone, log := openClone(t, remote)
	if err := clone.Tidy(soon(t)); err != nil || log.count("pack-objects") != 0 {
		t.Errorf("tidied too early: %v", err)
	}
	for i := range manyPacks {
		id := work.commit("more", "more", fmt.Sprint(i))
		work.publish(remote, id, "refs/heads/more")
		if err := clone.Fetch(soon(t), []string{id}); err != nil {
			t.Fatal(err)
		}
		spec.Committer.When = spec.Committer.When.Add(time.Second)
		if _, err := clone.Build(soon(t), spec); err != nil {
			t.Fatal(err)
		}
	}
	want, err := clone.Build(soon(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := clone.Tidy(soon(t)); err != nil {
		t.Fatal(err)
	}
	packs, _ := filepath.Glob(filepath.Join(clone.dir, "objects/pack/*.pack"))
	marks, _ := filepath.Glob(filepath.Join(clone.dir, "objects/pack/*.promisor"))
	if len(packs) != 2 || len(marks) != 1 {
		t.Errorf("%d packs, %d of the remote's", len(packs), len(marks))
	}
	got, err := clone.Build(soon(t), spec)
	if err != nil || got.Tip != want.Tip {
		t.Errorf("%s, %v", got.Tip, err)
	}
	if err := clone.PushTicket(soon(t), ticketRef, want.Tip); err != nil {
		t.Error(err)
	}
}

// TestOpenAfterAPowerCut: a pack the disk never saw whole is dropped, and the
// rebuild gives the same commits.
func TestOpenAfterAPowerCut(t *testing.T) {
	remote, work := bareRepo(t), newRepo(t)
	spec := threeBuilds(t, remote, work)
	options := Options{Dir: filepath.Join(t.TempDir(), "c"), RemoteURL: remote.dir, AllowFile: true}
	clone, err := Open(soon(t), options)
	if err != nil {
		t.Fatal(err)
	}
	want, err := clone.Build(soon(t), spec)
	clone.Close()
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	packs, _ := filepath.Glob(filepath.Join(options.Dir, "objects/pack/*.pack"))
	for _, pack := range packs {
		if _, err := os.Stat(strings.TrimSuffix(pack, ".pack") + ".promisor"); err != nil {
			os.Chmod(pack, 0o644)
			os.Truncate(pack, 40)
			cut++
		}
	}
	os.WriteFile(filepath.Join(options.Dir, complete), []byte("another boot"), 0o644)
	clone, err = Open(soon(t), options)
	if err != nil || cut == 0 {
		t.Fatal(cut, err)
	}
	defer clone.Close()
	got, err := clone.Build(soon(t), spec)
	if err != nil || got.Tip != want.Tip {
		t.Errorf("%s, %v", got.Tip, err)
	}
	if err := clone.PushTicket(soon(t), ticketRef, got.Tip); err != nil {
		t.Error(err)
	}
}
