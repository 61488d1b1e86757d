package queue

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// forge is GitHub and git as a model: commits are names with a parent and a change.
type forge struct {
	commits    map[string]commit
	base       string
	baseGone   bool
	auditFinds *Audited
	gone       int             // a pull request GitHub knows no more
	removed    map[string]bool // commits somebody took out of the base
	tickets    map[string]string
	pulls      map[int]*pull
	rules      Rules
	settings   Settings
	problem    string
	nextID     int64

	bad      map[int]bool                        // red wherever they are
	drops    map[int]bool                        // with them a part of the suite never runs, and all is green
	pairs    [][2]int                            // red together
	clashes  [][2]int                            // conflict in text, the one behind on the one ahead
	onBase   map[int]bool                        // conflict with the base as it is
	missing  map[int]bool                        // their head can't be fetched
	large    map[int]bool                        // bring more than is built
	guarded  map[int]bool                        // change what is guarded
	unseen   bool                                // git says so only when it builds
	asked    BuildAttempt                        // the last build
	tangled  map[int]bool                        // they conflict where their merges are left out
	broken   bool                                // a test fails by itself, whatever is tested
	folders  map[int][]string                    // what a pull request changes
	mends    int                                 // who mends that
	flakes   func(commit string) bool            // whether the flaky test fails
	crashes  func(commit string, shard int) bool // whether a shard dies without a word
	brokenAt int                                 // so many builds fail for no fault of a member
	runs     []*run
	checks   map[string][]*CheckResult
	statuses map[string][]StatusLine
	workflow func(w *world, ticket, commit string)
	// answers script what the next landing pushes come to; then they go as they go.
	answers []answer
	// ticketRefused is GitHub's word against our branches.
	ticketRefused string
	cancelled     []string
	left          map[string][]Shard // reports that only GitHub has, by commit
	sought        []FindReports
	pullsSought   []FindPullReports
	comments      []Command        // what people wrote that is a command
	marks         map[int64]string // emojis of ours, by comment
	posted        []string         // every check edit, as "pr title"
}

type commit struct {
	parent  string
	pr      int
	head    string // what it is the rebased form of
	attempt int64
	merges  bool // head is its second parent
}

type pull struct {
	number, version int
	head, base      string
	fork, draft     bool
	author          Actor // nobody: eve
	priority        int
	hotfix, hold    bool
	solo            bool
	review          Review // what GitHub says when it is asked
	unmet           string // why the config's condition does not hold
	method          Method
	needs           []int // what its description says
	native          bool  // GitHub keeps its stack
	status          Status
	label           bool
	wish            *Wish
	approvals       map[string]string // by whom, of which head
	changes         []string
	posts           int
	check           map[string]PostCheck // by head
	comment         string
	labelTakenByUs  int
}

type run struct {
	Run
	commit string
}

// answer is what a landing push comes to.
type answer struct {
	outcome Outcome
	rule    string
	moves   bool          // it moved the base all the same
	late    time.Duration // or does so later, if the ticket is still there
}

func (f *forge) open() {
	f.commits = map[string]commit{"root": {}}
	f.base = "root"
	f.removed, f.tickets, f.pulls = map[string]bool{}, map[string]string{}, map[int]*pull{}
	f.bad, f.onBase, f.missing, f.large = map[int]bool{}, map[int]bool{}, map[int]bool{}, map[int]bool{}
	f.marks = map[int64]string{}
	f.checks, f.statuses = map[string][]*CheckResult{}, map[string][]StatusLine{}
	f.settings = Defaults()
	f.rules = Rules{Approvals: 1, Checks: []NamedCheck{{Name: "build", App: ActionsApp}}}
	f.workflow = oneJob(5 * time.Minute)
}

func (f *forge) id() int64 { f.nextID++; return f.nextID }

// chain is a commit and everything before it, newest first.
func (f *forge) chain(tip string) []string {
	var all []string
	for c := tip; c != ""; c = f.commits[c].parent {
		all = append(all, c)
	}
	return all
}

func (f *forge) contains(tip, commit string) bool { return slices.Contains(f.chain(tip), commit) }

