package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sethvargo/go-githubactions"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// delimiter is the line by which go-githubactions ends every output.
const delimiter = "_GitHubActionsFileCommandDelimeter_"

// maxSummary is a step summary's size in bytes; the runner breaks above 1 MiB.
const maxSummary = 900 << 10

// workflow speaks to the runner through go-githubactions and closes its holes:
// its file commands panic, its outputs can be broken out of, its tokens are not
// masked, its inputs have one spelling only.
type workflow struct {
	gh     *githubactions.Action
	out    *console
	warned bool
}

func newWorkflow(getenv func(string) string, out io.Writer) *workflow {
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	shared := &console{out: out}
	return &workflow{out: shared, gh: githubactions.New(
		githubactions.WithGetenv(getenv), githubactions.WithWriter(commands{shared}), githubactions.WithHTTPClient(client),
	)}
}

// input reads an input. A composite step hands it over with underscores; a
// container keeps the dashes.
func (w *workflow) input(name string) string {
	if value := w.gh.GetInput(strings.ReplaceAll(name, "-", "_")); value != "" {
		return value
	}
	return w.gh.GetInput(name)
}

// say prints a line of our own.
func (w *workflow) say(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		fmt.Fprintln(w.out, shard.Harmless(strings.TrimRight(line, "\r\n")))
	}
}

// warn shows one warning a step; what follows it is a plain line.
func (w *workflow) warn(text string) {
	if w.warned {
		w.say("Mainstay: %s", text)
		return
	}
	w.warned = true
	w.try(func() { w.gh.WithFieldsMap(map[string]string{"title": "Mainstay"}).Warningf("%s", text) })
}

// fail shows an error that belongs to no test.
func (w *workflow) fail(text string) {
	w.try(func() { w.gh.WithFieldsMap(map[string]string{"title": "Mainstay"}).Errorf("%s", text) })
}

// annotate shows an error at a file's line. File may be "".
func (w *workflow) annotate(file string, line int, title, text string) {
	fields := map[string]string{"title": title}
	if file != "" {
		fields["file"] = file
		if line > 0 {
			fields["line"] = strconv.Itoa(line)
		}
	}
	w.try(func() { w.gh.WithFieldsMap(fields).Errorf("%s", text) })
}

// output sets an output, unless the value could break out of its frame.
func (w *workflow) output(name, value string) {
	if strings.ContainsAny(value, "\r\n\x00") || strings.Contains(value, delimiter) {
		w.warn(fmt.Sprintf("the output %s is left out: its value is not one plain line", name))
		return
	}
	if w.gh.Getenv("GITHUB_OUTPUT") == "" {
		return
	}
	w.try(func() { w.gh.SetOutput(name, value) })
}

// summarise adds Markdown to the step's summary.
func (w *workflow) summarise(markdown string) {
	if w.gh.Getenv("GITHUB_STEP_SUMMARY") == "" {
		return
	}
	w.try(func() { w.gh.AddStepSummary(shard.Cut(markdown, maxSummary)) })
}

// try keeps a failing file command from changing the job's result.
func (w *workflow) try(issue func()) {
	defer func() {
		if fault := recover(); fault != nil {
			w.say("Mainstay: %v", fault)
		}
	}()
	issue()
}

// errNoToken means that the job may not have an identity: a fork's pull request,
// or a job without the permission.
var errNoToken = errors.New("this job has no id-token: it needs `permissions: id-token: write`, which a fork's pull request never gets")

// mask keeps a text out of the job's log.
func (w *workflow) mask(text string) {
	if text != "" {
		w.try(func() { w.gh.AddMask(text) })
	}
}

// token mints an identity token for the audience and masks it before anything
// else can be printed. It tries three times.
func (w *workflow) token(ctx context.Context, audience string) (string, error) {
	var last error
	for try := range tries {
		if try > 0 && !pause(ctx, backoff(try)) {
			break
		}
		token, err := w.mint(ctx, audience, tries-try)
		var missing *githubactions.EnvMissingError
		if errors.As(err, &missing) {
			return "", errNoToken
		}
		if err == nil && token != "" && !strings.ContainsAny(token, "\r\n") {
			w.mask(token)
			return token, nil
		}
		last = err
	}
	var refused *githubactions.RequestFailedError
	if errors.As(last, &refused) {
		// Its body is not ours to print.
		return "", fmt.Errorf("mint an identity token: status %d", refused.StatusCode)
	}
	return "", fmt.Errorf("mint an identity token: %s", reason(last))
}

func (w *workflow) mint(ctx context.Context, audience string, left int) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, share(ctx, left))
	defer cancel()
	return w.gh.GetIDToken(ctx, audience)
}

// pause waits, and tells whether there is still time to go on.
func pause(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// backoff is how long to wait before a try, with full jitter.
func backoff(try int) time.Duration {
	return rand.N(200*time.Millisecond) << try
}

// share is how long one try may take when left tries remain.
func share(ctx context.Context, left int) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 10 * time.Second
	}
	return time.Until(deadline) / time.Duration(min(left, 2))
}
