package suite

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"gotest.tools/gotestsum/testjson"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// keptOutput is how much is kept of a test's output, from each end, in bytes.
const keptOutput = 32 << 10

// goEvent is a line of go test -json: testjson's event and what it leaves out.
type goEvent struct {
	Time        time.Time
	Action      string
	Package     string
	ImportPath  string `json:",omitempty"`
	Test        string `json:",omitempty"`
	Output      string `json:",omitempty"`
	Elapsed     float64
	FailedBuild string `json:",omitempty"`
}

type testName struct{ pkg, test string }

// goStream reads go test -json line by line, shows it for people, and hands the
// events on to testjson, which keeps the state of each package and test.
type goStream struct {
	mu      sync.Mutex // stdout and stderr come from two goroutines
	out     io.Writer
	began   time.Time
	total   int // packages to come; 0 where it isn't known
	events  int
	packs   []string // in order of their end
	packEnd map[string]goEvent
	started map[string]bool
	heard   map[string]bool    // packages that printed anything
	whole   map[string]bool    // packages whose process said itself how its tests went
	output  map[testName]*clip // test "" is the package's own
	build   map[string]*clip   // by import path
	tests   map[string]*tally
	sum     tally
	shown   map[testName]bool // failed, and its output shown
	cached  map[string]bool   // packages whose times are of another run
	plain   clip              // what was no event
	room    goRoom

	pipe *io.PipeWriter
	to   *bufio.Writer // into pipe
	done chan struct{}
	exec *testjson.Execution
	err  error
}

type tally struct{ ran, failed, skipped int }

func newGoStream(out io.Writer, total int) *goStream {
	reader, writer := io.Pipe()
	s := &goStream{
		out: out, total: total, began: time.Now(), pipe: writer, to: bufio.NewWriterSize(writer, 32<<10), done: make(chan struct{}),
		packEnd: map[string]goEvent{}, started: map[string]bool{}, heard: map[string]bool{}, whole: map[string]bool{}, tests: map[string]*tally{},
		output: map[testName]*clip{}, build: map[string]*clip{}, shown: map[testName]bool{}, cached: map[string]bool{}, plain: clip{size: keptOutput},
	}
	go func() {
		defer close(s.done)
		s.exec, s.err = testjson.ScanTestOutput(testjson.ScanConfig{Stdout: reader})
		reader.CloseWithError(errors.New("scanner stopped"))
	}()
	return s
}

// feed takes one line of standard output.
func (s *goStream) feed(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if mark(line) {
		s.events++
		return
	}
	var e goEvent
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil || e.Action == "" {
		s.plain.Write(append(bytes.Clone(line), '\n'))
		s.print(string(line))
		return
	}
	s.events++
	if !s.room.packages[e.Package] { // those that were seen are clean
		clean := shard.CleanName(e.Package)
		if clean != e.Package {
			e.Package, line = clean, nil
		}
	}
	e.Test = shard.Cut(e.Test, shard.MaxName)
	s.note(e)
	if forward(e) {
		s.admit(e, line)
	}
}

// forward tells whether testjson needs the event. Output it would keep without
// limit; of that it needs only the lines that tell a panic.
func forward(e goEvent) bool {
	switch e.Action {
	case "build-output", "build-fail":
		return false
	case "output":
		return strings.HasPrefix(e.Output, "panic: ")
	}
	return true
}

// note keeps what the results will need and shows what people want to see.
func (s *goStream) note(e goEvent) {
	switch e.Action {
	case "start", "run":
		s.started[e.Package] = true
	case "build-output":
		s.room.keep(kept(s.build, e.ImportPath), e.Output)
		s.print(e.Output)
	case "output":
		s.started[e.Package], s.heard[e.Package] = true, true
		if e.Test == "" && (e.Output == "FAIL\n" || e.Output == "PASS\n") {
			s.whole[e.Package] = true
		}
		if e.Test == "" && strings.HasPrefix(e.Output, "ok  \t") && strings.Contains(e.Output, "\t(cached)") {
			s.cached[e.Package] = true
		}
		if !boring(e) {
			s.room.keep(kept(s.output, testName{e.Package, e.Test}), e.Output)
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e)
			return
		}
		s.endTest(e)
	}
}

func (s *goStream) endTest(e goEvent) {
	t := s.tests[e.Package]
	if t == nil {
		t = &tally{}
		s.tests[e.Package] = t
	}
	t.ran++
	name := testName{e.Package, e.Test}
	switch e.Action {
	case "fail":
		t.failed++
		s.shown[name] = true
		s.print(s.output[name].text())
		s.room.shrink(s.output[name])
	case "skip":
		t.skipped++
		s.forget(name)
	default:
		s.forget(name)
	}
}

