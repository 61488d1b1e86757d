package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrTicketTaken says that a ticket's branch exists with another commit.
var ErrTicketTaken = errors.New("the ticket exists with another commit")

// Refusal is a push the remote itself said no to.
type Refusal struct {
	Ref    string
	Reason string   // what git shows beside the ref
	Remote []string // the remote's own lines, cleaned of control characters
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("the remote refused %s (%s)", r.Ref, r.Reason)
	if len(r.Remote) > 0 {
		text += ": " + strings.Join(r.Remote, " / ")
	}
	return text
}

// refUpdate moves one branch from exactly old to new; "" is "does not exist".
type refUpdate struct{ ref, old, new string }

// pushed is what came of a push.
type pushed struct {
	refs   map[string]refResult
	remote []string // the remote's own lines
	unsent bool     // it surely never reached the refs: no server, no authorization
	detail string   // what git complained, for logs
}

// refResult is one line of the porcelain.
type refResult struct {
	flag   byte   // ' ' fast-forward, '+' forced by lease, '*' new, '-' deleted, '=' as it is, '!' no
	kind   string // "rejected", "remote rejected", "remote failure" with '!'
	reason string
}

// push sends updates in one push, each with its exact lease. The lease alone
// allows what must be allowed: a plus or a force beside it would switch it off.
// The error is for a push that could not be run or was cut off, after which
// nobody knows what happened.
func (c *Clone) push(ctx context.Context, atomic bool, updates ...refUpdate) (pushed, error) {
	// A thin pack is cut against blobs that the filter left out, and fetches them first.
	args := []string{"push", "--porcelain", "--no-thin", "--no-verify", "--no-signed", "--recurse-submodules=no"}
	if atomic {
		args = append(args, "--atomic")
	}
	var specs []string
	for _, u := range updates {
		if err := u.check(); err != nil {
			return pushed{unsent: true}, fmt.Errorf("push: %w", err)
		}
		args = append(args, "--force-with-lease="+u.ref+":"+u.old)
		specs = append(specs, u.new+":"+u.ref)
	}
	args = append(append(args, "--end-of-options", "origin"), specs...)
	res, err := c.run(ctx, command{network: true, args: args})
	if err != nil {
		return pushed{detail: brief(res.stderr)}, err
	}
	p := parsePush(string(res.stdout), res.stderr)
	p.unsent = p.unsent && res.code != 0
	return p, nil
}

func (u refUpdate) check() error {
	err := checkRef(u.ref)
	for _, id := range []string{u.old, u.new} {
		if id != "" {
			err = errors.Join(err, checkID(id))
		}
	}
	if u.old == "" && u.new == "" {
		err = errors.Join(err, fmt.Errorf("%s would go from nothing to nothing", u.ref))
	}
	return err
}

func parsePush(stdout, stderr string) pushed {
	p := pushed{refs: map[string]refResult{}, detail: brief(stderr)}
	for _, line := range strings.Split(stdout, "\n") {
		if ref, r, ok := parseRefLine(line); ok {
			p.refs[ref] = r
		}
	}
	p.remote = remoteLines(stderr)
	for _, start := range []string{"fatal: unable to access ", "fatal: Authentication failed", "fatal: could not read Username", "fatal: repository ", "remote: Repository not found", "' does not appear to be a git repository"} {
		p.unsent = p.unsent || len(p.refs) == 0 && strings.Contains(stderr, start)
	}
	return p
}

// parseRefLine reads "flag TAB from:to TAB summary (reason)".
func parseRefLine(line string) (string, refResult, bool) {
	fields := strings.SplitN(line, "\t", 3)
	if len(fields) != 3 || len(fields[0]) != 1 || !strings.Contains(" +*-=!", fields[0]) {
		return "", refResult{}, false
	}
	ref := fields[1][strings.LastIndex(fields[1], ":")+1:]
	r := refResult{flag: fields[0][0]}
	if r.flag == '!' {
		summary := fields[2]
		if end := strings.IndexByte(summary, ']'); strings.HasPrefix(summary, "[") && end > 0 {
			r.kind, summary = summary[1:end], summary[end+1:]
		}
		r.reason = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(summary), "("), ")")
		r.reason = printable(r.reason)
	}
	return ref, r, true
}

// remoteLines keeps what the server said, bounded and without control
// characters: it is shown to people.
func remoteLines(stderr string) []string {
	var lines []string
	for _, line := range strings.FieldsFunc(stderr, func(r rune) bool { return r == '\n' || r == '\r' }) {
		text, found := strings.CutPrefix(line, "remote:")
		if text = strings.TrimSpace(printable(text)); found && text != "" && len(lines) < 40 {
			lines = append(lines, text[:min(len(text), 500)])
		}
	}
	return lines
}

func printable(text string) string {
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text), "?")
}

// refusal makes the error for a ref that did not move.
func (p pushed) refusal(ref string) *Refusal {
	return &Refusal{Ref: ref, Reason: p.refs[ref].reason, Remote: p.remote}
}

