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
		spec.Members = append(spec.Members, Member{PR: i + 1, Head: remote.ref(fmt.Sprintf("refs/heads/pr%d", i))})
	}
	return remote, spec
}

// BenchmarkBuild32 measures a batch of 32 on 10,000 commits, all of them
// fetched: the first build of a fresh clone, and a second by another committer.
// Blobless, the first fetches the blobs it merges; whole, they are there.
func BenchmarkBuild32(b *testing.B) {
	remote, spec := largeHistory(b, 10_000)
	for name, filter := range map[string]string{"blobless": "true", "whole": "false"} {
		b.Run(name, func(b *testing.B) {
			remote.git("config", "uploadpack.allowFilter", filter)
			for b.Loop() {
				b.StopTimer()
				build32(b, remote, spec)
				b.StartTimer()
			}
		})
	}
}

func build32(b *testing.B, remote repo, spec Spec) {
	clone, err := Open(soon(b), Options{Dir: filepath.Join(b.TempDir(), "c"), RemoteURL: remote.dir, AllowFile: true})
	if err != nil {
		b.Fatal(err)
	}
	defer clone.Close()
	ids := []string{spec.Base}
	for _, m := range spec.Members {
		ids = append(ids, m.Head)
	}
	if err := clone.Fetch(soon(b), ids); err != nil {
		b.Fatal(err)
	}
	for _, round := range []string{"first", "second"} {
		spec.Committer.When = spec.Committer.When.Add(time.Second)
		before, start := clone.Processes(), time.Now()
		built, err := clone.Build(soon(b), spec)
		took := time.Since(start)
		if err != nil || len(built.Members) < 20 {
			b.Fatalf("%d members, %v", len(built.Members), err)
		}
		b.ReportMetric(float64(took.Microseconds())/1000/float64(len(spec.Members)), "ms/PR-"+round)
		b.ReportMetric(float64(clone.Processes()-before), "processes-"+round)
	}
}
