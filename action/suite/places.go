package suite

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// places finds which file, and which item of the slice, a test belongs to.
// Runners name files relative to a folder of their own choice, so that items
// are compared from the end; what fits two of them equally well fits none.
type places struct {
	dir, root string
	items     []string            // normalised
	whole     map[string]bool     // the items
	byBase    map[string][]string // files among the items by their last segment
	byStem    map[string][]string // the same, by that without its extension
	byDotted  map[string]string   // the same, whole, with dots for slashes
	files     map[string]string   // answers of file
	modules   map[string][2]string
}

func newPlaces(s Suite, items []string) places {
	p := places{
		dir: absolute(s.Dir), root: absolute(s.Root), items: shard.Normalise(items), whole: map[string]bool{},
		byBase: map[string][]string{}, byStem: map[string][]string{}, byDotted: map[string]string{}, files: map[string]string{}, modules: map[string][2]string{},
	}
	if s.Root == "" {
		p.root = p.dir
	}
	for _, item := range p.items {
		p.whole[item] = true
		file, _, _ := strings.Cut(item, "::") // a pytest node id is of its file
		base := path.Base(file)
		p.byBase[base] = append(p.byBase[base], file)
		stem := strings.TrimSuffix(base, path.Ext(base))
		p.byStem[stem] = append(p.byStem[stem], file)
		p.byDotted[strings.ReplaceAll(file, "/", ".")] = file
	}
	return p
}

// file is the file that a text names, relative to the working directory. It is
// false where the text is no file of the slice and none on the disk.
func (p places) file(text string) (string, bool) {
	if text == "" || len(text) > shard.MaxName {
		return "", false
	}
	if known, ok := p.files[text]; ok {
		return known, known != ""
	}
	known := p.lookUp(p.relative(text))
	if len(p.files) < maxPlaces {
		p.files[strings.Clone(text)] = known
	}
	return known, known != ""
}

func (p places) lookUp(name string) string {
	if p.whole[name] {
		return name
	}
	best, score, tie := "", -1, false
	for _, item := range p.byBase[path.Base(name)] {
		if !endsWith(item, name, "/") && !endsWith(name, item, "/") || item == best {
			continue
		}
		n := min(len(item), len(name))
		tie = n == score || tie && n < score
		if n > score {
			best, score, tie = item, n, false
		}
	}
	if best != "" && !tie {
		return best
	}
	if filepath.IsLocal(filepath.FromSlash(name)) && isFile(filepath.Join(p.dir, filepath.FromSlash(name))) {
		return name
	}
	return ""
}

// relative makes a path relative to the working directory, with slashes. One
// from elsewhere stays absolute.
func (p places) relative(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	name = strings.TrimPrefix(name, "file://")
	if !strings.HasPrefix(name, "/") && !(len(name) > 2 && name[1] == ':') {
		return path.Clean(name)
	}
	for _, base := range []string{p.dir, p.root} {
		base = strings.TrimSuffix(filepath.ToSlash(base), "/") + "/"
		if rest, ok := strings.CutPrefix(name, base); ok {
			return path.Clean(rest)
		}
	}
	return path.Clean(name)
}

// module finds the file of a dotted path such as tests.unit.test_a.TestBox, and
// what of it comes after the file.
func (p places) module(dotted, ext string) (file, inner string) {
	if dotted == "" || len(dotted) > shard.MaxName {
		return "", ""
	}
	if known, ok := p.modules[dotted]; ok {
		return known[0], known[1]
	}
	file, inner = p.lookUpModule(dotted, ext)
	if len(p.modules) < maxPlaces {
		p.modules[strings.Clone(dotted)] = [2]string{file, strings.Clone(inner)}
	}
	return file, inner
}

