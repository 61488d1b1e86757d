package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// writes has somebody write a comment; its webhook may be lost.
func (w *world) writes(n int, by, text string) int64 {
	id := w.id()
	if word, rest, found := FindCommand(text); found {
		who := Actor{ID: 100 + writers[by], Login: by, Bot: strings.HasSuffix(by, botSuffix)}
		if writers[by] == 0 {
			who.ID = int64(1000 + len(by))
		}
		w.comments = append(w.comments, Command{ID: id, PR: n, Word: word, Text: rest, By: who, MayWrite: writers[by] != 0, At: w.now})
		w.note("%s writes %q on #%d (comment %d)", by, text, n, id)
		w.hint(CommandHinted{Comment: id})
	}
	return id
}

func (w *world) readCommands(x ReadCommands) CommandsRead {
	var read CommandsRead
	for _, c := range w.comments {
		if c.At.Before(x.Since) {
			continue
		}
		read.Newest = c.At
		if !slices.Contains(x.Used, c.ID) {
			c.Pull = w.read(c.PR)
			read.Commands = append(read.Commands, c)
		}
	}
	return read
}

func (w *world) requireMark(comment int64, mark string) {
	w.t.Helper()
	if got := w.marks[comment]; got != mark {
		w.t.Fatalf("comment %d has the mark %q, want %q", comment, got, mark)
	}
}

// openApproved opens pull requests that nobody labels.
func (w *world) openApproved(numbers ...int) {
	for _, n := range numbers {
		w.open(n)
		w.approve(n, "bob")
	}
}

// A command is as good as the label, and sets it.
func TestQueueByCommand(t *testing.T) {
	story(t, func(w *world) {
		w.openApproved(1)
		w.run(time.Minute)
		id := w.writes(1, "ann", "/mainstay queue")
		w.run(30 * time.Second)
		if !w.pulls[1].label {
			w.t.Fatalf("the label is not set")
		}
		w.requireMark(id, "+1")
		w.untilEnded(1)
		w.requireLanded(1)
		if w.pulls[1].comment != "" {
			w.t.Fatalf("a plain success was commented: %s", w.pulls[1].comment)
		}
	})
}

// GitHub may not show the label for a while after we set it: that takes nobody out.
func TestLabelOfOursShownLate(t *testing.T) {
	story(t, func(w *world) {
		w.tell(PauseAsked{By: "ann", Reason: "wait"})
		w.openApproved(1)
		w.run(time.Minute)
		hint := w.hint
		w.hint = func(f Fact) { // nothing tells of the label
			if _, ok := f.(CommandHinted); ok {
				hint(f)
			}
		}
		w.writes(1, "ann", "/mainstay queue")
		w.run(time.Second)
		w.hint = hint
		stale := w.read(1)
		stale.Wish, stale.Approvals = nil, 0
		stale.ReadAt = w.now
		w.tell(PullRequestRead{PR: stale})
		w.requireWaits(1, InLine)
		w.run(5 * time.Minute)
		w.requireWaits(1, InLine)

		// Once it was shown, taking it off means what it always means.
		w.unlabel(1)
		w.run(time.Minute)
		w.requireOut(1, LabelRemoved)
	})
}

// With every webhook lost a sweep finds the comment, and it counts once however
// often it is seen.
func TestCommandFoundByTheSweepCountsOnce(t *testing.T) {
	story(t, func(w *world) {
		w.hint = func(Fact) {}
		w.bad[1] = true
		w.openApproved(1)
		w.tell(BaseHinted{})
		w.run(time.Minute)
		id := w.writes(1, "ann", "/mainstay queue")
		w.untilEnded(1)
		w.requireOut(1, ChecksFailed)
		w.requireMark(id, "+1")
		for range 5 {
			w.tell(CommandHinted{Comment: id})
			w.tell(CommandsRead{Commands: []Command{w.command(id)}, Newest: w.now})
			w.run(time.Minute)
		}
		w.run(time.Hour)
		if n := len(w.ended[1]); n != 1 {
			w.t.Fatalf("one command made %d wishes", n)
		}

		// A new one is a new wish.
		w.bad[1] = false
		w.writes(1, "ann", "/mainstay retry")
		w.runUntil(time.Hour, func() bool { return len(w.ended[1]) == 2 })
		w.run(time.Minute)
		w.requireLanded(1)
		if !strings.Contains(w.pulls[1].comment, "Landed") {
			w.t.Fatalf("after the landing the comment still says %q", w.pulls[1].comment)
		}
	})
}

func (w *world) command(id int64) Command {
	for _, c := range w.comments {
		if c.ID == id {
			c.Pull = w.read(c.PR)
			return c
		}
	}
	w.t.Fatalf("there is no comment %d", id)
	return Command{}
}

