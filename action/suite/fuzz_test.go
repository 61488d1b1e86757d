package suite

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// seed gives a fuzzer the fixtures and a few of the shapes that broke something.
func seed(f *testing.F, more ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", "input*"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, 0)
		f.Add(text, 1)
	}
	for _, text := range more {
		f.Add([]byte(text), 0)
	}
}

// fuzzItems are planned in each fuzzed run.
var fuzzItems = []string{"example.com/m/a", "src/a.test.js", "tests/test_a.py"}

// mustHold is what must be true of results whatever they were read from: they
// fit the wire, and neither a fault nor an exit code comes out green.
func mustHold(t *testing.T, s Suite, r Results, fault error, code int) {
	t.Helper()
	verdict := judge(t, s, r)
	if verdict.Result.Green() && (fault != nil || r.ExitCode != 0) {
		t.Errorf("%s with exit code %d and fault %v", verdict.Result, r.ExitCode, fault)
	}
	if r.ExitCode != code && (s.Runner != Pytest || code != pytestNothing) {
		t.Errorf("exit code %d became %d", code, r.ExitCode)
	}
	seen := map[string]bool{}
	for _, test := range r.Tests {
		if seen[test.Key] {
			t.Errorf("%s is told twice", test.Name)
		}
		if seen[test.Key] = true; test.Name != shard.CleanName(test.Name) || test.Class != shard.CleanName(test.Class) {
			t.Errorf("not clean: %q %q", test.Class, test.Name)
		}
		for _, e := range test.Executions {
			if e.Message != shard.CleanMessage(e.Message) {
				t.Errorf("not clean: %q", e.Message)
			}
		}
	}
	told := slices.Clone(r.NotRun)
	for _, item := range r.Items {
		told = append(told, item.ID)
	}
	if slices.Sort(told); !r.Blind && !slices.Equal(told, fuzzItems) {
		t.Errorf("planned %q, told %q", fuzzItems, told)
	}
}

func fuzzReader(f *testing.F, read func(io.Reader, func(found) error) error) {
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, code int) {
		code &= 7
		for _, runner := range []Runner{Generic, Pytest, Jest, Go} {
			s := Suite{Name: "unit", Runner: runner, Dir: dir}
			g := newGather(s, fuzzItems)
			err := read(bytes.NewReader(text), g.add)
			mustHold(t, s, g.results(past{items: fuzzItems, code: code}, err), err, code)
		}
	})
}

func FuzzJUnit(f *testing.F) {
	seed(f, `<testcase name="a"><failure>`, `<testsuite><testcase name="a"/><testcase name="a"><rerunFailure><x>`, `<testcase/>`+strings.Repeat("<a>", 70))
	fuzzReader(f, readJUnit)
}

func FuzzTAP(f *testing.F) {
	seed(f, "ok\n1..1", "1..0 # SKIP none", strings.Repeat(" ", 200)+"ok 1\n1..1\n", "1..99999999999999999999\nok 1\n")
	fuzzReader(f, readTAP)
}

func FuzzGoJSON(f *testing.F) {
	seed(f, `{"Action":"run","Package":"example.com/m/a","Test":"T"}`+"\n"+`{"Action":"fail","Package":"example.com/m/a","Test":"T/a\u0000b"}`+"\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, code int) {
		code &= 7
		s := Suite{Name: "unit", Runner: Go, Dir: dir}
		stream := newGoStream(io.Discard, 0)
		lines := &lineWriter{line: stream.feed}
		lines.Write(text)
		lines.flush()
		if err := stream.close(); err != nil {
			return // what cannot be read is told as such by the callers
		}
		mustHold(t, s, s.goResults(stream, fuzzItems, code), nil, code)
	})
}

// What comes out is what encoding/xml takes, and stays as it is when sanitised again.
func FuzzSanitiser(f *testing.F) {
	seed(f, "&#xD800;&#0;&nope;&", "<![CDATA[&]]>]]>", "\xef\xbb\xbf\xef\xbb\xbf<a/>", "<?xml version='1.0' encoding='koi8-r'?><a>\xc1</a>")
	f.Fuzz(func(t *testing.T, text []byte, _ int) {
		out, err := io.ReadAll(newSanitiser(bytes.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		for rest := out; len(rest) > 0; {
			r, size := utf8.DecodeRune(rest)
			if size == 1 && r == utf8.RuneError || !legal(r) {
				t.Fatalf("%q is no text of XML's", rest[:size])
			}
			rest = rest[size:]
		}
		if bytes.HasPrefix(out, []byte("\uFEFF")) {
			return // would be taken for a mark
		}
		again, err := io.ReadAll(newSanitiser(bytes.NewReader(out)))
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("%v: %q became %q", err, out, again)
		}
		// As text, nothing of it is refused but what only elements could be.
		plain := bytes.Map(func(r rune) rune {
			if r == '<' || r == '>' {
				return -1
			}
			return r
		}, out)
		if bytes.Contains(out, []byte("<![CDATA[")) {
			return
		}
		decoder := xml.NewDecoder(strings.NewReader("<a>" + string(plain) + "</a>"))
		for {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in %q", err, plain)
			}
		}
	})
}
