package doctor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// named is a job and the names of its checks.
type named struct {
	file  *file
	job   *actionlint.Job
	names []string
}

func (n named) gives(check string) bool {
	return slices.ContainsFunc(n.names, func(pattern string) bool { return fits(pattern, check) })
}

func (e *examination) usesOurAction() bool {
	for _, w := range e.Workflows {
		if f, err := readFile(w); err == nil && f.usesOurAction() {
			return true
		}
	}
	return false
}

func (e *examination) workflows() {
	var files []*file
	for _, w := range e.Workflows {
		f, err := readFile(w)
		if err != nil {
			e.add(Warning, "workflow_unreadable", w.Path, "It can't be read as a workflow: "+err.Error()+".", "Mend the file; GitHub starts nothing from it either.")
			continue
		}
		files = append(files, f)
	}
	jobs := allJobs(files)
	e.triggers(files)
	e.requiredChecks(jobs)
	for _, f := range files {
		if !f.runsOn(e.ticket()) {
			continue
		}
		e.paths(f, jobs)
		e.concurrency(f)
		e.identity(f)
	}
}

func allJobs(files []*file) []named {
	byPath := map[string]*file{}
	for _, f := range files {
		byPath[f.path] = f
	}
	var namesOf func(j *actionlint.Job, depth int) []string
	namesOf = func(j *actionlint.Job, depth int) []string {
		return checkNames(j, func(uses string) []string {
			local, ok := strings.CutPrefix(uses, "./")
			if callee := byPath[local]; ok && callee != nil && depth < 4 {
				var all []string
				for _, inner := range callee.jobs {
					all = append(all, namesOf(inner, depth+1)...)
				}
				return all
			}
			return []string{star} // of another repository
		})
	}
	var jobs []named
	for _, f := range files {
		for _, j := range f.jobs {
			jobs = append(jobs, named{f, j, namesOf(j, 0)})
		}
	}
	return jobs
}

// triggers looks whether anything runs on a ticket, and whether too much does.
func (e *examination) triggers(files []*file) {
	running, queued := 0, ""
	for _, f := range files {
		if f.runsOn(e.ticket()) {
			running++
			if f.everywhere() {
				e.add(Warning, "builds_twice", f.at(f.push.Pos), "It runs on a push to every branch: also on those of pull requests that Mainstay moves just before the landing, and beside `pull_request`. Those runs are cancelled, and cost a start each.",
					fmt.Sprintf("Narrow it: `push: {branches: [%s, \"mainstay/**\"]}`.", e.Branch))
			}
		}
		if f.has("merge_group") && queued == "" {
			queued = f.path
		}
	}
	if running > 0 || len(files) == 0 && e.otherCI() {
		return
	}
	text := fmt.Sprintf("No workflow of `%s` runs on a push to `%s`: nothing tests a ticket, and every batch ends as `never_started`.", e.Branch, e.ticket())
	code := "no_trigger"
	if queued != "" {
		code, text = "merge_group_only", fmt.Sprintf("%s runs on `merge_group`, which only GitHub's own queue starts; no workflow runs on a push to `%s`.", queued, e.ticket())
	}
	level := Broken
	if e.otherCI() {
		level = Warning // it may build all of it
	}
	e.add(level, code, ".github/workflows", text, "Add to the workflow that tests pull requests: `push: {branches: [\"mainstay/**\"]}`.")
}

// otherCI says that a check is required which comes from elsewhere than Actions.
func (e *examination) otherCI() bool {
	return slices.ContainsFunc(e.Required, func(r Required) bool { return r.App != 0 && r.App != ActionsApp && r.App != e.OurApp })
}

// requiredChecks looks for required names that never come on a ticket.
func (e *examination) requiredChecks(jobs []named) {
	for _, r := range e.Required {
		if r.Name == e.OurCheck {
			if r.App != 0 && r.App != e.OurApp {
				e.add(Broken, "check_of_another", r.Source, fmt.Sprintf("The check %q is required of another App (%d): ours never counts.", r.Name, r.App),
					"Choose the check anew in that rule, with this App as its source.")
			}
			continue
		}
		if r.App == e.OurApp && r.App != 0 {
			e.add(Broken, "advice_required", r.Source, fmt.Sprintf("The check %q of this App is required. It is advice, posted on some commits only: every batch would wait for it.", r.Name),
				fmt.Sprintf("Take it out of the rule: of this App only %q can be required.", e.OurCheck))
			continue
		}
		if r.App != 0 && r.App != ActionsApp {
			e.add(Note, "required_elsewhere", r.Source, fmt.Sprintf("The required check %q comes from another App (%d), which must build `mainstay/**`.", r.Name, r.App),
				"Run `mainstay doctor --self-test`: it says whether the check comes.")
			continue
		}
		e.requiredJob(r, jobs)
	}
}

