package git

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestTokenGoesByEnvironmentOnly: over real HTTP, with a token that changes,
// through everything that talks to the remote. It must not be in a command
// line, an error, a log or a file.
func TestTokenGoesByEnvironmentOnly(t *testing.T) {
	// Given a remote behind a token, and a base and a pull request that changed
	// the same file, so that building needs blobs.
	remote, work := bareRepo(t), newRepo(t)
	old := work.commit("start", "a", lines(30), "b", lines(9))
	work.publish(remote, old, mainRef)
	base := work.commit("base", "a", "first\n"+lines(30))
	work.publish(remote, base, mainRef)
	work.git("checkout", "-q", "--detach", old)
	head := work.commit("change", "a", lines(30)+"last\n")
	work.publish(remote, head, "refs/heads/pr")
	var valid atomic.Int32
	token := func() string { return fmt.Sprintf("ghs_secret%d", valid.Load()) }
	url := serve(t, remote, token)
	var logged bytes.Buffer
	dir := filepath.Join(t.TempDir(), "clone.git")
	clone, log := openWith(t, Options{
		Dir: dir, RemoteURL: url, Token: func(context.Context) (string, error) { return token(), nil },
		Log: slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})

	// When the token changes between any two steps, all still works.
	step := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		valid.Add(1)
	}
	valid.Add(1)
	step("fetch", clone.Fetch(soon(t), []string{base, head}))
	fetches := log.count("fetch")
	built, err := clone.Build(soon(t), Spec{Base: base, Committer: attempt, Members: []Member{{PR: 1, Head: head}}})
	step("build", err)
	if n := log.count("fetch") - fetches; n != 1 || len(built.Members) != 1 {
		t.Errorf("%d fetches for blobs, built %+v", n, built)
	}
	step("ticket", clone.PushTicket(soon(t), ticketRef, built.Tip))
	moved, err := clone.MoveHeads(soon(t), []HeadMove{{"refs/heads/pr", head, built.Tip}})
	step("heads", err)
	if moved[0].State != HeadMoved {
		t.Errorf("head %+v", moved)
	}
	outcome, err := clone.Land(soon(t), Landing{mainRef, base, built.Tip, []Ticket{{ticketRef, built.Tip}}})
	step("land", err)
	if outcome.Kind != Landed || remote.ref(mainRef) != built.Tip {
		t.Errorf("outcome %+v", outcome)
	}

	// And a wrong token is a transient failure that names no token.
	clone.token = func(context.Context) (string, error) { return "ghs_secretwrong", nil }
	outcome, err = clone.Land(soon(t), Landing{mainRef, base, built.Tip, []Ticket{{ticketRef, built.Tip}}})
	if err != nil || outcome.Kind != Transient {
		t.Errorf("outcome %+v, %v", outcome, err)
	}
	_, err = clone.ReadRefs(soon(t), mainRef)
	for where, text := range map[string]string{"argv": log.text(), "log": logged.String(), "error": fmt.Sprint(err, outcome), "disk": allFiles(t, filepath.Dir(dir))} {
		for _, secret := range []string{"ghs_secret", "eC1hY2Nlc3MtdG9rZW46"} {
			if strings.Contains(text, secret) {
				t.Errorf("the token is in the %s", where)
			}
		}
	}
	if logged.Len() == 0 || err == nil {
		t.Error("nothing to look at")
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func allFiles(t *testing.T, dir string) string {
	var all strings.Builder
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, _ := os.ReadFile(path)
			all.Write(text)
		}
		return nil
	})
	if all.Len() == 0 {
		t.Error("no files")
	}
	return all.String()
}
