package git

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// BadCommitError says that a commit brings objects that no sound git writes, such
// as a folder called .git; what it is fetched for must do without it.
type BadCommitError struct{ Commit, Why string }

func (e *BadCommitError) Error() string {
	return "commit " + e.Commit + " brings an object that git refuses: " + e.Why
}

// fsckFault is where git says which object is bad, and in what.
var fsckFault = regexp.MustCompile(`(?m)^(?:remote: )?error: (?:object [0-9a-f]{40}: |[0-9a-f]{40}: )?([a-zA-Z]+: [^\n]{1,200})$|fsck error in packed object`)

// checked has git examine what a fetch brings: what GitHub refuses at a push, too,
// so that only a GitHub in trouble, or one that checks less, sends such a thing.
var checked = setting{"fetch.fsckObjects", "true"}

// fetchChecked fetches commits and has git examine what they bring. When it meets
// a bad object they come one by one, to learn who brings it: a *BadCommitError.
func (c *Clone) fetchChecked(ctx context.Context, commits []string) error {
	err := c.fetchObjects(ctx, commits, checked)
	var bad *badObject
	if !errors.As(err, &bad) {
		return err
	}
	for _, id := range commits {
		one := c.fetchObjects(ctx, []string{id}, checked)
		if errors.As(one, &bad) {
			return fmt.Errorf("fetch: %w", &BadCommitError{id, bad.why})
		}
		if one != nil {
			return one
		}
	}
	return nil
}

// fetchNeeded fetches a base, which comes first, and the heads that go onto it.
func (c *Clone) fetchNeeded(ctx context.Context, needed []string) error {
	err := c.Fetch(ctx, needed)
	var bad *BadCommitError
	if !errors.As(err, &bad) || bad.Commit != needed[0] {
		return err
	}
	if err := c.fetchBase(ctx, needed[0]); err != nil {
		return err
	}
	return c.Fetch(ctx, needed)
}

// fetchBase fetches the base's tip as it is: what is in the base is there, sound or not.
func (c *Clone) fetchBase(ctx context.Context, tip string) error {
	if err := c.beginFetch(ctx); err != nil {
		return err
	}
	defer c.endFetch()
	if err := c.fetchObjects(ctx, []string{tip}); err != nil {
		return err
	}
	return c.remember(ctx, []string{tip})
}

// badObject is git's refusal of an object that a fetch brought.
type badObject struct{ why string }

func (e *badObject) Error() string { return "git refuses an object: " + e.why }

// readFault finds a bad object in what a fetch complained, nil for any other trouble.
func readFault(stderr string) *badObject {
	m := fsckFault.FindStringSubmatch(stderr)
	if m == nil {
		return nil
	}
	if m[1] == "" {
		m[1] = m[0]
	}
	return &badObject{m[1]}
}
