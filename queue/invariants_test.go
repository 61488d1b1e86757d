package queue

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// seen is what the invariants remember from step to step.
type seen struct {
	newest   map[int]PullRequest // readings Step was told of
	baseSeen BaseRead
	// checkingSince is when each attempt was last seen green and asked after.
	checkingSince map[int64]time.Time
	ended         map[int][]Entry // by pull request, in order
	outs          map[int64]bool  // wishes told "out"
	landings      map[int64]string
	accepted      map[int64]int
	suspects      map[int64]bool // wishes that were in a red set, or held back by a conflict
	concluded     map[string]bool
	receipts      []Receipt
	rulings       []Ruling
	turns         map[int64]Turn // of wishes, and since when each has its own
	turned        map[int64]time.Time
}

func (s *seen) open() {
	s.turns, s.turned = map[int64]Turn{}, map[int64]time.Time{}
	s.newest, s.ended, s.outs = map[int]PullRequest{}, map[int][]Entry{}, map[int64]bool{}
	s.landings, s.accepted, s.suspects = map[int64]string{}, map[int64]int{}, map[int64]bool{}
	s.concluded, s.checkingSince = map[string]bool{}, map[int64]time.Time{}
}

var allReasons = []Reason{Conflict, ChecksFailed, TimedOut, NeverStarted, HeadMoved, ApprovalLost, LabelRemoved, Closed, Draft,
	Retargeted, NotPermitted, RefusedByRule, Withdrawn, AlreadyContained, LandedElsewhere, ConflictingPair, Infrastructure, QueueFull, AppRemoved, Integrity}

var allWaits = []Wait{NotApproved, ConditionUnmet, InLine, InTest, InLanding, OnHold, NoRunner, Paused, BaseRed, InvalidConfig, GitHubUnavailable}

// before is what checkStep needs of the state before a step.
type before struct {
	phases  map[int64]AttemptPhase
	waiting []Entry // eligible, in line order
	batches map[int64]bool
	wishes  map[int64]int // of living entries
}

func (w *world) before() before {
	b := before{phases: map[int64]AttemptPhase{}, batches: map[int64]bool{}, wishes: map[int64]int{}}
	for _, a := range w.state.attempts {
		b.phases[a.ID] = a.Phase
	}
	for _, pr := range w.state.line {
		if e := w.state.entries[pr]; e.eligible() {
			b.waiting = append(b.waiting, *e)
		}
	}
	for _, x := range w.state.batches {
		b.batches[x.ID] = true
	}
	return b
}

// remember keeps the newest readings, whatever Step makes of them.
func (w *world) remember(f Fact) {
	see := func(pr PullRequest) {
		if !pr.ReadAt.Before(w.newest[pr.Number].ReadAt) {
			w.newest[pr.Number] = pr
		}
	}
	base := func(b BaseRead) {
		if !b.ReadAt.Before(w.baseSeen.ReadAt) {
			w.baseSeen = b
		}
	}
	switch x := f.(type) {
	case PullRequestRead:
		see(x.PR)
	case BaseRead:
		base(x)
	case MembersRead:
		base(x.Base)
		for _, pr := range x.PRs {
			see(pr)
		}
	}
}

