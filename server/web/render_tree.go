package web

import (
	"fmt"
	"slices"

	"github.com/mainstay-ci/mainstay/queue"
)

// nodeView is one part of a batch, with what became of it.
type nodeView struct {
	State, Sign, Text string
	Members           []pullView
	Red               []string
	Runs              int
	Tests             []testView // its attempts, oldest first
	Children          []nodeView
}

var nodeWords = map[queue.NodeState]nodeView{
	queue.NodeTesting: {State: "running", Sign: "•", Text: "being tested"},
	queue.NodeAside:   {State: "waiting", Sign: "", Text: "set aside, its turn comes"},
	queue.NodeSplit:   {State: "waiting", Sign: "▾", Text: "tested on in parts"},
	queue.NodeGuess:   {State: "waiting", Sign: "…", Text: "tested ahead, on a guess"},
	queue.NodeDone:    {State: "passed", Sign: "✓", Text: "done"},
}

// tree is a batch's search for a culprit from its root.
func (s *scene) tree(b queue.Batch) nodeView {
	if len(b.Nodes) == 0 {
		return nodeView{}
	}
	fate := fates(b)
	var grow func(i int) nodeView
	grow = func(i int) nodeView {
		v := s.node(b, i, fate)
		for child := i + 1; child < len(b.Nodes); child++ { // a child stands behind its parent
			if b.Nodes[child].Parent == i {
				v.Children = append(v.Children, grow(child))
			}
		}
		return v
	}
	return grow(0)
}

// fates says how each member's stay in a batch ended.
func fates(b queue.Batch) map[int]string {
	fate := map[int]string{}
	for word, prs := range map[string][]int{"landed": b.Landed, "out": b.Out, "back": b.Back} {
		for _, pr := range prs {
			fate[pr] = word
		}
	}
	return fate
}

func (s *scene) node(b queue.Batch, i int, fate map[int]string) nodeView {
	n := b.Nodes[i]
	v := nodeWords[n.State]
	v.Red, v.Runs = n.Red, len(n.Attempts)
	for _, pr := range n.PRs {
		pull := s.pull(pr)
		pull.Fate = fate[pr]
		v.Members = append(v.Members, pull)
	}
	red, running := false, false
	for _, a := range s.rows.Attempts {
		if a.Batch == b.ID && (a.Node == i || i == 0 && (a.Node < 0 || a.Node >= len(b.Nodes))) {
			test := s.test(a)
			if a.Aim == queue.AimSearch && test.State == "failed" {
				test.blame(n.Red)
			}
			v.Tests = append(v.Tests, test)
			red, running = red || test.State == "failed", running || runs(a)
		}
	}
	return v.settle(n.State, red || len(n.Red) > 0, running)
}

// settle words a part by what its attempts and its members came to.
func (v nodeView) settle(state queue.NodeState, red, running bool) nodeView {
	switch {
	case state == queue.NodeDone:
		return v.settleDone(red)
	case state == queue.NodeTesting && red:
		v.Text = "red once, being tested again"
	case state == queue.NodeAside && red:
		v.State, v.Sign, v.Text = "failed", "✕", "red, tested again when its turn comes"
	case state == queue.NodeSplit && red && len(v.Members) > 0 && v.all("back"):
		v.State, v.Sign, v.Text = "flaky", "≈", "red, but nothing speaks against any of them"
	case state == queue.NodeSplit && red:
		v.State, v.Sign, v.Text = "failed", "✕", "red, so tested on in parts"
	case state == queue.NodeGuess && red:
		v.State, v.Sign, v.Text = "failed", "✕", "tested ahead, on a guess: red"
	case state == queue.NodeGuess && running:
		v.State, v.Sign = "running", "•"
	case state == queue.NodeGuess && len(v.Members) > 0 && v.all("landed"):
		v.State, v.Sign, v.Text = "passed", "✓", "tested ahead, and landed"
	case state == queue.NodeGuess:
		v.Text = "tested ahead, but not needed any more"
	}
	return v
}

// settleDone says how a finished part ended: landed, out, back in line, or some of each.
func (v nodeView) settleDone(red bool) nodeView {
	count := map[string]int{}
	for _, m := range v.Members {
		count[m.Fate]++
	}
	switch {
	case count["out"] > 0 && count["landed"] > 0:
		v.Text = "landed, but for those out"
	case count["out"] > 0:
		v.State, v.Sign, v.Text = "failed", "✕", "out"
	case count["landed"] > 0 && red:
		v.State, v.Sign, v.Text = "flaky", "≈", "red, but landed after all"
	case count["landed"] > 0 && v.Runs == 0:
		v.Text = "landed, tested in another part"
	case count["landed"] > 0:
		v.Text = "landed"
	case count["back"] > 0:
		v.State, v.Sign, v.Text = "waiting", "↩", "back in line: nothing speaks against it"
	}
	return v
}

