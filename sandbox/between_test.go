package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
)

// hookBetween makes a folder of hooks whose pre-push calls do: it runs after
// the client has seen the refs and before it sends anything.
func (w *town) hookBetween(_ *clone, do func()) string {
	w.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { do() }))
	w.t.Cleanup(server.Close)
	dir := w.t.TempDir()
	curl, err := exec.LookPath("curl")
	if err != nil {
		w.t.Skip("curl is needed to act in the middle of a push")
	}
	script := fmt.Sprintf("#!/bin/sh\nexec %s -s -o /dev/null %s\n", curl, server.URL)
	must(w.t, os.WriteFile(filepath.Join(dir, "pre-push"), []byte(script), 0o755))
	return dir
}
