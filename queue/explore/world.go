package explore

// Budget is how often each kind of trouble may come in a world.
type Budget struct {
	Crash    int8 // an effect is done and its answer lost, or what was under way is forgotten
	Slow     int8 // an answer is under way while other things happen
	Late     int8 // a landing push without an answer, that may land later
	Odd      int8 // a landing push answered "unknown" though done, or "transient"
	Refused  int8 // a landing push refused by a rule
	Broken   int8 // a build, or the push of a ticket, that can't be done
	Lost     int8 // a webhook never arrives
	Flake    int8 // a good commit tested red
	Hang     int8 // a test that never ends
	Push     int8 // somebody pushes to a pull request
	Dismiss  int8 // an approval is taken back
	Approve  int8 // and given again
	Unlabel  int8 // the label is taken off
	Label    int8 // and set again
	Close    int8 // somebody closes a pull request
	Hotfix   int8 // one becomes a hotfix
	Hold     int8 // one is held, until somebody lets it go
	Leave    int8 // one is taken out by command
	Pause    int8 // an operator stops the queue, and resumes when nothing goes on
	Admin    int8 // somebody pushes to the base
	Force    int8 // somebody takes the newest commit out of the base
	Merge    int8 // somebody merges a pull request around the queue
	Copy     int8 // somebody runs CI on the ticket's commit elsewhere
	Impolite int8 // time passes while something is under way
}

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
	RedBase   bool  // every commit is red, until the base heals: when nothing else goes on
	Mends     int   // whose commits are green all the same
	BatchSize int
	Parallel  int // 0 is 1
	// EndsAtRest: nothing happens any more once all has ended.
	EndsAtRest bool
	Budget     Budget
}
