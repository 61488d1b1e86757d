package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

func (j *job) announce(s slice) {
	by := "cut locally"
	if s.Source == shard.SourceServer {
		by = "by plan " + s.PlanID
	}
	what := fmt.Sprintf("%d of %d items", len(s.Items), s.Suite)
	if s.Leased {
		what += " to begin with"
	}
	if s.Scope == shard.ScopeAll {
		what = fmt.Sprintf("all %d items", s.Suite)
	}
	if s.Scope == shard.ScopeNarrow {
		what += ", a narrow search"
		if len(s.Only) > 0 {
			what += " for " + strings.Join(s.Only[:min(len(s.Only), 10)], ", ")
		}
	}
	if expected := s.expected(j.set.at.Index); expected > 0 {
		what += fmt.Sprintf(" (about %s)", expected.Round(time.Second))
	}
	j.flow.say("Suite %s, shard %d of %d: %s, %s", j.set.suite.Name, j.set.at.Index+1, j.set.at.Total, what, by)
	if s.Suite == 0 {
		j.flow.warn(fmt.Sprintf("suite %s has no tests", j.set.suite.Name))
	}
}

// tellSlice sets the outputs that a slice has.
func (j *job) tellSlice(s slice) {
	j.flow.output("tests-file", j.file("tests.txt"))
	j.flow.output("count", strconv.Itoa(len(s.run())))
	j.flow.output("source", string(s.Source))
	j.flow.output("plan-id", s.PlanID)
	j.flow.output("scope", s.scopeOutput())
	seconds := ""
	if expected := s.expected(j.set.at.Index); expected > 0 {
		seconds = strconv.FormatInt(int64(math.Ceil(expected.Seconds())), 10)
	}
	j.flow.output("expected-seconds", seconds)
	j.tellProof(s)
}

// tellProof says whether this very commit was tested already.
func (j *job) tellProof(s slice) {
	p := s.Proven
	if p == nil || p.Commit == "" || p.Commit != j.flow.gh.Getenv("GITHUB_SHA") {
		j.flow.output("already-proven", "false")
		return
	}
	j.flow.output("already-proven", "true")
	j.flow.output("receipt", p.URL)
	j.flow.say("Mainstay: this commit was tested already, under this very SHA: %s", shard.CleanName(p.URL))
}

// scopeOutput is the scope in the two words that a workflow decides by.
func (s slice) scopeOutput() string {
	if s.Scope == shard.ScopeNarrow {
		return "narrow"
	}
	return "full"
}

func (j *job) file(name string) string { return filepath.Join(j.set.folder, name) }

// keep writes the slice, for people's commands and for mode report.
func (j *job) keep(s slice) error {
	text := ""
	if list := s.run(); len(list) > 0 {
		text = strings.Join(list, "\n") + "\n"
	}
	if err := os.WriteFile(j.file("tests.txt"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the list of tests: %w", err)
	}
	state, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(j.file("plan.json"), state, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	return nil
}

// maxMatrix is how large the lists in a matrix may be, in bytes. Above it they
// are left out, and each job of the matrix plans for itself. Count tells such a
// row from one that has nothing to run.
const maxMatrix = 256 << 10

// matrix is the plan as a job's matrix, in one line of JSON, and whether it has
// the lists.
func matrix(shards [][]string) (text string, whole bool) {
	type row struct {
		Shard int     `json:"shard"`
		Total int     `json:"total"`
		Count int     `json:"count"`
		Tests *string `json:"tests,omitempty"`
	}
	write := func(lists bool) string {
		rows := make([]row, len(shards))
		for i, items := range shards {
			rows[i] = row{Shard: i, Total: len(shards), Count: len(items)}
			if lists {
				tests := strings.Join(items, "\n")
				rows[i].Tests = &tests
			}
		}
		text, err := json.Marshal(map[string][]row{"include": rows})
		if err != nil {
			return ""
		}
		return string(text)
	}
	if text = write(true); len(text) > maxMatrix {
		return write(false), false
	}
	// Inside JSON the delimiter can be written so that it isn't one any more.
	return strings.ReplaceAll(text, delimiter, `\u005f`+delimiter[1:]), true
}
