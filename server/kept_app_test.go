package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is kept is read back by its owner alone; what can't be is said with what to do.
func TestTheKeptAppIsTheServersAlone(t *testing.T) {
	data := t.TempDir()
	if kept, err := readKeptApp(filepath.Join(data, "none")); kept != nil || err != nil {
		t.Fatalf("of no folder: %v, %v", kept, err)
	}
	app := keptApp{ID: 7, Slug: "keeper", GitHub: "https://github.com", Key: "the key", WebhookSecret: "the secret"}
	for range 2 { // the second in place of the first
		if err := app.keep(data); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(data, keptAppFile)
	if kept, err := readKeptApp(data); err != nil || *kept != app {
		t.Fatalf("%+v, %v", kept, err)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) != 1 {
		t.Errorf("drafts are left: %v, %v", left, err)
	}
	for mode, bad := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o666: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := readKeptApp(data); (err != nil) != bad || bad && !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", `{"id":0,"private_key":"x"}`, `{"id":7}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readKeptApp(data); err == nil || !strings.Contains(err.Error(), "holds no App") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What the environment says wins over what is kept, one by one; another App's id
// takes none of the kept secrets.
func TestTheEnvironmentWinsOverTheKeptApp(t *testing.T) {
	for _, name := range []string{"MAINSTAY_KEY", "MAINSTAY_WEBHOOK_SECRET", "MAINSTAY_ACTION_TOKEN"} {
		t.Setenv(name, "")
	}
	data := t.TempDir()
	app := keptApp{ID: 7, GitHub: "https://github.com", Key: "kept key", WebhookSecret: "kept secret"}
	if err := app.keep(data); err != nil {
		t.Fatal(err)
	}
	usual := serveCommand{URL: "https://mainstay.example.com", Data: data, GitHub: "https://github.com", Hooks: "on", Writes: 60}
	read := func(change func(*serveCommand)) (settings, error) {
		c := usual
		change(&c)
		return c.settings()
	}
	if s, err := read(func(*serveCommand) {}); err != nil || s.appID != 7 || string(s.key) != "kept key" || string(s.secrets[0]) != "kept secret" {
		t.Errorf("the kept one: %d, %v", s.appID, err)
	}
	if s, err := read(func(c *serveCommand) { c.AppID = 7 }); err != nil || string(s.key) != "kept key" {
		t.Errorf("the same id: %v", err)
	}
	if _, err := read(func(c *serveCommand) { c.AppID = 8 }); err == nil || !strings.Contains(err.Error(), "private key is missing") {
		t.Errorf("another id: %v", err)
	}
	if _, err := read(func(c *serveCommand) { c.GitHub = "https://ghe.example.com" }); err == nil || !strings.Contains(err.Error(), "a data folder for each") {
		t.Errorf("another GitHub: %v", err)
	}
	if s, err := read(func(c *serveCommand) { c.Data = t.TempDir() }); err != nil || s.appID != 0 {
		t.Errorf("a first start: %d, %v", s.appID, err)
	}
	t.Setenv("MAINSTAY_WEBHOOK_SECRET", "one\ntwo")
	if s, err := read(func(*serveCommand) {}); err != nil || string(s.key) != "kept key" || len(s.secrets) != 2 || string(s.secrets[1]) != "two" {
		t.Errorf("a secret of the environment's: %q, %v", s.secrets, err)
	}
	t.Setenv("MAINSTAY_KEY", "another key")
	if s, err := read(func(*serveCommand) {}); err != nil || s.appID != 7 || string(s.key) != "another key" {
		t.Errorf("a key of the environment's: %v", err)
	}
	if _, err := read(func(c *serveCommand) { c.Data = t.TempDir() }); err == nil || !strings.Contains(err.Error(), "no App id") {
		t.Errorf("a key without an App: %v", err)
	}
}

// The link of the set-up page is told where the server was started, on standard
// output, and nowhere that is collected.
func TestTheLinkIsPrintedAndNotLogged(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(serverBinary(t), "serve", "--listen", "127.0.0.1:0", "--url", "https://mainstay.example.com", "--data", filepath.Join(t.TempDir(), "data"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	var logged strings.Builder
	cmd.Stderr = &logged
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	token := ""
	for lines := bufio.NewScanner(out); token == "" && lines.Scan(); {
		_, token, _ = strings.Cut(lines.Text(), "https://mainstay.example.com/setup/")
	}
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if len(token) < 40 {
		t.Fatalf("no link was printed; the log:\n%s", logged.String())
	}
	if strings.Contains(logged.String(), token) || !strings.Contains(logged.String(), "serving") {
		t.Errorf("the log has the link, or nothing:\n%s", logged.String())
	}
}
