package explore

// Two are the numbers of two pull requests; the zero value is none.
type Two [2]int

func (t Two) other(pr int) int {
	if t[0] == pr || t[1] == pr {
		return t[0] + t[1] - pr
	}
	return 0
}

// World is one named situation: what there is, and how much trouble may come.
type World struct {
	Name      string
	PRs       int
	Bad       []int // red wherever they are
	Pair      Two   // red together
	Clash     Two   // conflict in text, the one behind on the one ahead
	OnBase    []int // conflict with the base
	Forks     bool  // their branches are not ours to move
	Shards    bool  // CI reports a suite
	NoCI      bool  // nothing ever starts
	BatchSize int
	Parallel  int // 0 is 1
	// EndsAtRest: nothing happens any more once all has ended.
	EndsAtRest bool
	Budget     Budget
}

// Worlds are the situations walked through, by rising size.
var Worlds = []World{
	{Name: "one, nothing starts", PRs: 1, NoCI: true, Budget: Budget{Crash: 1, Label: 1}},
	{Name: "pair conflict", PRs: 2, Pair: Two{1, 2}, Budget: Budget{Crash: 1}},
	{Name: "text conflicts", PRs: 3, Clash: Two{1, 2}, OnBase: []int{3}, Budget: Budget{Crash: 1, Odd: 1}},
	{Name: "two, one bad, a crash", PRs: 2, Bad: []int{1}, Budget: Budget{Crash: 1, Flake: 1}},
	{Name: "three, one bad", PRs: 3, Bad: []int{2}, Budget: Budget{Crash: 1}},
	{Name: "late landing push", PRs: 1, Budget: Budget{Late: 1, Crash: 1, Admin: 1, Force: 1}},
	{Name: "force-back during landing", PRs: 2, Budget: Budget{Late: 1, Force: 2, Admin: 1}, EndsAtRest: true},
	{Name: "push while checking", PRs: 2, Budget: Budget{Push: 1, Slow: 1, Approve: 1, Label: 1}, EndsAtRest: true},
	{Name: "approvals come and go", PRs: 2, Budget: Budget{Dismiss: 1, Approve: 1, Label: 1, Slow: 1}, EndsAtRest: true},
	{Name: "the label comes and goes", PRs: 2, Budget: Budget{Unlabel: 1, Label: 1, Slow: 1, Crash: 1}, EndsAtRest: true},
	{Name: "a flake under shards", PRs: 2, Shards: true, Budget: Budget{Flake: 1, Lost: 1, Crash: 1}, EndsAtRest: true},
	{Name: "a copy of the commit", PRs: 2, Bad: []int{2}, Budget: Budget{Copy: 1, Lost: 1, Crash: 1}, EndsAtRest: true},
	{Name: "forks, and a rule", PRs: 2, Forks: true, Budget: Budget{Refused: 1, Push: 1, Odd: 1}, EndsAtRest: true},
	{Name: "merged by hand", PRs: 2, Budget: Budget{Merge: 1, Crash: 1, Label: 1}, EndsAtRest: true},
	{Name: "time passes meanwhile", PRs: 1, Budget: Budget{Impolite: 2, Odd: 2, Crash: 1}, EndsAtRest: true},
	{Name: "side by side", PRs: 3, BatchSize: 1, Parallel: 2, Bad: []int{2}, Budget: Budget{Crash: 1}, EndsAtRest: true},
	{Name: "a chain, and a base that moves", PRs: 2, BatchSize: 1, Parallel: 2, Budget: Budget{Admin: 1, Force: 1, Late: 1}, EndsAtRest: true},
	{Name: "one at a time", PRs: 2, BatchSize: 1, Budget: Budget{Late: 1, Admin: 1, Crash: 1}, EndsAtRest: true},
}
