// Package story lets the end-to-end tests see which tests really ran, and lets a
// test behave otherwise the first time.
package story

import (
	"fmt"
	"os"
	"path/filepath"
)

// Ran notes that the tests of an item run in this job.
func Ran(item string) {
	f, err := os.OpenFile(filepath.Join(os.Getenv("STORY_DIR"), "ran"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s %s %s\n", os.Getenv("GITHUB_RUN_ID"), os.Getenv("GITHUB_RUN_ATTEMPT"), os.Getenv("GITHUB_WORKSPACE"), item)
}

// First is true once for each name, however many processes ask.
func First(name string) bool {
	return os.Mkdir(filepath.Join(os.Getenv("STORY_DIR"), name), 0o755) == nil
}