func (e *examination) requiredJob(r Required, jobs []named) {
	var elsewhere *named
	for i, n := range jobs {
		if !n.gives(r.Name) {
			continue
		}
		if n.file.runsOn(e.ticket()) {
			e.skips(r, n)
			return
		}
		elsewhere = &jobs[i]
	}
	switch {
	case elsewhere != nil:
		e.add(Broken, "required_not_on_tickets", elsewhere.file.at(elsewhere.job.Pos),
			fmt.Sprintf("The required check %q comes from a workflow that does not run on a push to `%s`: every batch would wait for it and time out.", r.Name, e.ticket()),
			fmt.Sprintf("Add `push: {branches: [\"mainstay/**\"]}` to %s.", elsewhere.file.path))
	case r.App == ActionsApp:
		e.add(Broken, "required_never_comes", r.Source, fmt.Sprintf("No job gives the required check %q: every batch would wait for it and time out.", r.Name),
			"Take it out of the rule, or give a job that name; a job's name is its `name`, with its matrix values.")
	default:
		e.add(Warning, "required_unknown", r.Source, fmt.Sprintf("No workflow here gives the required check %q. It may be another tool's, which must then build `mainstay/**`.", r.Name),
			"Run `mainstay doctor --self-test`: it says whether the check comes. If none gives it, take it out of the rule.")
	}
}

var always = regexp.MustCompile(`(?i)\balways\s*\(\s*\)|!\s*cancelled\s*\(\s*\)`)

// skips finds a required job whose being skipped GitHub takes for success.
func (e *examination) skips(r Required, n named) {
	condition := ""
	if n.job.If != nil {
		condition = n.job.If.Value
	}
	switch {
	case r.SkippedOK || always.MatchString(condition):
	case condition != "":
		e.add(Warning, "skip_counts", n.file.at(n.job.Pos),
			fmt.Sprintf("The required job `%s` has a condition. Skipped, GitHub's rules take it for success and Mainstay does not: a ticket on which it is skipped is red.", n.job.ID.Value),
			fmt.Sprintf("Let it run on every ticket, or say in .github/mainstay.yml: `checks: [{name: %q, skipped: ok}]`.", r.Name))
	case len(n.job.Needs) > 0:
		e.add(Warning, "needs_skip", n.file.at(n.job.Pos),
			fmt.Sprintf("The required job `%s` needs others and is skipped when one of them fails, which GitHub's rules take for success on a pull request. On a ticket Mainstay calls it red, without naming the job that failed.", n.job.ID.Value),
			"Give it `if: always()` and let it fail unless every needed result is `success`; or require the needed jobs themselves.")
	}
}

// paths finds filters that leave a ticket without a run.
func (e *examination) paths(f *file, jobs []named) {
	if f.push.Paths == nil && f.push.PathsIgnore == nil {
		return
	}
	level, what := Warning, "it"
	for _, n := range jobs {
		if n.file != f {
			continue
		}
		for _, r := range e.Required {
			if r.Name != e.OurCheck && n.gives(r.Name) {
				level, what = Broken, fmt.Sprintf("its required check %q", r.Name)
			}
		}
	}
	e.add(level, "paths_filter", f.at(f.push.Pos), fmt.Sprintf("A filter of paths keeps it from running on a ticket that changes nothing of them: %s never comes there.", what),
		"Filter inside the workflow, by a first job that says what changed; or take the filter off `push`.")
}

// distinct are the expressions that differ between two tickets.
var distinct = regexp.MustCompile(`github\.(ref|ref_name|sha|run_id|run_number)\b|github\.event\.(after|ref|head_commit)`)

// concurrency finds groups in which one ticket stops another.
func (e *examination) concurrency(f *file) {
	e.group(f, f.tree.Concurrency, "")
	for _, j := range f.jobs {
		e.group(f, j.Concurrency, " of job `"+j.ID.Value+"`")
	}
}

func (e *examination) group(f *file, c *actionlint.Concurrency, whose string) {
	if c == nil || c.Group == nil || distinct.MatchString(c.Group.Value) {
		return
	}
	mend := "Put the branch into the group: `group: ${{ github.workflow }}-${{ github.ref }}`."
	if c.CancelInProgress != nil && (c.CancelInProgress.Value || c.CancelInProgress.Expression != nil) {
		e.add(Broken, "concurrency_cancels", f.at(c.Pos), fmt.Sprintf("The concurrency group%s is the same for every ticket, and a new run cancels the one before: a cancelled run is red.", whose), mend)
		return
	}
	e.add(Warning, "concurrency_waits", f.at(c.Pos), fmt.Sprintf("The concurrency group%s is the same for every ticket: they wait for each other, and of several waiting ones GitHub cancels all but the last.", whose), mend)
}

// identity finds jobs of our Action that can't prove who they are.
func (e *examination) identity(f *file) {
	for _, j := range f.jobs {
		if !usesOurAction(j) {
			continue
		}
		if !f.mayAskIdentity(j) {
			e.add(Warning, "no_identity", f.at(j.Pos), fmt.Sprintf("The job `%s` uses the Action and gets no identity token: its reports are not taken, and it splits locally.", j.ID.Value),
				"Give the workflow or the job `permissions: {contents: read, id-token: write}`.")
		}
		if j.Strategy != nil && j.Strategy.Matrix != nil && (j.Strategy.FailFast == nil || j.Strategy.FailFast.Value) {
			e.add(Warning, "fail_fast", f.at(j.Strategy.Pos), fmt.Sprintf("The first red shard of `%s` cancels the others: what else is broken is not seen, and a flake costs every shard.", j.ID.Value),
				"`strategy: {fail-fast: false, …}`.")
		}
	}
}
