package runner

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Artifact is what a step uploads.
type Artifact struct {
	Name      string
	Overwrite bool // in the place of an earlier one of that name
	Zip       []byte
}

// uploadInputs are the inputs of upload-artifact; those that change nothing here
// (how long it is kept, how hard it is packed) may stand.
var uploadInputs = []string{"name", "path", "if-no-files-found", "overwrite", "retention-days", "compression-level", "include-hidden-files", "archive"}

// upload packs the files of a step and gives them to the host.
func (x *execution) upload(c *call, with []envPair) error {
	given := map[string]string{"name": "artifact", "if-no-files-found": "warn", "overwrite": "false"}
	for _, p := range with {
		name := strings.ToLower(p.name)
		if !slices.Contains(uploadInputs, name) {
			return fmt.Errorf("upload-artifact input %q is not supported", p.name)
		}
		if p.value != "" {
			given[name] = p.value
		}
	}
	if strings.ContainsAny(given["name"], "\":<>|*?\r\n\\/") {
		return fmt.Errorf("the artifact name is not valid: %s", given["name"])
	}
	files, err := x.uploads(given["path"])
	if err != nil {
		return err
	}
	if len(files) == 0 {
		text := "No files were found with the provided path: " + given["path"] + ". No artifacts will be uploaded."
		switch given["if-no-files-found"] {
		case "error":
			return fmt.Errorf("%s", text)
		case "warn":
			x.journal.problem("warning", "", text)
		}
		return nil
	}
	packed, err := pack(files)
	if err != nil {
		return fmt.Errorf("pack artifact %s: %w", given["name"], err)
	}
	id, err := x.run.host.KeepArtifact(x.in.id, Artifact{Name: given["name"], Overwrite: given["overwrite"] == "true", Zip: packed})
	if err != nil {
		return fmt.Errorf("upload artifact %s: %w", given["name"], err)
	}
	c.outputs.set("artifact-id", fmt.Sprint(id))
	x.journal.note("Artifact %s has been uploaded, %d bytes", given["name"], len(packed))
	return nil
}

// uploads are the files that the lines of path mean, sorted: files, folders, globs.
func (x *execution) uploads(lines string) ([]string, error) {
	var files []string
	for _, line := range strings.Split(lines, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if !filepath.IsAbs(line) {
			line = filepath.Join(x.workspace, line)
		}
		found, err := doublestar.FilepathGlob(line)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", line, err)
		}
		for _, name := range found {
			err := filepath.WalkDir(name, func(at string, e os.DirEntry, err error) error {
				if err == nil && e.Type().IsRegular() {
					files = append(files, at)
				}
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("path %q: %w", line, err)
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// pack zips files by their paths below the folder that all of them share.
func pack(files []string) ([]byte, error) {
	root := filepath.Dir(files[0])
	for _, name := range files {
		for name != root && !strings.HasPrefix(name, strings.TrimSuffix(root, "/")+"/") {
			root = filepath.Dir(root)
		}
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range files {
		inside, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		w, err := z.Create(filepath.ToSlash(inside))
		if err != nil {
			return nil, err
		}
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(w, f)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