func TestOutByCommand(t *testing.T) {
	for _, by := range []string{"ann", "eve"} { // a writer, and the author
		story(t, func(w *world) {
			w.queueTogether(1, 2)
			w.untilPhase(AttemptTesting)
			id := w.writes(1, by, "/mainstay out")
			w.untilEnded(1, 2)
			w.requireOut(1, Withdrawn)
			w.requireLanded(2)
			w.requireMark(id, "+1")
			if w.pulls[1].label {
				w.t.Fatalf("the label is still on")
			}
		})
	}
}

// Written one after the other, read in one go: the last word holds.
func TestCommandsCountInTheirOrder(t *testing.T) {
	story(t, func(w *world) {
		w.openApproved(1)
		w.run(time.Minute)
		w.hint = func(Fact) {}
		w.writes(1, "ann", "/mainstay queue")
		w.writes(1, "bob", "/mainstay out")
		w.run(6 * time.Minute)
		w.requireOut(1, Withdrawn)
	})
}

// The front of the line is for who says why; it interrupts nobody.
func TestFirstByCommand(t *testing.T) {
	story(t, func(w *world) {
		w.settings.BatchSize = 1
		w.tell(BaseHinted{})
		w.run(time.Minute)
		w.queue(1, 2, 3)
		w.untilPhase(AttemptTesting)
		silent := w.writes(3, "ann", "/mainstay first")
		w.run(time.Second)
		w.requireMark(silent, "-1")
		if !strings.Contains(w.pulls[3].comment, string(RuleNoReason)) {
			w.t.Fatalf("told %q", w.pulls[3].comment)
		}
		w.writes(3, "ann", "/mainstay first it mends `prod`")
		w.run(time.Second)
		if e := w.state.entries[3]; w.state.line[0] != 3 || e.FirstWhy != "ann: it mends `prod`" {
			w.t.Fatalf("the line is %v, why %q", w.state.line, e.FirstWhy)
		}
		if s := w.pulls[3].check["head-3.1"].Summary; !strings.Contains(s, "`ann: it mends 'prod''") && !strings.Contains(s, "`ann: it mends 'prod'`") {
			w.t.Fatalf("the check does not say why: %s", s)
		}
		w.untilEnded(1, 2, 3)
		w.requireLanded(1, 3, 2)
		w.requireLandings("1 | 3 | 2")
	})
}

// Each refusal names its rule, on the comment and in the audit, and changes nothing.
func TestRefusedCommands(t *testing.T) {
	cases := map[string]struct {
		by, text string
		before   func(w *world)
		rule     Rule
	}{
		"may not write":     {"mallory", "/mainstay queue", nil, Rule(NotPermitted)},
		"a bot not named":   {"robot[bot]", "/mainstay queue", nil, Rule(NotPermitted)},
		"another's out":     {"mallory", "/mainstay out", func(w *world) { w.label(1, "ann") }, Rule(NotPermitted)},
		"unknown":           {"ann", "/mainstay frobnicate", nil, RuleUnknownCommand},
		"not built":         {"ann", "/mainstay revert", nil, RuleUnknownCommand},
		"not in line":       {"ann", "/mainstay out", nil, RuleNotInLine},
		"first, not there":  {"ann", "/mainstay first now", nil, RuleNotInLine},
		"closed":            {"ann", "/mainstay queue", func(w *world) { w.change(1, func(p *pull) { p.status = ClosedStatus }) }, Rule(Closed)},
		"a draft":           {"ann", "/mainstay queue", func(w *world) { w.change(1, func(p *pull) { p.draft = true }) }, Rule(Draft)},
		"a fork, and no":    {"ann", "/mainstay queue", func(w *world) { w.pulls[1].fork, w.settings.Enter.NoForks = true, true }, Rule(NotPermitted)},
		"the queue is full": {"ann", "/mainstay queue", func(w *world) { w.settings.Enter.Most = 1; w.queue(2) }, Rule(QueueFull)},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.tell(PauseAsked{By: "ann", Reason: "wait"})
				w.openApproved(1)
				if c.before != nil {
					c.before(w)
				}
				w.tell(BaseHinted{})
				w.run(time.Minute)
				line := slices.Clone(w.state.line)
				id := w.writes(1, c.by, c.text)
				w.run(time.Second)
				w.requireMark(id, "-1")
				if !slices.Equal(w.state.line, line) {
					w.t.Fatalf("the line is %v, was %v", w.state.line, line)
				}
				last := w.rulings[len(w.rulings)-1]
				if last.Rule != c.rule || last.By.Login != c.by || last.PR != 1 || last.SourceID != id || last.Detail == "" {
					w.t.Fatalf("the audit says %+v, want %s", last, c.rule)
				}
				bot := strings.HasSuffix(c.by, botSuffix)
				if told := strings.Contains(w.pulls[1].comment, string(c.rule)); told == bot {
					w.t.Fatalf("told %q", w.pulls[1].comment)
				}
				w.run(time.Minute)
				w.tell(ResumeAsked{By: "ann"})
			})
		})
	}
}