// holds reports whether a pull request's change is in a commit's history.
func (f *forge) holds(tip string, pr int) bool {
	for _, c := range f.chain(tip) {
		if f.commits[c].pr == pr {
			return true
		}
	}
	return false
}

// culprits are the pull requests that make a commit red.
func (f *forge) culprits(tip string) []int {
	var bad []int
	for _, c := range f.chain(tip) {
		if pr := f.commits[c].pr; pr != 0 && f.bad[pr] {
			bad = append(bad, pr)
		}
	}
	for _, p := range f.pairs {
		if f.holds(tip, p[0]) && f.holds(tip, p[1]) {
			bad = append(bad, p[0], p[1])
		}
	}
	return bad
}

var writers = map[string]int64{"ann": 1, "bob": 2, "eve": 3}

// People.

func (w *world) open(numbers ...int) {
	for _, n := range numbers {
		p := &pull{number: n, base: "main", status: Open, approvals: map[string]string{}, check: map[string]PostCheck{}}
		w.pulls[n] = p
		w.commit(p)
	}
}

func (w *world) commit(p *pull) {
	p.version++
	p.head = fmt.Sprintf("head-%d.%d", p.number, p.version)
}

func (w *world) touch(p *pull) { w.hint(PullRequestHinted{Number: p.number, Labelled: p.label}) }

func (w *world) label(n int, by string) {
	p := w.pulls[n]
	p.label = true
	p.wish = &Wish{ID: w.id(), By: Actor{ID: 100 + writers[by], Login: by}, MayWrite: writers[by] != 0, At: w.now}
	w.note("%s labels #%d (wish %d)", by, n, p.wish.ID)
	w.touch(p)
}

func (w *world) unlabel(n int) {
	w.note("#%d loses its label", n)
	w.pulls[n].label, w.pulls[n].wish = false, nil
	w.touch(w.pulls[n])
}

func (w *world) approve(n int, by string) {
	w.pulls[n].approvals[by] = w.pulls[n].head
	w.touch(w.pulls[n])
}

func (w *world) dismiss(n int) {
	w.note("#%d loses its approvals", n)
	w.pulls[n].approvals = map[string]string{}
	w.touch(w.pulls[n])
}

func (w *world) push(n int) {
	w.note("#%d is pushed to", n)
	w.commit(w.pulls[n])
	w.touch(w.pulls[n])
}

func (w *world) change(n int, how func(p *pull)) {
	how(w.pulls[n])
	w.touch(w.pulls[n])
}

// queue opens, approves and labels pull requests.
func (w *world) queue(numbers ...int) {
	for _, n := range numbers {
		w.open(n)
		w.approve(n, "bob")
		w.label(n, "ann")
	}
}

// queueTogether queues pull requests so that they make one batch.
func (w *world) queueTogether(numbers ...int) {
	w.tell(PauseAsked{By: "ann", Reason: "wait for all"})
	w.queue(numbers...)
	w.run(time.Minute)
	w.tell(ResumeAsked{By: "ann"})
}

// pushBase is somebody else's commit on the base.
func (w *world) pushBase() {
	c := fmt.Sprintf("other-%d", w.id())
	w.commits[c] = commit{parent: w.base}
	w.moveBase(c)
}

// forceBase throws commits out of the base.
func (w *world) forceBase(to string) {
	for _, c := range w.chain(w.base) {
		if c == to {
			break
		}
		w.removed[c] = true
	}
	w.moveBase(to)
}

// merged reports whether a merge in the base has this head.
func (w *world) merged(base, head string) bool {
	for _, c := range w.chain(base) {
		if w.commits[c].merges && w.commits[c].head == head {
			return true
		}
	}
	return false
}

func (w *world) moveBase(to string) {
	w.note("base %s → %s", w.base, to)
	w.base = to
	for _, n := range sortedKeys(w.pulls) {
		if p := w.pulls[n]; p.status == Open && p.base == "main" && (w.contains(to, p.head) || w.merged(to, p.head)) {
			p.status = Merged
			w.touch(p)
		}
	}
	w.hint(BaseHinted{Tip: to})
	r := w.startRun(to, "main", "push") // the base has workflows of its own
	w.after(time.Minute, func() { w.finishRun(r, "success") })
}

