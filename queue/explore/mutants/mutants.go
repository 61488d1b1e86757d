package main

// mutant is the rules less one guard: a text of a file of package queue, what
// stands in its place, and the check that catches it.
type mutant struct {
	name, file, old, new string
	catch                check
}

// check is a test: a world of the explorer, or a test of package queue.
type check struct{ world, test string }

func world(name string) check { return check{world: name} }
func story(name string) check { return check{test: name} }

var mutants = []mutant{
	// The intent: what is read before it, and how fresh.
	{"intent on an old reading", "judge.go", "state == passed && t.now.Sub(ready.CheckedAt) <= memberAge", "state == passed", world("push while checking")},
	{"intent whatever the last reading says", "land.go", "	if a.Phase != AttemptChecking {\n		return // somebody", "	if false {\n		return // somebody", world("push while checking")},
	{"intent while paused", "judge.go", "a.narrow() || t.header.Pause != nil || t.header.Missing", "a.narrow() || t.header.Missing", world("paused meanwhile")},
	{"intent without a look at the base", "land.go", "if !f.Base.Missing && f.Base.ReadAt.Equal(t.header.BaseAt) {", "if false {", world("late landing push")},
	// What a reading says.
	{"a moved head stays in", "wish.go", "case e.Pinned != \"\" && pr.Head != e.Pinned:", "case false:", story("TestDoneToAQueuedPullRequest")},
	{"no label stays in", "wish.go", "case pr.Wish == nil && !t.labelling(e):", "case false:", world("the label comes and goes")},
	{"a closed one stays in", "wish.go", "case pr.Status == ClosedStatus:", "case false:", world("closed")},
	{"a lost approval stays in", "wish.go", "case e.Phase == Testing && !ready:", "case false:", world("one loses its approval")},
	{"approvals do not count", "rules.go", "pr.Approvals < h.Rules.Approvals:", "pr.Approvals < 0*h.Rules.Approvals:", world("one loses its approval")},
	{"an older reading counts", "wish.go", "if e.Phase == Landing || pr.ReadAt.Before(e.PR.ReadAt) {", "if e.Phase == Landing {", story("TestAnOldReadingIsIgnored")},
	{"a reading throws out after the intent", "wish.go", "if e.Phase == Landing || pr.ReadAt.Before(e.PR.ReadAt) {", "if pr.ReadAt.Before(e.PR.ReadAt) {", world("the label comes and goes")},
	{"a wish counts twice", "wish.go", "if !asks || ended != nil && !pr.Wish.Ours && !pr.Wish.after(ended.Wish) {", "if !asks {", world("one is unlabelled")},
	{"out after the intent, by command", "line.go", "return !e.Phase.Ended() && e.Phase != Landing", "return !e.Phase.Ended()", world("taken out by command")},
	{"who is out is still tested", "wish.go", "if a.cancellable() && a.Phase != AttemptAbandoning && contains(t.allOf(a), e.PR.Number) {", "if false {", world("the label comes and goes")},
	// What counts as green.
	{"a copy of the commit counts", "verdict.go", "return r.Event == \"push\" && r.Branch == a.Ticket }", "return r.Event == \"push\" }", story("TestWhatCountsAsGreen")},
	{"green by absence", "verdict.go", "	if !seen {\n		return pending, \"\"", "	if !seen {\n		return passed, \"\"", world("one, nothing starts")},
	{"red counts as green", "verdict.go", "	return failed\n}\n\n// judgeCheck", "	return passed\n}\n\n// judgeCheck", world("two, one bad, a crash")},
	{"a suite need not report", "verdict.go", "	if len(variants) == 0 {", "	if len(variants) == 0 {\n		return passed, \"\"", story("TestShards")},
	{"what hangs is waited for", "verdict.go", "case !a.SignAt.IsZero() && a.QueuedAt.IsZero() && !a.RunAt.IsZero() && !now.Before(a.RunAt.Add(a.runLimit(s))):", "case false:", world("a test hangs")},
	{"a part of the suite need not run", "coverage.go", "missing > 0 {", "missing > plan.Units {", story("TestShards")},
	{"a cut of its own counts beside a plan", "coverage.go", "		if sh.Plan != plan.Plan || sh.Units != plan.Units || !ok {", "		if false && !ok {", story("TestShards")},
	// The landing and its fence.
	{"no fence", "abandon.go", "	if a.Phase == AttemptBuilding {\n		t.setPhase(a, AttemptDead)", "	if true {\n		t.setPhase(a, AttemptDead)", world("late landing push")},
	{"a landing that is in after all is not booked", "abandon.go", "	if f.Contains {\n		t.land(a, f.Tip)", "	if false {\n		t.land(a, f.Tip)", world("one and a rule that refuses")},
	{"moved heads are not put back", "abandon.go", "Commit: a.New, Moved: a.Moved, Retargeted: a.Retargeted})", "Commit: a.New})", world("late landing push")},
	{"a moved base is pushed to for ever", "land.go", "	case f.Outcome == OutcomeElsewhere:\n		t.abandon(a, AimRebuild, \"the base moved\")\n", "", world("late landing push")},
	{"a head elsewhere lands all the same", "land.go", "	if len(f.Elsewhere) > 0 {", "	if false {", story("TestHeadFoundElsewhereAfterTheIntent")},
	{"an audit is shrugged at", "settle.go", "	if !f.Contains || !f.TreeOK {", "	if false {", world("late landing push, forced back")},
	{"our check is green on an open one", "show.go", "		return \"cancelled\"", "		return \"neutral\"", world("the label comes and goes")},
	// Who is tested when.
	{"attempts begin while paused", "form.go", "if h.Pause != nil || h.Missing || h.BaseAt.IsZero() {", "if h.Missing || h.BaseAt.IsZero() {", world("paused meanwhile")},
	{"what stands on an old base is tested on", "wish.go", "if a.running() && t.root(a) != tip && !t.landingBelow(a) {", "if false {", world("late landing push")},
	{"a held one is tested with others", "order.go", "return e.Turn.Front || e.Turn.Solo || e.held() || e.guards() }", "return e.Turn.Front || e.Turn.Solo || e.guards() }", world("one is held")},
	{"a hotfix waits for its turn", "order.go", "		return e.Turn.Front\n	}\n	if e.Turn.First", "		return f.Turn.Front\n	}\n	if e.Turn.First", world("a hotfix")},
	{"the last comes first", "order.go", "		return x < y\n", "		return x > y\n", world("one at a time")},
	{"landing before every ticket is there", "judge.go", "		if x.Phase == AttemptPushing {\n			return false", "		if x.Phase == \"\" {\n			return false", world("side by side")},
	// The search and its books.
	{"a red run is forgotten", "judge.go", "	t.noteRed(a, v)\n", "", world("two, one bad, a crash")},
	{"who goes out is not booked", "tree.go", "	b.Out = append(b.Out, e.PR.Number)\n", "", world("two, one bad, a crash")},
	{"who goes back is not booked", "tree.go", "	b.Members = without(b.Members, e.PR.Number)\n", "", world("text conflicts")},
	{"what is set aside is left there", "tree.go", "	if n.State == NodeTesting && !t.tested(b, a.Node) {", "	if false {", story("TestLandingOutcomes")},
	// The nets.
	{"no sweep", "sweep.go", "	t.do(\"sweep\", FindWishes{Label: t.header.Settings.Label, Labels: t.header.Settings.Labels})\n", "", story("TestLateLabelWithoutWebhook")},
	{"results are not looked at again", "sweep.go", "		if a.Phase == AttemptTesting {\n			t.lookAtResults(a)", "		if false {\n			t.lookAtResults(a)", world("webhooks lost")},
	{"a dead attempt is built on", "build.go", "func (t *step) takeBuilt(f AttemptBuilt) {\n	a := t.attempt(f.Attempt)\n	if a == nil || a.Phase != AttemptBuilding {", "func (t *step) takeBuilt(f AttemptBuilt) {\n	a := t.attempt(f.Attempt)\n	if a == nil {", story("TestLateFactsOfDeadAttempts")},
}
