package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// brokenClaims are servers that plan and take reports, and of which the claims are
// no help.
var brokenClaims = map[string]http.HandlerFunc{
	"never answers": hang,
	"hangs up": func(w http.ResponseWriter, r *http.Request) {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
			conn.Close()
		}
	},
	"500": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
	"401": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) },
	"410": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(410) },
	"429 for an hour": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
	},
	"bad JSON":        func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"state":"wo`) },
	"no state":        func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{}`) },
	"unknown state":   func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"state":"dance"}`) },
	"work of nothing": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"state":"work","lease":"x"}`) },
	"foreign work": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"state":"work","lease":"x","items":[{"id":"zzz"}]}`)
	},
	"an item like an option": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"state":"work","lease":"x","items":[{"id":"--exec=rm"}]}`)
	},
	"an answer without end": endless,
}

// endless sends a hundred megabytes.
func endless(w http.ResponseWriter, r *http.Request) {
	block := []byte(strings.Repeat(" ", 1<<20))
	for range 100 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// The two laws where the server is lost after its plan: what it would have given
// out is run all the same.
func TestLawsOfClaims(t *testing.T) {
	for name, claim := range brokenClaims {
		for _, green := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/green=%v", name, green), func(t *testing.T) {
				t.Parallel()
				f := newForgery(t)
				f.planned.Mode, f.pool = shard.ModeLeased, [][]string{{"b"}, {"d"}, {"e"}}
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/claims") {
						claim(w, r)
						return
					}
					f.doors.ServeHTTP(w, r)
				}))
				t.Cleanup(server.Close)
				// b fails, which is of the pool and of shard 1's own cut
				command := map[bool]string{true: noting, false: `sh -c 'for x in "$@"; do echo $x >> ran; done; case " $* " in *" b "*) exit 1;; esac' x {tests}`}[green]
				s := newStep(t, map[string]string{"mode": "run", "runner": "generic", "shard-index": "1", "shard-total": "2", "timeout": "2s",
					"tests": strings.Join(lawItems, "\n"), "command": command, "server-url": server.URL})
				s.identity()

				began := time.Now()
				code := s.act()

				if want := map[bool]int{true: exitFine, false: exitRed}[green]; code != want || s.warnings() != 1 {
					t.Errorf("exit code %d, want %d\n%s", code, want, &s.log)
				}
				if took := time.Since(began); took > 8*time.Second {
					t.Errorf("took %s, far beyond its timeout", took)
				}
				text, err := os.ReadFile(filepath.Join(s.env["GITHUB_WORKSPACE"], "ran"))
				if err != nil {
					t.Fatal(err)
				}
				ran := strings.Fields(string(text))
				if slices.Sort(ran); !slices.Equal(ran, []string{"a", "b", "d"}) {
					t.Errorf("it ran %q: its own half is a, its own cut b and d", ran)
				}
			})
		}
	}
}
