package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// mark changes what the labels of pull requests say.
func (w *world) mark(how func(p *pull), numbers ...int) {
	for _, n := range numbers {
		w.change(n, how)
	}
}

func hotfix(p *pull) { p.hotfix = true }
func hold(p *pull)   { p.hold = true }
func unhold(p *pull) { p.hold = false }
func solo(p *pull)   { p.solo = true }

// byMethod has a label ask for one of the methods.
func byMethod(pr int) func(*pull) {
	return func(p *pull) { p.method = []Method{MethodRebase, MethodSquash, MethodMerge}[pr%3] }
}
func byBot(p *pull) { p.author = Actor{ID: 900, Login: "renovate[bot]", Bot: true} }

func worth(n int) func(p *pull) { return func(p *pull) { p.priority = n } }

func byAuthor(id int64) func(p *pull) {
	return func(p *pull) { p.author = Actor{ID: id, Login: fmt.Sprintf("dev-%d", id)} }
}

// lineUp has pull requests wait together in a paused queue.
func (w *world) lineUp(numbers ...int) {
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.queue(numbers...)
	w.run(time.Minute)
}

func (w *world) resume() {
	w.run(time.Minute)
	w.tell(ResumeAsked{By: "ann"})
}

// landings is the order in which pull requests landed, batch by batch.
func (w *world) landingOrder() string {
	var batches []string
	for _, r := range w.receipts {
		var prs []string
		for _, m := range r.Members {
			prs = append(prs, fmt.Sprint(m.PR))
		}
		batches = append(batches, strings.Join(prs, " "))
	}
	return strings.Join(batches, " | ")
}

func (w *world) requireLandings(want string) {
	w.t.Helper()
	if got := w.landingOrder(); got != want {
		w.t.Fatalf("landed %q, want %q", got, want)
	}
}

// What labels say decides the order of landing, and who is tested with whom.
func TestOrderOfLanding(t *testing.T) {
	cases := map[string]struct {
		size, perAuthor int
		marks           func(w *world)
		want            string
	}{
		"nothing said":          {size: 3, want: "1 2 3 | 4 5 6"},
		"a priority":            {size: 3, marks: func(w *world) { w.mark(worth(10), 5) }, want: "5 1 2 | 3 4 6"},
		"two priorities":        {size: 6, marks: func(w *world) { w.mark(worth(1), 5); w.mark(worth(10), 6) }, want: "6 5 1 2 3 4"},
		"less than nothing":     {size: 6, marks: func(w *world) { w.mark(worth(-2), 1) }, want: "2 3 4 5 6 1"},
		"a hotfix":              {size: 3, marks: func(w *world) { w.mark(hotfix, 4); w.mark(worth(100), 5) }, want: "4 | 5 1 2 | 3 6"},
		"two hotfixes":          {size: 3, marks: func(w *world) { w.mark(hotfix, 4, 6) }, want: "4 | 6 | 1 2 3 | 5"},
		"one kept out":          {size: 3, marks: func(w *world) { w.mark(solo, 2) }, want: "1 | 2 | 3 4 5 | 6"},
		"bots ahead of people":  {size: 4, marks: func(w *world) { w.mark(byBot, 1, 2, 3, 4) }, want: "1 5 2 6 | 3 4"},
		"bots one by one":       {size: 1, marks: func(w *world) { w.mark(byBot, 1, 2, 3) }, want: "1 | 4 | 2 | 5 | 3 | 6"},
		"people ahead of bots":  {size: 4, marks: func(w *world) { w.mark(byBot, 4, 5, 6) }, want: "1 2 3 4 | 5 6"},
		"only bots":             {size: 4, marks: func(w *world) { w.mark(byBot, 1, 2, 3, 4, 5, 6) }, want: "1 2 3 4 | 5 6"},
		"a bot's hotfix":        {size: 3, marks: func(w *world) { w.mark(byBot, 1, 2); w.mark(hotfix, 2) }, want: "2 | 1 3 4 | 5 6"},
		"one test an author":    {size: 6, perAuthor: 1, want: "1 | 2 | 3 | 4 | 5 | 6"},
		"two authors, two each": {size: 6, perAuthor: 2, marks: func(w *world) { w.mark(byAuthor(8), 5, 6) }, want: "1 2 5 6 | 3 4"},
		"a hotfix has no limit": {size: 6, perAuthor: 1, marks: func(w *world) { w.mark(hotfix, 6) }, want: "6 | 1 | 2 | 3 | 4 | 5"},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.settings.BatchSize, w.settings.PerAuthor = c.size, c.perAuthor
				w.lineUp(1, 2, 3, 4, 5, 6)
				if c.marks != nil {
					c.marks(w)
				}
				w.resume()
				w.untilEnded(1, 2, 3, 4, 5, 6)
				w.requireLandings(c.want)
			})
		})
	}
}

