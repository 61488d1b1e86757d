package suite

import (
	"hash/maphash"
	"path"
	"strconv"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// What is kept of one shard's results, so that reading takes a bounded amount
// of memory. What is left out is never a red test that nothing else tells of.
const (
	maxCases    = 100_000  // tests; beyond it passes are counted and not listed
	maxRedCases = 2000     // red tests beyond that
	maxNames    = 12 << 20 // bytes of names and classes, then as beyond maxCases
	maxMessages = 12 << 20 // bytes of messages; then a line each, to a quarter more; then none
	maxRuns     = 100_000  // executions besides a test's first; then only its last is kept
	maxPlaces   = 20_000   // answers that are remembered
)

// gather makes results of tests, one at a time.
type gather struct {
	s      Suite
	where  places
	golang locator
	strip  stripper
	tests  []shard.Test
	index  map[string]listedTest // by key
	seed   maphash.Seed
	class  map[string]string // as it is written, to as it is told
	items  map[string]*shard.ItemResult
	owner  []*shard.ItemResult // of each of tests; nil: none
	extra  map[string]bool
	placed bool         // some test belongs to an item
	loose  bool         // some test belongs to nothing that we know
	double map[int]bool // told more than once, with no word of a re-run
	sum    struct{ cases, unnamed, alike, unlisted, names, messages, runs int }
}

// listedTest says which of the tests has a key, and what it was called before
// its name was stripped, as a hash.
type listedTest struct {
	at  int
	raw uint64
}

func newGather(s Suite, items []string) *gather {
	return &gather{
		s: s, where: newPlaces(s, items), golang: newLocator(s), strip: newStripper(s), index: map[string]listedTest{}, seed: maphash.MakeSeed(),
		class: map[string]string{}, items: map[string]*shard.ItemResult{}, extra: map[string]bool{}, double: map[int]bool{},
	}
}

// add takes one test of a file.
func (g *gather) add(f found) error {
	if len(f.runs) == 0 {
		g.empty(f)
		return nil
	}
	g.sum.cases++
	g.mend(&f)
	class, name := g.identity(&f)
	item := g.belong(f, class)
	if item != nil {
		addRuns(item, f.runs)
	}
	red := f.runs[len(f.runs)-1].Red()
	if name == "" {
		if g.sum.unnamed++; !red {
			return nil
		}
		name = "[no name]"
	}
	raw := maphash.String(g.seed, f.class+"\x00"+f.name+"\x00"+f.apart)
	key, name, at := g.find(class, name, raw)
	switch {
	case at < 0 && g.full(red):
		if g.sum.unlisted++; item != nil && red {
			lower(item, f.runs[len(f.runs)-1])
		}
		return nil
	case at < 0:
		at = len(g.tests)
		g.index[key] = listedTest{at: at, raw: raw}
		g.tests = append(g.tests, shard.Test{Key: key, Class: class, Name: name})
		g.owner = append(g.owner, item)
		g.sum.names += len(name)
		g.append(&g.tests[at], f)
		return nil
	case f.sameRun && g.tests[at].Failed():
		return nil // why it failed is told, and this is no run of its own
	}
	if t := &g.tests[at]; len(t.Executions) == 0 {
		t.Executions, t.MS = []shard.Execution{t.Last()}, 0
	}
	g.double[at] = !f.sameRun
	g.append(&g.tests[at], f)
	return nil
}

// full tells whether there is no room for one more test.
func (g *gather) full(red bool) bool {
	over := len(g.tests) >= maxCases || g.sum.names >= maxNames
	return over && (!red || len(g.tests) >= maxCases+maxRedCases || g.sum.names >= maxNames+maxRedCases*shard.MaxName)
}

// empty takes a suite without tests: where it is called as an item, that ran and
// had none.
func (g *gather) empty(f found) {
	for _, text := range []string{f.suite.file, f.suite.name} {
		file, _ := g.where.file(text)
		if id := g.where.item(file, text, ""); id != "" && g.items[id] == nil {
			g.items[id] = &shard.ItemResult{ID: id, Status: shard.Skipped}
		}
	}
}

// mend lets the dialect of the file have its say.
func (g *gather) mend(f *found) {
	if f.doc == nil {
		return
	}
	for _, d := range dialects {
		if d.speaks(g.s, *f) {
			d.mend(f, g.where)
			return
		}
	}
}

// identity is what the test is called for good: where its file is known, that
// and what it is called in it.
func (g *gather) identity(f *found) (class, name string) {
	if f.file != "" {
		file, ok := g.where.file(f.file)
		if !ok {
			file = g.strip.name(g.where.relative(f.file))
		}
		if f.file = file; shard.CleanName(file) != file {
			f.file = fit(file)
		}
	}
	class = f.class
	if f.file != "" && !f.fixed {
		class = f.file
	}
	if name = f.what; name == "" {
		name = fit(g.strip.name(f.name))
	}
	clean, ok := g.class[class]
	if !ok {
		clean = fit(g.strip.name(class))
		g.sum.names += len(clean)
		if len(g.class) < maxPlaces {
			g.class[class] = clean
		}
	}
	return clean, name
}

// belong finds the item of a test; nil where it is none of the slice's.
func (g *gather) belong(f found, class string) *shard.ItemResult {
	id := g.where.item(f.file, class, f.name)
	if id == "" && f.file == "" && !f.fixed && len(g.where.items) == 1 {
		id = g.where.items[0] // whose else
	}
	if id != "" {
		g.placed = true
		if g.items[id] == nil {
			g.items[id] = &shard.ItemResult{ID: id, Status: shard.Skipped}
		}
		return g.items[id]
	}
	if f.file == "" && !f.fixed && len(g.where.items) > 0 || class == "" {
		g.loose = true
	} else if len(g.extra) < maxPlaces {
		g.extra[class] = true
	}
	return nil
}

// addRuns adds executions to their item: the sum of the times. Which of them
// count is known at the end.
func addRuns(item *shard.ItemResult, runs []shard.Execution) {
	for _, run := range runs {
		item.MS = min(item.MS+run.MS, longest.Milliseconds())
	}
	if runs[len(runs)-1].Status == shard.Passed && item.Status == shard.Skipped {
		item.Status = shard.Passed
	}
}

// lower lowers an item's status to what one red test leaves of it. An item that
// broke as a whole is told apart: no list of tests excuses it.
func lower(item *shard.ItemResult, last shard.Execution) {
	switch {
	case last.Kind == shard.KindBuild || last.Kind == shard.KindExit || last.Kind == shard.KindLost || last.Kind == shard.KindPanic:
		item.Status = shard.Errored
	case item.Status != shard.Errored:
		item.Status = shard.Failed
	}
}

// find looks for a test of that name; -1 where there is none yet, and then the
// key and the name are free. Two tests whose names became one stay two: a pass
// of the one must not mend the other.
func (g *gather) find(class, name string, raw uint64) (string, string, int) {
	base := name
	for n := 2; ; n++ {
		key := g.s.key(class, name)
		had, ok := g.index[key]
		switch {
		case !ok:
			return key, name, -1
		case had.raw == raw:
			return key, name, had.at
		case n == 2:
			g.sum.alike++
		}
		name = shard.Cut(base, shard.MaxName-12) + " #" + strconv.Itoa(n)
	}
}

// append adds the executions to a test.
func (g *gather) append(t *shard.Test, f found) {
	for i, run := range f.runs {
		if run.Red() {
			run.Message = g.message(run.Message)
			run.File, run.Line = g.point(f, i, run.Message)
		} else {
			run.Message, run.Kind = "", ""
		}
		n := len(t.Executions)
		switch {
		case n == 0 && len(f.runs) == 1 && run.Status == shard.Passed:
			t.MS = run.MS // slim: the wire implies the rest
		case n > 0 && g.sum.runs >= maxRuns:
			t.Executions[n-1] = run
		default:
			t.Executions = append(t.Executions, run)
			g.sum.runs++
		}
		if run.File != "" {
			t.File = run.File
		}
	}
	if n := len(t.Executions); n > shard.MaxExecutions {
		t.Executions = append(t.Executions[:0], t.Executions[n-shard.MaxExecutions:]...)
	}
}

// escapes are terminal colours as they come out of one writer of XML or another.
var escapes = expression(`(?:\x1b|#x1B|\\e|\\x1b|\\u001b|\x{FFFD})\[[0-9;]*m`)

// message is a message as it is told, of a size that there is room for.
func (g *gather) message(text string) string {
	switch {
	case g.sum.messages >= maxMessages*5/4:
		return ""
	case g.sum.messages >= maxMessages:
		text = shard.Cut(firstLine(strings.TrimSpace(text)), 200)
	}
	if strings.Contains(text, "[") {
		text = escapes().ReplaceAllString(text, "")
	}
	text = strings.Clone(shard.CleanMessage(ending(text)))
	g.sum.messages += len(text)
	return text
}

// point finds the file and line that a failure is at: the first mention of the
// test's file in the message, or where the test begins.
func (g *gather) point(f found, run int, message string) (string, int) {
	if f.fixed {
		return g.golang.find(f.class, message)
	}
	file := g.where.inRepository(f.file)
	if file == "" || !strings.Contains(file, "/") && !isFile(path.Join(g.where.root, file)) {
		return "", 0
	}
	base := path.Base(file)
	for rest := message; ; {
		i := strings.Index(rest, base)
		if i < 0 {
			return file, max(f.line, 0)
		}
		before := i == 0 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", rune(rest[i-1]))
		rest = rest[i+len(base):]
		if !before || !strings.HasPrefix(rest, ":") {
			continue
		}
		digits := rest[1 : len(rest)-len(strings.TrimLeft(rest[1:], "0123456789"))]
		if line, err := strconv.Atoi(digits); err == nil && line > 0 && line < 1<<30 {
			return file, line
		}
	}
}
