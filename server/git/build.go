package git

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Spec says what to build. The same Spec gives the same commit ids, on any
// machine.
type Spec struct {
	Base      string // the commit the first member goes onto
	Members   []Member
	Committer Committer
	Trailers  []string // "Key: value" lines for each commit's message
	// Landed are heads that went into the base, rebased. A member that grew out
	// of one brings only what it has beyond it, though the commits it knows have
	// other ids in the base; a member put on the base just before counts as well.
	Landed []string
	// Watch picks the paths that BuiltMember.Watched names.
	Watch func(path string) bool
	// Empty, where it is set, is the message of one commit of ours put on top of
	// all, which changes nothing: what stands below it under a name of its own.
	Empty string
}

// Member is a pull request of a batch with its pinned head.
type Member struct {
	PR     int
	Head   string
	Method Method
	// After are pull requests without which it is not built, if they are members: in
	// their absence it would bring what is theirs.
	After []int
	// Message words the one commit that is made of it where it is squashed or merged,
	// from its own commits, oldest first. The same commits must give the same words.
	Message func(own []Authored) string
}

// Built is a batch, rebased. With no members its tip is the base, or the empty
// commit that was asked for on it.
type Built struct {
	Tip, Tree string
	Members   []BuiltMember
	Contained []int // pull requests with nothing left to land
	Skipped   []Conflict
}

// BuiltMember is what one pull request became.
type BuiltMember struct {
	PR        int
	Commits   []string // oldest first; all of them new
	Tip, Tree string
	Watched   []string // the first of the watched paths that its commits change, sorted
	Method    Method
	Squashed  bool     // its commits could not be rebased with their merges left out: it went in as one
	Folders   []string // that its commits change, sorted; the root is "."
}

// Conflict is a pull request left out because it does not merge, or because one it
// comes after was left out: then without files.
type Conflict struct {
	PR          int
	Files       []string
	OnBaseAlone bool // it conflicts with the base itself, not only with those before it
}

// Build puts the members one behind the other onto the base, each by its method.
// A rebase makes the choices git rebase makes: merges inside a pull request are
// flattened, patches the base already has and commits that become empty are
// dropped. Every commit of ours is written anew, so none existed before. A member
// in conflict is skipped.
// Errors: a commit the remote doesn't have (*MissingError), a head that brings an
// unsound object (*BadCommitError) or too much (*TooLargeError), git in trouble twice.
func (c *Clone) Build(ctx context.Context, spec Spec) (Built, error) {
	committer, err := spec.check()
	if err != nil {
		return Built{}, fmt.Errorf("build: %w", err)
	}
	needed := []string{spec.Base}
	for _, m := range spec.Members {
		needed = append(needed, m.Head)
	}
	var built Built
	for try := 1; ; try++ {
		if err = c.fetchNeeded(ctx, needed); err == nil {
			err = c.with(func(w *worker) error {
				built, err = w.build(ctx, spec, committer)
				return err
			})
		}
		var bad *trouble
		if err == nil || try == 2 || !errors.As(err, &bad) || ctx.Err() != nil {
			break
		}
		c.onDisk.Store(true)
		c.log.Warn("a git child failed; building once more", "err", err)
	}
	if err != nil {
		return Built{}, fmt.Errorf("build on %s: %w", spec.Base, err)
	}
	c.noteBuilt(built.Tip, spec.Base)
	return built, nil
}

func (s Spec) check() (committer string, err error) {
	if err := checkID(s.Base); err != nil {
		return "", err
	}
	for _, m := range s.Members {
		if err := checkID(m.Head); err != nil {
			return "", fmt.Errorf("head of #%d: %w", m.PR, err)
		}
		if m.Method != Rebase && m.Method != Squash && m.Method != Merge {
			return "", fmt.Errorf("#%d: there is no method %q", m.PR, m.Method)
		}
	}
	if strings.ContainsRune(s.Empty, 0) {
		return "", errors.New("the empty commit's message has a zero byte")
	}
	for _, line := range s.Trailers {
		if !isTrailer(line) {
			return "", fmt.Errorf("%.60q is no trailer", line)
		}
	}
	return s.Committer.line()
}

// batch is one build under way.
type batch struct {
	*worker
	spec      Spec
	committer string
	history   *history
	own       [][]string // per member, the commits to pick
	merges    []bool     // per member, whether it has merges besides
	commits   map[string]commit
	changes   map[string]*change
	upstream  map[string][]string // outline to commits of the base
	folders   []string
	landed    map[string]bool // commits that landed heads reach
	fresh     []rawObject     // the new commits
}

// place is where the next commit goes.
type place struct {
	commit, tree, rules string
	added               []string // "tree tree" of each commit put on the base
	members             []int    // indexes of the members put on the base
}

