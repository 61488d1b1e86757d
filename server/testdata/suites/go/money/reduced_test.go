package money

import "testing"

func TestReduced(t *testing.T) {
	for amount, want := range map[int]int{0: 0, 10: 2, 1000: 210} {
		t.Run("of an amount", func(t *testing.T) {
			if got := Tax(amount); got != want {
				t.Fatalf("the tax on %d is %d, want %d", amount, got, want)
			}
		})
	}
}