// CI.

// oneJob is a workflow of one job, called build.
func oneJob(takes time.Duration) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		w.after(2*time.Second, func() {
			r := w.startRun(commit, ticket, "push")
			c := w.startCheck(r, "build")
			w.after(takes, func() {
				c.Status, c.Conclusion = "completed", w.verdict(commit)
				w.finishRun(r, c.Conclusion)
			})
		})
	}
}

// shards is a workflow of n shard jobs that report.
func shards(n int, takes time.Duration) func(*world, string, string) {
	return func(w *world, ticket, commit string) {
		w.after(time.Second, func() {
			r := w.startRun(commit, ticket, "push")
			left, red := n, false
			for i := range n {
				c := w.startCheck(r, fmt.Sprintf("test (%d)", i))
				narrow := w.narrowOf(commit)
				sh := Shard{Suite: "unit", Index: i, Total: n, CheckRun: c.ID, RunID: r.ID, RunTry: 1, Inventory: "all", StartedAt: w.now}
				w.tell(ShardStarted{Commit: commit, Shard: sh})
				w.after(takes+time.Duration(i)*100*time.Millisecond, func() {
					sh.Result, sh.EndedAt, sh.Tests = shard.ResultPassed, w.now, 10
					for _, name := range w.failing(commit, n, i) {
						if narrow == nil || slices.Contains(narrow, name) {
							sh.Result = shard.ResultFailed
							sh.Failed = append(sh.Failed, FailedTest{Name: name, Suite: "unit", Package: "example.com/" + strings.ToLower(strings.TrimPrefix(name, "Test"))})
						}
					}
					if w.crashes != nil && w.crashes(commit, i) {
						sh.Result, sh.Failed = shard.ResultError, nil
					}
					if narrow == nil {
						sh.Plan, sh.Units, sh.Ran = "pl_"+fmt.Sprint(r.ID), 2*n, w.ranOf(commit, n, i)
					}
					w.tell(ShardReported{Commit: commit, Shard: sh})
					c.Status, c.Conclusion = "completed", "success"
					if !sh.Result.Green() {
						c.Conclusion = "failure"
					}
					if !sh.Result.Green() {
						red = true
					}
					if left--; left == 0 {
						w.finishRun(r, map[bool]string{true: "failure", false: "success"}[red])
					}
				})
			}
		})
	}
}

// ranOf is what a shard ran of a plan of two items a shard.
func (w *world) ranOf(commit string, n, i int) string {
	ran := shard.NewUnits(2 * n)
	ran.Add(2 * i)
	ran.Add(2*i + 1)
	for _, pr := range sortedKeys(w.drops) {
		if pr%n == i && w.holds(commit, pr) {
			ran = shard.NewUnits(2 * n)
		}
	}
	return ran.String()
}

// narrowOf is the tests that a commit's attempt asks for; nil: all of them.
func (w *world) narrowOf(commit string) []string {
	for _, a := range w.state.attempts {
		if a.New == commit && len(a.Narrow) > 0 {
			return testNames(a.Narrow)
		}
	}
	return nil
}

