package search

import "testing"

// One decision over a line of a thousand.
func BenchmarkNext(b *testing.B) {
	for name, reds := range map[string][]Red{"fresh": nil, "red": {{Members: []int{1, 2, 3, 4, 5, 6, 7}, Times: 1},
		{Members: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, Times: 1}}} {
		for slots, as := range map[int]string{1: "serial", 4: "4", 16: "16"} {
			v := View{Rates: Rates{Fail: 0.04, Flake: 0.01}, Line: lineOf(1000), Slots: slots, Reds: reds}
			b.Run(name+"/"+as, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Next(v)
				}
			})
		}
	}
}