// checkStep holds one step against the invariants of the design, section 5.
func (w *world) checkStep(b before, c Changes) {
	w.t.Helper()
	w.receipts = append(w.receipts, c.Receipts...)
	w.rulings = append(w.rulings, c.Rulings...)
	w.checkEnds(c)
	w.checkNothingLost()
	w.checkLine()
	for _, e := range w.state.entries {
		if w.turns[e.wishOfIts()] != e.Turn || e.linked() { // until now it may have waited for another one
			w.turns[e.wishOfIts()], w.turned[e.wishOfIts()] = e.Turn, w.now
		}
	}
	for _, x := range w.state.batches {
		w.checkBatch(x)
		if !b.batches[x.ID] {
			w.checkOrder(x, b)
		}
	}
	live := 0
	for _, a := range w.state.attempts {
		if a.running() {
			live++
		}
		if a.Phase == AttemptChecking && b.phases[a.ID] != AttemptChecking {
			w.checkingSince[a.ID] = w.now
		}
		if a.Phase == AttemptMoving && b.phases[a.ID] != AttemptMoving {
			w.checkIntent(a)
		}
		if a.Phase == AttemptAbandoning && a.Aim == AimSearch {
			for _, pr := range w.step().allOf(a) {
				w.suspects[w.state.entries[pr].wishOfIts()] = true
			}
		}
		for _, pr := range w.clashing(a) {
			w.suspects[w.state.entries[pr].wishOfIts()] = true
		}
	}
	if live > w.state.header.Settings.Parallel {
		w.t.Fatalf("S8: %d attempts are alive", live)
	}
	w.checkPhases()
}

// checkEnds is S10's second half and the booking of S4 and S5.
func (w *world) checkEnds(c Changes) {
	w.t.Helper()
	for _, e := range c.Ended {
		id := e.wishOfIts()
		w.note("  #%d (wish %d) is %s: %+v", e.PR.Number, id, e.Phase, *e.End)
		if w.outs[id] || w.landings[id] != "" {
			w.t.Fatalf("S4: wish %d of #%d ended twice", id, e.PR.Number)
		}
		w.ended[e.PR.Number] = append(w.ended[e.PR.Number], e)
		if e.End.Detail == "" || e.End.At.IsZero() {
			w.t.Fatalf("S10: #%d ended without a word: %+v", e.PR.Number, e.End)
		}
		if e.Phase == Landed {
			w.landings[id] = e.Became
			if !w.contains(w.base, e.Became) && !w.removed[e.Became] {
				w.t.Fatalf("S5: #%d is told landed, and %s is not in the base", e.PR.Number, e.Became)
			}
			continue
		}
		w.outs[id] = true
		if !slices.Contains(allReasons, e.End.Reason) {
			w.t.Fatalf("S10: #%d is out for %q, which is no word of ours", e.PR.Number, e.End.Reason)
		}
		switch e.End.Reason.conclusion() {
		case "":
			w.t.Fatalf("reason %s has no conclusion", e.End.Reason)
		case "failure", "action_required", "timed_out":
			if e.End.Next == "" {
				w.t.Fatalf("S10: #%d is out for %s without a next step", e.PR.Number, e.End.Reason)
			}
		}
		for _, became := range w.chain(w.base) {
			if x := w.commits[became]; e.End.Reason != AlreadyContained && x.pr == e.PR.Number && x.head == e.Pinned && e.Pinned != "" && !w.earlierLanding(e) {
				w.t.Fatalf("S5: #%d is told out, and %s is in the base", e.PR.Number, became)
			}
		}
	}
}

// earlierLanding reports whether the same head was landed for another wish before, or by somebody else.
func (w *world) earlierLanding(e Entry) bool {
	for _, x := range w.ended[e.PR.Number] {
		if x.Phase == Landed {
			return true
		}
	}
	return w.pulls[e.PR.Number].status != Open
}

// wishOfIts tells an entry's wish from that of others of its stack, who have the same.
func (e *Entry) wishOfIts() int64 { return e.Wish.ID<<20 | int64(e.PR.Number) }

// checkNothingLost is S10's first half: a wish once accepted lives or has ended on record.
func (w *world) checkNothingLost() {
	w.t.Helper()
	living := map[int64]bool{}
	for _, e := range w.state.entries {
		w.accepted[e.wishOfIts()] = e.PR.Number
		if !e.Phase.Ended() {
			living[e.wishOfIts()] = true
			if w.outs[e.wishOfIts()] || w.landings[e.wishOfIts()] != "" {
				w.t.Fatalf("wish %d of #%d is back after its end", e.Wish.ID, e.PR.Number)
			}
		}
	}
	for id, pr := range w.accepted {
		// A wish replaced by a newer one while it stood is the same asking; and one below
		// the top of a stack that went out may count for another top, whose wish is older.
		e := w.state.entries[pr]
		replaced := e != nil && (e.wishOfIts() > id || e.For != 0)
		if !living[id] && !w.outs[id] && w.landings[id] == "" && !replaced && len(w.ended[pr]) == 0 {
			w.t.Fatalf("S10: wish %d of #%d vanished", id>>20, pr)
		}
	}
}

