package runner

import (
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// trigger is one entry under `on:` that this forge can fire.
type trigger struct {
	event                        string
	types                        []string
	branches, tags               []pattern
	branchesIgnore, tagsIgnore   []pattern
	filtersBranches, filtersTags bool
	ignoresBranches, ignoresTags bool
}

var pullRequestTypes = []string{"opened", "synchronize", "reopened"}

// Triggered says whether the event starts this workflow: push, pull_request and
// workflow_dispatch with their filters. Any other trigger never matches.
func (w *Workflow) Triggered(e Event) bool {
	return slices.ContainsFunc(w.triggers, func(t trigger) bool { return t.fires(e) })
}

func (t trigger) fires(e Event) bool {
	if t.event != e.Name {
		return false
	}
	switch e.Name {
	case "push":
		return t.takesRef(e.Ref)
	case "pull_request":
		return slices.Contains(t.types, e.Action) && t.takesBranch(e.BaseRef)
	}
	return e.Name == "workflow_dispatch"
}

// takesRef applies the filters of a push. Filters on one kind of ref alone shut
// out the other kind.
func (t trigger) takesRef(ref string) bool {
	if tag, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		switch {
		case t.filtersTags:
			return chosen(tag, t.tags)
		case t.ignoresTags:
			return !chosen(tag, t.tagsIgnore)
		}
		return !t.filtersBranches && !t.ignoresBranches
	}
	branch, ok := strings.CutPrefix(ref, "refs/heads/")
	if !ok || (t.filtersTags || t.ignoresTags) && !t.filtersBranches && !t.ignoresBranches {
		return false
	}
	return t.takesBranch(branch)
}

func (t trigger) takesBranch(branch string) bool {
	switch {
	case t.filtersBranches:
		return chosen(branch, t.branches)
	case t.ignoresBranches:
		return !chosen(branch, t.branchesIgnore)
	}
	return true
}

// parseTrigger reads one entry of `on:`; ok is false for events that this
// forge never fires.
func (p *parser) parseTrigger(event actionlint.Event) (t trigger, ok bool) {
	if _, is := event.(*actionlint.WorkflowDispatchEvent); is {
		return trigger{event: event.EventName()}, true
	}
	hook, is := event.(*actionlint.WebhookEvent)
	if !is || event.EventName() != "push" && event.EventName() != "pull_request" {
		return trigger{}, false
	}
	t = trigger{event: event.EventName(), types: pullRequestTypes}
	for _, f := range []*actionlint.WebhookEventFilter{hook.Paths, hook.PathsIgnore} {
		if f != nil {
			p.fail(f.Name.Pos, "%s: is not supported: this runner doesn't look at changed files", f.Name.Value)
		}
	}
	if hook.Types != nil {
		t.types = nil
		for _, s := range hook.Types {
			t.types = append(t.types, s.Value)
		}
	}
	if t.event == "push" && hook.Types != nil {
		p.fail(hook.Pos, "push has no types:")
	}
	if t.event == "pull_request" && (hook.Tags != nil || hook.TagsIgnore != nil) {
		p.fail(hook.Pos, "pull_request has no tags: filter")
	}
	if hook.Branches != nil && hook.BranchesIgnore != nil || hook.Tags != nil && hook.TagsIgnore != nil {
		p.fail(hook.Pos, "a filter and its -ignore counterpart can't stand together")
	}
	t.branches, t.filtersBranches = p.parseFilter(hook.Branches)
	t.branchesIgnore, t.ignoresBranches = p.parseFilter(hook.BranchesIgnore)
	t.tags, t.filtersTags = p.parseFilter(hook.Tags)
	t.tagsIgnore, t.ignoresTags = p.parseFilter(hook.TagsIgnore)
	return t, true
}

func (p *parser) parseFilter(f *actionlint.WebhookEventFilter) (patterns []pattern, given bool) {
	if f == nil {
		return nil, false
	}
	for _, s := range f.Values {
		one, err := parsePattern(s.Value)
		if err != nil {
			p.fail(s.Pos, "%v", err)
			continue
		}
		patterns = append(patterns, one)
	}
	return patterns, true
}