func (w *worker) build(ctx context.Context, spec Spec, committer string) (Built, error) {
	b := &batch{worker: w, spec: spec, committer: committer}
	if err := b.survey(ctx); err != nil {
		return Built{}, err
	}
	base := b.commits[spec.Base]
	at := place{commit: base.id, tree: base.tree}
	if err := b.prefetch(ctx, at.tree); err != nil {
		return Built{}, err
	}
	var err error
	if at.rules, err = w.rulesFor(ctx, at.tree, b.folders); err != nil {
		return Built{}, err
	}
	start := at
	var built Built
	for i, member := range spec.Members {
		if built.lacks(member.After) {
			built.Skipped = append(built.Skipped, Conflict{PR: member.PR})
			continue
		}
		next, files, err := b.put(ctx, i, at)
		switch {
		case err != nil:
			return Built{}, fmt.Errorf("#%d: %w", member.PR, err)
		case files != nil:
			alone := at.commit == start.commit
			if !alone {
				_, onBase, err := b.put(ctx, i, start)
				if err != nil {
					return Built{}, fmt.Errorf("#%d: %w", member.PR, err)
				}
				alone = onBase != nil
			}
			built.Skipped = append(built.Skipped, Conflict{PR: member.PR, Files: files, OnBaseAlone: alone})
		case len(next.texts) == 0:
			built.Contained = append(built.Contained, member.PR)
		default:
			built.Members = append(built.Members, b.take(member.PR, next))
			at = next.place
			at.members = append(at.members[:len(at.members):len(at.members)], i)
		}
	}
	built.Tip, built.Tree = at.commit, at.tree
	if spec.Empty != "" {
		if built.Tip, err = b.top(ctx, at); err != nil {
			return Built{}, err
		}
	}
	if len(b.fresh) > 0 {
		if err := w.keep(b.fresh); err != nil {
			return Built{}, err
		}
	}
	return built, nil
}

// lacks reports whether one of these was left out.
func (b *Built) lacks(prs []int) bool {
	return slices.ContainsFunc(b.Skipped, func(c Conflict) bool { return slices.Contains(prs, c.PR) })
}

// rebased is a member on its new place, not yet stored.
type rebased struct {
	place
	texts    [][]byte
	folders  map[string]bool
	watched  map[string]bool
	method   Method
	squashed bool
}

func newRebased(onto place) rebased {
	return rebased{place: onto, folders: map[string]bool{}, watched: map[string]bool{}}
}

// rebase picks a member's commits onto a place. Files are those in conflict,
// nil when it went well.
func (b *batch) rebase(ctx context.Context, i int, onto place) (rebased, []string, error) {
	r := newRebased(onto)
	for _, id := range b.own[i] {
		if b.covered(id, onto) {
			continue
		}
		x := b.commits[id]
		known, err := b.duplicate(ctx, i, id, onto.added)
		if err != nil {
			return r, nil, err
		}
		if known {
			continue
		}
		m, err := b.pick(ctx, x, r.place)
		if err != nil {
			return r, nil, fmt.Errorf("commit %s: %w", id, err)
		}
		if !m.clean {
			return r, append([]string{}, m.files...), nil
		}
		// A commit that was empty from the start stays, as with git rebase.
		if m.tree == r.tree && len(b.changes[id].entries) > 0 {
			continue
		}
		text, err := b.signed(ctx, x.rewritten(m.tree, r.commit, b.committer, b.spec.Trailers))
		if err != nil {
			return r, nil, err
		}
		r.texts = append(r.texts, text)
		for _, e := range b.changes[id].entries {
			r.folders[path.Dir(e.path)] = true
		}
		b.changes[id].watched(b.spec.Watch, r.watched)
		if m.tree != r.tree {
			r.added = append(r.added[:len(r.added):len(r.added)], r.tree+" "+m.tree)
		}
		r.commit, r.tree = objectID("commit", text), m.tree
		if b.changes[id].touchesAttributes() {
			if r.rules, err = b.rulesFor(ctx, r.tree, b.folders); err != nil {
				return r, nil, err
			}
		}
	}
	return r, nil, nil
}

// covered says whether a commit is in what landed, or in a member already put here.
func (b *batch) covered(id string, at place) bool {
	for _, i := range at.members {
		if !b.history.lacks(i+1, id) {
			return true
		}
	}
	return b.landed[id]
}

// pick gives the tree of x on a place; the two cases in which nothing can meet
// need no merge.
func (b *batch) pick(ctx context.Context, x commit, at place) (merged, error) {
	parent := emptyTree
	if len(x.parents) > 0 {
		parent = b.commits[x.parents[0]].tree
	}
	if parent == x.tree {
		return merged{tree: at.tree, clean: true}, nil
	}
	if parent == at.tree {
		return merged{tree: x.tree, clean: true}, nil
	}
	return b.pickOnto(ctx, at.tree, x, at.rules)
}

// take makes a rebased member part of the batch.
func (b *batch) take(pr int, r rebased) BuiltMember {
	m := BuiltMember{PR: pr, Tip: r.commit, Tree: r.tree, Folders: slices.Sorted(maps.Keys(r.folders)), Watched: firstOf(r.watched), Method: r.method, Squashed: r.squashed}
	for _, text := range r.texts {
		o := rawObject{objectID("commit", text), "commit", text}
		b.fresh = append(b.fresh, o)
		m.Commits = append(m.Commits, o.id)
	}
	return m
}

// top puts the empty commit on a place. Nobody but us wrote it, so that author
// and committer are one.
func (b *batch) top(ctx context.Context, at place) (string, error) {
	own := commit{author: b.committer, message: []byte(b.spec.Empty + "\n")}
	text, err := b.signed(ctx, own.rewritten(at.tree, at.commit, b.committer, b.spec.Trailers))
	if err != nil {
		return "", err
	}
	o := rawObject{objectID("commit", text), "commit", text}
	b.fresh = append(b.fresh, o)
	return o.id, nil
}
