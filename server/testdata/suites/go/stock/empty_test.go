package stock

import "testing"

func TestEmpty(t *testing.T) {
	if Left(0, 0) != 0 {
		t.Fatal(Left(0, 0))
	}
}
