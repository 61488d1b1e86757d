package git

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fileVersion is a file's text from one commit on.
type fileVersion struct {
	mark int
	text string
}

// largeHistory makes a remote of n commits over 400 files with fast-import, and
// 32 pull requests of one to three commits that forked up to 200 commits ago.
// Each commit changes a line in two files.
func largeHistory(t testing.TB, n int) (repo, Spec) {
	dice := rand.New(rand.NewPCG(1, 2))
	remote := bareRepo(t)
	var in strings.Builder
	files := make([][]fileVersion, 400)
	mark := 0
	begin := func(ref, from string) {
		mark++
		fmt.Fprintf(&in, "commit %s\nmark :%d\ncommitter A <a@x> %d +0000\ndata 2\nm\n", ref, mark, 1_600_000_000+mark)
		if from != "" {
			fmt.Fprintf(&in, "from %s\n", from)
		}
	}
	put := func(i int, text string) {
		fmt.Fprintf(&in, "M 100644 inline d%d/s%d/f%d.txt\ndata %d\n%s\n", i%20, i%7, i, len(text), text)
	}
	edit := func(text string) string {
		lines := strings.SplitAfter(text, "\n")
		lines[dice.IntN(len(lines)-1)] = fmt.Sprintf("line %d\n", dice.IntN(1e6))
		return strings.Join(lines, "")
	}
	begin("refs/heads/main", "")
	for i := range files {
		files[i] = []fileVersion{{mark, strings.Repeat("some line of text\n", 60)}}
		put(i, files[i][0].text)
	}
	for range n - 1 {
		begin("refs/heads/main", "")
		for range 2 {
			i := dice.IntN(len(files))
			text := edit(files[i][len(files[i])-1].text)
			files[i] = append(files[i], fileVersion{mark, text})
			put(i, text)
		}
	}
	tip := mark
	for pr := range 32 {
		fork := tip - dice.IntN(200)
		for step := range 1 + pr%3 {
			from := ""
			if step == 0 {
				from = fmt.Sprintf(":%d", fork)
			}
			begin(fmt.Sprintf("refs/heads/pr%d", pr), from)
			for range 2 {
				i := dice.IntN(len(files))
				at := len(files[i]) - 1
				for files[i][at].mark > fork {
					at--
				}
				put(i, edit(files[i][at].text))
			}
		}
	}
	if _, err := remote.tryWith(in.String(), "fast-import", "--quiet"); err != nil {
		t.Fatal(err)
	}
	spec := Spec{Base: remote.ref("refs/heads/main"), Committer: attempt}
	for i := range 32 {
		spec.Members = append(spec.Members, Member{i + 1, remote.ref(fmt.Sprintf("refs/heads/pr%d", i))})
	}
	return remote, spec
}

// BenchmarkBuild32 measures a batch of 32 on 10,000 commits: the first build of
// a fresh clone that has fetched all, each time with another committer.
func BenchmarkBuild32(b *testing.B) {
	remote, spec := largeHistory(b, 10_000)
	for b.Loop() {
		b.StopTimer()
		clone, err := Open(soon(b), Options{Dir: filepath.Join(b.TempDir(), "c"), RemoteURL: remote.dir, AllowFile: true})
		if err != nil {
			b.Fatal(err)
		}
		ids := []string{spec.Base}
		for _, m := range spec.Members {
			ids = append(ids, m.Head)
		}
		if err := clone.Fetch(soon(b), ids); err != nil {
			b.Fatal(err)
		}
		for round := range 3 {
			spec.Committer.When = spec.Committer.When.Add(time.Second)
			before := clone.Processes()
			log := &argvLog{}
			clone.witness = log.add
			b.StartTimer()
			start := time.Now()
			built, err := clone.Build(soon(b), spec)
			took := time.Since(start)
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(took.Microseconds())/1000/32, fmt.Sprintf("ms/PR-round%d", round+1))
			b.ReportMetric(float64(clone.Processes()-before), fmt.Sprintf("procs-round%d", round+1))
			b.Logf("round %d: %v, %d members, %d skipped, %d processes\n%s", round+1, took, len(built.Members), len(built.Skipped), clone.Processes()-before, log.text())
		}
		clone.Close()
		b.StartTimer()
	}
}
