// Package search decides what to test next.
package search

type Rates struct{ Fail, Flake float64 }
type Red struct {
	Members []int
	Times   int
	Tests   []string
	Error   bool
}
type Candidate struct {
	PR    int
	Fail  float64
	Alone bool
}
type Build struct {
	ID, On  int64
	Members []int
	Green   bool
	Narrow  []string
}
type View struct {
	Rates
	Line     []Candidate
	Reds     []Red
	Builds   []Build
	Slots    int
	Min, Max int
	Size     int
	Narrow   bool
}
type Start struct {
	On      int64
	Members []int
	Tests   []string
}
type Choice struct {
	Start []Start
	Drop  []int64
}

func Next(v View) Choice {
	var on int64
	busy := map[int]bool{}
	running := 0
	for _, b := range v.Builds {
		if b.Green {
			on = b.ID
		} else {
			running++
		}
		for _, pr := range b.Members {
			busy[pr] = true
		}
	}
	if running >= v.Slots {
		return Choice{}
	}
	size := v.Size
	if size == 0 {
		size = 15
	}
	var members []int
	for _, c := range v.Line {
		if !busy[c.PR] && len(members) < size {
			members = append(members, c.PR)
		}
	}
	for _, r := range v.Reds {
		in := map[int]bool{}
		for _, pr := range r.Members {
			in[pr] = true
		}
		n := 0
		for n < len(members) && in[members[n]] {
			n++
		}
		if n > 0 {
			if half := (len(r.Members) + 1) / 2; n > half {
				n = half
			}
			members = members[:n]
		}
	}
	if len(members) == 0 {
		return Choice{}
	}
	return Choice{Start: []Start{{On: on, Members: members}}}
}

func Guilty(v View) []int {
	var out []int
	for _, r := range v.Reds {
		if len(r.Members) == 1 {
			out = append(out, r.Members[0])
		}
	}
	return out
}
