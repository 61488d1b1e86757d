package main

import (
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mainstay-ci/mainstay/action/suite"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Limits of what a step shows.
const (
	maxAnnotations = 10
	maxSlowest     = 10
	maxShown       = 2 << 10 // bytes of one message
)

// annotateFailures puts failures on their lines, the worst first: what blocks
// before what is excused, and what has a line before what has none.
func (j *job) annotateFailures(v shard.ShardVerdict) {
	blocking, muted := slices.Clone(v.Blocking), slices.Clone(v.Muted)
	byOrder := func(a, b shard.Test) int { return order(a) - order(b) }
	slices.SortStableFunc(blocking, byOrder)
	slices.SortStableFunc(muted, byOrder)
	failing := append(blocking, muted...)
	for i, t := range failing[:min(len(failing), maxAnnotations)] {
		e, name := t.Last(), title(t)
		if i >= len(blocking) {
			name = "(quarantined) " + name
		}
		j.flow.annotate(e.File, e.Line, shard.Harmless(shard.Cut(name, 200)), shard.Cut(e.Message, maxShown))
	}
}

// order puts what points at a line first and mere exit codes last.
func order(t shard.Test) int {
	switch e := t.Last(); {
	case e.Line > 0:
		return 0
	case e.Kind == shard.KindExit || e.Kind == shard.KindLost:
		return 2
	}
	return 1
}

func title(t shard.Test) string {
	if t.Class == "" {
		return t.Name
	}
	return t.Class + " " + t.Name
}

// page is the step's summary as it is written.
type page struct {
	strings.Builder
	blob string // of the commit's files on GitHub; "" where that isn't known
}

// summary is the step's summary in Markdown: the share, the failures, what was
// excused, the flakes, the slowest tests. Names and messages come from anybody
// and are escaped.
func summary(set settings, s slice, r suite.Results, v shard.ShardVerdict, result string, answer shard.ReportAnswer) string {
	b := &page{blob: set.blob}
	fmt.Fprintf(b, "### %s: %s\n\n", plainText(set.suite.Name), plainText(result))
	ran := len(s.Items)
	if s.Leased {
		ran = len(r.Items)
	}
	share := fmt.Sprintf("Shard %d of %d: %d of %d items", set.at.Index+1, set.at.Total, ran, max(s.Suite, ran))
	switch {
	case s.Scope == shard.ScopeAll && set.fallback == cutAll:
		share += " (all of them, as fallback asks for)"
	case s.Scope == shard.ScopeAll:
		share += " (all of them: the plan of the first attempt could not be asked for)"
	case s.Scope == shard.ScopeNarrow:
		share += " (a narrow search: only tests that failed before, nothing else)"
	}
	fmt.Fprintf(b, "%s, tests: %d, %s.", share, len(r.Tests), r.Wall.Round(10*time.Millisecond))
	b.writeEvenness(s, set.at.Index, r.Wall)
	if answer.Batch != nil {
		b.writeLink(" ", answer.Batch.URL, "The batch", ".")
	}
	b.WriteString("\n\n")
	b.writeFailures(v.Blocking)
	writeNotRun(b, r.NotRun)
	b.writeNames("failed and are in quarantine: they do not count", v.Muted)
	b.writeNames("flaky: red first, and passed when run again", v.Flaky)
	writeSlowest(b, r.Tests)
	return b.String()
}

// writeEvenness says how this shard's share compares with the others' and with
// what was expected of it.
func (b *page) writeEvenness(s slice, index int, took time.Duration) {
	own := s.expected(index)
	if own == 0 {
		return
	}
	sum := int64(0)
	for _, ms := range s.Expected {
		sum += ms
	}
	longest, mean := slices.Max(s.Expected), max(sum/int64(len(s.Expected)), 1)
	round := func(ms int64) time.Duration {
		return (time.Duration(ms) * time.Millisecond).Round(100 * time.Millisecond)
	}
	fmt.Fprintf(b, " Expected %s, took %s; the shards were cut to %s to %s, the longest %.2f times the mean.",
		round(own.Milliseconds()), took.Round(100*time.Millisecond), round(slices.Min(s.Expected)), round(longest), float64(longest)/float64(mean))
}

// writeLink writes a link, if the address is one that a page may lead to.
func (b *page) writeLink(before, url, text, after string) {
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		fmt.Fprintf(b, "%s<a href=\"%s\">%s</a>%s", before, html.EscapeString(shard.CleanName(url)), text, after)
	}
}

