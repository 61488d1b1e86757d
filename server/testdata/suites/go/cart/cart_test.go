package cart

import (
	"os"
	"testing"

	"example.com/shop/story"
)

func TestMain(m *testing.M) {
	story.Ran("example.com/shop/cart")
	os.Exit(m.Run())
}

func TestTotal(t *testing.T) {
	if got := Total(1, 2, 3); got != 6 {
		t.Fatal(got)
	}
}
