package github

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// reportPrefix begins the names of artifacts that the Action leaves; behind the
// last dash stands the run's attempt.
const reportPrefix = "mainstay-report-"

// Limits of artifacts. They come from jobs, and a fork's job may be anybody's.
const (
	maxZip       = 8 << 20
	maxUnzipped  = 64 << 20
	maxArtifacts = 300 // of one run
	fetchLimit   = 30 * time.Second
)

// FoundRun is what GitHub says of a run, and the report files that its jobs left.
type FoundRun struct {
	queue.Run
	Try            int // the run's newest
	HeadSHA        string
	HeadRepository int64
	Files          []FoundFile
}

// FoundFile is one artifact's one file. Only its content is the job's own.
type FoundFile struct {
	Name string // the artifact's
	Try  int    // of the run
	Body []byte
}

// FindReports reads a run and the report files that its jobs left. A file that is
// not what the Action leaves is passed over and logged. A run that is gone gives
// none. Errors: *Trouble, or the context's.
func (a *App) FindReports(ctx context.Context, place queue.Place, run int64) (FoundRun, error) {
	s := a.at(place)
	found, err := s.readRun(ctx, run)
	if err != nil || found.ID == 0 {
		return found, err
	}
	list, err := s.listReports(ctx, found)
	if err != nil {
		return found, err
	}
	for _, file := range list {
		file.Body, err = s.fetchReport(ctx, file.id)
		var odd *oddArtifact
		if errors.As(err, &odd) || gone(err) {
			a.log.Warn("an artifact was passed over", "repository", s.name(), "run", run, "artifact", file.Name, "err", err)
			continue
		}
		if err != nil {
			return found, fmt.Errorf("read artifact %s of run %d in %s: %w", file.Name, run, s.name(), err)
		}
		found.Files = append(found.Files, file.FoundFile)
	}
	return found, nil
}

// PullRuns lists the runs of a pull request's head that ended. Errors: *Trouble, or the context's.
func (a *App) PullRuns(ctx context.Context, place queue.Place, head string) ([]int64, error) {
	s := a.at(place)
	runs, err := s.readRuns(ctx, head, url.Values{"event": {"pull_request"}})
	if err != nil {
		return nil, fmt.Errorf("read the runs of %s in %s: %w", head, s.name(), err)
	}
	var ended []int64
	for _, r := range runs {
		if r.Status == "completed" {
			ended = append(ended, r.ID)
		}
	}
	return ended, nil
}

func (s site) readRun(ctx context.Context, id int64) (FoundRun, error) {
	var r struct {
		run
		Attempt        int `json:"run_attempt"`
		HeadRepository struct {
			ID int64 `json:"id"`
		} `json:"head_repository"`
		Repository struct {
			ID int64 `json:"id"`
		} `json:"repository"`
	}
	_, err := s.get(ctx, fmt.Sprintf("actions/runs/%d", id), nil, &r)
	switch {
	case gone(err):
		return FoundRun{}, nil
	case err != nil:
		return FoundRun{}, fmt.Errorf("read run %d in %s: %w", id, s.name(), err)
	case r.ID != id || r.Repository.ID != s.place.Repository:
		return FoundRun{}, nil // the name is another repository's by now
	}
	return FoundRun{Run: r.fact(), Try: r.Attempt, HeadSHA: r.HeadSHA, HeadRepository: r.HeadRepository.ID}, nil
}

type listedFile struct {
	FoundFile
	id int64
}

// listReports lists a run's artifacts that are reports by name and not too large,
// of the attempts that the run has had.
func (s site) listReports(ctx context.Context, run FoundRun) ([]listedFile, error) {
	type page struct {
		Artifacts []struct {
			ID      int64  `json:"id"`
			Name    string `json:"name"`
			Size    int64  `json:"size_in_bytes"`
			Expired bool   `json:"expired"`
			Run     struct {
				ID int64 `json:"id"`
			} `json:"workflow_run"`
		} `json:"artifacts"`
	}
	var list []listedFile
	err := eachPage(ctx, s, fmt.Sprintf("actions/runs/%d/artifacts", run.ID), nil, func(p page) {
		for _, one := range p.Artifacts {
			try, ok := tryOf(one.Name)
			if !ok || try > run.Try || one.Run.ID != run.ID || one.Expired || one.Size > maxZip || len(list) == maxArtifacts {
				continue
			}
			list = append(list, listedFile{FoundFile{Name: one.Name, Try: try}, one.ID})
		}
	})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the artifacts of run %d in %s: %w", run.ID, s.name(), err)
	}
	return list, nil
}

