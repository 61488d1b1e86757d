package web

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// attemptView is one attempt as the pages show it.
type attemptView struct {
	ID      int64
	Phase   string
	Class   string // busy, good, bad
	Cause   string
	Since   moment
	Old     link
	New     link
	Ticket  link
	Behind  string   // the attempt it stands on, while that has not landed
	Only    []string // the tests that a narrow attempt runs
	Alone   bool     // the base by itself, without anybody's change
	Steps   []stepView
	Members []pullView
	Suites  []suiteView
	Checks  []checkView
	// ByRuns is true where the plan names nothing: then every run must pass.
	ByRuns bool
	Failed []queue.FailedTest
}

type stepView struct{ Name, Class string }

// suiteView is one suite's shards as a row of cells.
type suiteView struct {
	Name, Variant, Sum string
	Cells              []cell
	Lucky              []luckyView // tests that failed without holding anybody up
}

type luckyView struct{ Name, Why string }

type cell struct {
	State, Sign, Text, URL string
}

type checkView struct {
	Name, State, Sign, Text, URL string
}

var signs = map[string]string{"passed": "✓", "flaky": "≈", "failed": "✕", "running": "•", "waiting": ""}

func live(a queue.Attempt) bool {
	return a.Phase != queue.AttemptLanded && a.Phase != queue.AttemptDead
}

func (s *scene) attempt(a queue.Attempt) attemptView {
	v := attemptView{ID: a.ID, Phase: phaseText(a, s.place.Branch), Class: "busy", Since: s.since(a.Since),
		Old: s.commit(a.Old), New: s.commit(a.New), Suites: suites(a), Failed: failedTests(a)}
	if !a.PushedAt.IsZero() {
		v.Ticket = s.branch(a.Ticket)
	} else {
		v.Ticket = link{Text: a.Ticket}
	}
	switch a.Phase {
	case queue.AttemptAbandoning, queue.AttemptDead:
		v.Class, v.Cause = "bad", a.Cause
	case queue.AttemptChecking, queue.AttemptMoving, queue.AttemptLanding, queue.AttemptLanded:
		v.Class = "good"
	}
	v.Behind, v.Alone = s.behind(a), len(a.Members) == 0
	for _, t := range a.Narrow {
		v.Only = append(v.Only, t.Name)
	}
	if at := stepOf(a.Phase); at >= 0 {
		names := stepNames
		if v.Alone || len(v.Only) > 0 {
			names = names[:stepOf(queue.AttemptTesting)+1] // it never lands
		}
		for i, name := range names {
			class := [...]string{"done", "now", "todo"}[1+cmp.Compare(i, at)]
			v.Steps = append(v.Steps, stepView{name, class})
		}
	}
	for _, m := range a.Members {
		pull := s.pull(m.PR)
		pull.Became = s.commit(m.Became)
		v.Members = append(v.Members, pull)
	}
	v.Checks, v.ByRuns = checks(a)
	if s.github == "" {
		v.unlink()
	}
	return v
}

// unlink takes the addresses out that GitHub gave.
func (v *attemptView) unlink() {
	for i := range v.Checks {
		v.Checks[i].URL = ""
	}
	for i := range v.Suites {
		for k := range v.Suites[i].Cells {
			v.Suites[i].Cells[k].URL = ""
		}
	}
}

// behind names the attempt that one stands on while that is not in the base yet.
func (s *scene) behind(a queue.Attempt) string {
	text := ""
	for _, first := range s.rows.Attempts {
		switch {
		case !live(first) || first.ID == a.ID:
		case first.ID == a.Parent && (first.Phase == queue.AttemptMoving || first.Phase == queue.AttemptLanding):
			return fmt.Sprintf("attempt %d, which lands first", first.ID)
		case first.ID == a.Parent || first.New != "" && first.New == a.Old:
			text = fmt.Sprintf("attempt %d, which is not in %s yet", first.ID, s.place.Branch)
		}
	}
	return text
}

// suites lays out the shards: those the plan names and those that reported.
func suites(a queue.Attempt) []suiteView {
	groups := map[[2]string][]queue.Shard{}
	for _, sh := range a.Shards {
		key := [2]string{sh.Suite, sh.Variant}
		groups[key] = append(groups[key], sh)
	}
	for name := range a.Plan.Suites {
		if !slices.ContainsFunc(a.Shards, func(sh queue.Shard) bool { return sh.Suite == name }) {
			groups[[2]string{name, ""}] = nil
		}
	}
	keys := make([][2]string, 0, len(groups))
	for key := range groups {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y [2]string) int {
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	})
	var views []suiteView
	for _, key := range keys {
		views = append(views, suite(a, key, groups[key]))
	}
	return views
}

