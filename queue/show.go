package queue

import (
	"fmt"
	"strings"
	"time"
)

// How often a check is edited while nothing but numbers change.
const (
	testingPace  = time.Second      // after the ticket: CI starts first, edits follow
	progressPace = 15 * time.Second // shards counted while a batch is tested
	positionPace = 5 * time.Minute  // place in line
)

func (e *Entry) externalID() string { return fmt.Sprintf("mainstay/%d/%d", e.PR.Number, e.Wish.ID) }

// show makes the check on a pull request say where its living entry stands.
func (t *step) show(e *Entry) { t.showAt(e, t.now) }

func (t *step) showAt(e *Entry, due time.Time) {
	title, status := t.title(e)
	t.post(e, due, PostCheck{Title: title, Status: status, Summary: t.summary(e)})
}

// refresh edits a waiting entry's check when its place in line is long out of date.
func (t *step) refresh(e *Entry) {
	if e.Phase != Waiting && e.Phase != Asking || t.now.Sub(e.Check.At) < positionPace {
		return
	}
	if title, _ := t.title(e); title != e.Check.Title {
		t.show(e)
	}
}

func (t *step) post(e *Entry, due time.Time, c PostCheck) {
	head := e.Pinned
	if head == "" {
		head = e.PR.Head
	}
	if e.Check.Head != head {
		e.Check = CheckShown{Head: head}
	}
	c.PR, c.Head, c.ID, c.ExternalID = e.PR.Number, head, e.Check.ID, e.externalID()
	c.Again, c.Buttons = e.Check.Title != "", e.buttons()
	e.Check.Title, e.Check.At = c.Title, due
	t.touchEntry(e.PR.Number)
	t.doAt(checkKey(e.PR.Number), due, c)
}

func checkKey(pr int) string { return fmt.Sprintf("check/%d", pr) }

func (t *step) noteCheck(f CheckPosted) {
	if e := t.entries[f.PR]; e != nil && e.Check.Head == f.Head && e.Check.ID != f.ID {
		e.Check.ID = f.ID
		t.touchEntry(f.PR)
	}
}

// showProgress counts shards on each member's check, at most every progressPace.
func (t *step) showProgress(a *Attempt) {
	if a.Phase != AttemptTesting {
		return
	}
	for _, m := range a.Members {
		e := t.entries[m.PR]
		title, status := t.title(e)
		if title == e.Check.Title {
			continue
		}
		due := t.now
		if next := e.Check.At.Add(progressPace); next.After(due) {
			due = next
		}
		at := e.Check.At
		t.post(e, due, PostCheck{Title: title, Status: status, Summary: t.summary(e)})
		if due.After(t.now) {
			e.Check.At = at // still waiting to be told
		}
	}
}

// title is the one line people read.
func (t *step) title(e *Entry) (title, status string) {
	switch e.Phase {
	case Asking:
		if lack := e.Lacks(&t.header); lack != nil {
			return "Waiting for " + lack.What, "queued"
		}
		return "Waiting", "queued"
	case Waiting:
		if e.Wait == OnHold {
			return "Tested green and held: it lands when the label " + plain(t.header.Settings.Labels.Hold) + " is off", "queued"
		}
		if why := t.waitsFor(e); why != "" {
			return why, "queued"
		}
		place := t.position(e) // walks the line: once is enough
		title = ordinal(place) + " in line"
		if e.Turn.First {
			title += ", sent to the front"
		}
		if t.header.Missing {
			return title + ", the base branch is missing", "queued"
		}
		if t.header.Pause != nil {
			return title + ", the queue is paused", "queued"
		}
		if t.triedOnRed(e) {
			return title + ", waiting: " + t.redTitle() + ", and with this still does", "queued"
		}
		if t.baseRed() && !e.Turn.Front {
			return title + ", waiting: " + t.redTitle(), "queued"
		}
		if eta := t.header.Wait(place, len(t.openBatches())); eta > 0 {
			title += ", about " + roughly(eta)
		}
		return title, "queued"
	case Testing:
		return t.testingTitle(e), "in_progress"
	case Landing:
		return "Landing", "in_progress"
	}
	return "", "completed"
}

