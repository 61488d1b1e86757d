package flake

import (
	"maps"
	"slices"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Reading gathers what the chunks of one attempt's reports say, suite by suite.
// Chunks come one by one, as all of them together may be large.
type Reading struct {
	suites map[Name]*heard
}

// heard is what was heard of one suite.
type heard struct {
	tests  map[string]bool
	failed map[string]Test
	narrow bool
	// Durations of what passed, the last one of each.
	items map[string]int64
	parts map[string][]int64 // of an item that was cut; 0: not heard of
	inner map[string]map[string]int64
}

// Add takes in one chunk of a report. A test that failed in any of its runs
// failed; it need not have been the last.
func (r *Reading) Add(report shard.Report) {
	if r.suites == nil {
		r.suites = map[Name]*heard{}
	}
	name := Name{report.Suite, report.Variant}
	h := r.suites[name]
	if h == nil {
		h = &heard{tests: map[string]bool{}, failed: map[string]Test{}, items: map[string]int64{}, parts: map[string][]int64{}, inner: map[string]map[string]int64{}}
		r.suites[name] = h
	}
	h.narrow = h.narrow || report.Scope == shard.ScopeNarrow
	for _, t := range report.Tests {
		h.tests[t.Key] = true
		if broke(t) {
			h.failed[t.Key] = Test{Key: t.Key, Name: t.Name, Class: t.Class, File: fileOf(t)}
		}
	}
	for _, item := range report.Items {
		switch {
		case item.Status != shard.Passed || item.MS <= 0:
		case item.Parts == 0:
			h.items[item.ID] = item.MS
		case item.Part >= 0 && item.Part < item.Parts:
			if len(h.parts[item.ID]) != item.Parts {
				h.parts[item.ID] = make([]int64, item.Parts)
			}
			h.parts[item.ID][item.Part] = item.MS
		}
	}
	h.time(report)
}

// broke tells whether a test failed in any of its runs, and said how. A build
// that broke and a process that died are nobody's flake.
func broke(t shard.Test) bool {
	return slices.ContainsFunc(t.Executions, func(e shard.Execution) bool {
		return e.Red() && e.Kind != shard.KindBuild && e.Kind != shard.KindExit && e.Kind != shard.KindLost
	})
}

func fileOf(t shard.Test) string {
	if t.File != "" {
		return t.File
	}
	for _, e := range t.Executions {
		if e.File != "" {
			return e.File
		}
	}
	return ""
}

// Lessons are what there is to learn, a lesson a suite, in the order of their
// names; like has what they have in common. A run of a few tests only says
// nothing of the rest, so that it is no run of the suite.
func (r *Reading) Lessons(like Lesson) []Lesson {
	var lessons []Lesson
	for _, name := range r.names() {
		h := r.suites[name]
		l := like
		l.Suite, l.Variant, l.Tests, l.Red = name.Suite, name.Variant, len(h.tests), like.Red || h.narrow
		l.Name = like.Name + "/" + name.Suite + "\x00" + name.Variant
		for _, key := range slices.Sorted(maps.Keys(h.failed)) {
			l.Failed = append(l.Failed, h.failed[key])
		}
		lessons = append(lessons, l)
	}
	return lessons
}

func (r *Reading) names() []Name {
	return slices.SortedFunc(maps.Keys(r.suites), func(a, b Name) int {
		return slices.Compare([]string{a.Suite, a.Variant}, []string{b.Suite, b.Variant})
	})
}

// time notes how long what passed took. A test stands in the item that it says
// it is of.
func (h *heard) time(report shard.Report) {
	passed := map[string]bool{}
	for _, item := range report.Items {
		passed[item.ID] = item.Status == shard.Passed
	}
	for _, t := range report.Tests {
		for _, item := range []string{t.Class, t.File} {
			name, ok := shard.Selector(report.Runner, item, t)
			last := t.Last()
			if !ok || !passed[item] || last.Status != shard.Passed || last.MS <= 0 {
				continue
			}
			if h.inner[item] == nil {
				h.inner[item] = map[string]int64{}
			}
			h.inner[item][name] = last.MS
			break
		}
	}
}

// Durations are how long the items of a suite took that passed, and by item the
// tests inside.
func (r *Reading) Durations(name Name) (items []shard.Sample, tests map[string][]shard.Sample) {
	h := r.suites[name]
	if h == nil {
		return nil, nil
	}
	tests = map[string][]shard.Sample{}
	whole := maps.Clone(h.items)
	for item, parts := range h.parts {
		if slices.Contains(parts, 0) {
			delete(h.inner, item) // some of its tests are not known
			continue
		}
		inside := int64(0)
		for _, ms := range h.inner[item] {
			inside += ms
		}
		whole[item] = shard.Rejoin(parts, inside)
	}
	for item, inner := range h.inner {
		tests[item] = samples(inner)
	}
	return samples(whole), tests
}

func samples(ms map[string]int64) []shard.Sample {
	var list []shard.Sample
	for _, id := range slices.Sorted(maps.Keys(ms)) {
		list = append(list, shard.Sample{Item: id, MS: ms[id]})
	}
	return list
}
