package suite

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// manyTests is what a report must be read of within two seconds and 64 MiB.
const manyTests = 50_000

// writeGoJSON writes what go test -json says of n tests in 100 packages: passes
// with their marks and a line of log, and one failure in a hundred.
func writeGoJSON(t testing.TB, file string, n int) (items []string) {
	t.Helper()
	return written(t, file, func(w *bufio.Writer) (items []string) {
		for p := range 100 {
			pkg := fmt.Sprintf("example.com/monorepo/services/area%02d/internal/store", p)
			items = append(items, pkg)
			line := func(format string, args ...any) {
				fmt.Fprintf(w, `{"Time":"2026-11-02T09:00:00.123456789Z","Package":"%s",`+format+"}\n", append([]any{pkg}, args...)...)
			}
			line(`"Action":"start"`)
			for i := range n / 100 {
				name, end := fmt.Sprintf("TestSomething%d/with_a_parameter=%d", i/10, i), "pass"
				if i%100 == 7 {
					end = "fail"
				}
				line(`"Action":"run","Test":"%s"`, name)
				line(`"Action":"output","Test":"%s","Output":"=== RUN   %[2]s\n"`, name)
				line(`"Action":"output","Test":"%s","Output":"    store_test.go:42: something to say\n"`, name)
				line(`"Action":"output","Test":"%s","Output":"--- PASS: %[2]s (0.01s)\n"`, name)
				line(`"Action":"%s","Test":"%s","Elapsed":0.01`, end, name)
			}
			line(`"Action":"pass","Elapsed":5.25`)
		}
		return items
	})
}

// writeJUnit writes what pytest says of n tests in 500 files, one failure in a hundred.
func writeJUnit(t testing.TB, file string, n int) (items []string) {
	t.Helper()
	return written(t, file, func(w *bufio.Writer) (items []string) {
		fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="%d">`, n)
		for p := range 500 {
			items = append(items, fmt.Sprintf("tests/area/test_module_%03d.py", p))
			for i := range n / 500 {
				fmt.Fprintf(w, `<testcase classname="tests.area.test_module_%03d.TestThing" name="test_something[parameter-%d]" time="0.010"`, p, i)
				if i%100 != 7 {
					w.WriteString(" />")
					continue
				}
				fmt.Fprintf(w, `><failure message="assert 1 == 2">def test_something():&#10;&gt;   assert 1 == 2&#10;&#10;tests/area/test_module_%03d.py:42: AssertionError</failure></testcase>`, p)
			}
		}
		w.WriteString("</testsuite></testsuites>")
		return items
	})
}

func written(t testing.TB, file string, write func(*bufio.Writer) []string) []string {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(out)
	items := write(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return items
}

// BenchmarkRead reads a large report; run one of them under /usr/bin/time -v for
// the peak of its memory.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name   string
		runner Runner
		write  func(testing.TB, string, int) []string
	}{{"go-json", Go, writeGoJSON}, {"junit", Pytest, writeJUnit}} {
		b.Run(c.name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "results")
			s := Suite{Name: "unit", Runner: c.runner, Dir: b.TempDir()}
			items := c.write(b, file, manyTests)
			b.ReportAllocs()
			for b.Loop() {
				r, err := s.ReadResults([]string{file}, FormatAuto, items, 1)
				if err != nil || len(r.Tests) != manyTests || len(r.NotRun) != 0 {
					b.Fatalf("%d tests, %q not run, %v", len(r.Tests), r.NotRun, err)
				}
			}
		})
	}
}
