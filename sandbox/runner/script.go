package runner

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// runScript runs a run: step. A script that fails is an outcome, no error.
func (x *execution) runScript(c *call, title string) (outcome string, err error) {
	script, err := c.step.run.text(c.scope)
	if err != nil {
		return Failure, err
	}
	dir, err := c.step.dir.text(c.scope)
	if err != nil {
		return Failure, err
	}
	if title == "" {
		first, _, _ := strings.Cut(strings.TrimSpace(script), "\n")
		title = "Run " + first
	}
	x.journal.note("##[group]%s\n##[endgroup]", title)
	x.number++
	files, err := newCommandFiles(x.files, x.number)
	if err != nil {
		return Failure, err
	}
	name := filepath.Join(x.temp, strconv.Itoa(x.number)+".sh")
	if err := os.WriteFile(name, []byte(script+"\n"), 0o600); err != nil {
		return Failure, fmt.Errorf("write the script: %w", err)
	}
	environment := x.environment(c, files)
	argv, err := shellCommand(c.step.shell, name, environment)
	if err != nil {
		return Failure, err
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(x.workspace, dir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return Failure, fmt.Errorf("working directory %q does not exist", dir)
	}
	p := process{argv: argv, dir: dir, env: environment.list(), output: x.output}
	code, left, err := p.run(c.ctx)
	if left != 0 {
		x.left = append(x.left, left)
	}
	x.drain()
	outcome = Success
	if code != 0 && c.ctx.Err() == nil {
		x.journal.problem("error", "", fmt.Sprintf("Process completed with exit code %d.", code))
		outcome = Failure
	}
	if !x.apply(files, c.outputs) {
		outcome = Failure
	}
	return outcome, err
}

// environment is what a step's process sees: the machine's, then env:, then
// what nothing may change.
func (x *execution) environment(c *call, files commandFiles) environ {
	e := newEnviron(x.run.spec.Env)
	e.set("CI", "true")
	e.add(c.env.pairs)
	e.add(x.variables(c.level, c.step, files))
	if len(x.paths) > 0 {
		list := slices.Clone(x.paths)
		slices.Reverse(list) // the last one added comes first
		if path := e.get("PATH"); path != "" {
			list = append(list, path)
		}
		e.set("PATH", strings.Join(list, string(filepath.ListSeparator)))
	}
	return e
}

// shellCommand is the command line of a script, as GitHub's runner has it.
func shellCommand(shell, script string, env environ) ([]string, error) {
	args := []string{"-e", script}
	name := shell
	switch shell {
	case "":
		name = "bash"
	case "bash":
		args = []string{"--noprofile", "--norc", "-eo", "pipefail", script}
	}
	program, ok := env.find(name)
	if !ok {
		return nil, fmt.Errorf("%s is not in the PATH of the step", name)
	}
	return append([]string{program}, args...), nil
}

// drain takes what processes have printed since into the journal.
func (x *execution) drain() {
	info, err := x.output.Stat()
	if err != nil || info.Size() <= x.offset {
		return
	}
	if err := x.journal.read(io.NewSectionReader(x.output, x.offset, info.Size()-x.offset)); err != nil {
		x.journal.fail(err)
	}
	x.offset = info.Size()
	x.journal.resume = "" // ::stop-commands:: ends with its step
}

// apply takes over what a step wrote into its files. Like GitHub it fails the
// step for a malformed file and keeps what stood before the fault.
func (x *execution) apply(files commandFiles, outputs *object) (ok bool) {
	ok = true
	fail := func(err error) {
		if err != nil {
			x.journal.fail(fmt.Errorf("unable to process file command: %w", err))
			ok = false
		}
	}
	pairs, err := readCommands(files.output)
	fail(err)
	for _, p := range pairs {
		outputs.set(p.name, p.value)
	}
	pairs, err = readCommands(files.env)
	fail(err)
	for _, p := range pairs {
		if strings.EqualFold(p.name, "NODE_OPTIONS") {
			fail(fmt.Errorf("%s can't be set through GITHUB_ENV", p.name))
			continue
		}
		x.env.set(p.name, p.value)
	}
	lines, err := readBounded(files.path)
	fail(err)
	for line := range strings.SplitSeq(lines, "\n") {
		if line != "" {
			x.paths = append(slices.DeleteFunc(x.paths, func(p string) bool { return p == line }), line)
		}
	}
	summary, err := readBounded(files.summary)
	fail(err)
	x.journal.summarize(summary)
	return ok
}