func (t *step) testingTitle(e *Entry) string {
	a := t.attempt(e.Attempt)
	title := "Testing"
	if a == nil || !a.live() || a.Phase == AttemptAbandoning || !a.holds(e.PR.Number) {
		if p := t.header.Pause; p != nil {
			return "The queue is paused by " + p.By
		}
		if t.baseRed() {
			return "Waiting: " + t.redTitle()
		}
		if t.doubted(e.PR.Number) {
			return "Red: " + plain(t.header.Branch) + " is asked first whether it fails by itself"
		}
		return "Waiting for the rest of its batch"
	}
	if e.Wait == NoRunner {
		return a.runnerTitle()
	}
	if a.narrow() {
		title = a.narrowTitle()
	}
	var with []string
	for _, m := range a.Members {
		if m.PR != e.PR.Number {
			with = append(with, fmt.Sprintf("#%d", m.PR))
		}
	}
	switch {
	case len(with) > 3:
		title += fmt.Sprintf(" with %d others", len(with))
	case len(with) > 0:
		title += " with " + strings.Join(with, ", ")
	}
	if green, total := a.shardCount(); total > 0 {
		title += fmt.Sprintf(": %d of %d shards passed", green, total)
	}
	return title
}

// shardCount counts reported green shards, and all that are known of.
func (a *Attempt) shardCount() (green, total int) {
	seen := map[string]bool{}
	for _, sh := range a.Shards {
		if key := sh.Suite + "\x00" + sh.Variant; !seen[key] {
			seen[key] = true
			total += sh.Total
		}
		if sh.Result != "" && sh.Result.Green() {
			green++
		}
	}
	return green, total
}

// Wait is about how long the entry at a place in line still has behind so many open
// batches, from what tests took lately; 0 when nothing is known.
func (h *Header) Wait(place, open int) time.Duration {
	if place == 0 {
		return 0
	}
	batches, side := 1+(place-1)/h.batchSize()+open, max(1, h.Settings.Parallel)
	return time.Duration((batches+side-1)/side) * h.TestTime
}

func (t *step) summary(e *Entry) string {
	var b strings.Builder
	switch e.Phase {
	case Asking:
		b.WriteString("It enters the line as soon as the branch's rules are met.\n")
		t.header.writeRules(&b)
	case Waiting:
		t.writeWaiting(&b, e)
	case Testing, Landing:
		if a := t.attempt(e.Attempt); a != nil && a.New != "" {
			fmt.Fprintf(&b, "Attempt %d tests %s on %s, on the branch %s.\n\n", a.ID, short(a.New), short(a.Old), code(a.Ticket))
			if e.Wait == NoRunner {
				a.writeRunner(&b)
			}
			a.writeNarrow(&b)
			a.writeMembers(&b, t.State)
			a.writeShards(&b)
		}
	}
	t.writeLinks(&b, e)
	if title, text := RedBase(t.header); title != "" && e.Phase != Landing {
		fmt.Fprintf(&b, "\n%s. %s\n", title, text)
	}
	if e.For != 0 {
		fmt.Fprintf(&b, "\nTaking the label off #%d takes it out.\n", e.For)
	} else {
		b.WriteString("\nTaking the label off takes it out.\n")
	}
	return b.String()
}

func (t *step) writeWaiting(b *strings.Builder, e *Entry) {
	hold, company := plain(t.header.Settings.Labels.Hold), "together with its neighbours in line"
	if e.alone() {
		company = "by itself"
	}
	fmt.Fprintf(b, "Pinned at %s. ", short(e.Pinned))
	switch {
	case e.Wait == OnHold:
		fmt.Fprintf(b, "%s is this pull request on %s and was tested green: try it by hand. Nobody waits behind it.\n"+
			"\nTake the label %s off to have it tested once more on %s as it is then, and landed.\n",
			short(e.Tested), code(t.header.Branch), code(hold), code(t.header.Branch))
	case e.held():
		fmt.Fprintf(b, "It is tested on %s by itself, and does not land before the label %s is off.\n", code(t.header.Branch), code(hold))
	default:
		fmt.Fprintf(b, "It is tested on %s %s, and lands when that is green.\n", code(t.header.Branch), company)
	}
	if e.Turn.First {
		fmt.Fprintf(b, "\nSent to the front of the line: %s\n", code(e.FirstWhy))
	}
	t.header.writeRules(b)
	if p := t.header.Pause; p != nil {
		fmt.Fprintf(b, "\nThe queue was paused by %s: %s\n", code(p.By), p.Reason)
	}
}

