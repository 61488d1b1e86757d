package git

import "testing"

// BenchmarkBuild32ByMethod measures what BenchmarkBuild32 does, by each method.
func BenchmarkBuild32ByMethod(b *testing.B) {
	remote, spec := largeHistory(b, 10_000)
	for _, method := range []Method{Rebase, Squash, Merge} {
		name := string(method)
		if method == Rebase {
			name = "rebase"
		}
		b.Run(name, func(b *testing.B) {
			for i := range spec.Members {
				spec.Members[i].Method = method
			}
			for b.Loop() {
				b.StopTimer()
				build32(b, remote, spec)
				b.StartTimer()
			}
		})
	}
}
