package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// release is a checkout of the Action whose sources were released, the binary that
// was, and the place it is downloaded from.
type release struct {
	t        *testing.T
	root     string // GITHUB_ACTION_PATH
	asset    []byte
	requests atomic.Int32
	settled  atomic.Bool // asset and handler stay as they are
	handler  http.HandlerFunc
	url      string
}

const assetName = "mainstay-action_9.8.7_linux_amd64"

// theAsset stands for the binary: it says that it ran, and is as red as the tests.
const theAsset = "#!/bin/sh\necho the released binary ran\nexec $INPUT_COMMAND\n"

func newRelease(t *testing.T) *release {
	r := &release{t: t, root: t.TempDir(), asset: []byte(theAsset)}
	r.copySources()
	r.write("action/version", "9.8.7\n")
	r.sign(r.asset)
	r.handler = func(w http.ResponseWriter, _ *http.Request) { w.Write(r.asset) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.requests.Add(1)
		if !r.settled.Load() {
			t.Error("asked before the step began")
		}
		if q.URL.Path != "/v9.8.7/"+assetName {
			t.Errorf("asked for %s", q.URL.Path)
		}
		r.handler(w, q)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// sign writes the checksums that go with an asset.
func (r *release) sign(asset []byte) {
	hash := sha256.Sum256(asset)
	r.write("action/checksums.txt", fmt.Sprintf("# A release.\n# sources: %s\n%064x  mainstay-action_9.8.7_darwin_arm64\n%x  %s\n", sourcesDigest(r.t, r.root), 1, hash, assetName))
}

func (r *release) write(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(r.root, name)), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.root, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// copySources copies what a binary is built from, the scripts and action.yml.
func (r *release) copySources() {
	for _, name := range append(sourceNames(r.t, ".."), "action.yml", "action/scripts/machine.sh", "action/scripts/get.sh", "action/scripts/main.sh", "action/scripts/fallback.sh", "action/scripts/patterns.awk") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			r.t.Fatal(err)
		}
		r.write(name, string(text))
	}
}

// sourceNames lists what the digest is made of, as the go command knows it: nothing
// that is compiled into the binary may be left out.
func sourceNames(t *testing.T, root string) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"action/*.go", "action/suite/*.go", "queue/shard/*.go"} {
		found, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		names = append(names, slices.DeleteFunc(found, func(name string) bool { return strings.HasSuffix(name, "_test.go") })...)
	}
	return append(names, "go.mod", "go.sum")
}

func sourcesDigest(t *testing.T, root string) string {
	t.Helper()
	var list bytes.Buffer
	for _, name := range sourceNames(t, root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(text), name)
	}
	hash := sha256.Sum256(list.Bytes())
	return hex.EncodeToString(hash[:])
}

// The digest in shell is the one that was meant, and covers every package of ours
// that is compiled in.
func TestDigestCoversEverySource(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", `. "$GITHUB_ACTION_PATH/action/scripts/machine.sh"; digest`)
	cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+root, "LC_ALL=en_US.UTF-8")
	out, err := cmd.Output()
	if want := sourcesDigest(t, root); err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("digest %q, want %s (%v)", out, want, err)
	}
	known := sourceNames(t, root)
	list := exec.Command("go", "list", "-deps", "-f", `{{if and (not .Standard) (eq .Module.Path "github.com/mainstay-ci/mainstay")}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}`, ".")
	out, err = list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Fields(string(out)) {
		name, err := filepath.Rel(root, file)
		if err != nil || !slices.Contains(known, filepath.ToSlash(name)) {
			t.Errorf("%s is compiled into the binary, and the digest does not see it", file)
		}
	}
}

// What is committed beside action.yml names five platforms, and nothing twice.
func TestChecksumsAreWellFormed(t *testing.T) {
	version, err := os.ReadFile("version")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("checksums.txt")
	if err != nil {
		t.Fatal(err)
	}
	found, sources := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# sources: "); ok {
			sources = strings.TrimSpace(rest)
		}
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || found[name] {
			t.Errorf("line %q", line)
		}
		found[name] = true
	}
	if raw, err := hex.DecodeString(sources); err != nil || len(raw) != sha256.Size {
		t.Errorf("the digest of the sources is %q", sources)
	}
	for _, platform := range []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64.exe"} {
		if name := "mainstay-action_" + strings.TrimSpace(string(version)) + "_" + platform; !found[name] {
			t.Errorf("%s has no checksum", name)
		}
	}
	if len(found) != 5 {
		t.Errorf("%d files", len(found))
	}
}

// step is a shard with two items, of a suite whose command ends so.
func (r *release) step(command string) *step {
	s := newStep(r.t, map[string]string{"mode": "run", "runner": "generic", "tests": "a\nb\nc", "command": command, "shard-index": "0", "shard-total": "2"})
	s.env["RUNNER_TOOL_CACHE"] = r.t.TempDir()
	return s
}