func (v nodeView) all(fate string) bool {
	return !slices.ContainsFunc(v.Members, func(m pullView) bool { return m.Fate != fate })
}

// testView is one attempt in a line: what it ran, on what, and what came of it.
type testView struct {
	ID                int64
	State, Sign, Text string
	Cause             string // why it was given up
	Kind              string // beyond an ordinary run of everything
	On                string
	Failed            []string
	Length            string
	URL               string // its workflow run
}

func (s *scene) test(a queue.Attempt) testView {
	v := testView{ID: a.ID, Kind: kindText(a), On: s.standsOn(a), URL: runURL(s, a)}
	v.State, v.Sign, v.Text = verdictText(a)
	for _, t := range failedTests(a) {
		if !slices.Contains(v.Failed, t.Name) {
			v.Failed = append(v.Failed, t.Name)
		}
	}
	if !runs(a) {
		if v.State != "passed" && (a.Aim != queue.AimSearch || len(v.Failed) == 0) {
			v.Cause = a.Cause
		}
		if took := a.Since.Sub(a.At); took > 0 {
			v.Length = roughly(took)
		}
	}
	return v
}

// blame keeps to the tests that condemned a part: what a red attempt's other
// shards say after they were cancelled is no evidence.
func (v *testView) blame(red []string) {
	var named []string
	for _, name := range v.Failed {
		if slices.Contains(red, name) {
			named = append(named, name)
		}
	}
	switch {
	case len(named) > 0:
		v.Failed = named
	case len(v.Failed) == 0 && len(red) > 0:
		v.Failed, v.Cause = red, ""
	}
}

// verdictText says in a word or two what an attempt came to.
func verdictText(a queue.Attempt) (state, sign, text string) {
	switch a.Phase {
	case queue.AttemptBuilding, queue.AttemptPushing:
		return "running", "•", "being built"
	case queue.AttemptTesting:
		return "running", "•", "testing" + shardText(a)
	case queue.AttemptChecking, queue.AttemptMoving, queue.AttemptLanding, queue.AttemptCarried:
		return "passed", "✓", "green, about to land"
	case queue.AttemptLanded:
		return "passed", "✓", "green, landed"
	}
	switch a.Aim {
	case queue.AimSearch:
		if len(a.Narrow) > 0 {
			return narrowVerdict(a)
		}
		return "failed", "✕", "red"
	case queue.AimRebuild:
		return "waiting", "↻", "stopped, to be built again"
	case queue.AimPause:
		return "failed", "✕", "green, but refused by a rule"
	}
	return "waiting", "–", "stopped"
}

// narrowVerdict says what the few tests of a narrow attempt told.
func narrowVerdict(a queue.Attempt) (state, sign, text string) {
	state, sign, text = "passed", signs["passed"], "passed"
	for _, sh := range a.Shards {
		for _, f := range sh.Failed {
			if slices.ContainsFunc(a.Narrow, func(t queue.FailedTest) bool { return t.Name == f.Name }) {
				return "failed", signs["failed"], "red"
			}
		}
		if !sh.Result.Green() {
			state, sign, text = "waiting", "–", "told nothing"
		}
	}
	if len(a.Shards) == 0 {
		return "waiting", "–", "told nothing"
	}
	return state, sign, text
}

// shardText counts the shards of an attempt that have passed.
func shardText(a queue.Attempt) string {
	green, total := 0, 0
	for _, v := range suites(a) {
		for _, c := range v.Cells {
			total++
			if c.State == "passed" || c.State == "flaky" {
				green++
			}
		}
	}
	if total == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of %s passed", green, plural(total, "shard"))
}

// kindText says what is special about an attempt.
func kindText(a queue.Attempt) string {
	kind := ""
	if len(a.Members) == 0 {
		kind = "the base by itself"
	}
	switch {
	case len(a.Narrow) > 0 && kind != "":
		return kind + ", " + plural(len(a.Narrow), "failing test") + " only"
	case len(a.Narrow) > 0:
		return plural(len(a.Narrow), "failing test") + " only, never lands"
	}
	return kind
}

// standsOn names what an attempt was built on. What landed since is the base.
func (s *scene) standsOn(a queue.Attempt) string {
	landed := slices.ContainsFunc(s.rows.Attempts, func(p queue.Attempt) bool { return p.ID == a.Parent && p.Phase == queue.AttemptLanded })
	switch {
	case a.Parent != 0 && !landed:
		return fmt.Sprintf("on attempt %d", a.Parent)
	case a.Old == "":
		return ""
	}
	return "on " + s.place.Branch + " at " + short(a.Old)
}

// runURL is the first workflow run of an attempt's ticket.
func runURL(s *scene, a queue.Attempt) string {
	for _, r := range a.Results.Runs {
		if r.Event == "push" && r.Branch == a.Ticket && s.github != "" {
			return r.URL
		}
	}
	return ""
}