// A step of priority is worth an hour: who waits long enough is overtaken no more.
func TestPriorityAges(t *testing.T) {
	for wait, want := range map[time.Duration]string{30 * time.Minute: "2 | 1", 90 * time.Minute: "1 | 2"} {
		story(t, func(w *world) {
			w.settings.BatchSize = 1
			w.lineUp(1)
			w.run(wait)
			w.queue(2)
			w.mark(worth(1), 2)
			w.resume()
			w.untilEnded(1, 2)
			w.requireLandings(want)
		})
	}
}

// A hotfix takes the place of what is under test; that is tested again behind it.
func TestHotfixSupersedesARunningTest(t *testing.T) {
	for _, phase := range []AttemptPhase{AttemptBuilding, AttemptPushing, AttemptTesting} {
		t.Run(string(phase), func(t *testing.T) {
			story(t, func(w *world) {
				w.queueTogether(1, 2)
				running := w.untilPhase(phase)
				w.queue(3)
				w.mark(hotfix, 3)
				w.untilEnded(1, 2, 3)
				w.requireLandings("3 | 1 2")
				if phase == AttemptTesting && len(w.cancelled) == 0 {
					w.t.Fatalf("the runs of attempt %d went on", running.ID)
				}
			})
		})
	}
}

// The webhook that tells of a late label may be lost: the next sweep sees it.
func TestLateLabelWithoutWebhook(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchSize = 1
		w.queueTogether(1, 2, 3)
		w.untilPhase(AttemptTesting)
		w.hint = func(Fact) {}
		w.mark(worth(10), 3)
		w.untilEnded(1, 2, 3)
		w.requireLandings("1 | 3 | 2")
	})
}

// Nothing else does: not a priority, not a hotfix while another is tested, not one in a paused queue.
func TestNothingElseSupersedes(t *testing.T) {
	for name, newcomer := range map[string]func(w *world){
		"a priority":             func(w *world) { w.queue(3); w.mark(worth(1000), 3) },
		"a hotfix after another": func(w *world) { w.mark(hotfix, 1); w.queue(3); w.mark(hotfix, 3) },
		"a pause":                func(w *world) { w.tell(PauseAsked{By: "ann", Reason: "a fair"}); w.queue(3); w.mark(hotfix, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.queue(1)
				a := w.untilPhase(AttemptTesting)
				newcomer(w)
				w.run(2 * time.Minute)
				if now := w.state.attempt(a.ID); now == nil || now.Phase != AttemptTesting {
					w.t.Fatalf("the test of #1 was given up: %+v", now)
				}
				w.tell(ResumeAsked{By: "ann"})
				w.untilEnded(1, 3)
				if name == "a pause" {
					w.requireLandings("3 | 1") // it does once the queue goes on
				} else {
					w.requireLandings("1 | 3")
				}
			})
		})
	}
}

// The label may come late: a member of a batch under test leaves it and goes first.
func TestHotfixOutOfABatch(t *testing.T) {
	story(t, func(w *world) {
		w.queueTogether(1, 2, 3)
		w.untilPhase(AttemptTesting)
		w.mark(hotfix, 2)
		w.untilEnded(1, 2, 3)
		w.requireLandings("2 | 1 3")
	})
}

// A held entry is tested by itself and waits, green, until the label is off; nobody waits behind it.
func TestHold(t *testing.T) {
	for _, late := range []AttemptPhase{"", AttemptTesting, AttemptChecking} {
		t.Run("held "+string(late), func(t *testing.T) {
			story(t, func(w *world) {
				w.lineUp(1, 2, 3)
				if late == "" {
					w.mark(hold, 1)
				}
				w.resume()
				if late != "" {
					w.untilPhase(late)
					w.mark(hold, 1)
				}
				w.untilEnded(2, 3)
				w.requireLandings("2 3")
				w.run(30 * time.Minute)
				w.requireWaits(1, OnHold)
				e := w.state.entries[1]
				if c := w.pulls[1].check[e.Pinned]; !strings.Contains(c.Title, "held") || !strings.Contains(c.Summary, short(e.Tested)) {
					w.t.Fatalf("the check says %q: %s", c.Title, c.Summary)
				}
				w.mark(unhold, 1)
				w.untilEnded(1)
				w.requireLandings("2 3 | 1")
			})
		})
	}
}