func (w *world) checkLine() {
	w.t.Helper()
	in := map[int]bool{}
	var last *Entry
	for _, pr := range w.state.line {
		e := w.state.entries[pr]
		if e == nil || e.Phase != Asking && e.Phase != Waiting {
			w.t.Fatalf("#%d is in line and is not waiting: %+v", pr, e)
		}
		if in[pr] || last != nil && !comesFirst(*last, *e) {
			w.t.Fatalf("the line is out of order at #%d: %v", pr, w.state.line)
		}
		in[pr], last = true, e
	}
	for pr, e := range w.state.entries {
		if (e.Phase == Asking || e.Phase == Waiting) != in[pr] {
			w.t.Fatalf("#%d is %s, in line: %v", pr, e.Phase, in[pr])
		}
	}
}

// checkBatch: testing + set aside + landed + out = members, each exactly once.
func (w *world) checkBatch(b *Batch) {
	w.t.Helper()
	var all []int
	for i, n := range b.Nodes {
		if (n.State == NodeSplit || n.State == NodeDone || n.State == NodeGuess) && len(n.Members) > 0 {
			w.t.Fatalf("node %d of batch %d is %s and holds %v", i, b.ID, n.State, n.Members)
		}
		if (n.State == NodeAside || n.State == NodeTesting) && len(n.Members) == 0 {
			w.t.Fatalf("node %d of batch %d is %s and holds nobody", i, b.ID, n.State)
		}
		all = append(all, n.Members...)
		tested := false
		for _, a := range w.state.attempts {
			tested = tested || a.Batch == b.ID && a.Node == i && a.live() && (a.running() || !a.IntentAt.IsZero())
		}
		if tested != (n.State == NodeTesting) && b.Closed.IsZero() && len(n.Members) > 0 {
			w.t.Fatalf("node %d of batch %d is %s, with a living attempt: %v", i, b.ID, n.State, tested)
		}
	}
	all = append(append(all, b.Landed...), b.Out...)
	members := append([]int(nil), b.Members...)
	sort.Ints(all)
	sort.Ints(members)
	if !slices.Equal(all, members) {
		w.t.Fatalf("batch %d does not add up: members %v, found %v (%+v)", b.ID, members, all, b)
	}
	if !b.Closed.IsZero() && len(b.Landed)+len(b.Out) != len(b.Members) {
		w.t.Fatalf("batch %d closed with members left", b.ID)
	}
}

// comesFirst is the line's order, said once more and in other words: a hotfix,
// then who has waited longer, an hour for each step of priority, then the wish.
func comesFirst(e, f Entry) bool {
	if e.Turn.Front != f.Turn.Front {
		return e.Turn.Front
	}
	if e.Turn.First != f.Turn.First {
		return e.Turn.First
	}
	waited := f.Turn.AskedAt.Sub(e.Turn.AskedAt) + time.Duration(e.Turn.Priority-f.Turn.Priority)*time.Hour
	if waited != 0 || e.lead() == f.lead() && e.Turn.Level != f.Turn.Level {
		return waited > 0 || waited == 0 && e.Turn.Level < f.Turn.Level
	}
	if e.lead() != f.lead() || e.Order != f.Order {
		return e.lead() < f.lead() || e.lead() == f.lead() && e.Order < f.Order
	}
	return e.PR.Number < f.PR.Number
}

// mayPass reports whether an entry may be tested before one that is ahead of it
// in line: bots let people pass, and an author has only so many tests at once.
func (w *world) mayPass(e, ahead Entry) bool {
	return ahead.PR.Author.Bot && !ahead.Turn.Front && (!e.PR.Author.Bot || e.Turn.Front) ||
		w.state.header.Settings.PerAuthor > 0 && ahead.PR.Author.ID != e.PR.Author.ID
}

