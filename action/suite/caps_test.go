package suite

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

// readBy reads what write wrote, as one file.
func readBy(t *testing.T, s Suite, items []string, code int, write func(io.Writer)) (Results, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results")
	written(t, file, func(w *bufio.Writer) []string { write(w); return nil })
	return s.ReadResults([]string{file}, FormatAuto, items, code)
}

// What is nested without end is refused before it can hurt.
func TestDeepNestingIsRefused(t *testing.T) {
	s := Suite{Name: "unit", Runner: Generic, Dir: t.TempDir()}
	for name, text := range map[string]string{
		"XML": strings.Repeat("<testsuite>", 100_000),
		"TAP": "1..1\n" + strings.Repeat(" ", 4000) + "ok 1\nok 1\n",
	} {
		r, err := readBy(t, s, []string{"a"}, 0, func(w io.Writer) { io.WriteString(w, text) })
		if name == "XML" && (err == nil || !strings.Contains(err.Error(), "64")) {
			t.Errorf("%s: error %v", name, err)
		}
		if err != nil && judge(t, s, r).Result.Green() {
			t.Errorf("%s: green", name)
		}
	}
}

// A line of megabytes is one event, and whoever wrote it goes on being heard.
func TestALineOfMegabytes(t *testing.T) {
	s := Suite{Name: "unit", Runner: Go, Dir: t.TempDir()}
	r, err := readBy(t, s, []string{"p"}, 1, func(w io.Writer) {
		fmt.Fprintf(w, `{"Action":"run","Package":"p","Test":"TestA"}`+"\n"+`{"Action":"output","Package":"p","Test":"TestA","Output":"%s the end\n"}`+"\n", strings.Repeat("x", 3<<20))
		fmt.Fprintf(w, `{"Action":"output","Package":"p","Test":"TestA","Output":"%s"}`+"\n", strings.Repeat("y", 6<<20))
		fmt.Fprintln(w, `{"Action":"fail","Package":"p","Test":"TestA"}`+"\n"+`{"Action":"fail","Package":"p"}`)
	})
	if err != nil || len(r.Failing()) != 1 || r.Failing()[0].Name != "TestA" || !strings.Contains(r.Failing()[0].Last().Message, "the end") {
		t.Errorf("failing %.300v, error %v", r.Failing(), err)
	}
}
