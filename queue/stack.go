package queue

import "strconv"

// Stack is what a pull request stands on where its base is the branch of another
// one: all of that lands before it, or with it.
type Stack struct {
	// Below are those it stands on, from the one just below to the lowest.
	Below []int `json:"below,omitempty"`
	// Past are those it stood on that have landed since it is in line.
	Past []int `json:"past,omitempty"`
	// Base is the branch that the lowest targets; where there is a flaw, the default branch.
	Base string `json:"base"`
	// Flaw says why it can't be followed to its ground, and At with whom that was found.
	Flaw Flaw `json:"flaw,omitempty"`
	At   int  `json:"at,omitempty"`
	// Ref is the branch with the flaw.
	Ref string `json:"ref,omitempty"`
	// Native: GitHub itself keeps the stack, and changes its bases.
	Native bool `json:"native,omitempty"`
}

// Flaw is what is wrong with a stack.
type Flaw string

// The flaws.
const (
	FlawCycle   Flaw = "cycle"   // it comes back to itself
	FlawSeveral Flaw = "several" // a branch is the head of more than one open pull request
	FlawMerged  Flaw = "merged"  // the one below was merged, and its branch stayed
	FlawClosed  Flaw = "closed"  // the one below was closed
	FlawDeep    Flaw = "deep"    // there are more than MostBelow
)

// MostBelow is how many pull requests one may stand on.
const MostBelow = 100

// Descend takes in who has Base, where the lowest so far stands, as its head, in any
// status, and reports whether there is more below: Base is then that one's base. Of
// is whose stack it is. Branches of forks may have the same name; they are others.
func (s *Stack) Descend(of int, heads []PullRequest) (more bool) {
	var open []PullRequest
	var over *PullRequest
	for i, pr := range heads {
		switch {
		case pr.Fork || pr.HeadRef != s.Base:
		case pr.Status == Open:
			open = append(open, pr)
		case over == nil || pr.Status == Merged && over.Status != Merged || pr.Status == over.Status && pr.Number > over.Number:
			over = &heads[i]
		}
	}
	switch {
	case len(open) > 1:
		s.flaw(FlawSeveral, open[0].Number)
	case len(open) == 0 && over == nil:
	case len(open) == 0 && over.Status == Merged:
		s.flaw(FlawMerged, over.Number)
	case len(open) == 0:
		s.flaw(FlawClosed, over.Number)
	case open[0].Number == of || contains(s.Below, open[0].Number):
		s.flaw(FlawCycle, open[0].Number)
	case len(s.Below) == MostBelow:
		s.flaw(FlawDeep, open[0].Number)
	default:
		s.Below, s.Base = append(s.Below, open[0].Number), open[0].Base
		return true
	}
	return false
}

func (s *Stack) flaw(f Flaw, at int) { s.Flaw, s.At, s.Ref = f, at, s.Base }

// Home is the branch that a pull request is to land on.
func (pr *PullRequest) Home() string {
	if pr.Stack != nil {
		return pr.Stack.Base
	}
	return pr.Base
}

// below are those that an entry stands on, the one just below first.
func (e *Entry) below() []int {
	if e.PR.Stack == nil {
		return nil
	}
	return e.PR.Stack.Below
}

// end is how one goes out whose stack has a flaw.
func (s *Stack) end() End {
	end := End{Reason: Retargeted, Next: "Set its base to the branch that it is to land on, then set the label again."}
	at, ref := "#"+strconv.Itoa(s.At), code(s.Ref)
	switch s.Flaw {
	case FlawCycle:
		end.Reason, end.Detail = Conflict, "Its stack comes back to itself: "+at+" is in it twice."
	case FlawSeveral:
		end.Detail = "It stands on the branch " + ref + ", which is the head of more than one open pull request, " + at + " among them."
		end.Next = "Close all of them but one, then set the label again."
	case FlawMerged:
		end.Detail = "It stands on the branch " + ref + " of " + at + ", which is merged."
		end.Next = "Set its base to " + code(s.Base) + ", then set the label again. A branch that is meant to be landed on is known by being protected."
	case FlawClosed:
		end.Detail = "It stands on the branch " + ref + " of " + at + ", which was closed."
	case FlawDeep:
		end.Detail = "It stands on more than " + strconv.Itoa(MostBelow) + " pull requests."
		end.Next = "Land the lower ones first."
	}
	return end
}
