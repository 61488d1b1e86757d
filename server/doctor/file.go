package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// file is a workflow, read.
type file struct {
	path string
	tree *actionlint.Workflow
	jobs []*actionlint.Job // in the file's order
	push *actionlint.WebhookEvent
	on   []string // its events
}

// readFile reads leniently: what GitHub would take must not be lost over a detail.
func readFile(w Workflow) (*file, error) {
	tree, bad := actionlint.Parse(w.Text)
	if tree == nil || len(tree.On) == 0 && len(tree.Jobs) == 0 {
		if len(bad) > 0 {
			return nil, fmt.Errorf("line %d: %s", bad[0].Line, bad[0].Message)
		}
		return nil, fmt.Errorf("it is no workflow")
	}
	f := &file{path: w.Path, tree: tree}
	for _, event := range tree.On {
		f.on = append(f.on, event.EventName())
		if hook, ok := event.(*actionlint.WebhookEvent); ok && hook.EventName() == "push" {
			f.push = hook
		}
	}
	for _, j := range tree.Jobs {
		f.jobs = append(f.jobs, j)
	}
	slices.SortFunc(f.jobs, func(a, b *actionlint.Job) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return f, nil
}

func (f *file) at(pos *actionlint.Pos) string {
	if pos == nil {
		return f.path
	}
	return fmt.Sprintf("%s:%d", f.path, pos.Line)
}

func (f *file) has(event string) bool { return slices.Contains(f.on, event) }

// runsOn says whether a push to the branch starts it, whatever it changes.
func (f *file) runsOn(branch string) bool {
	switch {
	case f.push == nil:
		return false
	case f.push.Branches != nil:
		return chosen(values(f.push.Branches), branch)
	case f.push.BranchesIgnore != nil:
		return !chosen(values(f.push.BranchesIgnore), branch)
	}
	return f.push.Tags == nil && f.push.TagsIgnore == nil // a filter of tags alone leaves branches out
}

// everywhere says that every branch's push starts it.
func (f *file) everywhere() bool {
	return f.runsOn("somebodys-topic") && f.runsOn("somebody/topic/branch")
}

func values(filter *actionlint.WebhookEventFilter) []string {
	var all []string
	for _, v := range filter.Values {
		all = append(all, v.Value)
	}
	return all
}

func (f *file) usesOurAction() bool {
	return slices.ContainsFunc(f.jobs, usesOurAction)
}

func usesOurAction(j *actionlint.Job) bool {
	return slices.ContainsFunc(j.Steps, func(s *actionlint.Step) bool {
		action, ok := s.Exec.(*actionlint.ExecAction)
		return ok && action.Uses != nil && strings.HasPrefix(strings.ToLower(action.Uses.Value), mainstayAction+"@")
	})
}

// mayAskIdentity says whether the job gets an identity token.
func (f *file) mayAskIdentity(j *actionlint.Job) bool {
	granted := j.Permissions
	if granted == nil {
		granted = f.tree.Permissions
	}
	if granted == nil {
		return false
	}
	if granted.All != nil {
		return granted.All.Value == "write-all"
	}
	scope := granted.Scopes["id-token"]
	return scope != nil && scope.Value != nil && scope.Value.Value == "write"
}
