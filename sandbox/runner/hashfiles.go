package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// hashFiles is one SHA-256 over the SHA-256s of the matching files of the
// workspace, in path order; empty when nothing matches. The last pattern that
// matches a file decides, "!" takes out.
func hashFiles(args []any, s *scope) (any, error) {
	if s.workspace == "" {
		return nil, errors.New("there is no workspace here")
	}
	var patterns []string
	for _, arg := range args {
		for _, p := range strings.Split(text(arg), "\n") {
			p = strings.TrimSpace(p)
			if p == "" || strings.HasPrefix(p, "#") {
				continue
			}
			if !doublestar.ValidatePattern(strings.TrimPrefix(p, "!")) {
				return nil, fmt.Errorf("pattern %q is malformed", p)
			}
			patterns = append(patterns, strings.TrimPrefix(p, s.workspace+"/"))
		}
	}
	root, err := os.OpenRoot(s.workspace)
	if err != nil {
		return nil, fmt.Errorf("open the workspace: %w", err)
	}
	defer root.Close()
	total, found := sha256.New(), false
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !selected(name, patterns) {
			return err
		}
		found = true
		return hashFile(total, root, name)
	})
	if err != nil || !found {
		return "", err
	}
	return hex.EncodeToString(total.Sum(nil)), nil
}

func hashFile(total io.Writer, root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	one := sha256.New()
	if _, err := io.Copy(one, f); err != nil {
		return err
	}
	_, err = total.Write(one.Sum(nil))
	return err
}

// selected says whether the patterns choose the file; one that names a folder
// chooses everything below it.
func selected(name string, patterns []string) bool {
	chosen := false
	for _, p := range patterns {
		p, out := strings.CutPrefix(p, "!")
		p = path.Clean(p)
		if doublestar.MatchUnvalidated(p, name) || doublestar.MatchUnvalidated(p+"/**", name) {
			chosen = !out
		}
	}
	return chosen
}