// checkOrder is S7: a new batch takes the eligible entries from the front of the line.
func (w *world) checkOrder(b *Batch, was before) {
	w.t.Helper()
	bots, people := 0, false
	for i, pr := range b.Members {
		e := *w.state.entries[pr]
		// One set aside was under test already: only who comes from the line overtakes or takes a share.
		fresh := slices.ContainsFunc(was.waiting, func(x Entry) bool { return x.PR.Number == pr })
		if fresh && e.PR.Author.Bot && !e.Turn.Front {
			bots++
		}
		for _, behind := range b.Members[i+1:] {
			f := w.state.entries[behind]
			if len(w.step().after(f, b.Members[i+1:])) > 0 {
				continue // what it needs comes behind this one, and it behind that
			}
			if fresh && comesFirst(*f, e) && !w.mayPass(e, *f) {
				w.t.Fatalf("S7: batch %d is not in line order: %v: #%d %+v comes before #%d %+v", b.ID, b.Members, pr, e.Turn, behind, f.Turn)
			}
		}
		for _, f := range was.waiting {
			now := w.state.entries[f.PR.Number]
			if now.linked() {
				continue // it may wait for another one
			}
			if !now.eligible() || w.step().clashes(now) || w.step().suspected(f.PR.Number) || now.Wish.ID != f.Wish.ID {
				continue
			}
			people = people || !f.PR.Author.Bot && w.state.header.Settings.PerAuthor == 0
			if fresh && comesFirst(*now, e) && !w.mayPass(e, *now) {
				w.t.Fatalf("S7: batch %d (%v) overtakes #%d: %s\n%s", b.ID, b.Members, f.PR.Number, encoded(w.t, now), w.lastSteps())
			}
		}
		if e.alone() && len(b.Members) > 1 {
			w.t.Fatalf("#%d is to be tested by itself, and is in batch %d: %v", pr, b.ID, b.Members)
		}
	}
	if people && bots > (len(b.Members)+1)/2 {
		w.t.Fatalf("batch %d has %d bots, and people wait: %v", b.ID, bots, b.Members)
	}
	w.checkAuthors()
}

// checkAuthors: nobody but hotfixes goes over the limit of an author.
func (w *world) checkAuthors() {
	w.t.Helper()
	limit := w.state.header.Settings.PerAuthor
	tests := map[int64]int{}
	for pr, e := range w.state.entries {
		if e.Phase != Testing || e.Turn.Front || limit == 0 {
			continue
		}
		if tests[e.PR.Author.ID]++; tests[e.PR.Author.ID] > limit {
			w.t.Fatalf("author %d has more than %d tests, with #%d", e.PR.Author.ID, limit, pr)
		}
	}
}

// checkIntent is S3, held against what GitHub showed at the last reading.
func (w *world) checkIntent(a *Attempt) {
	w.t.Helper()
	root := w.step().root(a)
	if w.baseSeen.Missing || w.baseSeen.Tip != root {
		w.t.Fatalf("S3: the intent of attempt %d moves the base from %s, it was read as %+v", a.ID, root, w.baseSeen)
	}
	for _, m := range w.membersOf(a) {
		pr := w.newest[m.PR]
		if pr.Hold {
			w.t.Fatalf("the intent takes #%d, which is held", m.PR)
		}
		if w.guarded[m.PR] && w.state.header.Settings.Guard && pr.Rulers == 0 {
			w.t.Fatalf("the intent takes #%d, which nobody approved who may", m.PR)
		}
		if pr.ReadAt.Before(w.checkingSince[a.ID]) {
			w.t.Fatalf("S3: #%d was not read again before the intent", m.PR)
		}
		if e := w.state.entries[m.PR]; pr.Wish == nil && e.For != 0 { // the wish of the top of its stack
			pr.Wish = &e.Wish
		}
		if pr.Head != m.Head || pr.Status != Open || pr.Draft || pr.Home() != "main" || pr.Wish == nil || !pr.Wish.MayWrite && !pr.Wish.Ours && !w.settings.Enter.names(pr.Wish.By) ||
			pr.Approvals < w.baseSeen.Rules.Approvals || (&Entry{PR: pr}).Lacks(&Header{Rules: w.baseSeen.Rules, Settings: w.state.header.Settings}) != nil || len(pr.ChangesRequested) > 0 || w.state.entries[m.PR].Pinned != m.Head {
			w.t.Fatalf("S3: the intent takes #%d at %s, read as %+v", m.PR, m.Head, pr)
		}
	}
}

