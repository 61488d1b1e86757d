// The race detector takes several times the memory, and that is not ours.

//go:build !race

package suite

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// A file may be as large as it likes: it is an error or it is read, and neither
// takes more memory than there is.
func TestReadingTakesBoundedMemory(t *testing.T) {
	long := strings.Repeat("x", 4000)
	cases := []struct {
		name  string
		fault error
		write func(io.Writer)
	}{
		{"one failure of nine megabytes", nil, func(w io.Writer) {
			fmt.Fprintf(w, `<testsuite><testcase name="a"><failure>%s</failure></testcase></testsuite>`, strings.Repeat("why &amp; ", 900_000))
		}},
		{"messages in each of many tests", nil, func(w io.Writer) {
			fmt.Fprint(w, "<testsuite>")
			for i := range 2300 {
				fmt.Fprintf(w, `<testcase name="t%d"><failure message="m">%s</failure></testcase>`, i, long)
			}
			fmt.Fprint(w, "</testsuite>")
		}},
		{"re-runs without end", nil, func(w io.Writer) {
			fmt.Fprint(w, `<testsuite><testcase name="a"><failure/>`)
			for range 200_000 {
				fmt.Fprint(w, "<rerunFailure/>")
			}
			fmt.Fprint(w, "</testcase></testsuite>")
		}},
		{"one test told again and again", nil, func(w io.Writer) {
			fmt.Fprint(w, "<testsuite>")
			for range 120_000 {
				fmt.Fprint(w, `<testcase name="a"/>`)
			}
			fmt.Fprint(w, `<testcase name="a"><failure/></testcase></testsuite>`)
		}},
		{"an attribute of nine megabytes", nil, func(w io.Writer) {
			fmt.Fprintf(w, `<testsuite><testcase name="%s"><failure/></testcase></testsuite>`, strings.Repeat(long, 2300))
		}},
		{"too large", errTooLarge, func(w io.Writer) {
			fmt.Fprint(w, "<testsuite>")
			for range 3000 {
				fmt.Fprintf(w, "<system-out>%s</system-out>", long)
			}
			fmt.Fprint(w, "</testsuite>")
		}},
		{"TAP too large", errTooLarge, func(w io.Writer) {
			fmt.Fprintln(w, "TAP version 13")
			for range 3000 {
				fmt.Fprintln(w, "# "+long)
			}
		}},
		{"go test's output without end", nil, func(w io.Writer) {
			for i := range 2500 {
				fmt.Fprintf(w, `{"Action":"run","Package":"p","Test":"T%d"}`+"\n", i)
				for range 3 {
					fmt.Fprintf(w, `{"Action":"output","Package":"p","Test":"T%d","Output":"%s\n"}`+"\n", i, long)
				}
				fmt.Fprintf(w, `{"Action":"fail","Package":"p","Test":"T%d"}`+"\n", i)
			}
			fmt.Fprintln(w, `{"Action":"fail","Package":"p"}`)
		}},
		{"tests of go test without end", nil, func(w io.Writer) {
			for i := range maxCases + 1000 {
				fmt.Fprintf(w, `{"Action":"run","Package":"p","Test":"T%d"}`+"\n"+`{"Action":"pass","Package":"p","Test":"T%[1]d"}`+"\n", i)
			}
			fmt.Fprintf(w, `{"Action":"run","Package":"p","Test":"TRed"}`+"\n"+`{"Action":"fail","Package":"p","Test":"TRed"}`+"\n")
			fmt.Fprintln(w, `{"Action":"fail","Package":"p"}`)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
			var r Results
			var err error
			peak := peakHeap(func() { r, err = readBy(t, s, []string{"p"}, 1, c.write) })
			if !errors.Is(err, c.fault) || c.fault == nil && err != nil {
				t.Errorf("error %v, want %v", err, c.fault)
			}
			if peak > 64<<20 {
				t.Errorf("took %d MiB", peak>>20)
			}
			if len(r.Failing()) == 0 {
				t.Error("nothing red is told")
			}
			mustFit(t, s, r)
		})
	}
}

// mustFit checks results that need several chunks.
func mustFit(t *testing.T, s Suite, r Results) {
	t.Helper()
	for begin := 0; begin == 0 || begin < len(r.Tests); begin += shard.MaxTests {
		part := r
		part.Tests = r.Tests[begin:min(begin+shard.MaxTests, len(r.Tests))]
		judge(t, s, part)
	}
}

// peakHeap is about how far the heap grows while do runs.
func peakHeap(do func()) uint64 {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		highest := uint64(0)
		for {
			select {
			case <-done:
				peak <- highest
				return
			case <-time.After(2 * time.Millisecond):
				runtime.ReadMemStats(&now)
				highest = max(highest, now.HeapInuse-min(now.HeapInuse, before.HeapInuse))
			}
		}
	}()
	do()
	close(done)
	return <-peak
}

// Of a hundred thousand tests more are not listed, but no red one hides behind them.
func TestARedTestIsToldHoweverManyThereAre(t *testing.T) {
	s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
	r, err := readBy(t, s, []string{"k"}, 1, func(w io.Writer) {
		fmt.Fprint(w, "<testsuite>")
		for i := range maxCases + 500 {
			fmt.Fprintf(w, `<testcase classname="k" name="t%d"/>`, i)
		}
		fmt.Fprint(w, `<testcase classname="k" name="last"><failure/></testcase></testsuite>`)
	})
	if err != nil || len(r.Tests) != maxCases+1 || len(r.Failing()) != 1 || r.Failing()[0].Name != "last" || len(r.Notes) != 1 {
		t.Errorf("%d tests, %d red, notes %q, error %v", len(r.Tests), len(r.Failing()), r.Notes, err)
	}
}
