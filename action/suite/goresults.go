package suite

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gotest.tools/gotestsum/testjson"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Names for what fails in a package before or after its tests.
const (
	nameBuild   = "[build failed]"
	nameProcess = "[test process]" // init, TestMain, os.Exit
)

// goResults makes results of a stream that was read to its end.
func (s Suite) goResults(stream *goStream, items []string, code int) Results {
	if stream.events == 0 {
		return s.byExitCode(items, code, stream.plain.text())
	}
	r := Results{ExitCode: code}
	if n := stream.room.unlisted; n > 0 {
		r.Notes = append(r.Notes, count(n, "test")+" more than can be listed; red ones are never among them unless others are red")
	}
	where := newLocator(s)
	planned := shard.Normalise(items)
	r.Tests = make([]shard.Test, 0, min(stream.sum.ran+len(planned), maxCases+maxRedCases))
	for _, pkg := range stream.exec.Packages() {
		if pkg == "" {
			continue
		}
		tests := s.packageTests(stream, pkg, where)
		r.Tests = append(r.Tests, tests...)
		end, ended := stream.packEnd[pkg]
		if _, found := slices.BinarySearch(planned, pkg); found {
			r.Items = append(r.Items, shard.ItemResult{
				ID: pkg, Status: packageStatus(end, ended, stream.died(pkg) || s.stopsEarly(), tests), MS: ms(seconds(end.Elapsed)),
			})
		} else if end.Action != "skip" {
			// A package without tests is skipped: no result, and none was asked for.
			r.Extra = append(r.Extra, pkg)
		}
	}
	told := map[string]bool{}
	for _, item := range r.Items {
		told[item.ID] = true
	}
	for _, item := range planned {
		if !told[item] {
			r.NotRun = append(r.NotRun, item)
		}
	}
	if code != 0 && len(r.Failing()) == 0 {
		r.Tests = append(r.Tests, s.exitTest("", s.commandName(), code, stream.plain.text()))
	}
	return r
}

// packageStatus is how a package ended. One that was cut short broke as a whole:
// the tests that come after may fail as well.
func packageStatus(end goEvent, ended, short bool, tests []shard.Test) shard.Status {
	switch {
	case !ended || end.FailedBuild != "":
		return shard.Errored
	case end.Action == "pass":
		return shard.Passed
	case end.Action == "skip":
		return shard.Skipped
	}
	if short || slices.ContainsFunc(tests, func(t shard.Test) bool { return t.Failed() && t.Last().Kind == shard.KindExit }) {
		return shard.Errored
	}
	return shard.Failed
}

// packageTests lists the tests of one package in order of their start, and what
// stands in for tests where the package itself broke.
func (s Suite) packageTests(stream *goStream, pkg string, where locator) []shard.Test {
	state := stream.exec.Package(pkg)
	// A parent fails with its subtests; naming those is enough.
	failed := testjson.FilterFailedUnique(slices.Clone(state.Failed))
	cases := make([]ended, 0, len(state.Passed)+len(state.Skipped)+len(failed))
	for status, list := range map[shard.Status][]testjson.TestCase{
		shard.Passed: state.Passed, shard.Skipped: state.Skipped, shard.Failed: failed,
	} {
		for _, c := range list {
			cases = append(cases, ended{c, status})
		}
	}
	slices.SortFunc(cases, func(a, b ended) int { return a.ID - b.ID })
	tests := make([]shard.Test, 0, len(cases)+1)
	index := make(map[string]int, len(cases))
	for _, c := range cases {
		if c.ID == 0 {
			continue // stands for the package; see brokenPackage
		}
		name := shard.CleanName(c.Test.Name())
		at, seen := index[name]
		if !seen {
			at = len(tests)
			index[name] = at
			tests = append(tests, shard.Test{Key: s.key(pkg, name), Class: shard.CleanName(pkg), Name: name})
		}
		t := &tests[at]
		t.Executions = append(t.Executions, execution(stream, c, where))
		if n := len(t.Executions); n > shard.MaxExecutions {
			t.Executions = t.Executions[n-shard.MaxExecutions:]
		}
	}
	for i := range tests {
		tests[i] = slim(tests[i])
	}
	return append(tests, s.brokenPackage(stream, pkg, tests, where)...)
}

