package money

import (
	"os"
	"testing"

	"example.com/shop/story"
)

func TestMain(m *testing.M) {
	story.Ran("example.com/shop/money")
	os.Exit(m.Run())
}

func TestEuro(t *testing.T) {
	if got := Euro(250); got != 2 {
		t.Fatal(got)
	}
}
