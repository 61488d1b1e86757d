package git

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// historian writes a random repository: a base that goes on, and pull requests
// that forked from somewhere in it.
type historian struct {
	repo
	dice  *rand.Rand
	heads []string
	base  string
	line  []string // the base's commits
}

var fileNames = []string{"a.txt", "b.txt", "dir/c.txt", "dir/d.txt", "dir/sub/e.txt", "with space", "crlf.txt", "log/CHANGES", "naïve \"q\".txt"}

func (h *historian) pick(list []string) string { return list[h.dice.IntN(len(list))] }

func (h *historian) lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func (h *historian) read(name string) (string, bool) {
	text, err := os.ReadFile(filepath.Join(h.dir, name))
	return string(text), err == nil
}

// disturb makes one random change in the work tree.
func (h *historian) disturb() {
	name := h.pick(fileNames)
	text, there := h.read(name)
	switch n := h.dice.IntN(20); {
	case n < 10 && there && strings.Count(text, "\n") > 3:
		lines := strings.SplitAfter(text, "\n")
		at := h.dice.IntN(len(lines) - 1)
		eol := "\n"
		if strings.HasPrefix(name, "crlf") {
			eol = "\r\n"
		}
		switch h.dice.IntN(3) {
		case 0:
			lines[at] = fmt.Sprintf("changed %d%s", h.dice.IntN(4), eol)
		case 1:
			lines = append(lines[:at:at], lines[at+1:]...)
		default:
			lines[at] += fmt.Sprintf("added %d%s", h.dice.IntN(4), eol)
		}
		h.write(name, strings.Join(lines, ""))
	case n < 12:
		os.Remove(filepath.Join(h.dir, name))
	case n < 14 && there:
		to := h.pick([]string{"moved/" + filepath.Base(name), "moved/new.txt", "dir/moved.txt"})
		os.MkdirAll(filepath.Join(h.dir, filepath.Dir(to)), 0o755)
		os.Rename(filepath.Join(h.dir, name), filepath.Join(h.dir, to))
	case n < 15:
		os.Chmod(filepath.Join(h.dir, name), []os.FileMode{0o644, 0o755}[h.dice.IntN(2)])
	case n < 16:
		h.write("bin", string([]byte{0, 1, byte(h.dice.IntN(3)), 0, 255}))
	case n < 17:
		h.write(fmt.Sprintf("new/%d.txt", h.dice.IntN(4)), h.lines(3+h.dice.IntN(3)))
	case n < 18:
		text, _ := h.read("log/CHANGES")
		h.write("log/CHANGES", fmt.Sprintf("entry %d\n", h.dice.IntN(50))+text)
	case n < 19 && h.dice.IntN(3) == 0:
		h.write(h.pick([]string{".gitattributes", "log/.gitattributes"}), h.pick([]string{"CHANGES merge=union\n", "*.txt merge=union\n", "/log/* -merge\n", "# none\n", "*.txt binary\n"}))
	default:
		if !there {
			h.write(name, h.lines(12))
		}
	}
}

func (h *historian) step(message string) string {
	for range 1 + h.dice.IntN(2) {
		h.disturb()
	}
	return h.commit(message)
}

