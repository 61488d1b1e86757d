package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// The modes.
const (
	modePlan   = "plan"
	modeRun    = "run"
	modeReport = "report"
	modeVerify = "verify"
)

// How long a step waits for the server, all in all: in mode verify that is how
// long it waits for the other jobs.
const (
	defaultTimeout = 20 * time.Second
	longestTimeout = 10 * time.Minute
	defaultVerify  = 30 * time.Minute
	longestVerify  = 6 * time.Hour
)

// What a failure does to the job, and the cuts without a server.
const (
	failUnquarantined = "unquarantined"
	failAny           = "any"
	failNever         = "never"
	cutRoundRobin     = "round-robin"
	cutFileSize       = "filesize"
	cutAll            = "all"
)

// settings is what the step was asked for, checked.
type settings struct {
	mode     string
	server   string // "" is: cut locally, report to nobody
	at       shard.Position
	planJob  bool // one job plans for a matrix to come
	suite    suite.Suite
	audience string // of the identity
	secret   string // instead of an identity; "" is none
	outcome  shard.Outcome
	failOn   string
	fallback string
	timeout  time.Duration
	summary  bool
	attempt  int
	checkRun string
	blob     string // address of the commit's files on GitHub; "": not known
	folder   string // for the files of this suite and shard
}

// readSettings reads and checks the inputs.
func readSettings(w *workflow) (settings, error) {
	set := settings{
		mode: w.input("mode"), server: strings.TrimRight(w.input("server-url"), "/"), audience: w.input("audience"), secret: w.input("token"),
		failOn: w.input("fail-on"), fallback: w.input("fallback"), outcome: shard.Outcome(w.input("outcome")), summary: w.input("summary") != "false", attempt: 1,
	}
	w.mask(set.secret)
	set.mode = cmp.Or(set.mode, modePlan)
	set.audience = cmp.Or(set.audience, set.server)
	set.failOn = cmp.Or(set.failOn, failUnquarantined)
	set.fallback = cmp.Or(set.fallback, cutRoundRobin)
	if attempt, err := strconv.Atoi(w.gh.Getenv("GITHUB_RUN_ATTEMPT")); err == nil {
		set.attempt = attempt
	}
	if id := w.gh.Getenv("MAINSTAY_CHECK_RUN_ID"); id != "" && strings.Trim(id, "0123456789") == "" {
		set.checkRun = id
	}
	if repository, sha := w.gh.Getenv("GITHUB_REPOSITORY"), w.gh.Getenv("GITHUB_SHA"); repository != "" && sha != "" {
		host := cmp.Or(w.gh.Getenv("GITHUB_SERVER_URL"), "https://github.com")
		set.blob = strings.TrimRight(host, "/") + "/" + repository + "/blob/" + sha + "/"
	}
	err := errors.Join(set.readMode(), set.readPosition(w), set.readTimeout(w), set.readSuite(w))
	if err != nil {
		return settings{}, err
	}
	return set, set.makeFolder(w)
}

func (s *settings) readMode() error {
	if !slices.Contains([]string{modePlan, modeRun, modeReport, modeVerify}, s.mode) {
		return fmt.Errorf("unknown mode %q: there are plan, run, report and verify", s.mode)
	}
	if !slices.Contains([]string{failUnquarantined, failAny, failNever}, s.failOn) {
		return fmt.Errorf("unknown fail-on %q: there are unquarantined, any and never", s.failOn)
	}
	if !slices.Contains([]string{cutRoundRobin, cutFileSize, cutAll}, s.fallback) {
		return fmt.Errorf("unknown fallback %q: there are round-robin, filesize and all", s.fallback)
	}
	if s.mode == modeVerify && s.outcome == "" {
		return errors.New("mode verify needs outcome, as in ${{ needs.test.result }}: it is what counts where the server cannot be asked")
	}
	if strings.ContainsFunc(s.secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("token is not one word of plain characters")
	}
	switch s.outcome {
	case "", shard.OutcomeSuccess, shard.OutcomeFailure, shard.OutcomeCancelled, shard.OutcomeSkipped:
		return nil
	}
	return fmt.Errorf("unknown outcome %q: give ${{ steps.<id>.outcome }} of the step that ran the tests", s.outcome)
}

