package suite

import (
	"context"
	"fmt"
	"slices"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// Rerun runs failing tests once more, those with the keys, and returns the
// results with what they came to this time added. Where a test cannot be
// selected its whole item runs. The results are green only when nothing in them
// fails any more and every command of the rerun was green too.
func (r *Session) Rerun(ctx context.Context, had Results, keys []string) (Results, error) {
	had.Tests, had.Items = slices.Clone(had.Tests), slices.Clone(had.Items)
	items, picked := r.pick(had, keys)
	short := had.short()
	code := 0
	for _, item := range items {
		if ctx.Err() != nil {
			return had, nil
		}
		s := r.suite
		s.Sliced, s.Only, s.only = true, nil, slices.Compact(slices.Sorted(slices.Values(picked[item])))
		if len(s.only) == 0 {
			s.only = nil
		}
		fmt.Fprintf(r.board, "Again, at the server's word: %s\n", shard.Harmless(item))
		results, err := r.once(ctx, s, []string{item}, nil)
		if err != nil {
			return had, err
		}
		had.Wall += results.Wall
		if had.add(results, keys, short[item]); short[item] {
			had.settle(item, results)
		}
		if code == 0 {
			code = results.ExitCode
		}
	}
	if len(items) > 0 && code == 0 {
		had.heal(r.suite)
	}
	return had, nil
}

// pick lists the items in which the tests stand and how each is selected there;
// an item without a selection runs whole.
func (r *Session) pick(had Results, keys []string) (items []string, picked map[string][]string) {
	var ran []string
	for _, item := range had.Items {
		ran = append(ran, item.ID)
	}
	picked = map[string][]string{}
	whole := had.short()
	for _, t := range had.Tests {
		if !t.Failed() || !slices.Contains(keys, t.Key) {
			continue
		}
		item := r.suite.itemOf(t, ran)
		if item == "" {
			continue
		}
		if !slices.Contains(items, item) {
			items = append(items, item)
		}
		name, ok := r.suite.selector(item, t)
		whole[item] = whole[item] || !ok
		picked[item] = append(picked[item], name)
	}
	for item := range whole {
		if whole[item] {
			delete(picked, item)
		}
	}
	return items, picked
}

// short lists the items that broke as a whole: tests of theirs may never have run.
func (r Results) short() map[string]bool {
	short := map[string]bool{}
	for _, item := range r.Items {
		if item.Status == shard.Errored {
			short[item.ID] = true
		}
	}
	return short
}

// settle takes over how an item ended that was cut short and ran again as a whole.
func (r *Results) settle(item string, later Results) {
	at := slices.IndexFunc(later.Items, func(i shard.ItemResult) bool { return i.ID == item })
	for i := range r.Items {
		if r.Items[i].ID == item && at >= 0 {
			r.Items[i].Status = later.Items[at].Status
		}
	}
}

// add adds the executions of the tests with the keys, and of no others: those
// were not asked for. But of what was cut short the others count as well that had
// not run, or fail now.
func (r *Results) add(later Results, keys []string, short bool) {
	for _, t := range later.Tests {
		at := slices.IndexFunc(r.Tests, func(had shard.Test) bool { return had.Key == t.Key })
		if !slices.Contains(keys, t.Key) {
			switch {
			case short && at < 0:
				r.Tests = append(r.Tests, t)
			case short && t.Failed():
				r.Tests[at] = again(r.Tests[at], t)
			}
			continue
		}
		// One that is left out, or skipped, was not tried again.
		if at >= 0 && r.Tests[at].Failed() && t.Last().Status != shard.Skipped {
			r.Tests[at] = again(r.Tests[at], t)
		}
	}
}

// heal makes results green whose failures all passed in the end.
func (r *Results) heal(s Suite) {
	failing := map[string]bool{}
	var ids []string
	for _, item := range r.Items {
		ids = append(ids, item.ID)
	}
	for _, t := range r.Failing() {
		failing[s.itemOf(t, ids)] = true
	}
	for i, item := range r.Items {
		if item.Status == shard.Failed && !failing[item.ID] && !failing[""] {
			r.Items[i].Status = shard.Passed
		}
	}
	broken := slices.ContainsFunc(r.Items, func(item shard.ItemResult) bool {
		return item.Status == shard.Failed || item.Status == shard.Errored
	})
	if len(failing) == 0 && !broken && len(r.NotRun) == 0 {
		r.ExitCode = 0
	}
}