// Who goes on after five refusals gets no answer more, so that nobody can have us
// write without end; others do.
func TestRefusalsWithoutEnd(t *testing.T) {
	story(t, func(w *world) {
		w.openApproved(1)
		w.run(time.Minute)
		for i := range 12 {
			id := w.writes(1, "mallory", "/mainstay queue")
			w.run(2 * time.Second)
			if answered := w.marks[id] != ""; answered != (i < maxRefusals) {
				w.t.Fatalf("command %d was answered: %v", i, answered)
			}
		}
		if n := len(w.rulings); n != maxRefusals {
			w.t.Fatalf("the audit has %d lines", n)
		}
		w.writes(1, "ann", "/mainstay queue")
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

// A named bot enters by label and by command; by its id where one is given.
func TestNamedBotsMayEnter(t *testing.T) {
	bot := Actor{ID: 55, Login: "renovate[bot]", Bot: true}
	cases := map[string]struct {
		by    Actor
		named []Bot
		may   bool
	}{
		"named":            {bot, []Bot{{Login: "renovate"}}, true},
		"in full":          {bot, []Bot{{Login: "Renovate[bot]"}}, true},
		"by id":            {bot, []Bot{{Login: "renovate", ID: 55}}, true},
		"another id":       {bot, []Bot{{Login: "renovate", ID: 56}}, false},
		"not named":        {bot, []Bot{{Login: "dependabot"}}, false},
		"a person's login": {Actor{ID: 56, Login: "renovate"}, []Bot{{Login: "renovate"}}, false},
		"a person's id":    {Actor{ID: 55, Login: "renovate"}, []Bot{{Login: "renovate", ID: 55}}, false},
	}
	for _, name := range sortedNames(cases) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.settings.Enter.Bots = c.named
				w.tell(BaseHinted{})
				w.openApproved(1)
				w.run(time.Minute)
				p := w.pulls[1]
				p.label, p.wish = true, &Wish{ID: w.id(), By: c.by, At: w.now}
				w.touch(p)
				w.untilEnded(1)
				if c.may {
					w.requireLanded(1)
				} else {
					w.requireOut(1, NotPermitted)
				}
			})
		})
	}
}

// A flood of one bot's stops at so many; people still enter.
func TestAFloodOfABotsIsLimited(t *testing.T) {
	story(t, func(w *world) {
		w.settings.Enter.MostBot = 2
		w.tell(BaseHinted{})
		w.tell(PauseAsked{By: "ann", Reason: "wait"})
		w.run(time.Second)
		for n := 1; n <= 4; n++ {
			w.openApproved(n)
			if n < 4 {
				byBot(w.pulls[n])
			}
			w.label(n, "ann")
			w.run(time.Second)
		}
		w.requireOut(3, QueueFull)
		if !slices.Equal(w.state.line, []int{1, 2, 4}) {
			w.t.Fatalf("the line is %v", w.state.line)
		}
		w.tell(ResumeAsked{By: "ann"})
		w.untilEnded(1, 2, 4)
		w.requireLanded(1, 2, 4)
	})
}

// A push to one that only waits sends it back to be judged at the new head. A
// fork's is out where no approval of the new head is asked for: nobody who may
// write would have said that it may run here.
func TestPushedWhileWaiting(t *testing.T) {
	for _, c := range []struct {
		fork      bool
		approvals int
		out       bool
	}{{false, 1, false}, {false, 0, false}, {true, 1, false}, {true, 0, true}} {
		t.Run(fmt.Sprintf("fork %v, %d approvals", c.fork, c.approvals), func(t *testing.T) {
			story(t, func(w *world) {
				w.rules.Approvals = c.approvals
				w.tell(BaseHinted{})
				w.tell(PauseAsked{By: "ann", Reason: "wait"})
				w.openApproved(1)
				w.pulls[1].fork = c.fork
				w.label(1, "ann")
				w.run(time.Minute)
				w.requireWaits(1, InLine)
				w.push(1)
				w.run(time.Minute)
				if c.out {
					w.requireOut(1, HeadMoved)
					return
				}
				if c.approvals > 0 {
					w.requireWaits(1, NotApproved)
					w.approve(1, "bob")
					w.run(time.Minute)
				}
				w.requireWaits(1, InLine)
				if e := w.state.entries[1]; e.Pinned != "head-1.2" {
					w.t.Fatalf("pinned at %s", e.Pinned)
				}
				w.tell(ResumeAsked{By: "ann"})
				w.untilEnded(1)
				w.requireLanded(1)
			})
		})
	}
}

