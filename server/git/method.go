package git

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Method is how a pull request's commits go onto the base.
type Method string

// The methods. The zero value rebases.
const (
	Rebase Method = ""
	Squash Method = "squash" // one commit with all that it changes
	Merge  Method = "merge"  // one commit with the pull request's head as its second parent
)

// Authored is what a message may need of a commit that was squashed or merged.
type Authored struct {
	Author  string // "Name <address>"
	Message string
}

// put puts a member onto a place by its method. Files are those in conflict, nil
// when it went well.
func (b *batch) put(ctx context.Context, i int, onto place) (rebased, []string, error) {
	method := b.spec.Members[i].Method
	if method != Rebase {
		return b.join(ctx, i, onto, method)
	}
	r, files, err := b.rebase(ctx, i, onto)
	if err != nil || files == nil || !b.merges[i] {
		return r, files, err
	}
	// git rebase leaves merges out, and with them how their conflicts were solved:
	// what they solved is kept where the whole goes in at once.
	whole, still, err := b.join(ctx, i, onto, Squash)
	if err != nil || still != nil {
		return r, files, err
	}
	whole.squashed = true
	return whole, nil, nil
}

// join puts all that a member changes onto a place as one commit, merged as git
// merge does it.
func (b *batch) join(ctx context.Context, i int, onto place, method Method) (rebased, []string, error) {
	r := newRebased(onto)
	r.method = method
	head := b.spec.Members[i].Head
	left, empty := b.left(i, onto)
	m, err := b.mergeHead(ctx, i, onto)
	if err != nil {
		return r, nil, err
	}
	if !m.clean {
		return r, append([]string{}, m.files...), nil
	}
	if m.tree == onto.tree && !empty {
		return r, nil, nil
	}
	own := commit{author: b.committer}
	parents := []string{onto.commit}
	if method == Merge {
		parents = append(parents, head)
	} else {
		own.author = b.squashAuthor(left, head)
	}
	own.message = b.message(i, left)
	text, err := b.signed(ctx, own.text(m.tree, parents, b.committer, b.spec.Trailers))
	if err != nil {
		return r, nil, err
	}
	r.texts = [][]byte{text}
	r.commit, r.tree = objectID("commit", r.texts[0]), m.tree
	if m.tree == onto.tree {
		return r, nil, nil
	}
	return r, nil, b.follow(ctx, &r, onto)
}

// follow takes note of what a joined member changed.
func (b *batch) follow(ctx context.Context, r *rebased, onto place) error {
	pair := onto.tree + " " + r.tree
	changes, err := b.changesOf(ctx, []string{pair}, 0)
	if err != nil {
		return err
	}
	for _, e := range changes[pair].entries {
		r.folders[path.Dir(e.path)] = true
	}
	changes[pair].watched(b.spec.Watch, r.watched)
	r.added = append(onto.added[:len(onto.added):len(onto.added)], pair)
	if changes[pair].touchesAttributes() {
		r.rules, err = b.rulesFor(ctx, r.tree, b.folders)
	}
	return err
}

// left are the commits of a member that are not on a place yet, and whether all
// of them were empty from the start: those are wanted for themselves.
func (b *batch) left(i int, at place) (ids []string, empty bool) {
	empty = true
	for _, id := range b.own[i] {
		if !b.covered(id, at) {
			ids = append(ids, id)
			empty = empty && len(b.changes[id].entries) == 0
		}
	}
	return ids, empty && len(ids) > 0
}

// mergeHead merges a member's head into a place. History is made up as if all
// that stands there had been merged: so a pull request that grew out of another
// meets it where they parted, however that one landed.
func (b *batch) mergeHead(ctx context.Context, i int, at place) (merged, error) {
	head := b.spec.Members[i].Head
	parents := newSet(b.spec.Base)
	for _, id := range b.spec.Landed {
		if b.history.nodes[id] != nil {
			parents.add(id)
		}
	}
	for _, before := range at.members {
		parents.add(b.spec.Members[before].Head)
	}
	ours, err := b.scratchMerge(at.tree, parents.list)
	if err != nil {
		return merged{}, err
	}
	return b.mergeOrWarm(ctx, ours, head, at.rules)
}

// membersWithMerges says which members have merges of their own.
func (h *history) membersWithMerges(members int) []bool {
	found := make([]bool, members)
	for _, n := range h.nodes {
		if len(n.parents) < 2 || n.reach.has(0) {
			continue
		}
		for i := range found {
			found[i] = found[i] || n.reach.has(i+1)
		}
	}
	return found
}

// squashAuthor is who wrote the first of the commits, at the time of the last.
func (b *batch) squashAuthor(ids []string, head string) string {
	if len(ids) == 0 {
		return b.commits[head].author
	}
	who, _ := cutTime(b.commits[ids[0]].author)
	_, when := cutTime(b.commits[ids[len(ids)-1]].author)
	return who + " " + when
}

// cutTime cuts an author's line before its time.
func cutTime(author string) (who, when string) {
	end := strings.LastIndexByte(author, '>') + 1
	return author[:end], strings.TrimSpace(author[end:])
}

// message words the one commit of a member.
func (b *batch) message(i int, ids []string) []byte {
	member := b.spec.Members[i]
	text := fmt.Sprintf("Pull request #%d", member.PR)
	if member.Message != nil {
		var all []Authored
		for _, id := range ids {
			x := b.commits[id]
			who, _ := cutTime(x.author)
			all = append(all, Authored{Author: strings.ToValidUTF8(who, "?"), Message: strings.ToValidUTF8(string(x.message), "?")})
		}
		text = member.Message(all)
	}
	return []byte(strings.TrimRight(strings.ReplaceAll(text, "\x00", ""), "\n") + "\n")
}

// wantHeads are the heads that are read as commits: those that may go in whole.
func (b *batch) wantHeads() []string {
	var ids []string
	for i, m := range b.spec.Members {
		if m.Method != Rebase || b.merges[i] {
			ids = append(ids, m.Head)
		}
	}
	return ids
}

// forks are the commits of the base that a member's own stand on: where a merge
// of its head begins.
func (b *batch) forks(i int) []string {
	found := newSet()
	for _, n := range b.history.nodes {
		if !n.reach.has(i+1) || n.reach.has(0) {
			continue
		}
		for _, parent := range n.parents {
			if p := b.history.nodes[parent]; p == nil || p.reach.has(0) {
				found.add(parent)
			}
		}
	}
	slices.Sort(found.list)
	return found.list
}

// addMerged adds the blobs that the merge of a whole member reads: its files that
// meet others, where it began and as they are in its head.
func (b *batch) addMerged(ctx context.Context, i int, met []string, blobs *set) error {
	commits, err := b.worker.commits(ctx, append(b.forks(i), b.spec.Members[i].Head))
	if err != nil {
		return err
	}
	for _, x := range commits {
		files, err := b.filesIn(ctx, x.tree, met)
		if err != nil {
			return err
		}
		for _, id := range files {
			blobs.add(id)
		}
	}
	return nil
}

// text is the commit's own bytes.
func (c commit) text(tree string, parents []string, committer string, trailers []string) []byte {
	var b bytes.Buffer
	b.WriteString("tree " + tree + "\n")
	for _, parent := range parents {
		b.WriteString("parent " + parent + "\n")
	}
	b.WriteString("author " + c.author + "\ncommitter " + committer + "\n")
	if c.encoding != "" {
		b.WriteString("encoding " + c.encoding + "\n")
	}
	b.WriteString("\n")
	b.Write(withTrailers(c.message, trailers))
	return b.Bytes()
}
