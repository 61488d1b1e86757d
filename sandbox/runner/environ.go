package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// envPair is one variable or output.
type envPair struct {
	name, value string
}

// environ is a set of environment variables in order; names keep their case.
type environ struct {
	pairs []envPair
}

func newEnviron(list []string) environ {
	var e environ
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok {
			e.set(name, value)
		}
	}
	return e
}

func (e *environ) set(name, value string) {
	for i := range e.pairs {
		if e.pairs[i].name == name {
			e.pairs[i].value = value
			return
		}
	}
	e.pairs = append(e.pairs, envPair{name, value})
}

func (e *environ) add(pairs []envPair) {
	for _, p := range pairs {
		e.set(p.name, p.value)
	}
}

func (e environ) get(name string) string {
	for _, p := range e.pairs {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

func (e environ) clone() environ { return environ{slices.Clone(e.pairs)} }

func (e environ) list() []string {
	out := make([]string, len(e.pairs))
	for i, p := range e.pairs {
		out[i] = p.name + "=" + p.value
	}
	return out
}

// context is the env context. Names that differ in case alone stay apart; an
// expression finds the first of them.
func (e environ) context() *object {
	o := &object{members: make([]member, len(e.pairs))}
	for i, p := range e.pairs {
		o.members[i] = member{p.name, p.value}
	}
	return o
}

// find is the program of that name in this environment's PATH.
func (e environ) find(program string) (string, bool) {
	for _, dir := range filepath.SplitList(e.get("PATH")) {
		if !filepath.IsAbs(dir) {
			continue // a relative entry would depend on where a step stands
		}
		name := filepath.Join(dir, program)
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return name, true
		}
	}
	return "", false
}
