package main

import (
	"fmt"
	"html"
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

// annotateFailures puts failures on their lines, those with a line first.
func (j *job) annotateFailures(r suite.Results) {
	failing := r.Failing()
	slices.SortStableFunc(failing, func(a, b shard.Test) int { return order(a) - order(b) })
	for _, t := range failing[:min(len(failing), maxAnnotations)] {
		e := t.Last()
		j.flow.annotate(e.File, e.Line, shard.Harmless(shard.Cut(title(t), 200)), shard.Cut(e.Message, maxShown))
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

// summary is the step's summary in Markdown: the share, the failures, the
// slowest tests. Names and messages come from anybody and are escaped.
func summary(set settings, s slice, r suite.Results, result, url string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s\n\n", plainText(set.suite.Name), plainText(result))
	share := fmt.Sprintf("Shard %d of %d: %d of %d items", set.at.Index+1, set.at.Total, len(s.Items), max(s.Suite, len(s.Items)))
	if s.Scope == shard.ScopeAll {
		share += " (all of them: the plan of the first attempt could not be asked for)"
	}
	if s.Scope == shard.ScopeNarrow {
		share += " (a narrow search: only tests that failed before, nothing else)"
	}
	fmt.Fprintf(&b, "%s, tests: %d, %s.", share, len(r.Tests), r.Wall.Round(10*time.Millisecond))
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		fmt.Fprintf(&b, " <a href=\"%s\">The batch</a>.", html.EscapeString(url))
	}
	b.WriteString("\n\n")
	writeFailures(&b, r.Failing())
	writeNotRun(&b, r.NotRun)
	writeSlowest(&b, r.Tests)
	return b.String()
}

func writeFailures(b *strings.Builder, failing []shard.Test) {
	if len(failing) == 0 {
		return
	}
	slices.SortStableFunc(failing, func(x, y shard.Test) int { return order(x) - order(y) })
	fmt.Fprintf(b, "**%d failed**\n\n", len(failing))
	for i, t := range failing {
		e := t.Last()
		if b.Len() > maxSummary*3/4 {
			fmt.Fprintf(b, "… and %d more.\n\n", len(failing)-i)
			return
		}
		at := ""
		if e.File != "" {
			at = " at " + plainText(e.File+":"+strconv.Itoa(e.Line))
		}
		fmt.Fprintf(b, "<details><summary>%s%s</summary>\n\n<pre>%s</pre>\n\n</details>\n\n",
			plainText(title(t)), at, html.EscapeString(shard.Cut(e.Message, maxShown)))
	}
}

func writeNotRun(b *strings.Builder, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(b, "**%d never ran**: %s\n\n", len(items), plainText(strings.Join(items[:min(len(items), 20)], ", ")))
}

func writeSlowest(b *strings.Builder, tests []shard.Test) {
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
