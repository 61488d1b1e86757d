package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxActionDepth is how deep actions may use each other, GitHub's bound.
const maxActionDepth = 10

// checkout lets the host write the commit's tree into the workspace.
func (x *execution) checkout(ctx context.Context, with []envPair) error {
	sha, dir := x.run.spec.SHA, x.workspace
	for _, p := range with {
		if err := checkCheckoutInput(p.name, p.value); err != nil {
			return err
		}
		switch strings.ToLower(p.name) {
		case "repository":
			if p.value != "" && !strings.EqualFold(p.value, x.run.spec.Repository) {
				return fmt.Errorf("checkout of another repository (%s) is not supported", p.value)
			}
		case "ref":
			if p.value != "" {
				sha = p.value
			}
		case "path":
			dir = filepath.Join(x.workspace, p.value)
		}
	}
	if err := emptyFolder(dir); err != nil {
		return err
	}
	if err := x.run.host.Checkout(ctx, dir, sha); err != nil {
		return fmt.Errorf("check out %s: %w", sha, err)
	}
	return nil
}

// emptyFolder makes the folder or removes what is in it.
func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the checkout's folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look into the checkout's folder: %w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("empty the checkout's folder: %w", err)
		}
	}
	return nil
}

// runAction runs a composite action as a level of its own.
func (x *execution) runAction(c *call, ref usesRef, with []envPair) (outcome string, err error) {
	if c.level.depth >= maxActionDepth {
		return Failure, fmt.Errorf("actions use each other more than %d deep", maxActionDepth)
	}
	var a *action
	if ref.local != "" {
		a, err = x.run.action(filepath.Join(x.workspace, ref.local), "./"+ref.local, ref)
	} else {
		a, err = x.run.remoteAction(c.step, ref)
	}
	if err != nil {
		return Failure, err
	}
	inner := &level{
		ctx: c.ctx, action: a, depth: c.level.depth + 1, steps: &object{}, result: Success,
		env: append(slices.Clone(c.level.env), stepEnv(c)...),
	}
	if inner.inputs, err = x.inputs(c, a, with); err != nil {
		return Failure, err
	}
	x.runSteps(inner, a.steps)
	env := x.env.clone()
	env.add(inner.env)
	outputs, err := evaluateAll(a.outputs, x.scope(inner, nil, env))
	for _, o := range outputs {
		c.outputs.set(o.name, o.value)
	}
	return inner.state(), err
}

// stepEnv are the variables of the step's own env:.
func stepEnv(c *call) []envPair {
	out := make([]envPair, len(c.step.env))
	for i, v := range c.step.env {
		out[i] = envPair{v.name, c.env.get(v.name)}
	}
	return out
}

// inputs are the declared inputs: what the step gives, else their defaults.
func (x *execution) inputs(c *call, a *action, with []envPair) (*object, error) {
	given := &object{}
	for _, p := range with {
		given.set(p.name, p.value)
	}
	inputs := &object{}
	// A default sees the caller's contexts, but is part of the action.
	defaults := x.scope(&level{ctx: c.ctx, action: a, inputs: inputs, steps: &object{}, result: Success}, c.step, environ{})
	var problems []error
	for _, in := range a.inputs {
		v, ok := given.get(in.name)
		if !ok {
			s, err := in.value.text(defaults)
			problems = append(problems, err)
			v = s
		}
		inputs.set(in.name, v)
	}
	for _, p := range with {
		if _, ok := inputs.get(p.name); !ok {
			x.journal.problem("warning", "", fmt.Sprintf("Unexpected input %q of %s", p.name, c.step.uses))
		}
	}
	return inputs, errors.Join(problems...)
}
