package order

import "testing"

func TestGreeting(t *testing.T) {
	if got := Greeting("Ada"); got != "Dear Ada" {
		t.Fatal(got)
	}
}
