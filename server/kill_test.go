package main

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// killed is a forge with pull requests and a server that dies again and again.
type killed struct {
	t       *testing.T
	forge   *sandbox.Forge
	repo    *sandbox.Repository
	command []string
	child   *exec.Cmd
}

// start runs the real binary and waits until it says that it serves.
func (k *killed) start() {
	k.t.Helper()
	k.child = exec.Command(k.command[0], k.command[1:]...)
	log, err := k.child.StderrPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.child.Start(); err != nil {
		k.t.Fatal(err)
	}
	serving := make(chan bool, 1)
	go func() {
		defer close(serving)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), `"msg":"serving"`) {
				serving <- true
			}
		}
	}()
	if !<-serving {
		k.t.Fatal("the server ended before it served")
	}
}

func (k *killed) kill() {
	_ = k.child.Process.Kill()
	_ = k.child.Wait()
}

// awaitChanges waits until the forge's state changed so many times.
func (k *killed) awaitChanges(ctx context.Context, n int) {
	_ = k.forge.WaitFor(ctx, func() bool { n--; return n < 0 || k.done() })
}

func (k *killed) done() bool {
	for _, pr := range k.repo.PullRequests() {
		if pr.State == "open" {
			return false
		}
	}
	return true
}

// openKilled makes a forge with six pull requests in line and a protected base.
func openKilled(t *testing.T) *killed {
	t.Helper()
	dir := t.TempDir()
	forge, err := sandbox.Start(sandbox.Options{Dir: filepath.Join(dir, "forge"), Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { forge.Close() })
	app, err := forge.NewApp(sandbox.AppOptions{Name: "mainstay", WebhookSecret: "killed again"})
	must(t, err)
	repo, err := forge.NewRepository(sandbox.RepositoryOptions{Owner: "o", Name: "r"})
	must(t, err)
	ann := forge.NewUser("ann")
	must(t, repo.SetPermission(ann, "write"))
	repo.Install(app)
	base, err := repo.Commit("", map[string]string{"README": "start\n", ".github/mainstay.yml": "version: 1\nqueues: [{branch: main, batch: {size: 2}}]\n"}, "start")
	must(t, err)
	must(t, repo.Push(ann, sandbox.RefUpdate{Ref: "refs/heads/main", New: base}))
	repo.SetWorkflows(map[string]string{".github/workflows/ci.yml": `on: {push: {branches: ["mainstay/**"]}}
jobs: {test: {runs-on: ubuntu-latest, steps: [{run: "true"}]}}
`})
	repo.Protect("main", sandbox.Rules{RequiredChecks: []sandbox.RequiredCheck{{Context: "test"}, {Context: "Mainstay", AppID: app.ID}}})

	key, secret := filepath.Join(dir, "key.pem"), filepath.Join(dir, "secret")
	must(t, os.WriteFile(key, app.PrivateKeyPEM, 0o600))
	must(t, os.WriteFile(secret, []byte(app.WebhookSecret), 0o600))
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := free.Addr().String()
	free.Close()
	app.SetWebhook("http://" + address + "/webhook")
	k := &killed{t: t, forge: forge, repo: repo, command: []string{serverBinary(t), "serve", "--listen", address, "--url", "http://" + address,
		"--data", filepath.Join(dir, "data"), "--app-id", fmt.Sprint(app.ID), "--key-file", key, "--webhook-secret-file", secret,
		"--github-url", forge.URL(), "--api-url", forge.APIURL(), "--issuer", forge.IssuerURL()}}
	for i := range 6 {
		branch := fmt.Sprintf("change-%d", i)
		commit, err := repo.Commit(base, map[string]string{branch + ".txt": "new\n"}, branch)
		must(t, err)
		must(t, repo.Push(ann, sandbox.RefUpdate{Ref: "refs/heads/" + branch, New: commit}))
		pr, err := repo.OpenPullRequest(sandbox.OpenPullRequest{By: ann, Head: branch, Base: "main", Title: branch})
		must(t, err)
		must(t, repo.Label(pr.Number, ann, "merge-queue"))
	}
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Killed at any moment and started again, the queue goes on: everything lands,
// once, and the base is a line of what was tested.
func TestKilledAtAnyMomentTheQueueGoesOn(t *testing.T) {
	for _, seed := range []uint64{1, 2} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			// Given six pull requests in line.
			k := openKilled(t)
			dice := rand.New(rand.NewPCG(seed, 0))
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()

			// When the server is killed after a few changes, twelve times over.
			kills := 0
			for ; kills < 12 && !k.done(); kills++ {
				k.start()
				k.awaitChanges(ctx, 1+dice.IntN(14))
				k.kill()
			}
			k.start()
			err := k.forge.WaitFor(ctx, k.done)
			k.kill()
			must(t, err)

			// Then each has landed exactly once, in a line.
			if kills < 5 {
				t.Errorf("it was killed %d times only", kills)
			}
			k.holds()
		})
	}
}

func (k *killed) holds() {
	k.t.Helper()
	out, err := exec.Command("git", "--git-dir", k.repo.GitDir(), "log", "--format=%s", "main").Output()
	must(k.t, err)
	count := map[string]int{}
	for _, subject := range strings.Fields(string(out)) {
		count[subject]++
	}
	for _, pr := range k.repo.PullRequests() {
		if !pr.Merged || count[pr.Title] != 1 {
			k.t.Errorf("#%d is merged: %v, and %d times in the base", pr.Number, pr.Merged, count[pr.Title])
		}
	}
	merges, err := exec.Command("git", "--git-dir", k.repo.GitDir(), "rev-list", "--count", "--merges", "main").Output()
	must(k.t, err)
	if strings.TrimSpace(string(merges)) != "0" {
		k.t.Errorf("the base has %s merge commits", merges)
	}
}
