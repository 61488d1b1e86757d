package order

import (
	"os"
	"testing"

	"example.com/shop/story"
)

func TestMain(m *testing.M) {
	story.Ran("example.com/shop/order")
	os.Exit(m.Run())
}

func TestNumber(t *testing.T) {
	if got := Number(41); got != 42 {
		t.Fatal(got)
	}
}
