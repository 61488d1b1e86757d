package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/github"
)

// selfTest is what came of an empty ticket.
type selfTest struct {
	Branch  string   `json:"branch"`
	Commit  string   `json:"commit"`
	Came    []string `json:"came"`
	Missing []string `json:"missing"`
	Runs    int      `json:"workflow_runs"`
	Took    string   `json:"took"`
	Left    string   `json:"left,omitempty"` // why the branch is still there
}

// anyRun stands for a required check where none is required: then every run of the
// ticket must be green, and there must be one.
const anyRun = "a workflow run"

// testPace is how often the self-test looks.
const testPace = 10 * time.Second

// tester pushes an empty ticket and looks for the checks a landing would wait for.
type tester struct {
	app   *github.App
	place queue.Place
	pace  time.Duration
	now   func() time.Time
}

// runSelfTest pushes, waits, and cleans up behind itself whatever happens.
func runSelfTest(ctx context.Context, app *github.App, place queue.Place, required []doctor.Required, wait time.Duration) (*selfTest, error) {
	return tester{app, place, testPace, time.Now}.run(ctx, required, wait)
}

func (t tester) run(ctx context.Context, required []doctor.Required, wait time.Duration) (*selfTest, error) {
	began := t.now()
	test := &selfTest{Branch: fmt.Sprintf("mainstay/%s/selftest-%s", t.place.Branch, began.UTC().Format("20060102-150405.000"))}
	var err error
	if test.Commit, err = t.app.PushEmpty(ctx, t.place, test.Branch, "Test which checks come\n\nAn empty ticket of `mainstay doctor --self-test`. It lands nowhere."); err != nil {
		return nil, err
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := t.app.DeleteBranch(after, t.place, test.Branch); err != nil {
			test.Left = err.Error()
		}
		_ = t.app.CancelRuns(after, t.place, []string{test.Commit}, test.Branch) // else they run to their end, which costs and harms nothing
	}()
	for {
		results, err := t.app.ReadResults(ctx, t.place, test.Branch, test.Commit, true)
		if err != nil && (ctx.Err() != nil || github.KindOf(err) == github.Forbidden) {
			return nil, err
		}
		if err == nil {
			test.Came, test.Missing = cameOf(results, required)
			test.Runs = len(results.Runs)
		}
		test.Took = t.now().Sub(began).Round(time.Second).String()
		if err == nil && len(test.Missing) == 0 || t.now().Sub(began) >= wait {
			return test, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(t.pace):
		}
	}
}

// cameOf tells the required checks that showed, in whatever state, from those that did not.
func cameOf(r queue.Results, required []doctor.Required) (came, missing []string) {
	came, missing = []string{}, []string{}
	for _, want := range required {
		if want.Name == checkName || slices.Contains(came, want.Name) || slices.Contains(missing, want.Name) {
			continue
		}
		shown := slices.ContainsFunc(r.Checks, func(c queue.CheckResult) bool {
			return c.Name == want.Name && (want.App == 0 || c.App == want.App)
		}) || want.App == 0 && slices.ContainsFunc(r.Statuses, func(s queue.StatusLine) bool { return s.Context == want.Name })
		if shown {
			came = append(came, want.Name)
		} else {
			missing = append(missing, want.Name)
		}
	}
	if len(came)+len(missing) == 0 {
		if len(r.Runs) > 0 {
			return []string{anyRun}, missing
		}
		return came, []string{anyRun}
	}
	return came, missing
}

func (s *selfTest) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Self-test on %s, %s, %d workflow runs:\n", s.Branch, s.Took, s.Runs)
	for _, name := range s.Came {
		fmt.Fprintf(&b, "✓ %s came\n", name)
	}
	for _, name := range s.Missing {
		fmt.Fprintf(&b, "✕ %s never came: a batch would wait for it and time out\n", name)
	}
	if s.Left != "" {
		fmt.Fprintf(&b, "! the branch could not be deleted: %s\n", s.Left)
	}
	return b.String()
}
