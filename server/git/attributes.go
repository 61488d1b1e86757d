package git

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// A bare clone reads no .gitattributes, but git rebase in a work tree does:
// those of the commit it stands on (merge=union and the like). So the files
// that bear on a batch are written into one, which the merging child is
// started with. Only git's built-in merge drivers exist here; a name that is
// no built-in falls back to the text merge.

const noRules = "/dev/null"

// foldersOf lists the root and every folder above a changed path, shallow first.
func foldersOf(changes map[string]*change) []string {
	seen := map[string]bool{"": true}
	for _, ch := range changes {
		for _, e := range ch.entries {
			for dir := path.Dir(e.path); dir != "." && dir != "/" && !seen[dir]; dir = path.Dir(dir) {
				seen[dir] = true
			}
		}
	}
	folders := make([]string, 0, len(seen))
	for dir := range seen {
		folders = append(folders, dir)
	}
	sort.Slice(folders, func(a, b int) bool {
		x, y := strings.Count(folders[a], "/"), strings.Count(folders[b], "/")
		if folders[a] == "" || folders[b] == "" || x == y {
			return folders[a] < folders[b]
		}
		return x < y
	})
	return folders
}

// attributeBlobs finds the .gitattributes of a tree in these folders.
func (w *worker) attributeBlobs(ctx context.Context, tree string, folders []string) (map[string]string, error) {
	files := make([]string, len(folders))
	for i, dir := range folders {
		files[i] = path.Join(dir, ".gitattributes")
	}
	found, err := w.filesIn(ctx, tree, files)
	blobs := map[string]string{}
	for file, id := range found {
		blobs[strings.TrimSuffix(strings.TrimSuffix(file, ".gitattributes"), "/")] = id
	}
	return blobs, err
}

// filesIn finds plain files in a tree by their paths, whether their contents
// are here or not.
func (w *worker) filesIn(ctx context.Context, tree string, files []string) (map[string]string, error) {
	folders := newSet()
	if len(files) > 0 {
		folders.add(".") // always there, so that a missing tree shows
	}
	for _, file := range files {
		folders.add(path.Dir(file))
	}
	names := make([]string, len(folders.list))
	for i, dir := range folders.list {
		if names[i] = tree; dir != "." {
			names[i] += ":" + dir
		}
	}
	trees, err := w.contents(ctx, names)
	if err != nil {
		return nil, err
	}
	content := map[string]object{}
	if len(trees) > 0 && trees[0].kind != "tree" {
		return nil, fmt.Errorf("tree %s is not in the clone", tree)
	}
	for i, dir := range folders.list {
		content[dir] = trees[i]
	}
	found := map[string]string{}
	for _, file := range files {
		if id := fileInTree(content[path.Dir(file)], path.Base(file)); id != "" {
			found[file] = id
		}
	}
	return found, nil
}

// fileInTree gives the id of a plain file in a tree object, or "".
func fileInTree(tree object, name string) string {
	for rest := tree.data; tree.kind == "tree" && len(rest) > 0; {
		head, after, found := bytes.Cut(rest, []byte{0})
		if !found || len(after) < 20 {
			return ""
		}
		mode, file, _ := strings.Cut(string(head), " ")
		if file == name && strings.HasPrefix(mode, "100") {
			return hex.EncodeToString(after[:20])
		}
		rest = after[20:]
	}
	return ""
}

// rulesFor gives the path of one attributes file that says what those of the
// tree say in these folders.
func (w *worker) rulesFor(ctx context.Context, tree string, folders []string) (string, error) {
	blobs, err := w.attributeBlobs(ctx, tree, folders)
	if err != nil || len(blobs) == 0 {
		return noRules, err
	}
	var ids, dirs []string
	for _, dir := range folders {
		if id := blobs[dir]; id != "" {
			ids, dirs = append(ids, id), append(dirs, dir)
		}
	}
	if err := w.bring(ctx, ids); err != nil {
		return "", err
	}
	files, err := w.contents(ctx, ids)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for i, file := range files {
		if file.kind != "blob" {
			return "", fmt.Errorf("attributes of %.80q are missing", dirs[i])
		}
		for _, line := range strings.Split(string(file.data), "\n") {
			if line = moveRule(line, dirs[i]); line != "" {
				all.WriteString(line + "\n")
			}
		}
	}
	return w.clone.keepRules(all.String())
}

func (c *Clone) keepRules(text string) (string, error) {
	if text == "" {
		return noRules, nil
	}
	sum := sha256.Sum256([]byte(text))
	file := filepath.Join(c.dir, "attributes", hex.EncodeToString(sum[:]))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "tmp_")
	if err != nil {
		return "", err
	}
	defer tmp.Close()
	if _, err := tmp.WriteString(text); err != nil {
		return "", err
	}
	return file, os.Rename(tmp.Name(), file)
}

// moveRule rewrites a line of dir's .gitattributes so that it says the same
// from the root; "" when it says nothing there.
func moveRule(line, dir string) string {
	line = strings.Trim(line, " \t\r")
	if line == "" || line[0] == '#' || dir == "" {
		return line
	}
	if line[0] == '!' || strings.HasPrefix(line, "[attr]") {
		return ""
	}
	pattern, attributes := line, ""
	if end := strings.IndexAny(line, " \t"); end >= 0 {
		pattern, attributes = line[:end], line[end:]
	}
	if line[0] == '"' {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return ""
		}
		plain, err := strconv.Unquote(quoted)
		if err != nil {
			return ""
		}
		pattern, attributes = plain, line[len(quoted):]
	}
	prefix := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir) + "/"
	if !strings.Contains(strings.TrimSuffix(pattern, "/"), "/") {
		prefix += "**/"
	}
	return quote(prefix+strings.TrimPrefix(pattern, "/")) + attributes
}

// quote is C quoting as git reads it.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(text) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