func (b *page) writeFailures(failing []shard.Test) {
	if len(failing) == 0 {
		return
	}
	failing = slices.Clone(failing)
	slices.SortStableFunc(failing, func(x, y shard.Test) int { return order(x) - order(y) })
	fmt.Fprintf(b, "**%d failed**\n\n", len(failing))
	for i, t := range failing {
		e := t.Last()
		if b.Len() > maxSummary*3/4 {
			fmt.Fprintf(b, "… and %d more.\n\n", len(failing)-i)
			return
		}
		fmt.Fprintf(b, "<details><summary>%s%s</summary>\n\n<pre>%s</pre>\n\n</details>\n\n",
			plainText(title(t)), b.place(e), html.EscapeString(shard.Cut(e.Message, maxShown)))
	}
}

// place is where a failure points, with a link to that line of the commit.
func (b *page) place(e shard.Execution) string {
	if e.File == "" {
		return ""
	}
	text := e.File
	if e.Line > 0 {
		text += ":" + strconv.Itoa(e.Line)
	}
	if b.blob == "" {
		return " at " + plainText(text)
	}
	address := b.blob + (&url.URL{Path: e.File}).EscapedPath()
	if e.Line > 0 {
		address += "#L" + strconv.Itoa(e.Line)
	}
	return fmt.Sprintf(" at <a href=\"%s\">%s</a>", html.EscapeString(address), plainText(text))
}

// maxNamed is how many tests a list names.
const maxNamed = 50

func (b *page) writeNames(what string, tests []shard.Test) {
	if len(tests) == 0 {
		return
	}
	fmt.Fprintf(b, "**%d %s**\n\n", len(tests), what)
	for _, t := range tests[:min(len(tests), maxNamed)] {
		fmt.Fprintf(b, "- %s%s\n", plainText(title(t)), b.place(worst(t)))
	}
	if len(tests) > maxNamed {
		fmt.Fprintf(b, "- … and %d more\n", len(tests)-maxNamed)
	}
	b.WriteString("\n")
}

// worst is a test's last red execution.
func worst(t shard.Test) shard.Execution {
	for _, e := range slices.Backward(t.Executions) {
		if e.Red() {
			return e
		}
	}
	return shard.Execution{}
}

func writeNotRun(b *page, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "**%d never ran**: %s\n\n", len(items), plainText(strings.Join(items[:min(len(items), 20)], ", ")))
}

func writeSlowest(b *page, tests []shard.Test) {
	slowest := slices.Clone(tests)
	slices.SortStableFunc(slowest, func(x, y shard.Test) int { return int(y.Last().MS - x.Last().MS) })
	slowest = slowest[:min(len(slowest), maxSlowest)]
	if len(slowest) == 0 || slowest[0].Last().MS == 0 {
		return
	}
	b.WriteString("| Slowest tests | s |\n| --- | ---: |\n")
	for _, t := range slowest {
		if t.Last().MS > 0 {
			fmt.Fprintf(b, "| %s | %.2f |\n", plainText(title(t)), float64(t.Last().MS)/1000)
		}
	}
	b.WriteString("\n")
}

// plainText makes text mean itself in Markdown and HTML, in one line.
func plainText(text string) string {
	var b strings.Builder
	for _, r := range shard.CleanName(text) {
		if r < unicode.MaxASCII && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
