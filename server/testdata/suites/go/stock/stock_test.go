package stock

import (
	"os"
	"testing"

	"example.com/shop/story"
)

func TestMain(m *testing.M) {
	story.Ran("example.com/shop/stock")
	os.Exit(m.Run())
}

func TestLeft(t *testing.T) {
	if got := Left(3, 5); got != 0 {
		t.Fatal(got)
	}
}