func (p places) lookUpModule(dotted, ext string) (file, inner string) {
	for end := len(dotted); end > 0; end = strings.LastIndexByte(dotted[:end], '.') {
		head := dotted[:end]
		if item, ok := p.byDotted[head+ext]; ok {
			return item, strings.TrimPrefix(dotted[end:], ".")
		}
		stem := head[strings.LastIndexByte(head, '.')+1:]
		best, score, tie := "", -1, false
		for _, item := range p.byStem[stem] {
			if path.Ext(item) != ext || item == best {
				continue
			}
			own := strings.ReplaceAll(strings.TrimSuffix(item, ext), "/", ".")
			if !endsWith(own, head, ".") && !endsWith(head, own, ".") {
				continue
			}
			n := min(len(own), len(head))
			tie = n == score || tie && n < score
			if n > score {
				best, score, tie = item, n, false
			}
		}
		if best != "" && !tie {
			return best, strings.TrimPrefix(dotted[end:], ".")
		}
		name := strings.ReplaceAll(head, ".", "/") + ext
		if filepath.IsLocal(name) && isFile(filepath.Join(p.dir, filepath.FromSlash(name))) {
			return name, strings.TrimPrefix(dotted[end:], ".")
		}
	}
	return "", ""
}

// item is the item of the slice that a test belongs to: its file, a folder
// around it, a node id in it; or its class. "" where there is none.
func (p places) item(file, class, name string) string {
	if file != "" && len(p.items) > 0 {
		if p.whole[file+"::"+name] {
			return file + "::" + name
		}
		if top, _, ok := strings.Cut(name, "::"); ok && p.whole[file+"::"+top] {
			return file + "::" + top
		}
		if p.whole[file] {
			return file
		}
		for dir := path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if p.whole[dir] {
				return dir
			}
			if p.whole[dir+"/"] {
				return dir + "/"
			}
		}
	}
	if p.whole[class] {
		return class
	}
	return p.byClass(class)
}

// byClass finds the item of a dotted class whose file is somewhere below, as
// src/test/java/com/example/BoxTest.java is of com.example.BoxTest.
func (p places) byClass(class string) string {
	outer, _, _ := strings.Cut(class, "$")
	stem := outer[strings.LastIndexByte(outer, '.')+1:]
	found := ""
	for _, item := range p.byStem[stem] {
		own := strings.ReplaceAll(strings.TrimSuffix(item, path.Ext(item)), "/", ".")
		if !endsWith(own, outer, ".") {
			continue
		}
		if found != "" && found != item || !p.whole[item] {
			return ""
		}
		found = item
	}
	return found
}

// inRepository names a file relative to the repository; "" where it is not in it.
func (p places) inRepository(file string) string {
	if file == "" || !filepath.IsLocal(filepath.FromSlash(file)) {
		return ""
	}
	rel, err := filepath.Rel(p.root, filepath.Join(p.dir, filepath.FromSlash(file)))
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// endsWith tells whether long ends with short, at a separator.
func endsWith(long, short, separator string) bool {
	return long == short || strings.HasSuffix(long, separator+short)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// onDisk tells whether the items are files or folders, and not just words.
func (p places) onDisk() bool {
	for _, item := range p.items[:min(len(p.items), 20)] {
		file, _, _ := strings.Cut(item, "::")
		if _, err := os.Stat(filepath.Join(p.dir, filepath.FromSlash(file))); err == nil && filepath.IsLocal(filepath.FromSlash(file)) {
			return true
		}
	}
	return false
}

// maxSource is how much of a file is looked at for tests.
const maxSource = 1 << 20

// holdsNoTest tells whether the item is a file in which nothing looks like a test.
func (p places) holdsNoTest(item string, test *regexp.Regexp) bool {
	if !filepath.IsLocal(filepath.FromSlash(item)) {
		return false
	}
	file, err := os.Open(filepath.Join(p.dir, filepath.FromSlash(item)))
	if err != nil {
		return false
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSource+1))
	return err == nil && len(text) <= maxSource && !test.Match(text)
}
