package runner

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"
)

// What a step uploads reaches the host as a zip, below the folder its files share.
func TestAStepUploadsItsFiles(t *testing.T) {
	s := newStory(t, `
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p out/deep && echo 1 > out/one.json && echo 2 > out/deep/two.json && echo 3 > "$RUNNER_TEMP/report.json"
      - uses: actions/upload-artifact@v7
        with: {name: several, path: "out/**/*.json"}
      - id: up
        uses: actions/upload-artifact@v7
        with: {name: single, path: "${{ runner.temp }}/report.json", overwrite: true, if-no-files-found: error, retention-days: 3}
      - run: test -n "${{ steps.up.outputs.artifact-id }}"
      - uses: actions/upload-artifact@v7
        with: {name: none, path: nothing.json, if-no-files-found: ignore}
      - uses: actions/upload-artifact@v7
        with: {name: warned, path: nothing.json}
  b:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/upload-artifact@v7
        with: {name: none, path: nothing.json, if-no-files-found: error}
  c:
    runs-on: ubuntu-latest
    steps:
      - run: touch x
      - uses: actions/upload-artifact@v7
        with: {name: a/b, path: x}
`).run(t)
	s.expect(t, map[string]string{"a": Success, "b": Failure, "c": Failure})
	got := map[string]string{}
	for _, a := range s.kept {
		z, err := zip.NewReader(bytes.NewReader(a.Zip), int64(len(a.Zip)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			got[a.Name] += fmt.Sprint(f.Name, " ")
		}
		got[a.Name] += fmt.Sprint(a.Overwrite)
	}
	if want := map[string]string{"several": "deep/two.json one.json false", "single": "report.json true"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("kept %v, want %v", got, want)
	}
}
