package git

import (
	"context"
	"fmt"
)

// survey reads everything a build decides by: which commits each member has of
// its own, what they and the base's newer commits change.
func (b *batch) survey(ctx context.Context) error {
	heads := make([]string, len(b.spec.Members))
	for i, m := range b.spec.Members {
		heads[i] = m.Head
	}
	var err error
	if b.history, err = b.clone.readHistory(ctx, b.spec.Base, heads); err != nil {
		return err
	}
	b.merges = b.history.membersWithMerges(len(heads))
	b.landed = b.history.below(b.spec.Landed)
	b.own = make([][]string, len(heads))
	read := newSet(b.spec.Base)
	mine := newSet()
	for i, head := range heads {
		b.own[i] = b.history.own(i+1, head)
		if n := len(b.own[i]); n > mostCommits {
			return &TooLargeError{head, fmt.Sprintf("it has %d commits of its own, and the limit is %d", n, mostCommits)}
		}
		for _, id := range b.own[i] {
			mine.add(id)
			read.add(id)
			for _, parent := range b.history.nodes[id].parents {
				read.add(parent)
			}
		}
	}
	for _, id := range b.wantHeads() {
		read.add(id)
	}
	if b.commits, err = b.worker.commits(ctx, read.list); err != nil {
		return err
	}
	if err = b.readOwn(ctx, mine.list); err != nil {
		return err
	}
	b.folders = foldersOf(b.changes)
	upstream := b.history.upstream()
	theirs, err := b.changesOf(ctx, upstream, 0)
	if err != nil {
		return err
	}
	b.upstream = map[string][]string{}
	for _, id := range upstream {
		b.upstream[theirs[id].outline] = append(b.upstream[theirs[id].outline], id)
		if b.changes[id] == nil {
			b.changes[id] = theirs[id]
		}
	}
	return nil
}

// twins are the base's commits that member i lacks and that touch the same
// paths in the same way as x.
func (b *batch) twins(i int, x string) []string {
	var twins []string
	for _, id := range b.upstream[b.changes[x].outline] {
		if b.history.lacks(i+1, id) {
			twins = append(twins, id)
		}
	}
	return twins
}

// duplicate says whether what x changes is in the base already, or among the
// commits put on it, as a patch of its own.
func (b *batch) duplicate(ctx context.Context, i int, x string, added []string) (bool, error) {
	mine := b.changes[x]
	if len(mine.entries) == 0 {
		return false, nil
	}
	twins := b.twins(i, x)
	if len(added) > 0 {
		changes, err := b.changesOf(ctx, added, 0)
		if err != nil {
			return false, err
		}
		for _, pair := range added {
			if changes[pair].outline == mine.outline {
				twins = append(twins, pair)
				b.changes[pair] = changes[pair]
			}
		}
	}
	for _, twin := range twins {
		if sameBlobs(mine, b.changes[twin]) {
			return true, nil
		}
	}
	if len(twins) == 0 {
		return false, nil
	}
	want, err := b.patchID(ctx, x)
	if err != nil {
		return false, err
	}
	for _, twin := range twins {
		id, err := b.patchID(ctx, twin)
		if err != nil || id == want {
			return id == want, err
		}
	}
	return false, nil
}

func sameBlobs(x, y *change) bool {
	if len(x.entries) != len(y.entries) {
		return false
	}
	for i := range x.entries {
		if x.entries[i] != y.entries[i] {
			return false
		}
	}
	return true
}

// prefetch brings, in one fetch, the blobs the merges and the comparing of
// patches will read. A merge reads a file's lines only where both sides
// changed it. What it misses here (a rename, a base's own merge) costs a fetch
// of its own later, never a wrong result.
func (b *batch) prefetch(ctx context.Context, base string) error {
	moved := map[string][]string{} // path to the base's commits that change it
	for _, ids := range b.upstream {
		for _, id := range ids {
			for _, e := range b.changes[id].entries {
				moved[e.path] = append(moved[e.path], id)
			}
		}
	}
	touched := map[string]int{} // path to how many members change it
	for i := range b.own {
		for _, path := range b.paths(i) {
			touched[path]++
		}
	}
	blobs, met := newSet(), newSet()
	for i := range b.own {
		for _, id := range b.own[i] {
			twins := b.twins(i, id)
			meets := len(twins) > 0
			for _, e := range b.changes[id].entries {
				if touched[e.path] > 1 || b.lacksAny(i, moved[e.path]) {
					meets = true
					met.add(e.path)
				}
			}
			if !meets {
				continue
			}
			for _, name := range append(twins, id) {
				for _, e := range b.changes[name].entries {
					blobs.addBlob(e.oldMode, e.oldID)
					blobs.addBlob(e.newMode, e.newID)
				}
			}
		}
	}
	ours, err := b.filesIn(ctx, base, met.list)
	if err != nil {
		return err
	}
	for i, m := range b.spec.Members {
		if m.Method != Rebase && len(met.list) > 0 {
			if err := b.addMerged(ctx, i, met.list, blobs); err != nil {
				return err
			}
		}
	}
	for _, id := range ours {
		blobs.add(id)
	}
	return b.bring(ctx, blobs.list)
}

// paths lists what member i changes.
func (b *batch) paths(i int) []string {
	paths := newSet()
	for _, id := range b.own[i] {
		for _, e := range b.changes[id].entries {
			paths.add(e.path)
		}
	}
	return paths.list
}

func (b *batch) lacksAny(i int, ids []string) bool {
	for _, id := range ids {
		if b.history.lacks(i+1, id) {
			return true
		}
	}
	return false
}

// bring fetches those objects that are not here.
func (w *worker) bring(ctx context.Context, ids []string) error {
	found, err := w.headers(ctx, ids)
	if err != nil {
		return err
	}
	var missing []string
	for i, o := range found {
		if o.missing() {
			missing = append(missing, ids[i])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return w.clone.fetchBlobs(ctx, missing)
}

// set is a list without doubles.
type set struct {
	list []string
	has  map[string]bool
}

func newSet(ids ...string) *set {
	s := &set{has: map[string]bool{}}
	for _, id := range ids {
		s.add(id)
	}
	return s
}

func (s *set) add(id string) {
	if !s.has[id] {
		s.has[id] = true
		s.list = append(s.list, id)
	}
}

// addBlob adds a file's content; a missing side and a submodule have none.
func (s *set) addBlob(mode, id string) {
	if id != "" && id != noID && mode != gitlink && mode != noMode {
		s.add(id)
	}
}
