package explore

import (
	"fmt"
	"hash/maphash"
)

// commit is what git keeps: a parent and a change. It never changes, so all
// states of a walk share one forest.
type commit struct {
	name    string
	parent  *commit
	pr      int // whose change it is; 0: somebody else's
	head    string
	attempt int64
	sum     uint64 // of what it brings
}

type change struct {
	pr   int
	head string
}

type forest struct {
	byName map[string]*commit
	byWhat map[commit]*commit
}

func newForest() *forest {
	f := &forest{byName: map[string]*commit{}, byWhat: map[commit]*commit{}}
	f.grow(commit{})
	return f
}

// grow gives the commit that is this; the same always has the same name.
func (f *forest) grow(what commit) *commit {
	if have := f.byWhat[what]; have != nil {
		return have
	}
	c := what
	c.name = fmt.Sprintf("c%d", len(f.byName))
	if c.attempt != 0 {
		c.name = fmt.Sprintf("%s-of-attempt-%d-pr-%d", c.name, c.attempt, c.pr)
	}
	c.sum = maphash.Comparable(seed, change{c.pr, c.head})
	f.byWhat[what], f.byName[c.name] = &c, &c
	return &c
}

const root = "c0"

func (f *forest) contains(tip, name string) bool {
	for c := f.byName[tip]; c != nil; c = c.parent {
		if c.name == name {
			return true
		}
	}
	return false
}

// holds reports whether a pull request's change is in a commit's history.
func (f *forest) holds(tip string, pr int) bool {
	for c := f.byName[tip]; c != nil; c = c.parent {
		if c.pr == pr {
			return true
		}
	}
	return false
}

func (f *forest) parent(name string) string {
	if c := f.byName[name]; c != nil && c.parent != nil {
		return c.parent.name
	}
	return ""
}
