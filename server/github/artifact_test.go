package github

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/sandbox"
)

// packed is a zip of these files.
func packed(t *testing.T, files ...[2]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// ranOnce is a scene in which a push started a workflow run that ended.
func ranOnce(t *testing.T, log io.Writer) (*scene, sandbox.WorkflowRun) {
	t.Helper()
	s := newScene(t, sandbox.Options{})
	s.app = s.newApp(Options{Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	s.repo.SetWorkflows(map[string]string{".github/workflows/test.yml": "on: {push: {branches: [\"mainstay/**\"]}}\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: \"true\"}]}}\n"})
	s.push("mainstay/main/1", "main", map[string]string{"a": "1"})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // bombs take long to make
	t.Cleanup(cancel)
	s.ctx = ctx
	s.must(s.forge.Settle(ctx))
	runs := s.repo.WorkflowRuns()
	if len(runs) != 1 {
		t.Fatalf("runs: %+v", runs)
	}
	return s, runs[0]
}

// What jobs left is read by name, within limits, and only as GitHub ties it to the
// run; our token stays with GitHub, and the address at the storage host in no log.
func TestReportsThatARunLeft(t *testing.T) {
	var log bytes.Buffer
	s, run := ranOnce(t, &log)
	bomb := packed(t, [2]string{"report.json", strings.Repeat("\x00", maxUnzipped+1)})
	liar := bytes.Clone(bomb)
	at := bytes.LastIndex(liar, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(liar[at+24:], 10) // it says that it is ten bytes
	for name, content := range map[string][]byte{
		"mainstay-report-unit-0-1":     packed(t, [2]string{"report.json", "{}\n"}),
		"mainstay-report-unit-1-1":     packed(t, [2]string{"report.json", "[]\n"}),
		"coverage":                     packed(t, [2]string{"report.json", "{}"}),
		"mainstay-report-unit":         packed(t, [2]string{"report.json", "{}"}),
		"mainstay-report-":             packed(t, [2]string{"report.json", "{}"}),
		"mainstay-report-unit-1-0":     packed(t, [2]string{"report.json", "{}"}),
		"mainstay-report-unit-1-2":     packed(t, [2]string{"report.json", "of an attempt there was not"}),
		"mainstay-report-bomb-0-1":     bomb,
		"mainstay-report-liar-0-1":     liar,
		"mainstay-report-huge-0-1":     bytes.Repeat([]byte("x"), maxZip+1),
		"mainstay-report-two-0-1":      packed(t, [2]string{"report.json", "{}"}, [2]string{"other.json", "{}"}),
		"mainstay-report-none-0-1":     packed(t),
		"mainstay-report-text-0-1":     []byte("no archive"),
		"mainstay-report-empty-0-1":    {},
		"mainstay-report-cut-0-1":      packed(t, [2]string{"report.json", "{}"})[:20],
		"mainstay-report-above-0-1":    packed(t, [2]string{"../report.json", "{}"}),
		"mainstay-report-root-0-1":     packed(t, [2]string{"/etc/report.json", "{}"}),
		"mainstay-report-folder-0-1":   packed(t, [2]string{"deep/report.json", "{}"}),
		"mainstay-report-backwards-1":  packed(t, [2]string{`..\report.json`, "{}"}),
		"mainstay-report-elsewhere-01": packed(t, [2]string{"report.json", "{}"}),
	} {
		s.must(s.repo.PutArtifact(run.ID, name, content))
	}

	found, err := s.app.FindReports(s.ctx, s.place, run.ID)
	s.must(err)

	if found.ID != run.ID || found.Event != "push" || found.Branch != "mainstay/main/1" || found.HeadSHA != run.HeadSHA ||
		found.Try != 1 || found.HeadRepository != s.repo.ID || found.Path != ".github/workflows/test.yml" {
		t.Errorf("found %+v", found.Run)
	}
	got := map[string]string{}
	for _, f := range found.Files {
		got[f.Name] = fmt.Sprintf("%d %.5s", f.Try, f.Body)
	}
	want := map[string]string{"mainstay-report-unit-0-1": "1 {}\n", "mainstay-report-unit-1-1": "1 []\n", "mainstay-report-elsewhere-01": "1 {}"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("found files %q, want %q", got, want)
	}
	if strings.Contains(log.String(), "_services/artifacts") {
		t.Error("the address of an artifact is in the log")
	}
	if !strings.Contains(log.String(), "mainstay-report-bomb-0-1") {
		t.Error("an artifact was passed over without a word")
	}
}

// A run that is gone, or of another repository, leaves nothing; trouble is no answer.
func TestReportsOfNoRun(t *testing.T) {
	s, run := ranOnce(t, io.Discard)
	found, err := s.app.FindReports(s.ctx, s.place, 987654321)
	if err != nil || found.ID != 0 {
		t.Errorf("a run there is not: %+v, %v", found, err)
	}
	other := s.place
	other.Repository++
	if found, err := s.app.FindReports(s.ctx, other, run.ID); err != nil || found.ID != 0 {
		t.Errorf("another repository's run: %+v, %v", found, err)
	}
	s.must(s.repo.PutArtifact(run.ID, "mainstay-report-unit-0-1", packed(t, [2]string{"report.json", "{}"})))
	broken := s.newApp(Options{})
	broken.http = broken.client(storageDown{s.calls})
	if _, err := broken.FindReports(s.ctx, s.place, run.ID); KindOf(err) != Unavailable || strings.Contains(err.Error(), "_services") {
		t.Errorf("with the storage host down: %v", err)
	}
}

// storageDown is a network in which only GitHub itself answers.
type storageDown struct{ http.RoundTripper }

func (d storageDown) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "_services/artifacts") {
		if r.Header.Get("Authorization") != "" {
			panic("our token goes to the storage host")
		}
		return nil, io.ErrUnexpectedEOF
	}
	return d.RoundTripper.RoundTrip(r)
}