// checkPhases: where an entry says it is, it is.
func (w *world) checkPhases() {
	w.t.Helper()
	for pr, e := range w.state.entries {
		if !e.Phase.Ended() && !slices.Contains(allWaits, e.Wait) {
			w.t.Fatalf("#%d is %s and waits for %q", pr, e.Phase, e.Wait)
		}
		leaves := 0
		if b := w.state.batch(e.Batch); b != nil {
			for _, n := range b.Nodes {
				if contains(n.Members, pr) {
					leaves++
				}
			}
		}
		want := 0
		if e.Phase == Testing || e.Phase == Landing {
			want = 1
		}
		if leaves != want {
			w.t.Fatalf("#%d is %s and in %d leaves", pr, e.Phase, leaves)
		}
		a := w.state.attempt(e.Attempt)
		if e.Phase == Landing && (a == nil || a.IntentAt.IsZero() || !a.live() || !a.holds(pr)) {
			w.t.Fatalf("#%d is landing without an intent: %+v", pr, a)
		}
		if (e.Phase == Waiting || e.Phase == Testing || e.Phase == Landing) && e.Pinned == "" {
			w.t.Fatalf("#%d is %s without a pinned head", pr, e.Phase)
		}
		if e.Phase.Ended() != (e.End != nil) {
			w.t.Fatalf("#%d is %s, end %+v", pr, e.Phase, e.End)
		}
	}
}

// checkLanding is S1, S2, S4, S5 and S6 at the moment the base moves by our push.
func (w *world) checkLanding(x MoveBase) {
	w.t.Helper()
	a := w.state.attempt(x.Attempt)
	if a == nil || a.IntentAt.IsZero() || a.New != x.New || w.step().root(a) != x.Old {
		w.t.Fatalf("the base moves without an intent: %+v", x)
	}
	if bad := w.culprits(x.New); len(bad) > 0 {
		w.t.Fatalf("S1: %s lands, red because of %v", x.New, bad)
	}
	if !w.green(x.New, a.Ticket) {
		w.t.Fatalf("S1: %s lands and was not tested green", x.New)
	}
	at := x.New
	members := w.membersOf(a)
	for i := len(members) - 1; i >= 0; i-- {
		m := members[i]
		if c := w.commits[at]; c.pr != m.PR || c.head != m.Head || at != m.Became {
			w.t.Fatalf("S2: %s is %+v, want #%d at %s", at, c, m.PR, m.Head)
		}
		at = w.commits[at].parent
		if e := w.state.entries[m.PR]; e == nil || w.outs[e.wishOfIts()] || w.landings[e.wishOfIts()] != "" || e.Phase != Landing {
			w.t.Fatalf("S4, S5: #%d lands in %+v", m.PR, e)
		}
	}
	for i, m := range members {
		e := w.state.entries[m.PR]
		for _, n := range append(e.below(), e.dependsOn()...) {
			inPath := slices.ContainsFunc(members[:i], func(m Member) bool { return m.PR == n })
			if !inPath && !w.holds(x.Old, n) && w.pulls[n].status == Open {
				w.t.Fatalf("S7: #%d lands without #%d, which it needs, before it", m.PR, n)
			}
		}
	}
	if at != x.Old {
		w.t.Fatalf("S2: %s stands on %s, not on %s", x.New, at, x.Old)
	}
	for _, c := range w.chain(x.New) {
		if w.removed[c] {
			w.t.Fatalf("S6: %s brings %s back", x.New, c)
		}
	}
	w.checkOvertaken(a)
}