// tryOf reads the run's attempt from a report's name.
func tryOf(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, reportPrefix)
	dash := strings.LastIndexByte(rest, '-')
	if !ok || dash < 0 || len(name) > 300 {
		return 0, false
	}
	try, err := strconv.Atoi(rest[dash+1:])
	return try, err == nil && try > 0
}

// oddArtifact says what an artifact is that no Action of ours left.
type oddArtifact struct{ why string }

func (o *oddArtifact) Error() string { return o.why }

// fetchReport fetches one artifact and unpacks its one file. GitHub answers with an
// address at a storage host, which is itself the permission: it goes into no log,
// and nothing we are authorized with goes there.
func (s site) fetchReport(ctx context.Context, id int64) ([]byte, error) {
	here := &capped{}
	resp, err := s.get(ctx, fmt.Sprintf("actions/artifacts/%d/zip", id), nil, here)
	if here.full {
		return nil, &oddArtifact{"it is larger than GitHub said"}
	}
	if resp != nil && resp.Response != nil && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		packed, err := s.app.fetchElsewhere(ctx, resp.Header.Get("Location"))
		if err != nil {
			return nil, err
		}
		return unzip(packed)
	}
	if err != nil {
		return nil, err
	}
	return unzip(here.Bytes())
}

func (a *App) fetchElsewhere(ctx context.Context, address string) ([]byte, error) {
	to, err := url.Parse(address)
	if err != nil || to.Scheme != "https" && to.Scheme != "http" || to.Host == "" {
		return nil, &oddArtifact{"GitHub named no address for it"}
	}
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, &oddArtifact{"GitHub named no address for it"}
	}
	call := "GET an artifact at " + to.Host
	resp, err := a.http.Do(req)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // without the address
		}
		return nil, &Trouble{Kind: Unavailable, Call: call, err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, a.refusal(call, resp, "")
	}
	packed, err := io.ReadAll(io.LimitReader(resp.Body, maxZip+1))
	if err != nil {
		return nil, &Trouble{Kind: Unavailable, Call: call, err: err}
	}
	if len(packed) > maxZip {
		return nil, &oddArtifact{"it is larger than GitHub said"}
	}
	return packed, nil
}

// capped takes so much and no more.
type capped struct {
	bytes.Buffer
	full bool
}

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > maxZip {
		c.full = true
		return 0, errors.New("too much")
	}
	return c.Buffer.Write(p)
}

// unzip unpacks an archive of exactly one plain file.
func unzip(packed []byte) ([]byte, error) {
	if n := entriesOf(packed); n != 1 {
		return nil, &oddArtifact{fmt.Sprintf("it has %d files, and a report is one", n)}
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil || len(z.File) != 1 {
		return nil, &oddArtifact{"it is no zip archive"}
	}
	f := z.File[0]
	if !filepath.IsLocal(f.Name) || strings.ContainsAny(f.Name, `/\`) || !f.Mode().IsRegular() {
		return nil, &oddArtifact{"its file is none that the Action leaves"}
	}
	if f.UncompressedSize64 > maxUnzipped {
		return nil, &oddArtifact{"unpacked it is too large"}
	}
	r, err := f.Open()
	if err != nil {
		return nil, &oddArtifact{"it does not unpack"}
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxUnzipped+1)) // what it says of its size may be a lie
	switch {
	case len(body) > maxUnzipped:
		return nil, &oddArtifact{"unpacked it is too large"}
	case err != nil:
		return nil, &oddArtifact{"it does not unpack"}
	}
	return body, nil
}

// entriesOf is how many files an archive says it has, read before its directory
// is: one of a hundred thousand names would take memory for nothing.
func entriesOf(packed []byte) int {
	at := bytes.LastIndex(packed, []byte("PK\x05\x06"))
	if at < 0 || len(packed) < at+22 {
		return 0
	}
	size, offset := binary.LittleEndian.Uint32(packed[at+12:]), binary.LittleEndian.Uint32(packed[at+16:])
	if size == 0xffff || size == 0xffffffff || offset == 0xffffffff {
		return 0xffff // the count stands elsewhere, as in archives of gigabytes
	}
	return int(binary.LittleEndian.Uint16(packed[at+10:]))
}
