package explore

import (
	"fmt"
	"slices"
	"sync"
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

// MostStates is more than any of our worlds has.
const MostStates = 500_000

// step says how a state was first reached. Of a state that was gone on from
// nothing but that and its hash is kept.
type step struct {
	from int32
	move move
}

type found struct {
	s  *state
	id int32
}

// graph is the states found so far, by number, and the moves between them that
// need no trouble.
type graph struct {
	visited map[uint64]int32
	steps   []step
	edges   [][2]int32 // from, to
	rests   []int32
}

// Explore walks every state of a world, nearest first, up to limit states. A world
// walked to its end is also held against the law that from every state, if no
// more trouble comes, all comes to rest.
func Explore(world World, limit int) Report {
	w := newWalk(world)
	r := Report{World: world.Name, Reached: w.reached}
	first := w.start()
	g := &graph{visited: map[uint64]int32{w.canon.hash(first): 0}, steps: []step{{from: -1}}}
	level, next := []found{{first, 0}}, []found(nil)
	var list []move
	for len(level) > 0 && len(g.steps) <= limit {
		next = next[:0]
		for i, n := range level {
			if w.restsBut(n.s, true) {
				g.rests = append(g.rests, n.id)
			}
			list = w.moves(n.s, list)
			r.Moves += len(list)
			for _, m := range list {
				s := w.after(n.s, m)
				if w.broken != "" {
					r.Broken, r.States = w.broken, len(g.steps)
					r.Trace = retell(world, append(g.path(n.id), m))
					return r
				}
				id, known := g.number(w.canon.hash(s), step{n.id, m})
				if s.Left == n.s.Left {
					g.edges = append(g.edges, [2]int32{n.id, id})
				}
				if known {
					w.free = append(w.free, s)
				} else {
					next = append(next, found{s, id})
				}
			}
			w.free, level[i].s = append(w.free, n.s), nil
		}
		level, next = next, level
		r.Depth++
	}
	r.States, r.Complete = len(g.steps), len(level) == 0
	if stuck := g.stuck(); r.Complete && stuck >= 0 {
		r.Complete, r.Broken = false, "progress: from here nothing comes to rest any more"
		r.Trace = append(retell(world, g.path(stuck)), r.Broken)
	}
	return r
}

// number is the number of the state with this hash, a new one where it is unknown.
func (g *graph) number(hash uint64, how step) (id int32, known bool) {
	if id, known = g.visited[hash]; known {
		return id, true
	}
	id = int32(len(g.steps))
	g.visited[hash] = id
	g.steps = append(g.steps, how)
	return id, false
}

// stuck is the first state from which no rest can be reached; -1 when there is none.
func (g *graph) stuck() int32 {
	first := make([]int32, len(g.steps)+1) // the edges to a state, as a range of from
	for _, e := range g.edges {
		first[e[1]+1]++
	}
	for i := range g.steps {
		first[i+1] += first[i]
	}
	from, at := make([]int32, len(g.edges)), slices.Clone(first)
	for _, e := range g.edges {
		from[at[e[1]]] = e[0]
		at[e[1]]++
	}
	rests := make([]bool, len(g.steps))
	todo := slices.Clone(g.rests)
	for _, id := range todo {
		rests[id] = true
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, x := range from[first[id]:first[id+1]] {
			if !rests[x] {
				rests[x] = true
				todo = append(todo, x)
			}
		}
	}
	return int32(slices.Index(rests, false))
}

func (g *graph) path(at int32) []move {
	var moves []move
	for ; at > 0; at = g.steps[at].from {
		moves = append(moves, g.steps[at].move)
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

// All explores many worlds, so many at a time. The reports are in the order of the worlds.
func All(worlds []World, limit, together int) []Report {
	reports := make([]Report, len(worlds))
	todo := make(chan int)
	var done sync.WaitGroup
	for range together {
		done.Go(func() {
			for i := range todo {
				reports[i] = Explore(worlds[i], limit)
			}
		})
	}
	for i := range worlds {
		todo <- i
	}
	close(todo)
	done.Wait()
	return reports
}