// The label may come when it is alone under test, and even after it is green.
func TestHeldAtTheLastMoment(t *testing.T) {
	for _, phase := range []AttemptPhase{AttemptTesting, AttemptChecking} {
		story(t, func(w *world) {
			w.queue(1)
			w.untilPhase(phase)
			w.hint = func(Fact) {}
			w.membersDelay()
			w.mark(hold, 1)
			w.run(20 * time.Minute)
			w.requireWaits(1, OnHold)
			w.mark(unhold, 1)
			w.untilEnded(1)
			w.requireLanded(1)
		})
	}
}

// Reports of green shards bring the last reading forward: not for what is held.
func TestHeldWithShards(t *testing.T) {
	story(t, func(w *world) {
		w.workflow = shards(3, 4*time.Minute)
		w.suiteOf(3)
		w.lineUp(1)
		w.mark(hold, 1)
		w.resume()
		w.run(20 * time.Minute)
		w.requireWaits(1, OnHold)
		w.mark(unhold, 1)
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A held entry that is bad is out like any other.
func TestHeldAndBad(t *testing.T) {
	story(t, func(w *world) {
		w.bad[1] = true
		w.lineUp(1, 2)
		w.mark(hold, 1)
		w.resume()
		w.untilEnded(1, 2)
		w.requireOut(1, ChecksFailed)
		w.requireLanded(2)
	})
}

// Where labels mean something else by the config, whoever is in line is read again.
func TestLabelsRenamed(t *testing.T) {
	story(t, func(w *world) {
		w.lineUp(1, 2)
		w.hint = func(Fact) {}
		w.mark(hotfix, 2)
		w.settings.Labels.Hotfix = "urgent"
		w.tell(BaseHinted{})
		w.resume()
		w.untilEnded(1, 2)
		w.requireLandings("2 | 1")
	})
}

// inTurn is the order of one entry after the other, whatever the limit.
func TestInTurnIsAPrefix(t *testing.T) {
	s := lineOf(40, 1)
	for n := 16; n <= 55; n++ {
		pr := asking(n, dawn)
		pr.Author = Actor{ID: int64(n % 4), Bot: n%3 == 0}
		pr.Priority = n % 5
		s, _ = Step(s, Event{At: dawn, Fact: PullRequestRead{PR: pr}})
	}
	st := &step{State: s, now: dawn}
	all := st.inTurn(100)
	places := st.positions()
	if len(all) != 35 {
		t.Fatalf("%d of 35 are in turn", len(all))
	}
	for n := range all {
		if got := st.inTurn(n); !slices.Equal(got, all[:n]) {
			t.Fatalf("the first %d are %v, want %v", n, got, all[:n])
		}
		if e := s.entries[all[n]]; st.position(e) != n+1 || places[all[n]] != n+1 {
			t.Fatalf("#%d is number %d, or %d by one walk, want %d", all[n], st.position(e), places[all[n]], n+1)
		}
	}
}

// BenchmarkInTurn has the goal of 30 µs with 1,000 in line, however they are mixed.
func BenchmarkInTurn(b *testing.B) {
	for name, author := range map[string]func(n int) Actor{
		"people": func(n int) Actor { return Actor{ID: int64(n % 50)} },
		"bots":   func(n int) Actor { return Actor{ID: int64(n % 50), Bot: n < 1000} },
		"one":    func(int) Actor { return Actor{ID: 1} },
	} {
		b.Run(name, func(b *testing.B) {
			s := lineOf(1000, 1)
			for _, e := range s.entries {
				e.PR.Author = author(e.PR.Number)
			}
			s.header.Settings.PerAuthor = 3
			st := &step{State: s, now: dawn}
			b.ReportAllocs()
			for b.Loop() {
				st.inTurn(15)
			}
		})
	}
}
