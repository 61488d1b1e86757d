package runner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// runDefaults is what defaults.run says, the job's before the workflow's.
type runDefaults struct {
	shell, dir *actionlint.String
}

func (p *parser) runDefaults(levels ...*actionlint.Defaults) runDefaults {
	var d runDefaults
	for _, level := range levels {
		if level == nil || level.Run == nil {
			continue
		}
		if level.Run.Shell != nil {
			d.shell = level.Run.Shell
		}
		if level.Run.WorkingDirectory != nil {
			d.dir = level.Run.WorkingDirectory
		}
	}
	return d
}

// parseStep reads a step; key is the prefix of its parts in GitHub's table.
func (p *parser) parseStep(s *actionlint.Step, defaults runDefaults, key string) *step {
	out := &step{place: p.at(s.Pos, key+"if")}
	if s.ID != nil {
		out.id = s.ID.Value
	}
	out.title = p.template(s.Name, key+"name")
	out.cond = p.condition(s.If, key+"if")
	out.env = p.env(s.Env, key+"env")
	out.timeout = p.amount(s.TimeoutMinutes, key+"timeout-minutes")
	out.continueOnError = p.flag(s.ContinueOnError, key+"continue-on-error")
	switch e := s.Exec.(type) {
	case *actionlint.ExecRun:
		out.run = p.template(e.Run, key+"run")
		out.shell = p.shell(e.Shell, defaults.shell)
		out.dir = p.template(e.WorkingDirectory, key+"working-directory")
		if e.WorkingDirectory == nil {
			out.dir = p.template(defaults.dir, "jobs.<job_id>.defaults.run")
		}
	case *actionlint.ExecAction:
		out.uses = e.Uses.Value
		out.with = p.with(e.Inputs, key+"with")
		p.checkUses(e, out)
	}
	return out
}

func (p *parser) shell(own, fallback *actionlint.String) string {
	s := own
	if s == nil {
		s = fallback
	}
	if s == nil {
		return ""
	}
	if s.Value != "bash" && s.Value != "sh" {
		p.fail(s.Pos, "shell: %q is not supported, only bash and sh", s.Value)
	}
	return s.Value
}

func (p *parser) with(inputs map[string]*actionlint.Input, key string) []variable {
	sorted := make([]*actionlint.Input, 0, len(inputs))
	for _, in := range inputs {
		sorted = append(sorted, in)
	}
	slices.SortFunc(sorted, func(a, b *actionlint.Input) int { return comparePositions(a.Name, b.Name) })
	out := make([]variable, len(sorted))
	for i, in := range sorted {
		out[i] = variable{in.Name.Value, p.template(in.Value, key)}
	}
	return out
}

// checkUses refuses actions that can't run here. Whether the forge has an
// owner/name is known only when the job starts.
func (p *parser) checkUses(e *actionlint.ExecAction, s *step) {
	ref, err := parseUses(s.uses)
	switch {
	case err != nil:
		p.fail(e.Uses.Pos, "uses: %v", err)
	case ref.builtin() == "" && strings.EqualFold(ref.owner, "actions"):
		p.fail(e.Uses.Pos, "uses: %s is not supported: of GitHub's own actions this runner has checkout, setup-go and upload-artifact", s.uses)
	case ref.builtin() == checkout:
		for _, in := range s.with {
			if value, fixed := in.value.literal(); fixed {
				if err := checkCheckoutInput(in.name, value); err != nil {
					p.errors = append(p.errors, in.value.errorf("with: %v", err))
				}
			} else if !slices.Contains(checkoutInputs, strings.ToLower(in.name)) {
				p.errors = append(p.errors, in.value.errorf("with: checkout input %q is not supported", in.name))
			}
		}
	}
}

// nameSteps gives each step its GITHUB_ACTION and refuses an id used twice.
func (p *parser) nameSteps(steps []*step) {
	count := map[string]int{}
	for _, s := range steps {
		s.name = s.id
		if s.name == "" {
			s.name = "__run"
			if s.run == nil {
				base, _, _ := strings.Cut(s.uses, "@")
				s.name = "__" + strings.NewReplacer("/", "_", ".", "_").Replace(base)
			}
		}
		key := strings.ToLower(s.name)
		count[key]++
		switch {
		case count[key] > 1 && s.id != "":
			p.errors = append(p.errors, s.errorf("id: %q is used twice", s.id))
		case count[key] > 1:
			s.name = fmt.Sprintf("%s_%d", s.name, count[key])
		}
	}
}

func (p *parser) sortedOutputs(outputs map[string]*actionlint.Output) []*actionlint.Output {
	sorted := make([]*actionlint.Output, 0, len(outputs))
	for _, o := range outputs {
		sorted = append(sorted, o)
	}
	slices.SortFunc(sorted, func(a, b *actionlint.Output) int { return comparePositions(a.Name, b.Name) })
	return sorted
}