// PushTicket makes the branch ref (refs/heads/...) at commit. When it is there
// already with this commit that is fine; with another it is ErrTicketTaken. A
// no by the remote is a *Refusal. After any other error it may be repeated.
func (c *Clone) PushTicket(ctx context.Context, ref, commit string) error {
	p, err := c.push(ctx, false, refUpdate{ref: ref, new: commit})
	if err != nil {
		return fmt.Errorf("push ticket %s: %w", ref, err)
	}
	r, answered := p.refs[ref]
	switch {
	case !answered:
		return fmt.Errorf("push ticket %s: %s", ref, p.detail)
	case r.flag != '!':
		return nil
	case r.kind == "remote failure":
		return fmt.Errorf("push ticket %s: the remote did not say what became of it", ref)
	}
	// A no may come of two equal pushes at once: what counts is what is there.
	refs, err := c.ReadRefs(ctx, ref)
	switch {
	case err != nil:
		return fmt.Errorf("push ticket %s: %w", ref, err)
	case refs[ref] == commit:
		return nil
	case refs[ref] != "":
		return fmt.Errorf("push ticket %s: %w", ref, ErrTicketTaken)
	case r.kind == "rejected":
		return fmt.Errorf("push ticket %s: %s", ref, r.reason)
	}
	return fmt.Errorf("push ticket: %w", p.refusal(ref))
}

// DeleteTicket deletes the branch ref at commit and returns nil only when the
// remote confirms that it is gone: from then on no late push of a landing with
// this ticket can land. With another commit there it is ErrTicketTaken.
func (c *Clone) DeleteTicket(ctx context.Context, ref, commit string) error {
	if err := checkID(commit); err != nil {
		return fmt.Errorf("delete ticket: %w", err)
	}
	var last error
	for range 3 {
		refs, err := c.ReadRefs(ctx, ref)
		switch {
		case err != nil:
			return fmt.Errorf("delete ticket %s: %w", ref, err)
		case refs[ref] == "":
			return nil
		case refs[ref] != commit:
			return fmt.Errorf("delete ticket %s: %w", ref, ErrTicketTaken)
		}
		p, err := c.push(ctx, false, refUpdate{ref: ref, old: commit})
		switch last = err; {
		case ctx.Err() != nil:
			return fmt.Errorf("delete ticket %s: %w", ref, err)
		case err == nil && p.refs[ref].kind == "remote rejected":
			last = p.refusal(ref)
		case err == nil && len(p.refs) == 0:
			last = errors.New(p.detail)
		}
	}
	refs, err := c.ReadRefs(ctx, ref)
	if err == nil && refs[ref] == "" {
		return nil
	}
	return fmt.Errorf("delete ticket %s: still there: %w", ref, errors.Join(last, err))
}

// HeadMove moves a pull request's own branch to the commit it became.
type HeadMove struct{ Ref, Old, New string }

// HeadState is what came of a HeadMove.
type HeadState string

// The states of a head after MoveHeads.
const (
	HeadMoved     HeadState = "moved"
	HeadAlready   HeadState = "already"   // it was there before
	HeadSkipped   HeadState = "skipped"   // not touched; Why says the reason
	HeadElsewhere HeadState = "elsewhere" // not touched: it does not stand where the move begins
)

// HeadResult is the state of one head, in the order of the moves.
type HeadResult struct {
	Ref   string
	State HeadState
	Why   string
}

// MoveHeads moves heads in one push that is not atomic: each has its own lease,
// and one that can't move holds up no other. The error is for a push without an
// answer, which may be repeated; moves with a bad name are skipped.
func (c *Clone) MoveHeads(ctx context.Context, moves []HeadMove) ([]HeadResult, error) {
	results := make([]HeadResult, len(moves))
	var updates []refUpdate
	for i, m := range moves {
		results[i] = HeadResult{Ref: m.Ref, State: HeadSkipped}
		u := refUpdate{ref: m.Ref, old: m.Old, new: m.New}
		if err := errors.Join(u.check(), checkID(m.Old), checkID(m.New)); err != nil {
			results[i].Why = err.Error()
			continue
		}
		updates = append(updates, u)
	}
	if len(updates) == 0 {
		return results, nil
	}
	p, err := c.push(ctx, false, updates...)
	if err == nil && len(p.refs) == 0 {
		err = errors.New(p.detail)
	}
	if err != nil {
		return nil, fmt.Errorf("move heads: %w", err)
	}
	for i, m := range moves {
		r, answered := p.refs[m.Ref]
		switch {
		case results[i].Why != "":
		case !answered:
			results[i].Why = "no answer for this branch"
		case r.flag == '=':
			results[i].State = HeadAlready
		case r.flag != '!':
			results[i].State = HeadMoved
		case r.reason == "stale info":
			results[i].State, results[i].Why = HeadElsewhere, "the branch moved or is gone"
		default:
			results[i].Why = strings.Join(append([]string{r.reason}, p.remote...), ": ")
		}
	}
	return results, nil
}

// DeleteHead deletes a branch (refs/heads/...) that stands at a commit. One that
// stands elsewhere, is gone, or may not be deleted stays as it is.
func (c *Clone) DeleteHead(ctx context.Context, ref, commit string) error {
	if err := checkID(commit); err != nil {
		return fmt.Errorf("delete %s: %w", ref, err)
	}
	p, err := c.push(ctx, false, refUpdate{ref: ref, old: commit})
	if err == nil && len(p.refs) == 0 {
		err = errors.New(p.detail)
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", ref, err)
	}
	return nil
}
