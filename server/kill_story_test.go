package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// Killed with kill -9 at any moment, between a call and its answer, with webhooks
// lost meanwhile, and started again each time: the queue goes on from what it
// wrote down, and in the end everything has landed once or is out with a reason.
func TestKilledAtAnyMomentTheQueueGoesOn(t *testing.T) {
	t.Parallel()
	// Given six pull requests, of which one is red and two conflict with each other.
	w := foundWithoutServer(t, scene{})
	m := newMortal(w)
	good := w.opensSeveral(3)
	red := w.open("broken", map[string]string{"broken.txt": "broken\n"})
	first, second := w.open("first", map[string]string{"shared.txt": "two\n"}), w.open("second", map[string]string{"shared.txt": "three\n"})

	// When the server is killed twenty times while they are in line, and others join.
	dice := rand.New(rand.NewPCG(7, 0))
	for deaths := range 20 {
		m.live(moment{webhook: dice.IntN(4) == 0, n: 1 + dice.IntN(16), point: dice.IntN(3)})
		if deaths == 0 {
			w.label(append([]int{red, first, second}, good...)...)
		}
		for !m.bury() {
			joins := w.opens(fmt.Sprintf("joins-%d", len(good)))
			w.label(joins)
			good = append(good, joins)
		}
	}
	m.live(moment{})
	// A test that was begun for nobody any more may still be on its way out.
	w.until("every pull request has its end, and every ticket", func() bool { return m.over() && m.concluded() && len(w.tickets()) == 0 })
	m.readBooks()

	// Then all is as it would be without a single death.
	want := allLanded(append(good, first))
	want[red], want[second] = queue.ChecksFailed, queue.Conflict
	if w.entry(second).Phase == queue.Landed { // whichever wish was read first
		want[first], want[second] = want[second], want[first]
	}
	w.holds(want)
	for head, pr := range w.gate.remembered() {
		if n := w.ourChecks(head); n != 1 {
			t.Errorf("#%d carries %d checks of ours", pr, n)
		}
	}
	if n := len(w.repo.Comments(int64(red))); n != 1 {
		t.Errorf("the red one got %d comments", n)
	}
	w.seekSecrets()
}