func (a *Attempt) writeMembers(b *strings.Builder, s *State) {
	b.WriteString("| in order | becomes |\n|---|---|\n")
	for _, m := range a.Members {
		title := ""
		if e := s.entries[m.PR]; e != nil {
			title = " " + code(e.PR.Title)
		}
		fmt.Fprintf(b, "| #%d%s | %s%s |\n", m.PR, title, short(m.Became), m.how())
	}
}

func (a *Attempt) writeShards(b *strings.Builder) {
	if len(a.Shards) == 0 {
		return
	}
	b.WriteString("\n| shard | result | tests |\n|---|---|---|\n")
	for _, sh := range a.Shards {
		result := string(sh.Result)
		if result == "" {
			result = "running"
		}
		fmt.Fprintf(b, "| %s | %s | %d |\n", sh.label(), result, sh.Tests)
	}
	b.WriteString(a.lucky())
}

// maxLucky is how many tests a check names that failed and did not count.
const maxLucky = 10

// lucky says which tests failed without holding anybody up: a green that hides
// them would be half the truth.
func (a *Attempt) lucky() string {
	var lines []string
	for _, sh := range a.Shards {
		for _, f := range sh.Flaky {
			lines = append(lines, code(f.Name)+" failed, then passed: flaky.")
		}
		for _, f := range sh.Muted {
			lines = append(lines, code(f.Name)+" failed; it is in quarantine.")
		}
	}
	if len(lines) == 0 {
		return ""
	}
	if more := len(lines) - maxLucky; more > 0 {
		lines = append(lines[:maxLucky], fmt.Sprintf("and %d more.", more))
	}
	return "\n- " + strings.Join(lines, "\n- ") + "\n"
}

// showEnd concludes the check of an entry that went out, and says a word where a person is asked for one.
func (t *step) showEnd(e *Entry) {
	end := e.End
	text := outText(end)
	t.post(e, t.now, PostCheck{Title: outTitle(end), Status: "completed", Conclusion: end.Reason.conclusion(),
		Summary: text, Tests: end.Tests})
	if end.Next != "" {
		t.say(e.PR.Number, outComment(end))
	} else {
		t.unsay(e.PR.Number, "Out of the queue: "+lowerFirst(end.Detail), true)
	}
}

// conclusion is each reason's one check conclusion. None of them is success,
// neutral or skipped: GitHub's auto-merge would land the pull request on top.
func (r Reason) conclusion() string {
	switch r {
	case LabelRemoved, Closed, Withdrawn, LandedElsewhere, Retargeted, AppRemoved:
		return "cancelled"
	case TimedOut:
		return "timed_out"
	case NotPermitted, ApprovalLost, Draft, HeadMoved, RefusedByRule, AlreadyContained, QueueFull:
		return "action_required"
	case Conflict, ChecksFailed, ConflictingPair, NeverStarted, Infrastructure, Integrity:
		return "failure"
	}
	return ""
}

func (t *step) landedCheck(e *Entry) PostCheck {
	return PostCheck{PR: e.PR.Number, Head: e.Pinned, ID: e.Check.ID, Again: true, ExternalID: e.externalID(),
		Title: "Landed as " + strings.Trim(short(e.Became), "`"), Status: "completed", Conclusion: "success",
		Summary: fmt.Sprintf("It is in %s as %s. The tip that was tested green is %s.",
			code(t.header.Branch), short(e.Became), short(t.attempt(e.Attempt).New)) + e.squashedText() + t.attempt(e.Attempt).lucky()}
}
