// Package runner executes GitHub Actions workflows on this machine: the subset
// below, parsed by actionlint and evaluated by a small evaluator over its tree.
// A step is a process with the environment it is given and nothing of ours.
//
// It is not a forge: what a run is about comes in as a Spec, what happens goes
// out through a Host. It is not a sandbox in the security sense either: steps
// run with the rights of this process. It imports the standard library,
// actionlint, yaml and doublestar; nothing of the product.
//
// # What runs
//
//   - on: push (branches, tags, their -ignore), pull_request (types, branches),
//     workflow_dispatch (inputs). Other events parse and never match.
//   - name, env and defaults.run at workflow and job level, permissions (only
//     id-token: write has an effect), jobs with needs, if, name, strategy
//     (matrix with include and exclude, fail-fast, max-parallel, expressions),
//     outputs, continue-on-error, timeout-minutes. Any runs-on runs here.
//   - Steps with run (shell bash, sh or none), uses, with, env, id, if, name,
//     working-directory, continue-on-error, timeout-minutes.
//   - uses: actions/checkout (the tree of one commit, without .git),
//     actions/setup-go (does nothing: the machine's Go is used, its outputs are
//     empty), actions/upload-artifact (kept by the host for as long as it lives),
//     composite actions by owner/name[/path]@ref (the ref is not
//     looked at) and by ./path.
//   - Contexts github, env, job (status, check_run_id), steps, runner, strategy,
//     matrix, needs, inputs, secrets (GITHUB_TOKEN; others are empty), vars
//     (empty); all functions of GitHub's documentation.
//   - GITHUB_ENV, GITHUB_OUTPUT, GITHUB_PATH, GITHUB_STEP_SUMMARY; the log
//     commands add-mask, error, warning, notice, group, stop-commands.
//
// # What is refused
//
// Everything else is an error of Parse that names file, line and column:
// container, services, environment, concurrency, snapshot, reusable workflows,
// path filters, other shells, docker:// and GitHub's other actions, checkouts
// with history, a comparison on the right of a comparison, properties of the
// github, job, runner and strategy contexts that are not filled here. What only
// the run can know (an action the forge doesn't have, a JavaScript action, a
// bad matrix value) fails the job, and the log names file, line and column.
//
// # Where it differs from GitHub
//
// After a cancellation a step is interrupted, killed with its process group two
// seconds later, and steps with always() have 30 seconds. ::set-output:: and its
// like are ignored with a warning. hashFiles gives other hashes. A job that
// needs the run to go on after a cancellation says so with its if:, as there.
//
// Spec.JobSlots is taken by sending into it and given back by receiving.
package runner