func (s *settings) readPosition(w *workflow) error {
	index, total := w.input("shard-index"), w.input("shard-total")
	jobs := w.gh.Getenv("MAINSTAY_JOB_TOTAL")
	var err error
	if s.at.Total, err = number(total, 1); err != nil {
		return fmt.Errorf("shard-total: %w", err)
	}
	if s.at.Index, err = number(index, 0); err != nil {
		return fmt.Errorf("shard-index: %w", err)
	}
	// A job outside a matrix that plans for several shards plans for others too.
	s.planJob = s.mode == modePlan && s.at.Total > 1 && (jobs == "1" || jobs == "" && index == "")
	if index == "" && s.at.Total > 1 && !s.planJob && s.mode != modeVerify {
		// A misspelt ${{ matrix.x }} is empty: every job would be shard 0, and the others nobody's.
		return fmt.Errorf("shard-index is empty, and there are %d shards: say which one this job is", s.at.Total)
	}
	return s.at.Validate()
}

func number(text string, empty int) (int, error) {
	if text == "" {
		return empty, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

func (s *settings) readTimeout(w *workflow) error {
	longest := longestTimeout
	if s.timeout = defaultTimeout; s.mode == modeVerify {
		s.timeout, longest = defaultVerify, longestVerify
	}
	text := w.input("timeout")
	if text == "" {
		return nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		text = strconv.Itoa(n) + "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > longest {
		return fmt.Errorf("timeout %q is not a duration between 1s and %s", text, longest)
	}
	s.timeout = d
	return nil
}

func (s *settings) readSuite(w *workflow) error {
	workspace := w.gh.Getenv("GITHUB_WORKSPACE")
	dir := filepath.Join(workspace, w.input("working-directory"))
	if info, err := os.Stat(dirOr(dir)); err != nil || !info.IsDir() {
		return fmt.Errorf("working-directory %q is not a folder", dir)
	}
	runner, err := suite.ParseRunner(w.input("runner"), dir)
	if err != nil {
		return err
	}
	format, err := suite.ParseFormat(w.input("format"))
	if err != nil {
		return err
	}
	s.suite = suite.Suite{
		Name: w.input("suite"), Variant: w.input("variant"), Runner: runner, Dir: dir, Root: workspace,
		Tests: w.input("tests"), ListCommand: w.input("list-command"), Command: w.input("command"),
		Results: w.input("results"), Format: format,
	}
	if s.suite.Name == "" {
		s.suite.Name = w.gh.Getenv("GITHUB_JOB")
	}
	if s.suite.Name == "" {
		s.suite.Name = "tests"
	}
	for _, label := range []string{s.suite.Name, s.suite.Variant} {
		if len(label) > shard.MaxLabel || shard.CleanName(label) != label {
			return fmt.Errorf("suite or variant %.80q is longer than %d bytes or not plain text", label, shard.MaxLabel)
		}
	}
	if s.mode == modeRun {
		return s.suite.CheckCommand(s.at.Total)
	}
	return nil
}

// makeFolder makes a folder that the steps of one job share: plan leaves there
// what report needs. Its name is a hash, as suites are called as people like.
func (s *settings) makeFolder(w *workflow) error {
	temp := w.gh.Getenv("RUNNER_TEMP")
	if temp == "" {
		temp = os.TempDir()
	}
	key := fmt.Sprintf("%q %q %d %d", s.suite.Name, s.suite.Variant, s.at.Index, s.at.Total)
	hash := sha256.Sum256([]byte(key))
	s.folder = filepath.Join(temp, "mainstay-"+hex.EncodeToString(hash[:8]))
	s.suite.Scratch = s.folder
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return fmt.Errorf("make a folder for our files: %w", err)
	}
	return nil
}

func dirOr(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}