func (s *goStream) endPackage(e goEvent) {
	s.packs = append(s.packs, e.Package)
	s.packEnd[e.Package] = e
	word := map[string]string{"pass": "ok  ", "fail": "FAIL", "skip": "-   "}[e.Action]
	if e.Action == "fail" {
		s.showCutOff(e.Package)
		s.print(s.output[testName{pkg: e.Package}].text())
	}
	t := s.tests[e.Package]
	if t == nil {
		t = &tally{}
	}
	s.sum.ran, s.sum.failed, s.sum.skipped = s.sum.ran+t.ran, s.sum.failed+t.failed, s.sum.skipped+t.skipped
	progress := fmt.Sprintf("[%d]", len(s.packs))
	if s.total > 0 {
		progress = fmt.Sprintf("[%*d/%d]", len(fmt.Sprint(s.total)), len(s.packs), s.total)
	}
	s.print(fmt.Sprintf("%s %s %s  %.2fs  %s\n", progress, word, e.Package, e.Elapsed, t))
}

// showCutOff shows the output of tests that had no end of their own, because the
// end of their process came first.
func (s *goStream) showCutOff(pkg string) {
	var names []string
	for name := range s.output {
		if name.pkg == pkg && name.test != "" && !s.shown[name] {
			names = append(names, name.test)
		}
	}
	slices.Sort(names)
	for _, test := range names {
		s.print(s.output[testName{pkg, test}].text())
	}
}

// died tells whether a package's process ended before its tests did, as by a
// panic: those that had not begun never ran. Where the output was not kept
// nobody knows.
func (s *goStream) died(pkg string) bool {
	end, ended := s.packEnd[pkg]
	return ended && end.Action == "fail" && s.heard[pkg] && !s.whole[pkg]
}

func (t *tally) String() string {
	text := count(t.ran, "test")
	if t.failed > 0 {
		text += fmt.Sprintf(", %d failed", t.failed)
	}
	if t.skipped > 0 {
		text += fmt.Sprintf(", %d skipped", t.skipped)
	}
	return text
}

// boring is what go test says of a package's end, which we say ourselves, and
// the marks of a test's beginning.
func boring(e goEvent) bool {
	if e.Test != "" {
		for _, mark := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME"} {
			if strings.HasPrefix(e.Output, mark) {
				return true
			}
		}
		return false
	}
	return e.Output == "PASS\n" || e.Output == "FAIL\n" || strings.HasPrefix(e.Output, "ok  \t") ||
		strings.HasPrefix(e.Output, "FAIL\t") || strings.HasPrefix(e.Output, "?   \t") || strings.HasPrefix(e.Output, "coverage: ")
}

func kept[K comparable](clips map[K]*clip, key K) *clip {
	c := clips[key]
	if c == nil {
		c = &clip{size: keptOutput}
		clips[key] = c
	}
	return c
}

// show takes a line that is nothing but output.
func (s *goStream) show(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.print(string(line) + "\n")
}

// aside takes one line of standard error.
func (s *goStream) aside(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plain.Write(append(bytes.Clone(line), '\n'))
	// Since Go 1.24 these lines only repeat what the events say.
	if !bytes.HasPrefix(line, []byte("FAIL\t")) {
		s.print(string(line) + "\n")
	}
}

// print shows foreign text. Tests and their names come from anybody, and the
// runner would take some lines for commands.
func (s *goStream) print(text string) {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		fmt.Fprintln(s.out, shard.Harmless(line))
	}
}

// summary shows the run in one line.
func (s *goStream) summary() {
	s.print(fmt.Sprintf("%s, %s in %s\n", count(len(s.packs), "package"), &s.sum, time.Since(s.began).Round(10*time.Millisecond)))
}

// readFile feeds a file. A file that is missing, empty or ends in the middle of
// a line is an error.
func (s *goStream) readFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	defer file.Close()
	before := s.events
	writer := &lineWriter{line: s.feed}
	if _, err := io.Copy(writer, &limited{in: file, left: maxGoFile}); err != nil {
		return fmt.Errorf("read results %s: %w", path, err)
	}
	if len(writer.rest) > 0 {
		return fmt.Errorf("read results %s: cut off in the middle of a line", path)
	}
	if s.events == before {
		return fmt.Errorf("read results %s: no line of go test -json in it", path)
	}
	return nil
}

// close ends the stream; afterwards the state may be read.
func (s *goStream) close() error {
	s.to.Flush()
	s.pipe.Close()
	<-s.done
	if s.err == nil {
		s.err = s.room.fault
	}
	if s.err != nil {
		return fmt.Errorf("read go test -json: %w", s.err)
	}
	return nil
}

func (s *goStream) elapsed() time.Duration {
	if s.events == 0 {
		return 0
	}
	return s.exec.Elapsed()
}