func suite(a queue.Attempt, key [2]string, shards []queue.Shard) suiteView {
	v := suiteView{Name: key[0], Variant: key[1]}
	total := a.Plan.Suites[key[0]]
	for _, sh := range shards {
		total = max(total, sh.Total)
	}
	total = min(total, shard.MaxTotal)
	for i := range total {
		v.Cells = append(v.Cells, cell{State: "waiting", Text: fmt.Sprintf("Shard %d of %d: waiting", i+1, total)})
	}
	tests := 0
	for _, sh := range shards {
		if sh.Index < 0 || sh.Index >= total {
			continue
		}
		v.Cells[sh.Index] = shardCell(a, sh)
		tests += sh.Tests
		for _, f := range sh.Flaky {
			v.Lucky = append(v.Lucky, luckyView{f.Name, "failed, then passed"})
		}
		for _, f := range sh.Muted {
			v.Lucky = append(v.Lucky, luckyView{f.Name, "failed, and is in quarantine"})
		}
	}
	v.Sum = sumCells(v.Cells, tests)
	return v
}

func shardCell(a queue.Attempt, sh queue.Shard) cell {
	c := cell{State: shardState(sh), Text: fmt.Sprintf("Shard %d of %d: ", sh.Index+1, sh.Total)}
	c.Sign = signs[c.State]
	if sh.Result == "" {
		c.Text += "running"
	} else {
		c.Text += string(sh.Result)
	}
	if sh.Tests > 0 {
		c.Text += ", " + plural(sh.Tests, "test")
	}
	if !sh.EndedAt.IsZero() && sh.EndedAt.After(sh.StartedAt) {
		c.Text += ", " + roughly(sh.EndedAt.Sub(sh.StartedAt))
	}
	for _, r := range a.Results.Checks {
		if sh.CheckRun != 0 && r.ID == sh.CheckRun {
			c.URL = r.URL
		}
	}
	return c
}

func shardState(sh queue.Shard) string {
	switch {
	case sh.Result == "":
		return "running"
	case sh.Result == shard.ResultPassed:
		return "passed"
	case sh.Result.Green():
		return "flaky"
	}
	return "failed"
}

// sumCells is a row of cells in words.
func sumCells(cells []cell, tests int) string {
	if len(cells) == 0 {
		return "not heard of yet"
	}
	count := map[string]int{}
	for _, c := range cells {
		count[c.State]++
	}
	text := fmt.Sprintf("%d of %d passed", count["passed"]+count["flaky"], len(cells))
	for _, state := range []string{"failed", "running"} {
		if n := count[state]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, state)
		}
	}
	if tests > 0 {
		text += " · " + plural(tests, "test")
	}
	return text
}

// checks reads what GitHub says of the plan's named checks or, where the plan
// names nothing, of the ticket's workflow runs. Only Step judges; this shows.
func checks(a queue.Attempt) (views []checkView, byRuns bool) {
	counting := map[int64]bool{}
	for _, r := range a.Results.Runs {
		if r.Event == "push" && r.Branch == a.Ticket {
			counting[r.Suite] = true
		}
	}
	for _, c := range a.Plan.Checks {
		views = append(views, namedCheck(a, c, counting))
	}
	if a.Plan.Named() {
		return views, false
	}
	for _, r := range a.Results.Runs {
		if counting[r.Suite] && r.Event == "push" {
			v := checkView{Name: r.Name, URL: r.URL}
			v.State, v.Text = concluded(r.Status, r.Conclusion, false)
			v.Sign = signs[v.State]
			views = append(views, v)
		}
	}
	return views, true
}

// namedCheck is the worst of all results of that name.
func namedCheck(a queue.Attempt, c queue.NamedCheck, counting map[int64]bool) checkView {
	v := checkView{Name: c.Name, State: "waiting", Text: "not heard of yet"}
	rank := map[string]int{"waiting": 0, "passed": 1, "running": 2, "failed": 3}
	note := func(state, text, url string) {
		if rank[state] >= rank[v.State] {
			v.State, v.Text, v.URL = state, text, url
		}
	}
	for _, r := range a.Results.Checks {
		if r.Name != c.Name || c.App != 0 && r.App != c.App || r.App == queue.ActionsApp && !counting[r.Suite] {
			continue
		}
		state, text := concluded(r.Status, r.Conclusion, c.SkippedOK)
		note(state, text, r.URL)
	}
	for _, s := range a.Results.Statuses {
		if s.Context != c.Name || c.App != 0 {
			continue
		}
		state := map[string]string{"success": "passed", "pending": "running"}[s.State]
		note(cmp.Or(state, "failed"), s.State, s.URL)
	}
	v.Sign = signs[v.State]
	return v
}

func concluded(status, conclusion string, skippedOK bool) (state, text string) {
	switch {
	case status == "in_progress":
		return "running", "running"
	case status != "completed":
		return "running", strings.ReplaceAll(cmp.Or(status, "waiting"), "_", " ")
	case conclusion == "success":
		return "passed", "passed"
	case skippedOK && (conclusion == "skipped" || conclusion == "neutral"):
		return "passed", conclusion
	}
	return "failed", strings.ReplaceAll(conclusion, "_", " ")
}

func failedTests(a queue.Attempt) []queue.FailedTest {
	var tests []queue.FailedTest
	for _, sh := range a.Shards {
		tests = append(tests, sh.Failed...)
	}
	sort.SliceStable(tests, func(i, j int) bool { return tests[i].Name < tests[j].Name })
	return tests
}
