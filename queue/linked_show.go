package queue

import (
	"fmt"
	"strings"
)

// waitsFor says for whom an entry in line waits, when that is more than its turn.
func (t *step) waitsFor(e *Entry) string {
	if len(e.PR.Strange) > 0 {
		return "Waiting: it depends on " + plain(e.PR.Strange[0]) + ", which is no pull request here"
	}
	pr, on := t.lacking(e, func(pr int) bool { return t.comes(pr, len(t.header.Linked)) })
	if pr == 0 {
		return ""
	}
	what := fmt.Sprintf("Waiting for #%d, which it depends on", pr)
	if on {
		what = fmt.Sprintf("Waiting for #%d, on which it stands", pr)
	}
	if why := t.whyNot(e, pr); why != "" {
		what += ": that one " + why
	}
	return what
}

// comes reports whether one waits for nothing but turns: its own, and those of so
// many that it waits for one behind the other.
func (t *step) comes(pr, links int) bool {
	b := t.entries[pr]
	if b == nil || b.held() || len(b.PR.Strange) > 0 || b.Phase != Waiting {
		return t.underWay(pr)
	}
	if links == 0 || !b.linked() {
		return true
	}
	n, _ := t.lacking(b, func(pr int) bool { return t.comes(pr, links-1) })
	return n == 0
}

// whyNot says why one that is waited for does not come.
func (t *step) whyNot(e *Entry, pr int) string {
	b := t.entries[pr]
	switch {
	case b != nil && b.Phase == Out:
		return "went out of the queue"
	case b != nil && b.held():
		return "is held"
	case b != nil && b.Phase == Asking:
		return "waits for approval"
	case b != nil:
		return ""
	}
	for _, n := range e.PR.Needs {
		switch {
		case n.PR != pr:
		case n.Status == ClosedStatus:
			return "was closed"
		case n.Status == Open:
			return "has no label"
		default:
			return "is no pull request here"
		}
	}
	return ""
}

// writeLinks says what an entry lands with, or after.
func (t *step) writeLinks(b *strings.Builder, e *Entry) {
	if top := t.entries[e.For]; e.For != 0 && top != nil {
		fmt.Fprintf(b, "It is in the stack of #%d, for which %s asked.\n\n", e.For, code(e.Wish.By.Login))
	}
	if below := names(e.below()); below != "" {
		fmt.Fprintf(b, "It stands on %s: they land together, in order, or up to the one that fails.\n\n", below)
	}
	var needs []int
	for _, n := range e.PR.Needs {
		needs = append(needs, n.PR)
	}
	if all := names(needs); all != "" {
		fmt.Fprintf(b, "It depends on %s and does not land before.\n\n", all)
	}
}

// names are pull requests, the first that lands first.
func names(prs []int) string {
	var all []string
	for i := len(prs) - 1; i >= 0; i-- {
		all = append(all, fmt.Sprintf("#%d", prs[i]))
	}
	return strings.Join(all, ", ")
}
