package sandbox

import (
	"fmt"
	"io"
	"maps"
	"net/http"
)

// Calls returns how often each route was called since the last reset: "GET
// /repos/{owner}/{repo}/pulls" for REST, "git receive-pack" and its like for git.
func (f *Forge) Calls() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.calls)
}

// RESTCalls is the sum of all REST calls since the last reset, without those of git.
func (f *Forge) RESTCalls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := 0
	for route, n := range f.calls {
		if route[:4] != "git " {
			sum += n
		}
	}
	return sum
}

// NotModified is how many of the REST calls since the last reset were answered 304.
func (f *Forge) NotModified() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unchanged
}

func (f *Forge) countUnchanged() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unchanged++
}

// ResetCalls sets all counts back.
func (f *Forge) ResetCalls() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.calls)
	f.unchanged = 0
}

// CheckWrites is how often check runs were made and edited.
type CheckWrites struct{ Created, Edited int }

// CheckWrites counts, by commit, the check runs an App made there and their
// edits. Those of workflow jobs are not calls and are left out.
func (r *Repository) CheckWrites() map[string]CheckWrites {
	r.forge.mu.Lock()
	defer r.forge.mu.Unlock()
	counts := map[string]CheckWrites{}
	for _, c := range r.checks {
		if c.job != nil {
			continue
		}
		n := counts[c.sha]
		n.Created++
		n.Edited += c.edits
		counts[c.sha] = n
	}
	return counts
}

func (f *Forge) count(route string) {
	f.mu.Lock()
	f.calls[route]++
	f.mu.Unlock()
}

// withFaults answers through the fault that hits the call, if one does.
func (f *Forge) withFaults(w http.ResponseWriter, r *http.Request, method, route string, answer func(http.ResponseWriter)) {
	fault := f.Faults.broken(method, route)
	if fault == nil {
		answer(w)
		return
	}
	if fault.When != BeforeEffect {
		answer(&swallow{header: http.Header{}})
	}
	if fault.When == CutAfterEffect {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	maps.Copy(w.Header(), fault.Header)
	status, message := fault.Status, fault.Message
	if status == 0 {
		status = http.StatusBadGateway
	}
	if message == "" {
		message = "Server Error"
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}

// swallow is an answer nobody gets.
type swallow struct{ header http.Header }

func (s *swallow) Header() http.Header         { return s.header }
func (s *swallow) Write(b []byte) (int, error) { return len(b), nil }
func (s *swallow) WriteHeader(int)             {}