// act runs get and main of the release; without Go, unless the environment says so.
func (r *release) act(s *step, extra ...string) int {
	r.settled.Store(true)
	return s.composite(append([]string{"GITHUB_ACTION_PATH=" + r.root, "MAINSTAY_RELEASES_URL=" + r.url, "MAINSTAY_GET_SECONDS=15", "MAINSTAY_ACTION_BUILD=no"}, extra...)...)
}

// A binary runs where its hash is the committed one, and is kept.
func TestGetDownloadsOnceAndKeeps(t *testing.T) {
	r := newRelease(t)
	s := r.step("echo {tests}")
	for range 3 {
		if code := r.act(s); code != exitFine || !strings.Contains(s.log.String(), "the released binary ran") || s.warnings() != 0 {
			t.Fatalf("exit code %d\n%s", code, &s.log)
		}
	}
	if n := r.requests.Load(); n != 1 {
		t.Errorf("downloaded %d times", n)
	}
	s.with(map[string]string{"command": "false"})
	if code := r.act(s); code != exitRed {
		t.Errorf("red tests: exit code %d", code)
	}
	left, err := filepath.Glob(s.env["RUNNER_TOOL_CACHE"] + "/mainstay-action/*/*")
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %q", left)
	}
}

// cutOff sends a part of what it promised.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n#!/bin/sh\n")
		conn.Close()
	}
}

// Whatever stands between the job and the binary: nothing runs that is not the
// released one, and the job follows its tests. The two laws hold.
func TestGetTrustsNothingElse(t *testing.T) {
	evil := "#!/bin/sh\necho something else ran\nexit 0\n"
	answer := func(h http.HandlerFunc) func(*release, *step) []string {
		return func(r *release, _ *step) []string { r.handler = h; return nil }
	}
	patiently := func(h http.HandlerFunc) func(*release, *step) []string {
		return func(r *release, _ *step) []string { r.handler = h; return []string{"MAINSTAY_GET_SECONDS=2"} }
	}
	cases := []struct {
		name   string
		spoil  func(*release, *step) []string // the environment that goes with it
		warns  bool                           // besides the warning that there is no binary
		silent bool                           // nobody is asked
	}{
		{name: "404", spoil: answer(http.NotFound)},
		{name: "500", spoil: answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })},
		{name: "never answers", spoil: patiently(hang)},
		{name: "never ends", spoil: patiently(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, theAsset)
			w.(http.Flusher).Flush()
			hang(w, r)
		})},
		{name: "half closed", spoil: answer(cutOff)},
		{name: "too much", spoil: answer(func(w http.ResponseWriter, _ *http.Request) {
			block := bytes.Repeat([]byte("x"), 1<<20)
			for range 32 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		})},
		{name: "another file", warns: true, spoil: answer(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, evil) })},
		{name: "an empty file", warns: true, spoil: answer(func(http.ResponseWriter, *http.Request) {})},
		{name: "a page to log in", warns: true, spoil: answer(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })},
		{name: "a redirect to plain HTTP elsewhere", spoil: answer(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "ftp://example.invalid/x", http.StatusFound)
		})},
		{name: "refuses connections", silent: true, spoil: func(*release, *step) []string { return []string{"MAINSTAY_RELEASES_URL=http://127.0.0.1:1"} }},
		{name: "no such host", silent: true, spoil: func(*release, *step) []string { return []string{"MAINSTAY_RELEASES_URL=https://mainstay.invalid"} }},
		{name: "plain HTTP", silent: true, spoil: func(r *release, _ *step) []string {
			return []string{"MAINSTAY_RELEASES_URL=" + strings.Replace(r.url, "127.0.0.1", "localhost", 1)}
		}},
		{name: "bad TLS", silent: true, spoil: func(r *release, _ *step) []string {
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(r.asset) }))
			r.t.Cleanup(server.Close)
			return []string{"MAINSTAY_RELEASES_URL=" + server.URL}
		}},
		{name: "the checksum of something else", warns: true, spoil: func(r *release, _ *step) []string { r.sign([]byte("x")); return nil }},
		{name: "sources that were not released", silent: true, spoil: func(r *release, _ *step) []string {
			r.write("action/suite/suite.go", "package suite\n")
			return nil
		}},
		{name: "no checksums", silent: true, spoil: func(r *release, _ *step) []string { os.Remove(r.root + "/action/checksums.txt"); return nil }},
		{name: "no version", silent: true, spoil: func(r *release, _ *step) []string { os.Remove(r.root + "/action/version"); return nil }},
		{name: "checksums of nonsense", silent: true, spoil: func(r *release, _ *step) []string {
			r.write("action/checksums.txt", "# sources: "+sourcesDigest(r.t, r.root)+"\n$(touch pwned)  "+assetName+"\n")
			return nil
		}},
		{name: "a platform that is not released", silent: true, spoil: func(*release, *step) []string { return []string{"RUNNER_ARCH=ARM"} }},
		{name: "a poisoned tool cache, and no network", silent: true, warns: true, spoil: func(r *release, s *step) []string {
			r.act(s)
			r.poison(s, evil)
			r.requests.Store(0)
			return []string{"MAINSTAY_RELEASES_URL=http://127.0.0.1:1"}
		}},
		{name: "a tool cache that cannot be written", silent: true, spoil: func(_ *release, s *step) []string {
			file := filepath.Join(s.env["RUNNER_TEMP"], "file")
			if err := os.WriteFile(file, nil, 0o644); err != nil {
				s.t.Fatal(err)
			}
			s.env["RUNNER_TOOL_CACHE"] = file
			return nil
		}},
	}
	for _, c := range cases {
		for command, want := range map[string]int{"printf '<%s>' {tests}": exitFine, "false {tests}": exitRed} {
			t.Run(fmt.Sprintf("%s/%d", c.name, want), func(t *testing.T) {
				t.Parallel()
				r := newRelease(t)
				s := r.step(command)
				env := c.spoil(r, s)

				code := r.act(s, env...)

				log := s.log.String()
				if code != want || strings.Contains(log, "something else ran") || strings.Contains(log, "the released binary ran") {
					t.Errorf("exit code %d, want %d\n%s", code, want, log)
				}
				if want == exitFine && !strings.Contains(log, "<a><c>") {
					t.Errorf("the shell did not cut the suite\n%s", log)
				}
				if n := s.warnings(); n != map[bool]int{true: 2, false: 1}[c.warns] {
					t.Errorf("%d warnings\n%s", n, log)
				}
				if asked := r.requests.Load() > 0; asked == c.silent {
					t.Errorf("asked for the binary: %v\n%s", asked, log)
				}
				if left, _ := filepath.Glob(s.env["RUNNER_TOOL_CACHE"] + "/mainstay-action/*/*.part"); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			})
		}
	}
}

