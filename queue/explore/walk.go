package explore

import (
	"fmt"
	"slices"
)

// Report is what the walk through one world came to.
type Report struct {
	World   string
	States  int
	Moves   int
	Depth   int
	Reached map[string]int // named condition → how often
	// Broken is the law that broke, with Trace the shortest way there; empty when all held.
	Broken string
	Trace  []string
	// Complete is false when a law broke or limit states were not enough.
	Complete bool
}

type step struct {
	from int32
	move move
}

// Explore walks every state of a world, nearest first, up to limit states.
func Explore(world World, limit int) Report {
	w := newWalk(world)
	r := Report{World: world.Name, Reached: w.reached}
	first := w.start()
	visited := map[uint64]struct{}{w.canon.hash(first): {}}
	steps := []step{{from: -1}}
	type node struct {
		s  *state
		id int32
	}
	level, next := []node{{first, 0}}, []node(nil)
	var list []move
	for len(level) > 0 && w.broken == "" {
		next = next[:0]
		for i, n := range level {
			level[i].s = nil
			list = w.moves(n.s, list)
			for _, m := range list {
				r.Moves++
				s := w.after(n.s, m)
				if w.broken != "" {
					r.Broken, r.States = w.broken, len(visited)
					r.Trace = retell(world, append(path(steps, n.id), m))
					return r
				}
				h := w.canon.hash(s)
				if _, known := visited[h]; known {
					continue
				}
				if visited[h] = struct{}{}; len(visited) > limit {
					r.States = len(visited)
					return r
				}
				steps = append(steps, step{n.id, m})
				next = append(next, node{s, int32(len(steps) - 1)})
			}
		}
		level, next = next, level
		r.Depth++
	}
	r.States, r.Complete = len(visited), true
	return r
}

func path(steps []step, at int32) []move {
	var moves []move
	for ; at > 0; at = steps[at].from {
		moves = append(moves, steps[at].move)
	}
	slices.Reverse(moves)
	return moves
}

// retell goes the way once more and writes it down.
func retell(world World, moves []move) []string {
	var lines []string
	w := newWalk(world)
	s := w.start()
	w.say = func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		lines = append(lines, line[:min(len(line), 300)])
	}
	for i, m := range moves {
		w.say("%2d. %s", i+1, w.describe(s, m))
		s = w.after(s, m)
	}
	return append(lines, w.broken)
}