func newHistorian(t testing.TB, seed uint64) *historian {
	h := &historian{repo: newRepo(t), dice: rand.New(rand.NewPCG(seed, 11))}
	for _, name := range fileNames {
		text := h.lines(12)
		if strings.HasPrefix(name, "crlf") {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		h.write(name, text)
	}
	h.write("log/.gitattributes", "CHANGES merge=union\n")
	h.line = append(h.line, h.commit("start"))
	for i := range 6 {
		h.line = append(h.line, h.step(fmt.Sprintf("base %d", i)))
	}
	return h
}

// pullRequest writes one; the base may later take its patches over.
func (h *historian) pullRequest(n int) string {
	fork := h.pick(h.line)
	if len(h.heads) > 0 && h.dice.IntN(6) == 0 {
		fork = h.pick(h.heads) // stacked on another
	}
	h.git("checkout", "-q", "--detach", fork)
	head := fork
	for i := range 1 + h.dice.IntN(3) {
		name := fmt.Sprintf("pr %d.%d", n, i)
		switch h.dice.IntN(12) {
		case 0:
			head = h.commit(name + ", empty")
		case 1:
			if _, err := h.try("revert", "--no-edit", "HEAD"); err != nil {
				h.try("revert", "--abort")
			}
			head = h.git("rev-parse", "HEAD")
		case 2:
			other := h.pick(append(h.line, h.heads...))
			if _, err := h.try("merge", "-q", "--no-ff", "-m", name+", merge", other); err != nil {
				h.try("merge", "--abort")
				if _, err := h.try("merge", "-q", "-X", "ours", "-m", name+", a conflict solved", other); err != nil {
					h.try("merge", "--abort")
				}
			}
			head = h.git("rev-parse", "HEAD")
		case 3:
			if _, err := h.try("cherry-pick", "--allow-empty", h.pick(h.line[1:])); err != nil {
				h.try("cherry-pick", "--abort")
				h.try("cherry-pick", "--skip")
			}
			head = h.git("rev-parse", "HEAD")
		default:
			head = h.step(name)
		}
	}
	return head
}

func (h *historian) writeAll() {
	for n := range 7 {
		h.heads = append(h.heads, h.pullRequest(n))
	}
	// The base goes on, and takes over a patch or two as patches of its own.
	h.git("checkout", "-q", "--detach", h.line[len(h.line)-1])
	for i := range 3 {
		if h.dice.IntN(2) == 0 {
			if _, err := h.try("cherry-pick", h.pick(h.heads)); err != nil {
				h.try("cherry-pick", "--abort")
			}
		}
		h.step(fmt.Sprintf("base goes on %d", i))
	}
	h.base = h.git("rev-parse", "HEAD")
}

// rebase does with git itself what a build must do: pick what the head has
// beyond the members that were put on the base before it.
func (h *historian) rebase(onto, head string, placed []string) (tip string, conflict bool) {
	h.git("checkout", "-q", "--detach", head)
	h.git("reset", "-q", "--hard")
	args := []string{"rebase", "-q", "--force-rebase", onto}
	if covered := h.covered(head, placed); covered != "" {
		drop := filepath.Join(h.t.TempDir(), "drop")
		if err := os.WriteFile(drop, []byte(covered), 0o600); err != nil {
			h.t.Fatal(err)
		}
		editor := fmt.Sprintf(`f() { grep -v -F -f '%s' "$1" > "$1.new"; echo noop >> "$1.new"; mv "$1.new" "$1"; }; f`, drop)
		args = []string{"-c", "core.abbrev=40", "-c", "sequence.editor=" + editor, "rebase", "-i", "--empty=drop", "--no-autosquash", "--force-rebase", onto}
	}
	if _, err := h.try(args...); err != nil {
		if _, err := os.Stat(filepath.Join(h.dir, ".git", "rebase-merge")); err != nil {
			h.t.Fatal("rebase failed without a conflict")
		}
		h.git("rebase", "--abort")
		return "", true
	}
	return h.git("rev-parse", "HEAD"), false
}

// covered lists the head's commits that members put on the base before it brought, a line each.
func (h *historian) covered(head string, placed []string) string {
	if len(placed) == 0 {
		return ""
	}
	brought := map[string]bool{}
	for _, id := range strings.Fields(h.git(append([]string{"rev-list", "^" + h.base}, placed...)...)) {
		brought[id] = true
	}
	var lines strings.Builder
	for _, id := range strings.Fields(h.git("rev-list", head, "^"+h.base)) {
		if brought[id] {
			fmt.Fprintln(&lines, id)
		}
	}
	return lines.String()
}

// TestBuildAgreesWithGitRebase is the measure of the whole package: on random
// histories the trees, the verdicts and the commits that remain are those of
// git rebase.
func TestBuildAgreesWithGitRebase(t *testing.T) {
	seeds := 8
	if text := os.Getenv("MAINSTAY_SEEDS"); text != "" {
		fmt.Sscan(text, &seeds)
	}
	members, conflicts, contained, squashed := 0, 0, 0, 0
	for seed := range seeds {
		if only := os.Getenv("MAINSTAY_SEED"); only != "" && only != fmt.Sprint(seed) {
			continue
		}
		h := newHistorian(t, uint64(seed))
		h.writeAll()
		remote := bareRepo(t)
		spec := Spec{Base: h.base, Committer: attempt}
		h.publish(remote, h.base, "refs/heads/main")
		for n, head := range h.heads {
			h.publish(remote, head, fmt.Sprintf("refs/heads/pr%d", n))
			spec.Members = append(spec.Members, Member{PR: n, Head: head})
		}
		clone, _ := openClone(t, remote)
		built, err := clone.Build(soon(t), spec)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, want := map[int]string{}, map[int]string{}
		for _, m := range built.Members {
			got[m.PR] = fmt.Sprintf("tree %s, %d commits", m.Tree, len(m.Commits))
			if m.Squashed {
				got[m.PR] = "squashed, tree " + m.Tree
			}
		}
		for _, n := range built.Contained {
			got[n] = "contained"
		}
		for _, c := range built.Skipped {
			got[c.PR] = fmt.Sprintf("conflict, alone %v", c.OnBaseAlone)
			if len(c.Files) == 0 {
				t.Errorf("seed %d: #%d conflicts in no file", seed, c.PR)
			}
		}
		tip := h.base
		var placed []string
		for n, head := range h.heads {
			next, conflict := h.rebase(tip, head, placed)
			if conflict && h.hasMerges(head) {
				next, conflict = h.squashOnto(tip, head, placed)
				if want[n] = "squashed, tree " + h.git("rev-parse", next+"^{tree}"); !conflict && next != tip {
					tip, placed = next, append(placed, head)
					squashed++
				} else if !conflict {
					want[n] = "contained"
				}
			}
			switch {
			case want[n] != "" && !conflict:
			case conflict:
				alone := tip == h.base
				if !alone {
					if _, alone = h.rebase(h.base, head, nil); alone && h.hasMerges(head) {
						_, alone = h.squashOnto(h.base, head, nil)
					}
				}
				want[n] = fmt.Sprintf("conflict, alone %v", alone)
				conflicts++
			case next == tip || h.git("rev-list", "--count", tip+".."+next) == "0":
				want[n] = "contained"
				contained++
			default:
				want[n] = fmt.Sprintf("tree %s, %s commits", h.git("rev-parse", next+"^{tree}"), h.git("rev-list", "--count", tip+".."+next))
				tip, placed = next, append(placed, head)
				members++
			}
			if got[n] != want[n] {
				t.Errorf("seed %d, #%d (%s):\n got %s\nwant %s\n%s", seed, n, head, got[n], want[n], h.git("log", "--oneline", "--graph", "--stat", head, "^"+h.base))
				break
			}
		}
	}
	t.Logf("%d landed, %d in conflict, %d contained, %d squashed for their merges", members, conflicts, contained, squashed)
	if members == 0 || conflicts == 0 || contained == 0 {
		t.Error("the histories are too tame to prove anything")
	}
}