// poison puts another file in the place of the binary that is kept.
func (r *release) poison(s *step, text string) {
	r.t.Helper()
	kept, err := filepath.Glob(s.env["RUNNER_TOOL_CACHE"] + "/mainstay-action/*/" + assetName)
	if err != nil || len(kept) != 1 {
		r.t.Fatalf("kept: %q (%v)\n%s", kept, err, &s.log)
	}
	if err := os.WriteFile(kept[0], []byte(text), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

// A poisoned tool cache heals where the release can be had.
func TestPoisonedToolCacheIsReplaced(t *testing.T) {
	r := newRelease(t)
	s := r.step("echo {tests}")
	r.act(s)
	r.poison(s, "#!/bin/sh\necho something else ran\n")
	for _, warnings := range []int{1, 0} {
		if code := r.act(s); code != exitFine || !strings.Contains(s.log.String(), "the released binary ran") || s.warnings() != warnings {
			t.Errorf("exit code %d\n%s", code, &s.log)
		}
	}
}

// Go, where it is there, builds what could not be had.
func TestWithoutReleaseGoBuilds(t *testing.T) {
	r := newRelease(t)
	r.handler = http.NotFound
	for command, want := range map[string]int{"true {tests}": exitFine, "false {tests}": exitRed} {
		s := r.step(command)
		if code := r.act(s, "MAINSTAY_ACTION_BUILD="); code != want || !strings.Contains(s.log.String(), "Building the Mainstay Action") || s.warnings() != 0 {
			t.Errorf("exit code %d, want %d\n%s", code, want, &s.log)
		}
	}
}

// A file that this machine cannot run is no binary.
func TestBinaryOfAnotherMachine(t *testing.T) {
	r := newRelease(t)
	r.asset = append([]byte("\x7fELF"), make([]byte, 400)...)
	r.sign(r.asset)
	for command, want := range map[string]int{"true {tests}": exitFine, "false {tests}": exitRed} {
		s := r.step(command)
		if code := r.act(s); code != want || s.warnings() != 1 {
			t.Errorf("exit code %d, want %d\n%s", code, want, &s.log)
		}
	}
}

// macOS's bash is of 2007: it has no arrays filled by mapfile, no ** and no case
// modification, and an empty array is unset to it.
func TestScriptsAreForOldShells(t *testing.T) {
	files, err := filepath.Glob("scripts/*.sh")
	if err != nil || len(files) < 4 {
		t.Fatalf("scripts %q (%v)", files, err)
	}
	later := regexp.MustCompile(`\b(mapfile|readarray|coproc|globstar|wait -n)\b|declare -[Ag]|local -n|\$\{\w+(,,?|\^\^?|@\w)\}|\|&|&>>|;;&|\[ -v `)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if code, _, _ := strings.Cut(line, "# "); later.MatchString(code) {
				t.Errorf("%s:%d: bash 3.2 does not know this: %s", file, i+1, line)
			}
		}
	}
}
