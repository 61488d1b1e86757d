package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// badStart is one way to start a server that can't work.
type badStart struct {
	args []string
	env  []string // over what is right
	says []string // all of it in the one sentence
}

func badStarts(t *testing.T) map[string]badStart {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busy.Close() })
	garbage := filepath.Dir(write("garbage/mainstay.db", strings.Repeat("this is no database\n", 200), 0o600))
	oldGit := filepath.Dir(write("old/git", "#!/bin/sh\necho git version 2.30.2\n", 0o755))
	noGit := filepath.Join(dir, "empty")
	empty := write("empty-secret", "\n", 0o600)
	key := "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0IGJ5dGVzIHRoYXQgbm9ib2R5IG1heSBzZWU=\n-----END RSA PRIVATE KEY-----\n"
	return map[string]badStart{
		"port in use":           {args: []string{"--listen", busy.Addr().String()}, says: []string{busy.Addr().String(), "in use", "--listen"}},
		"database is none":      {args: []string{"--data", garbage}, says: []string{"open database", filepath.Join(garbage, "mainstay.db")}},
		"data folder is a file": {args: []string{"--data", empty}, says: []string{"data folder", empty}},
		"old git":               {env: []string{"PATH=" + oldGit}, says: []string{"git is version 2.30", "2.39"}},
		"no git":                {env: []string{"PATH=" + noGit}, says: []string{"git is not installed", "2.39"}},
		"no key":                {env: []string{"MAINSTAY_KEY="}, says: []string{"private key is missing", "MAINSTAY_KEY_FILE"}},
		"no key file":           {env: []string{"MAINSTAY_KEY=", "MAINSTAY_KEY_FILE=" + noGit}, says: []string{"private key", noGit}},
		"key is no key":         {env: []string{"MAINSTAY_KEY=hunter2"}, says: []string{"private key"}},
		"key is broken":         {env: []string{"MAINSTAY_KEY=" + key}, says: []string{"private key"}},
		"no webhook secret":     {env: []string{"MAINSTAY_WEBHOOK_SECRET="}, says: []string{"webhook secret is missing", "MAINSTAY_WEBHOOK_SECRET_FILE"}},
		"empty secret file":     {env: []string{"MAINSTAY_WEBHOOK_SECRET=", "MAINSTAY_WEBHOOK_SECRET_FILE=" + empty}, says: []string{"webhook secret", empty}},
		"address with password": {args: []string{"--url", "https://me:hunter2@mainstay.example.com"}, says: []string{"MAINSTAY_URL", "without a user"}},
		"address of nothing":    {args: []string{"--github-url", "github"}, says: []string{"MAINSTAY_GITHUB_URL", "github"}},
		"no App id":             {args: []string{"--app-id", "0"}, says: []string{"App id"}},
	}
}

// A server that can't work says why in one sentence, with what to do about it,
// before it listens; and it never says a secret.
func TestABadStartIsOneClearSentence(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	for name, bad := range badStarts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := w.command("127.0.0.1:0", bad.args...)
			cmd.Env = append(cmd.Env, bad.env...)
			if len(bad.args) == 0 || bad.args[0] != "--data" {
				cmd.Args = append(cmd.Args, "--data", filepath.Join(t.TempDir(), "data"))
			}
			text, code := runToEnd(t, cmd)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			line := strings.TrimSuffix(text, "\n")
			if strings.Contains(line, "\n") || !strings.HasPrefix(line, "mainstay: ") || len(line) > 400 {
				t.Errorf("it said, in more than one sentence:\n%s", text)
			}
			for _, want := range bad.says {
				if !strings.Contains(line, want) {
					t.Errorf("%q does not say %q", line, want)
				}
			}
			for _, secret := range []string{webhookSecret, "hunter2", "c2VjcmV0"} {
				if strings.Contains(text, secret) {
					t.Errorf("a secret was printed: %s", text)
				}
			}
		})
	}
}

// runToEnd runs a server that is expected to end by itself.
func runToEnd(t *testing.T, cmd *exec.Cmd) (said string, code int) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	_ = cmd.Wait()
	if ctx.Err() != nil {
		t.Fatalf("it did not end:\n%s", out.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// Another App's key is only found wrong by GitHub, which may also be away: the
// server keeps trying, and its log says what GitHub said.
func TestTheKeyOfAnotherAppIsSaid(t *testing.T) {
	t.Parallel()
	w := foundWithoutServer(t, scene{})
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	key := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(other)})
	cmd := w.command("127.0.0.1:0")
	cmd.Env = append(cmd.Env, "MAINSTAY_KEY="+string(key))
	told := &seeker{want: []byte("the App's repositories could not be read"), next: w.log, found: make(chan struct{})}
	cmd.Stderr = told
	w.must(cmd.Start())
	select {
	case <-told.found:
	case <-time.After(patience):
		t.Error("nothing was said")
	}
	w.must(cmd.Process.Kill())
	_ = cmd.Wait()
	if !bytes.Contains(w.log.bytes(), []byte("401")) {
		t.Errorf("the log does not give GitHub's answer:\n%s", w.log.bytes())
	}
	w.seekSecrets()
}