// A label that comes and goes costs one entry in ten seconds, and its last state holds.
func TestToggledLabel(t *testing.T) {
	story(t, func(w *world) {
		w.openApproved(1)
		w.run(time.Minute)
		for range 20 {
			w.label(1, "ann")
			w.run(500 * time.Millisecond)
			w.unlabel(1)
			w.run(500 * time.Millisecond)
		}
		if n := len(w.ended[1]); n > 3 {
			w.t.Fatalf("twenty toggles in twenty seconds made %d entries", n)
		}
		w.label(1, "ann")
		w.untilEnded(1)
		w.requireLanded(1)
	})
}

func TestFindCommand(t *testing.T) {
	long := strings.Repeat("é", 1000)
	for name, c := range map[string]struct {
		text string
		word Word
		rest string
	}{
		"plain":              {"/mainstay queue", WordQueue, ""},
		"in capitals":        {"/mainstay QUEUE", WordQueue, ""},
		"after words":        {"Looks good.\r\n/mainstay first  we are down \r\nthanks", WordFirst, "we are down"},
		"alone":              {"/mainstay", WordHelp, ""},
		"unknown":            {"/mainstay `rm`", wordNobody, ""},
		"the first counts":   {"/mainstay out\n/mainstay queue", WordOut, ""},
		"long":               {"/mainstay first " + long, WordFirst, strings.Repeat("é", maxCommandText-1) + "…"},
		"a tab":              {"/mainstay\tqueue", WordQueue, ""},
		"within a line":      {"try /mainstay queue", "", ""},
		"indented":           {" /mainstay queue", "", ""},
		"indented code":      {"    /mainstay queue", "", ""},
		"another word":       {"/mainstayqueue", "", ""},
		"quoted":             {"> /mainstay queue", "", ""},
		"quoted lazily":      {"> they wrote\n/mainstay queue", "", ""},
		"after a quote":      {"> they wrote\n\n/mainstay queue", WordQueue, ""},
		"in a block":         {"```\n/mainstay queue\n```", "", ""},
		"in a block of four": {"````md\n```\n/mainstay queue\n```\n````", "", ""},
		"in tildes":          {"~~~sh\n/mainstay queue\n~~~", "", ""},
		"never closed":       {"```\n/mainstay queue", "", ""},
		"after a block":      {"```\ncode\n```\n/mainstay queue", WordQueue, ""},
		"hidden":             {"<!--\n/mainstay queue\n-->", "", ""},
		"after hidden":       {"<!-- x -->\n/mainstay queue", WordQueue, ""},
		"hidden on the line": {"text <!-- x\n/mainstay queue\n--> y", "", ""},
		"empty":              {"", "", ""},
	} {
		word, rest, found := FindCommand(c.text)
		if word != c.word || rest != c.rest || found != (c.word != "") {
			t.Errorf("%s: %q %q %v, want %q %q", name, word, rest, found, c.word, c.rest)
		}
	}
}

func FuzzFindCommand(f *testing.F) {
	for _, s := range []string{"/mainstay queue", "```\n/mainstay", "<!--", "> a\n/mainstay out", "~~~~"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		word, rest, found := FindCommand(text)
		if found && !strings.Contains(text, CommandMark) || len([]rune(rest)) > maxCommandText || found == (word == "") {
			t.Fatalf("%q: %q %q %v", text, word, rest, found)
		}
	})
}

// Who may not write can be left one pull request: to queue it and to take it out,
// and no other, and not beyond its end.
func TestDelegation(t *testing.T) {
	story(t, func(w *world) {
		w.openApproved(1, 2)
		w.run(time.Minute)
		mallory := Actor{ID: 1007, Login: "mallory"}
		refused := w.writes(1, "ann", "/mainstay delegate")
		w.run(time.Second)
		w.requireMark(refused, "-1")
		granted := w.writes(1, "ann", "/mainstay delegate @mallory")
		w.comments[len(w.comments)-1].To = mallory
		w.run(time.Second)
		w.requireMark(granted, "+1")

		for _, text := range []string{"/mainstay first now", "/mainstay delegate @mallory"} {
			id := w.writes(1, "mallory", text)
			w.comments[len(w.comments)-1].To = mallory
			w.run(time.Second)
			w.requireMark(id, "-1")
		}
		other := w.writes(2, "mallory", "/mainstay queue")
		w.run(time.Second)
		w.requireMark(other, "-1")

		w.writes(1, "mallory", "/mainstay queue")
		w.untilEnded(1)
		w.requireLanded(1)
		if len(w.state.header.Delegated) != 0 {
			w.t.Fatalf("after the landing still: %+v", w.state.header.Delegated)
		}
	})
}
