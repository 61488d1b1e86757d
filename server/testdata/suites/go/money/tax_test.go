package money

import "testing"

func TestTax(t *testing.T) {
	if got := Tax(100); got != 21 {
		t.Fatal(got)
	}
}
