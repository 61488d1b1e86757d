package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDependenciesAreReadFromADescription(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		prs     []int
		strange []string
	}{
		"nothing":                 {"Fixes #3. It depends on #4, too.", nil, nil},
		"one":                     {"A change.\n\nDepends-On: #12\n", []int{12}, nil},
		"case, blanks and CRLF":   {"  depends-on :  #12\r\nDEPENDS-ON:#13\r\n", []int{12, 13}, nil},
		"several on a line":       {"Depends-On: #12, #13 #14", []int{12, 13, 14}, nil},
		"named twice":             {"Depends-On: #12\nDepends-On: #12", []int{12}, nil},
		"by name and address":     {"Depends-On: Shop/Web#5\nDepends-On: https://github.example/shop/web/pull/6", []int{5, 6}, nil},
		"another repository":      {"Depends-On: shop/api#5", nil, []string{"shop/api#5"}},
		"no number":               {"Depends-On: the other one", nil, []string{"the", "other", "one"}},
		"far too large":           {"Depends-On: #99999999999999999999", nil, []string{"#99999999999999999999"}},
		"quoted, fenced, hidden":  {"> Depends-On: #1\n```\nDepends-On: #2\n```\n<!-- Depends-On: #3\nDepends-On: #4 -->\n~~~\nDepends-On: #5", nil, nil},
		"after a fence":           {"```\nx\n```\nDepends-On: #2", []int{2}, nil},
		"a comment that is open":  {"Depends-On: #1\n<!-- Depends-On: #2", []int{1}, nil},
		"zero":                    {"Depends-On: #0", nil, []string{"#0"}},
		"an empty line of it":     {"Depends-On:", nil, nil},
		"a hostile word":          {"Depends-On: " + strings.Repeat("x", 5000), nil, []string{strings.Repeat("x", 99) + "…"}},
		"in the middle of a line": {"This Depends-On: #7", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			prs, strange := DependsOn(c.body, "shop/web")
			if !slices.Equal(prs, c.prs) || !slices.Equal(strange, c.strange) {
				t.Fatalf("%v, %q; want %v, %q", prs, strange, c.prs, c.strange)
			}
		})
	}
	var many strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&many, "Depends-On: #%d\n", n+1)
	}
	if prs, strange := DependsOn(many.String(), "shop/web"); len(prs) != mostNeeds || len(strange) != 1 || !strings.Contains(strange[0], "more than 20") {
		t.Errorf("of a thousand: %d, %q", len(prs), strange)
	}
}

func dependsOn(prs ...int) func(*pull) { return func(p *pull) { p.needs = prs } }

func TestOnesThatDependOnEachOtherLandInOneBatchInOrder(t *testing.T) {
	story(t, func(w *world) {
		// Given #1, which was labelled first and depends on #2, which depends on #3.
		w.settings.BatchSize = 3
		w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
		w.open(1, 2, 3)
		w.change(1, dependsOn(2))
		w.change(2, dependsOn(3))
		for n := 1; n <= 3; n++ {
			w.approve(n, "bob")
			w.label(n, "ann")
			w.run(time.Minute)
		}
		w.resume()
		w.untilEnded(1, 2, 3)
		w.requireLandings("3 2 1")
	})
}

func TestADependencyThatIsNotInLineIsWaitedFor(t *testing.T) {
	story(t, func(w *world) {
		// Given one that depends on another that nobody labelled.
		w.open(2)
		w.approve(2, "bob")
		w.open(1)
		w.change(1, dependsOn(2))
		w.approve(1, "bob")
		w.label(1, "ann")
		w.run(10 * time.Minute)
		w.requireWaits(1, InLine)
		if got := w.titleOf(1); got != "Waiting for #2, which it depends on: that one has no label" {
			t.Fatalf("it says %q", got)
		}
		// Nobody behind it waits.
		w.queue(3)
		w.untilEnded(3)
		w.requireLanded(3)
		// When the other is labelled, both land.
		w.label(2, "ann")
		w.untilEnded(1, 2)
		w.requireLandings("3 | 2 1")
	})
}