// failing is the tests that fail in one of n shards: those of who is bad, those
// of a pair, one that broke by itself, and those that flake now.
func (w *world) failing(commit string, n, shard int) []string {
	var names []string
	add := func(pr int, name string) {
		if pr%n == shard && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, pr := range w.culprits(commit) {
		add(pr, fmt.Sprintf("TestOf%d", pr))
	}
	if w.broken && (w.mends == 0 || !w.holds(commit, w.mends)) {
		add(0, "TestClock")
	}
	if shard == 1%n && w.flakes != nil && w.flakes(commit) {
		add(1, "TestFlaky")
	}
	return names
}

func (w *world) verdict(commit string) string {
	if len(w.culprits(commit)) > 0 {
		return "failure"
	}
	return "success"
}

func (w *world) startRun(commit, branch, event string) *run {
	r := &run{commit: commit, Run: Run{ID: w.id(), Name: "ci", Event: event, Branch: branch, Suite: w.id(), Status: "in_progress", CreatedAt: w.now}}
	w.runs = append(w.runs, r)
	w.hint(ResultsHinted{Commit: commit})
	return r
}

func (w *world) startCheck(r *run, name string) *CheckResult {
	c := &CheckResult{ID: w.id(), Name: name, App: ActionsApp, Suite: r.Suite, Status: "in_progress"}
	w.checks[r.commit] = append(w.checks[r.commit], c)
	return c
}

func (w *world) finishRun(r *run, conclusion string) {
	if r.Status == "completed" {
		return // cancelled
	}
	r.Status, r.Conclusion = "completed", conclusion
	w.hint(ResultsHinted{Commit: r.commit, Done: true})
}

// Effects.

// perform does an effect; again > 0 puts it off.
func (w *world) perform(task Task) (facts []Fact, again time.Duration) {
	switch x := task.(type) {
	case ReadPullRequest:
		pr := w.readAsked(x.Number, x.Asks)
		if x.Text || pr.Method == MethodSquash || pr.Method == MethodMerge {
			pr.Body, pr.Described = "What it is for.", true
		}
		if pr.Wish == nil && !x.Asked {
			pr.Approvals, pr.StaleApprovals = 0, 0 // nobody asks for them
		}
		return []Fact{PullRequestRead{PR: pr, Gone: w.gone == x.Number}}, 0
	case ReadBase:
		return []Fact{w.readBase()}, 0
	case FindWishes:
		found := WishesFound{Numbers: []int{}, Marks: map[int]string{}}
		for _, n := range sortedKeys(w.pulls) {
			if p := w.pulls[n]; p.label && p.status == Open {
				found.Numbers = append(found.Numbers, n)
				if p.hotfix || p.hold || p.solo || p.priority != 0 || p.method != "" {
					found.Marks[n] = fmt.Sprint(p.hotfix, p.hold, p.solo, p.priority, p.method)
				}
			}
		}
		return []Fact{found}, 0
	case BuildAttempt:
		return []Fact{w.build(x)}, 0
	case PushTicket:
		return []Fact{w.pushTicket(x)}, 0
	case ReadResults:
		return []Fact{ResultsRead{Attempt: x.Attempt, Results: w.results(x)}}, 0
	case ReadMembers:
		read := MembersRead{Attempt: x.Attempt, Base: w.readBase()}
		read.Base.Settings, read.Base.Problem = Settings{}, ""
		for _, n := range x.Numbers {
			if n != w.gone {
				read.PRs = append(read.PRs, w.readAsked(n, x.Asks))
			}
		}
		return []Fact{read}, 0
	case MoveHeads:
		moved := HeadsMoved{Attempt: x.Attempt, Moved: []Move{}}
		for _, m := range x.Moves {
			if c := w.commits[m.New]; c.merges {
				w.t.Fatalf("#%d is merged, and its branch is moved", m.PR)
			}
			if w.moveHead(m.PR, m.Old, m.New) {
				moved.Moved = append(moved.Moved, m)
			} else if w.pulls[m.PR].head != m.Old {
				moved.Elsewhere = append(moved.Elsewhere, m.PR)
			}
		}
		for _, r := range x.Retargets {
			if p := w.pulls[r.PR]; p.native {
				w.t.Fatalf("#%d is of a stack that GitHub keeps, and gets another base", r.PR)
			} else if p.base == r.From {
				p.base = r.To
				w.touch(p)
			}
			moved.Retargeted = append(moved.Retargeted, r)
		}
		return []Fact{moved}, 0
	case MoveBase:
		return []Fact{w.land(x)}, 0
	case AbandonAttempt:
		return []Fact{w.abandon(x)}, 0
	case SettleLanded:
		return w.settle(x)
	case AuditLanding:
		if w.auditFinds != nil {
			found := *w.auditFinds
			w.auditFinds = nil
			return []Fact{found}, 0
		}
		return []Fact{Audited{Attempt: x.Attempt, Tip: w.base, Contains: w.contains(w.base, x.Commit), TreeOK: true}}, 0
	case Wake:
		return []Fact{TimePassed{}}, 0
	case PostCheck:
		return []Fact{CheckPosted{PR: x.PR, Head: x.Head, ID: w.post(x)}}, 0
	case ReadCommands:
		return []Fact{w.readCommands(x)}, 0
	case ReadPress:
		c := Command{PR: x.As.Number, Word: x.Word, By: x.By, MayWrite: writers[x.By.Login] != 0, Pull: w.read(x.As.Number)}
		return []Fact{ButtonPressed{Command: c}}, 0
	case AddLabel:
		if p := w.pulls[x.PR]; !p.label {
			p.label, p.wish = true, &Wish{ID: w.id(), Ours: true, By: Actor{ID: 99, Login: "mainstay[bot]", Bot: true}, At: w.now}
			w.touch(p)
		}
		return []Fact{LabelSet{PR: x.PR}}, 0
	case React:
		w.marks[x.Comment] = x.Mark
	case RemoveLabel:
		if p := w.pulls[x.PR]; p.label {
			p.label, p.wish = false, nil
			p.labelTakenByUs++
			w.touch(p)
		}
	case PostComment:
		w.pulls[x.PR].comment = x.Text
	case CancelRuns:
		w.cancel(x)
	case FindReports:
		w.sought = append(w.sought, x)
		for _, sh := range w.left[x.Commit] {
			facts = append(facts, ShardReported{Commit: x.Commit, Shard: sh})
		}
		return append(facts, ReportsFound{Attempt: x.Attempt, At: x.At}), 0
	case FindPullReports:
		w.pullsSought = append(w.pullsSought, x)
	case FetchHead:
		if w.guarded[x.PR] && !w.unseen {
			return []Fact{HeadSeen{PR: x.PR, Head: x.Head, Guarded: []string{".github/workflows/ci.yml"}}}, 0
		}
	case LearnTests:
		w.lessons = append(w.lessons, x)
	default:
		w.t.Fatalf("the model does not know %T", task)
	}
	return nil, 0
}

func (w *world) read(n int) PullRequest {
	p := w.pulls[n]
	pr := PullRequest{
		Number: n, Title: fmt.Sprintf("Change %d", n), Author: Actor{ID: 7, Login: "eve"}, Head: p.head, HeadRef: fmt.Sprintf("topic-%d", n),
		Fork: p.fork, Base: p.base, Status: p.status, Draft: p.draft, ChangesRequested: p.changes, ReadAt: w.now,
		Priority: p.priority, Hotfix: p.hotfix, Hold: p.hold, Solo: p.solo, Method: p.method,
	}
	if p.author.ID != 0 {
		pr.Author = p.author
	}
	if p.label {
		wish := *p.wish
		pr.Wish = &wish
	}
	pr.Stack = w.stackOf(p)
	for _, n := range p.needs {
		need := Need{PR: n}
		if on := w.pulls[n]; on != nil {
			need.Status, need.Head = on.status, on.head
		}
		pr.Needs = append(pr.Needs, need)
	}
	for by, of := range p.approvals {
		if of == p.head {
			if pr.Approvals++; by == "root" {
				pr.Rulers++
			}
		} else {
			pr.StaleApprovals++
		}
	}
	return pr
}

// readAsked is a reading with what else was asked for, and nothing of what was not.
func (w *world) readAsked(n int, asks Asks) PullRequest {
	pr, p := w.read(n), w.pulls[n]
	if asks.Review {
		review := p.review
		if review.Decision == "" {
			review.Decision = DecidedRequired
		}
		pr.Review = &review
	}
	if asks.When != "" {
		pr.When = &Condition{Source: asks.When, Unmet: p.unmet}
	}
	if asks.Priority != "" {
		pr.Priority = p.priority
	}
	return pr
}

func (w *world) readBase() BaseRead {
	read := BaseRead{Tip: w.base, Rules: w.rules, Settings: w.settings, Problem: w.problem, ReadAt: w.now}
	if w.baseGone {
		return BaseRead{Missing: true, ReadAt: w.now}
	}
	if w.problem != "" {
		read.Settings = Settings{}
	}
	return read
}

func (w *world) build(x BuildAttempt) Fact {
	w.asked = x
	if w.brokenAt > 0 {
		w.brokenAt--
		return BuildFailed{Attempt: x.Attempt, Detail: "the base commit is missing"}
	}
	built := AttemptBuilt{Attempt: x.Attempt}
	tip := x.Old
	for _, m := range x.Members {
		if w.missing[m.PR] {
			return BuildFailed{Attempt: x.Attempt, Detail: "commit " + m.Head + " is missing", MissingPR: m.PR}
		}
		if w.large[m.PR] {
			return BuildFailed{Attempt: x.Attempt, Detail: "it has 2000 commits of its own", LargePR: m.PR}
		}
		conflict, withBase := w.onBase[m.PR], w.onBase[m.PR]
		for _, c := range w.clashes {
			if c[0] == m.PR || c[1] == m.PR {
				other := c[0] + c[1] - m.PR
				conflict = conflict || w.holds(tip, other)
				withBase = withBase || w.holds(x.Old, other)
			}
		}
		for _, n := range m.After {
			conflict = conflict || slices.ContainsFunc(built.Conflicts, func(c Conflicting) bool { return c.PR == n })
		}
		switch {
		case conflict:
			built.Conflicts = append(built.Conflicts, Conflicting{PR: m.PR, Files: []string{"a.go"}, WithBase: withBase})
			continue
		case w.holds(x.Old, m.PR):
			built.Contained = append(built.Contained, m.PR)
			continue
		}
		sum := sha256.Sum256([]byte(fmt.Sprint(tip, m.Head, x.Attempt, x.At.Unix())))
		became := fmt.Sprintf("c%d-%d-%x", x.Attempt, m.PR, sum[:4])
		w.commits[became] = commit{parent: tip, pr: m.PR, head: m.Head, attempt: x.Attempt, merges: m.Method == MethodMerge}
		if m.Squashed = m.Method == MethodRebase && w.tangled[m.PR]; m.Squashed {
			m.Method = MethodSquash
		}
		tip = became
		m.Became, m.Commits = became, []string{became}
		m.Folders = w.folders[m.PR]
		if w.guarded[m.PR] {
			m.Guarded = []string{".github/workflows/ci.yml"}
		}
		built.Members = append(built.Members, m)
		built.New, built.Tree = became, "tree of "+became
	}
	if x.Empty {
		empty := fmt.Sprintf("c%d-empty-%s", x.Attempt, tip)
		w.commits[empty] = commit{parent: tip, attempt: x.Attempt}
		built.New, built.Tree = empty, "tree of "+tip
	}
	return built
}

func (w *world) pushTicket(x PushTicket) Fact {
	if w.ticketRefused != "" {
		return TicketFailed{Attempt: x.Attempt, Detail: w.ticketRefused}
	}
	if have, ok := w.tickets[x.Ticket]; ok {
		if have == x.Commit {
			return TicketPushed{Attempt: x.Attempt, Again: true}
		}
		return TicketFailed{Attempt: x.Attempt, Detail: "taken"}
	}
	for _, m := range w.state.attempt(x.Attempt).Members {
		if w.guarded[m.PR] && w.state.header.Settings.Guard && len(w.state.attempt(x.Attempt).Members) > 1 {
			w.t.Fatalf("#%d, which is guarded, is tested with others", m.PR)
		}
	}
	w.tickets[x.Ticket] = x.Commit
	w.checkFooting(x.Commit)
	w.checkTickets()
	if w.workflow != nil {
		w.workflow(w, x.Ticket, x.Commit)
	}
	return TicketPushed{Attempt: x.Attempt}
}

func (w *world) results(x ReadResults) Results {
	res := Results{ReadAt: w.now}
	for _, r := range w.runs {
		if r.commit == x.Commit {
			res.Runs = append(res.Runs, r.Run)
		}
	}
	for _, c := range w.checks[x.Commit] {
		res.Checks = append(res.Checks, *c)
	}
	if x.Statuses {
		res.Statuses = append(res.Statuses, w.statuses[x.Commit]...)
	}
	return res
}

func (w *world) moveHead(n int, old, new string) bool {
	p := w.pulls[n]
	switch {
	case p.head == new:
		return true
	case p.fork || p.head != old || p.status != Open:
		return false
	}
	p.head = new
	w.touch(p)
	r := w.startRun(new, fmt.Sprintf("topic-%d", n), "pull_request")
	w.after(4*time.Minute, func() { w.finishRun(r, w.verdict(new)) })
	return true
}

// land is the one atomic push, with the lease on base and ticket.
func (w *world) land(x MoveBase) Fact {
	tried := LandingTried{Attempt: x.Attempt, Outcome: OutcomeLanded}
	if len(w.answers) > 0 {
		a := w.answers[0]
		w.answers = w.answers[1:]
		tried.Outcome, tried.Rule, tried.Tip = a.outcome, a.rule, w.base
		if a.moves {
			w.pushAtomically(x)
		}
		if a.late > 0 {
			w.after(a.late, func() { w.pushAtomically(x) })
		}
		return tried
	}
	if w.contains(w.base, x.New) || w.pushAtomically(x) {
		tried.Tip = w.base
		return tried
	}
	tried.Outcome, tried.Tip = OutcomeElsewhere, w.base
	return tried
}

func (w *world) pushAtomically(x MoveBase) bool {
	if w.base != x.Old || len(x.Tickets) == 0 {
		return false
	}
	for _, ticket := range x.Tickets {
		if w.tickets[ticket.Ticket] != ticket.Commit {
			return false
		}
	}
	w.checkLanding(x)
	for _, ticket := range x.Tickets {
		delete(w.tickets, ticket.Ticket)
	}
	w.moveBase(x.New)
	return true
}

func (w *world) abandon(x AbandonAttempt) Fact {
	if w.tickets[x.Ticket] == x.Commit {
		delete(w.tickets, x.Ticket)
	}
	done := Abandoned{Attempt: x.Attempt, Tip: w.base, Contains: w.contains(w.base, x.Commit)}
	if !done.Contains {
		for _, m := range x.Moved {
			w.moveHead(m.PR, m.New, m.Old)
		}
		for _, r := range x.Retargeted {
			w.pulls[r.PR].base = r.From
		}
	}
	return done
}

func (w *world) settle(x SettleLanded) ([]Fact, time.Duration) {
	p := w.pulls[x.PR]
	if p.status == Open {
		if x.Since.Add(10 * time.Second).After(w.now) {
			return nil, 2 * time.Second
		}
		if x.Method.KeepsHead() && w.merged(w.base, p.head) {
			w.t.Fatalf("#%d is merged, and we close it", x.PR)
		}
		p.status = ClosedStatus
		w.touch(p)
	}
	w.post(x.Check)
	return []Fact{Settled{PR: x.PR, Status: p.status}}, 0
}

func (w *world) post(c PostCheck) int64 {
	p := w.pulls[c.PR]
	p.posts++
	w.posted = append(w.posted, fmt.Sprintf("#%d %s: %s", c.PR, c.Status, c.Title))
	w.checkPost(c)
	if c.ID == 0 {
		c.ID = p.check[c.Head].ID
	}
	if c.ID == 0 {
		c.ID = w.id()
	}
	p.check[c.Head] = c
	return c.ID
}

func (w *world) cancel(x CancelRuns) {
	for _, r := range w.runs {
		if !slices.Contains(x.Commits, r.commit) || x.Ticket != "" && x.Ticket != r.Branch || r.Status == "completed" {
			continue
		}
		if r.Branch == "main" || !strings.HasPrefix(r.Branch, "mainstay/") && !strings.HasPrefix(r.Branch, "topic-") {
			w.t.Fatalf("a run on %s was cancelled, which no push of ours started: %+v", r.Branch, x)
		}
		w.cancelled = append(w.cancelled, r.Branch)
		w.finishRun(r, "cancelled")
	}
}