// green: a run by push on the ticket, all of them successes, no check red.
func (w *world) green(commit, ticket string) bool {
	n := 0
	for _, r := range w.runs {
		if r.commit == commit && r.Branch == ticket && r.Event == "push" {
			if r.Status != "completed" || r.Conclusion != "success" {
				return false
			}
			n++
		}
	}
	return n > 0
}

// checkOvertaken is S7 at the landing: nobody innocent, eligible when the batch was taken, stays behind.
func (w *world) checkOvertaken(a *Attempt) {
	w.t.Helper()
	for _, m := range w.membersOf(a) {
		e, taken := w.state.entries[m.PR], a.At
		if b := w.state.batch(e.Batch); b != nil && b.Opened.Before(taken) {
			taken = b.Opened // a batch that is built again keeps its members
		}
		if w.state.header.Settings.PerAuthor > 0 {
			continue // who is set aside keeps the author's place, and is tested before another of the same author
		}
		for pr, f := range w.state.entries {
			if f.linked() {
				continue // it may have waited for another one
			}
			ahead := comesFirst(*f, *e) && !w.mayPass(*e, *f) && (f.Phase == Waiting || f.Phase == Testing) && !f.held()
			if ahead && !w.step().suspected(pr) && !w.suspects[f.wishOfIts()] && !w.suspects[e.wishOfIts()] && f.Since.Before(taken) && w.turned[f.wishOfIts()].Before(taken) {
				w.t.Fatalf("S7: #%d lands before #%d", m.PR, pr)
			}
		}
	}
}

func (w *world) checkTickets() {
	w.t.Helper()
	testing := 0
	for _, a := range w.state.attempts {
		if _, alive := w.tickets[a.Ticket]; alive && a.running() {
			testing++
		}
	}
	if testing > max(1, w.state.header.Settings.Parallel) {
		w.t.Fatalf("S8: tickets %v are alive together", w.tickets)
	}
}

// step lets the checks ask what Step asks itself.
func (w *world) step() *step { return &step{State: w.state, now: w.now} }

// membersOf is every member on an attempt's path.
func (w *world) membersOf(a *Attempt) (all []Member) {
	for _, x := range w.step().path(a) {
		all = append(all, x.Members...)
	}
	return all
}

// clashing are entries that were held back because of an attempt.
func (w *world) clashing(a *Attempt) (prs []int) {
	for _, pr := range sortedKeys(w.state.entries) {
		if slices.Contains(w.state.entries[pr].Clashes, a.ID) {
			prs = append(prs, pr)
		}
	}
	return prs
}

// checkPost: our check is never green on an open pull request, and its end is its last word.
func (w *world) checkPost(c PostCheck) {
	w.t.Helper()
	p := w.pulls[c.PR]
	if c.Conclusion != "" != (c.Status == "completed") || c.Title == "" || c.Summary == "" {
		w.t.Fatalf("a check is half told: %+v", c)
	}
	if p.status == Open && (c.Conclusion == "success" || c.Conclusion == "neutral" || c.Conclusion == "skipped") {
		w.t.Fatalf("our check concludes %s on #%d, which is open", c.Conclusion, c.PR)
	}
	if w.concluded[c.ExternalID] && c.Status != "completed" {
		w.t.Fatalf("the check of #%d says %q after its end", c.PR, c.Title)
	}
	if c.Status == "completed" {
		w.concluded[c.ExternalID] = true
	}
}