func TestADependencyMergedElsewhereIsMet(t *testing.T) {
	w := newWorld(t, false)
	w.open(2)
	w.pulls[2].base = "dev" // another branch's
	w.open(1)
	w.change(1, dependsOn(2))
	w.approve(1, "bob")
	w.label(1, "ann")
	w.run(10 * time.Minute)
	w.requireWaits(1, InLine)
	w.pulls[2].status = Merged // and no webhook says so
	w.untilEnded(1)
	w.requireLanded(1)
}

func TestAClosedDependencyIsSaid(t *testing.T) {
	w := newWorld(t, false)
	w.open(2)
	w.pulls[2].status = ClosedStatus
	w.open(1)
	w.change(1, dependsOn(2, 77))
	w.approve(1, "bob")
	w.label(1, "ann")
	w.run(5 * time.Minute)
	if got := w.titleOf(1); got != "Waiting for #2, which it depends on: that one was closed" {
		t.Fatalf("it says %q", got)
	}
	w.change(1, dependsOn(77))
	w.run(5 * time.Minute)
	if got := w.titleOf(1); got != "Waiting for #77, which it depends on: that one is no pull request here" {
		t.Fatalf("it says %q", got)
	}
	w.change(1, dependsOn())
	w.untilEnded(1)
	w.requireLanded(1)
}

func TestACycleOfDependenciesIsRefusedByName(t *testing.T) {
	w := newWorld(t, false)
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.open(1, 2, 3)
	w.change(1, dependsOn(2))
	w.change(2, dependsOn(3))
	w.change(3, dependsOn(1))
	for n := 1; n <= 3; n++ {
		w.approve(n, "bob")
		w.label(n, "ann")
	}
	w.untilEnded(1, 2, 3)
	for n := 1; n <= 3; n++ {
		w.requireOut(n, Conflict)
		if got := w.lastEnd(n).End.Detail; !strings.HasPrefix(got, "They wait for each other: #") || strings.Count(got, "→") != 3 {
			t.Errorf("#%d is told %q", n, got)
		}
	}
	// One that depends on itself is as bad.
	w.open(4)
	w.change(4, dependsOn(4))
	w.approve(4, "bob")
	w.label(4, "ann")
	w.untilEnded(4)
	w.requireOut(4, Conflict)
}

func TestADependencyWrittenDownWhileItIsTestedCounts(t *testing.T) {
	for _, hinted := range []bool{true, false} {
		w := newWorld(t, false)
		w.open(2)
		w.approve(2, "bob")
		w.queue(1)
		w.untilPhase(AttemptTesting)
		w.pulls[1].needs = []int{2}
		if hinted {
			w.touch(w.pulls[1])
		}
		w.run(20 * time.Minute)
		w.requireWaits(1, InLine)
		w.label(2, "ann")
		w.untilEnded(1, 2)
		w.requireLandings("2 1")
	}
}

func TestWhoDependsOnACulpritWaitsForAnotherTry(t *testing.T) {
	w := newWorld(t, false)
	w.bad = map[int]bool{1: true}
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.queue(1)
	w.open(2)
	w.change(2, dependsOn(1))
	w.approve(2, "bob")
	w.label(2, "ann")
	w.resume()
	w.untilEnded(1)
	w.requireOut(1, ChecksFailed)
	w.run(10 * time.Minute)
	w.requireWaits(2, InLine)
	if got := w.titleOf(2); got != "Waiting for #1, which it depends on: that one went out of the queue" {
		t.Errorf("it says %q", got)
	}
	w.bad = nil
	w.push(1)
	w.approve(1, "bob")
	w.label(1, "ann")
	w.untilEnded(2)
	w.requireLanded(1, 2)
}
