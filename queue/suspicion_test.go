package queue

import (
	"testing"
	"time"
)

// Which tests stand in a changed folder.
func TestStandsIn(t *testing.T) {
	for name, c := range map[string]struct {
		test    FailedTest
		folders []string
		want    bool
	}{
		"a Go package":           {FailedTest{Package: "example.com/shop/cart"}, []string{"docs", "cart"}, true},
		"one below it":           {FailedTest{Package: "example.com/shop/cart/tax"}, []string{"cart"}, false},
		"the module's root":      {FailedTest{Package: "example.com/shop"}, []string{".", ""}, false},
		"half a name":            {FailedTest{Package: "example.com/shop/mycart"}, []string{"cart"}, false},
		"its file":               {FailedTest{File: "web/cart.test.js", Package: "shows the sum"}, []string{"web"}, true},
		"another file":           {FailedTest{File: "web/cart.test.js"}, []string{"api"}, false},
		"a Java class":           {FailedTest{Package: "com.acme.shop.CartTest"}, []string{"src/main/java/com/acme/shop"}, true},
		"a Java class elsewhere": {FailedTest{Package: "com.acme.shop.CartTest"}, []string{"src/main/java/com/acme"}, false},
		"a Python module":        {FailedTest{Package: "shop.tests.test_cart"}, []string{"shop/tests"}, true},
		"nothing known":          {FailedTest{Name: "TestSum"}, []string{"cart"}, false},
	} {
		if got := c.test.standsIn(c.folders); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Given a red batch in which one changes the failing test's folder, then the
// search asks with that in mind: here all before it are cleared by one narrow
// attempt, where without it there would be two.
func TestWhoTouchesTheFailingTestIsSuspected(t *testing.T) {
	for _, touches := range []bool{false, true} {
		story(t, func(w *world) {
			w.sharded()
			w.bad[4] = true
			w.folders = map[int][]string{1: {"docs"}, 2: {"api"}}
			if touches {
				w.folders[4] = []string{"of4"} // the folder of TestOf4
			}
			w.queueTogether(1, 2, 3, 4)
			got := w.attemptsOf(3*time.Hour, w.over(1, 2, 3, 4))
			want := []string{"[1 2 3 4]: all", "[1 2]: TestOf4", "[3]: TestOf4", "[4]: TestOf4", "[1 2 3]: all"}
			if touches {
				want = []string{"[1 2 3 4]: all", "[1 2 3]: TestOf4", "[4]: TestOf4", "[1 2 3]: all"}
			}
			w.requireAttempts(got, want)
			w.requireOut(4, ChecksFailed)
			w.requireLanded(1, 2, 3)
		})
	}
}
