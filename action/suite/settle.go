package suite

import (
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// results makes results of what was gathered. With a fault nothing is proved.
func (g *gather) results(run past, fault error) Results {
	r := Results{ExitCode: run.code, Tests: g.tests, Notes: g.notes()}
	if run.code != 0 && !slices.ContainsFunc(g.tests, shard.Test.Failed) {
		g.distrustDoubles()
	}
	if g.s.Runner == Pytest && run.code == pytestNothing && g.sum.cases == 0 && fault == nil {
		// Other slices have tests. A suite is not red because of how it was cut.
		r.ExitCode = 0
		r.Notes = append(r.Notes, "pytest collected no test in this slice")
	}
	stopped := g.s.Runner == Pytest && run.code != 0 && (!g.s.TestsAlone(run.code) && run.code != pytestNothing || pytestStopped().MatchString(run.output))
	for at, t := range g.tests {
		item := g.owner[at]
		if item == nil || !t.Failed() {
			continue
		}
		if lower(item, t.Last()); stopped {
			item.Status = shard.Errored // what comes after in the file never ran
		}
	}
	g.judgeItems(&r, run, fault)
	if g.s.Runner == Go {
		r.Tests = withoutParents(r.Tests)
	}
	for extra := range g.extra {
		r.Extra = append(r.Extra, extra)
	}
	slices.Sort(r.Extra)
	if r.ExitCode != 0 && len(r.Failing()) == 0 {
		name := g.s.commandName()
		if _, taken := g.index[g.s.key("", name)]; taken {
			name = nameExit
		}
		r.Tests = append(r.Tests, g.s.exitTest("", name, r.ExitCode, run.output))
	}
	slices.SortStableFunc(r.Tests, func(a, b shard.Test) int { return strings.Compare(a.Class, b.Class) })
	return r
}

// nameExit stands for the command where a test is called as that is.
const nameExit = "[the command itself]"

// distrustDoubles lets the red execution of a test that was told twice count.
// The run is red: so these were no re-runs but two tests of one name.
func (g *gather) distrustDoubles() {
	for at := range g.tests {
		t := &g.tests[at]
		if !g.double[at] || !t.Flaky() {
			continue
		}
		red := slices.IndexFunc(t.Executions, shard.Execution.Red)
		e := t.Executions[red]
		t.Executions = append(slices.Delete(t.Executions, red, red+1), e)
	}
}

// withoutParents leaves out Go tests that failed with their subtests: naming
// those is enough.
func withoutParents(tests []shard.Test) []shard.Test {
	type named struct{ class, name string }
	parents := map[named]bool{}
	for _, t := range tests {
		if !t.Failed() {
			continue
		}
		for name := t.Name; ; {
			i := strings.LastIndexByte(name, '/')
			if i < 0 || parents[named{t.Class, name[:i]}] {
				break
			}
			name = name[:i]
			parents[named{t.Class, name}] = true
		}
	}
	return slices.DeleteFunc(tests, func(t shard.Test) bool { return t.Failed() && parents[named{t.Class, t.Name}] })
}

func (g *gather) judgeItems(r *Results, run past, fault error) {
	failing := slices.ContainsFunc(g.tests, shard.Test.Failed)
	for _, id := range g.where.items {
		item := g.items[id]
		if item == nil {
			if status := g.quiet(id, run, failing, fault); status != "" {
				item = &shard.ItemResult{ID: id, Status: status}
			}
		}
		if item == nil || fault != nil && item.Status != shard.Failed && item.Status != shard.Errored {
			r.NotRun = append(r.NotRun, id)
			continue
		}
		r.Items = append(r.Items, *item)
	}
}

// pytestNothing is pytest's exit code where it collected no test.
const pytestNothing = 5

// quiet decides on an item that no test was told of: how it ended, or "" where
// it must be taken for one that never ran.
func (g *gather) quiet(id string, run past, failing bool, fault error) shard.Status {
	if fault != nil {
		return ""
	}
	if g.sum.cases > 0 && (g.loose && g.s.Runner != Pytest || !g.placed && !g.where.onDisk()) {
		// The results do not name all files, or the items are none: the exit code is
		// all that is known of each.
		switch {
		case run.code == 0:
			return shard.Passed
		case failing:
			return shard.Failed
		}
		return shard.Errored
	}
	followed := len(g.extra) == 0 // it ran nothing that it was not asked for
	switch g.s.Runner {
	case Pytest:
		// One that came to its end went through all that it was given; tests that
		// were deselected are not told of.
		ended := run.code == 0 || run.code == pytestNothing
		if g.where.holdsNoTest(id, pythonTest()) || ended && run.handed && followed {
			return shard.Skipped
		}
	case Generic:
		if g.where.holdsNoTest(id, anyTest()) {
			return shard.Skipped
		}
	}
	// jest takes a file without tests for red, and go test is asked for packages that have some.
	return ""
}

var (
	pythonTest = expression(`(?m)^\s*(async\s+)?def\s+\w*test|^\s*class\s|>>>|import\s+\*`)
	anyTest    = expression(`(?i)test|\bit\b|describe|spec\b|scenario|example|should|import|require|include`)
)

// notes says what a person should know though it changes nothing.
func (g *gather) notes() []string {
	var notes []string
	for _, n := range []struct {
		count int
		text  string
	}{
		{g.sum.unnamed, "without a name in the results; they cannot be told apart"},
		{g.sum.alike, "called like another; they were numbered in order"},
		{g.sum.unlisted, "more than can be listed; red ones are never among them unless others are red"},
	} {
		if n.count > 0 {
			notes = append(notes, count(n.count, "test")+" "+n.text)
		}
	}
	return notes
}