// checkAtRest lets everything under way end and looks at what is left.
func (w *world) checkAtRest() {
	w.t.Helper()
	w.run(16 * time.Minute)
	for _, ticket := range sortedNames(w.tickets) {
		owned := false
		for _, a := range w.state.attempts {
			owned = owned || a.live() && a.Ticket == ticket
		}
		if !owned {
			w.t.Fatalf("ticket %s was left behind", ticket)
		}
	}
	for _, n := range sortedKeys(w.ended) {
		e := w.ended[n][len(w.ended[n])-1]
		p := w.pulls[n]
		if now := w.state.entries[n]; now != nil && !now.Phase.Ended() {
			continue // asked again
		}
		if c := p.check[e.Pinned]; e.Pinned != "" && c.Status != "completed" {
			w.t.Fatalf("#%d is %s, its check says %q (%s)", n, e.Phase, c.Title, c.Status)
		}
		if e.Phase == Out && p.status == Open && p.label && p.wish.ID <= e.Wish.ID {
			w.t.Fatalf("#%d is out and still labelled", n)
		}
		if e.Phase == Landed && p.status == Open {
			w.t.Fatalf("#%d landed and is still open", n)
		}
		if told := strings.HasPrefix(p.comment, "**Out of the queue.**"); (e.End.Next != "") != told || !told && p.comment != "" && len(w.ended[n]) == 1 && len(w.comments) == 0 {
			w.t.Fatalf("#%d is told %q, its comment says %q", n, e.End.Next, p.comment)
		}
	}
}

// Expectations.

func (w *world) lastEnd(n int) *Entry {
	if all := w.ended[n]; len(all) > 0 {
		return &all[len(all)-1]
	}
	return nil
}

func (w *world) requireLanded(numbers ...int) {
	w.t.Helper()
	for _, n := range numbers {
		if e := w.lastEnd(n); e == nil || e.Phase != Landed || !w.holds(w.base, n) {
			w.t.Fatalf("#%d did not land: %s", n, w.where(n))
		}
	}
}

func (w *world) requireOut(n int, why Reason) {
	w.t.Helper()
	if e := w.lastEnd(n); e == nil || e.Phase != Out || e.End.Reason != why {
		w.t.Fatalf("#%d should be out for %s: %s", n, why, w.where(n))
	}
}

func (w *world) requireWaits(n int, why Wait) {
	w.t.Helper()
	if e := w.state.entries[n]; e == nil || e.Phase.Ended() || e.Wait != why {
		w.t.Fatalf("#%d should wait for %s: %s", n, why, w.where(n))
	}
}

func (w *world) where(n int) string {
	if e := w.lastEnd(n); e != nil {
		return string(encoded(w.t, e))
	}
	if e := w.state.entries[n]; e != nil {
		return string(encoded(w.t, e))
	}
	return "unknown"
}

// untilEnded runs until each of these has ended, and nothing newer is asked for it.
func (w *world) untilEnded(numbers ...int) {
	w.t.Helper()
	living := func(n int) bool {
		e, last, wish := w.state.entries[n], w.lastEnd(n), w.pulls[n].wish
		return last == nil || e != nil && !e.Phase.Ended() || wish != nil && !wish.Ours && wish.after(last.Wish)
	}
	w.runUntil(12*time.Hour, func() bool { return !slices.ContainsFunc(numbers, living) })
	for _, n := range numbers {
		if living(n) {
			w.t.Fatalf("#%d did not end: %s", n, w.where(n))
		}
	}
}

// untilPhase runs until the newest attempt is in a phase.
func (w *world) untilPhase(phase AttemptPhase) *Attempt {
	w.t.Helper()
	var found *Attempt
	if !w.runUntil(3*time.Hour, func() bool {
		if n := len(w.state.attempts); n > 0 && w.state.attempts[n-1].Phase == phase {
			found = w.state.attempts[n-1]
		}
		return found != nil
	}) {
		w.t.Fatalf("no attempt came to be %s", phase)
	}
	return found
}

// membersDelay has the last reading before the intent begin after what the test does now.
func (w *world) membersDelay() {
	for key := range w.running {
		if strings.HasPrefix(key, "attempt/") {
			w.crash() // its answer is lost; it is read again
			return
		}
	}
}
