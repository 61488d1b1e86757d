package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestMain lets this binary stand in for an HTTP client inside hooks and jobs:
// with SANDBOX_GET set it prints what that address answers, and ends.
func TestMain(m *testing.M) {
	address := os.Getenv("SANDBOX_GET")
	if address == "" {
		os.Exit(m.Run())
	}
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err == nil {
		req.Header.Set("Authorization", "bearer "+os.Getenv("SANDBOX_BEARER"))
		var response *http.Response
		if response, err = http.DefaultClient.Do(req); err == nil {
			_, err = io.Copy(os.Stdout, response.Body)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// hookBetween makes a folder of hooks whose pre-push calls do: it runs after
// the client has seen the refs and before it sends anything.
func (w *town) hookBetween(do func()) string {
	w.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { do() }))
	w.t.Cleanup(server.Close)
	dir := w.t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nSANDBOX_GET=%s exec %s\n", server.URL, os.Args[0])
	must(w.t, os.WriteFile(filepath.Join(dir, "pre-push"), []byte(script), 0o755))
	return dir
}