// slim leaves out what the wire implies: one pass needs no execution.
func slim(t shard.Test) shard.Test {
	if len(t.Executions) == 1 && t.Executions[0].Status == shard.Passed {
		t.MS, t.Executions = t.Executions[0].MS, nil
		return t
	}
	for _, e := range t.Executions {
		if e.File != "" {
			t.File = e.File
		}
	}
	return t
}

// ended is a test with how it ended.
type ended struct {
	testjson.TestCase
	status shard.Status
}

func execution(stream *goStream, c ended, where locator) shard.Execution {
	e := shard.Execution{Status: c.status, MS: ms(c.Elapsed)}
	if stream.cached[c.Package] {
		e.MS = 0
	}
	if c.status != shard.Failed {
		return e
	}
	output := stream.output[testName{c.Package, c.Test.Name()}].text()
	_, packageEnded := stream.packEnd[c.Package]
	died := stream.died(c.Package)
	e.Kind = shard.KindAssertion
	switch {
	case died && strings.Contains(output, "panic: test timed out"):
		e.Status, e.Kind = shard.Errored, shard.KindTimeout
	case died && strings.Contains(output, "panic: "):
		e.Status, e.Kind = shard.Errored, shard.KindPanic
	case c.Elapsed < 0 && packageEnded:
		// Its process ended, and go test lived to tell: the test did that, or a neighbour.
		e.Status, e.Kind = shard.Errored, shard.KindPanic
		output += "\nThe test did not end: its process did.\n" + stream.output[testName{pkg: c.Package}].text()
	case c.Elapsed < 0:
		e.Status, e.Kind = shard.Errored, shard.KindLost
		output += "\nThe test began and was never heard of again."
	}
	e.Message = shard.CleanMessage(ending(output))
	e.File, e.Line = where.find(c.Package, output)
	return e
}

// brokenPackage stands in for tests where a package did not compile, failed
// without a failing test, or never ended.
func (s Suite) brokenPackage(stream *goStream, pkg string, tests []shard.Test, where locator) []shard.Test {
	end, ended := stream.packEnd[pkg]
	own := stream.output[testName{pkg: pkg}].text()
	class := shard.CleanName(pkg)
	switch {
	case ended && end.FailedBuild != "":
		output := stream.build[end.FailedBuild].text()
		t := shard.Test{Key: s.key(pkg, nameBuild), Class: class, Name: nameBuild}
		e := shard.Execution{Status: shard.Errored, Kind: shard.KindBuild, Message: shard.CleanMessage(ending(output))}
		e.File, e.Line = where.findBuild(output)
		t.File, t.Executions = e.File, []shard.Execution{e}
		return []shard.Test{t}
	case ended && end.Action != "fail":
		return nil
	case slices.ContainsFunc(tests, shard.Test.Failed):
		return nil
	case !ended && !stream.started[pkg]:
		return nil
	case !ended:
		own += fmt.Sprintf("\nThe package %s began and was never heard of again.", pkg)
	}
	if strings.TrimSpace(own) == "" {
		own = "The test process failed though no test did: look at init, TestMain and calls of os.Exit."
	}
	t := s.exitTest(class, nameProcess, 1, own)
	t.Key = s.key(pkg, nameProcess)
	e := &t.Executions[0]
	switch {
	case strings.Contains(own, "panic: test timed out"):
		e.Kind = shard.KindTimeout
	case strings.Contains(own, "panic: "):
		e.Kind = shard.KindPanic
	}
	e.File, e.Line = where.find(pkg, own)
	t.File = e.File
	return []shard.Test{t}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
