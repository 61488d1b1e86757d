package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// landing is a remote with a built attempt whose ticket is pushed.
type landing struct {
	remote, work repo
	clone        *Clone
	log          *argvLog
	Landing
}

const (
	mainRef   = "refs/heads/main"
	ticketRef = "refs/heads/mainstay/main/7"
)

func newLanding(t *testing.T) *landing {
	t.Helper()
	l := &landing{remote: bareRepo(t), work: newRepo(t)}
	old := l.work.commit("start", "a", "1\n")
	l.work.publish(l.remote, old, mainRef)
	head := l.work.commit("change", "a", "2\n")
	l.work.publish(l.remote, head, "refs/heads/pr")
	l.clone, l.log = openClone(t, l.remote)
	built, err := l.clone.Build(soon(t), Spec{Base: old, Committer: attempt, Members: []Member{{PR: 1, Head: head}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.clone.PushTicket(soon(t), ticketRef, built.Tip); err != nil {
		t.Fatal(err)
	}
	l.Landing = Landing{Base: mainRef, Old: old, New: built.Tip, Tickets: []Ticket{{ticketRef, built.Tip}}}
	return l
}

// other publishes a commit nobody of us made.
func (l *landing) other(parent, ref string) string {
	l.work.git("fetch", "-q", l.remote.dir, parent)
	l.work.git("checkout", "-q", "--detach", parent)
	id := l.work.commit("somebody else's", "other", ref)
	l.work.publish(l.remote, id, ref)
	return id
}

func (l *landing) land(t *testing.T) Outcome {
	t.Helper()
	o, err := l.clone.Land(soon(t), l.Landing)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestLandOutcomes walks the table of what a landing push can meet. Whatever
// it meets, either all of it happened or nothing did.
func TestLandOutcomes(t *testing.T) {
	rule := `echo "error: GH006: Protected branch update failed"; echo "Required status check \"x\" is expected."; exit 1`
	for _, row := range []struct {
		name    string
		meet    func(t *testing.T, l *landing)
		want    OutcomeKind
		says    string // in the reason or the remote's lines
		base    string // where the base must be: old, new, or ""
		tickets int    // lost ones
	}{
		{name: "nothing in the way", want: Landed, base: "new"},
		{name: "the same landing again", want: Landed, base: "new",
			meet: func(t *testing.T, l *landing) { l.land(t) }},
		{name: "the same landing again, and the base has moved on from it", want: Landed,
			meet: func(t *testing.T, l *landing) { l.land(t); l.other(l.New, mainRef) }},
		{name: "the base moved on", want: Elsewhere, says: "elsewhere",
			meet: func(t *testing.T, l *landing) { l.other(l.Old, mainRef) }},
		{name: "the base was deleted", want: Elsewhere, says: "elsewhere",
			meet: func(t *testing.T, l *landing) { l.remote.git("update-ref", "-d", mainRef) }},
		{name: "an admin took the landed commit out again", want: Elsewhere, says: "ticket is gone", base: "old", tickets: 1,
			meet: func(t *testing.T, l *landing) { l.land(t); l.remote.git("update-ref", mainRef, l.Old) }},
		{name: "the ticket was deleted first: the fence", want: Elsewhere, says: "ticket is gone", base: "old", tickets: 1,
			meet: func(t *testing.T, l *landing) {
				if err := l.clone.DeleteTicket(soon(t), ticketRef, l.New); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "somebody moved the ticket", want: Elsewhere, says: "ticket is gone or moved", base: "old", tickets: 1,
			meet: func(t *testing.T, l *landing) { l.other(l.Old, ticketRef) }},
		{name: "a rule refuses the base", want: Refused, says: "Required status check", base: "old",
			meet: func(t *testing.T, l *landing) { l.remote.hook("pre-receive", rule) }},
		{name: "a rule refuses one branch", want: Refused, says: "hook declined", base: "old",
			meet: func(t *testing.T, l *landing) {
				l.remote.hook("update", `[ "$1" != refs/heads/main ] || { echo no; exit 1; }`)
			}},
		{name: "a hook refuses, but the base moved meanwhile", want: Elsewhere, says: "elsewhere",
			meet: func(t *testing.T, l *landing) {
				id := l.other(l.Old, "refs/heads/aside")
				l.remote.hook("pre-receive", "env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main "+id+"; exit 1")
			}},
		{name: "the base moves between the advertisement and the update", want: Elsewhere, says: "elsewhere",
			meet: func(t *testing.T, l *landing) {
				id := l.other(l.Old, "refs/heads/aside")
				l.remote.hook("pre-receive", "env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main "+id)
			}},
		{name: "somebody holds the base's lock", want: Transient, base: "old",
			meet: func(t *testing.T, l *landing) {
				if err := os.WriteFile(filepath.Join(l.remote.dir, mainRef+".lock"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "the remote is away", want: Transient, says: "repository",
			meet: func(t *testing.T, l *landing) { l.clone.url = "/nowhere/at-all.git" }},
		{name: "no token can be had", want: Transient, says: "no token", base: "old",
			meet: func(t *testing.T, l *landing) {
				l.clone.token = func(context.Context) (string, error) { return "", errors.New("the API is down") }
			}},
		{name: "the remote dies before it answers", want: Unknown,
			meet: func(t *testing.T, l *landing) { l.remote.hook("pre-receive", "kill -9 $PPID") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			l := newLanding(t)
			if row.meet != nil {
				row.meet(t, l)
			}
			o := l.land(t)
			if o.Kind != row.want || len(o.Tickets) != row.tickets || !strings.Contains(o.Reason+strings.Join(o.Remote, "\n"), row.says) {
				t.Fatalf("outcome %+v, want %s with %q", o, row.want, row.says)
			}
			tip, ticket := l.remote.ref(mainRef), l.remote.ref(ticketRef)
			if o.Kind == Elsewhere && o.Tip != tip {
				t.Errorf("tip %s, and the base is at %s", o.Tip, tip)
			}
			if want := map[string]string{"old": l.Old, "new": l.New, "": tip}[row.base]; tip != want {
				t.Errorf("the base is at %s, want %s", tip, want)
			}
			if (o.Kind == Refused || o.Kind == Transient) && ticket != l.New {
				t.Errorf("the ticket is at %q", ticket)
			}
			if o.Kind == Landed && ticket != "" {
				t.Errorf("the ticket is still there")
			}
		})
	}
}

// TestLandNeverThrowsCommitsAway: a lease alone would allow it, so the check
// comes first and nothing is pushed.
func TestLandNeverThrowsCommitsAway(t *testing.T) {
	l := newLanding(t)
	l.Old = l.other(l.Old, mainRef)
	pushes := l.log.count("push")
	_, err := l.clone.Land(soon(t), l.Landing)
	if !errors.Is(err, ErrNotAncestor) {
		t.Errorf("error %v", err)
	}
	if n := l.log.count("push"); n != pushes {
		t.Error("something was pushed")
	}
	if tip := l.remote.ref(mainRef); tip != l.Old {
		t.Errorf("the base is at %s", tip)
	}
}

// TestLandOutlivesItsClone: after a crash the ticket is enough to land from.
func TestLandOutlivesItsClone(t *testing.T) {
	l := newLanding(t)
	fresh, _ := openClone(t, l.remote)
	if o, err := fresh.Land(soon(t), l.Landing); err != nil || o.Kind != Landed {
		t.Errorf("outcome %+v, %v", o, err)
	}
}

// TestLandRefusesHostileNames: a name is a full branch name or goes nowhere.
func TestLandRefusesHostileNames(t *testing.T) {
	l := newLanding(t)
	started := l.log.count("")
	for _, name := range []string{
		"", "main", "--receive-pack=touch x", "refs/heads/", "refs/heads/a b", "refs/heads/a:refs/heads/main", "+refs/heads/main",
		"refs/heads/a..b", "refs/heads/*", "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a\nb", "refs/tags/x", "refs/heads/a@{1}", "refs/heads//a",
	} {
		bad := l.Landing
		bad.Base = name
		if _, err := l.clone.Land(soon(t), bad); err == nil {
			t.Errorf("landed on %q", name)
		}
		if err := l.clone.PushTicket(soon(t), name, l.New); err == nil {
			t.Errorf("pushed ticket %q", name)
		}
		if err := l.clone.DeleteTicket(soon(t), name, l.New); err == nil {
			t.Errorf("deleted ticket %q", name)
		}
		if _, err := l.clone.ReadRefs(soon(t), name); err == nil {
			t.Errorf("read %q", name)
		}
		moved, err := l.clone.MoveHeads(soon(t), []HeadMove{{name, l.Old, l.New}})
		if err != nil || moved[0].State != HeadSkipped {
			t.Errorf("moved %q: %v", name, err)
		}
	}
	noFence := l.Landing
	noFence.Tickets = nil
	if _, err := l.clone.Land(soon(t), noFence); err == nil {
		t.Error("landed without a ticket")
	}
	if n := l.log.count(""); n != started {
		t.Errorf("%d processes were started", n-started)
	}
	// Odd names that git allows do work.
	for _, name := range []string{"refs/heads/-x", "refs/heads/$(id)", "refs/heads/<img/src=x/onerror>", "refs/heads/--force"} {
		if err := l.clone.PushTicket(soon(t), name, l.New); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if refs, err := l.clone.ReadRefs(soon(t), name, mainRef); err != nil || refs[name] != l.New || refs[mainRef] != l.Old {
			t.Errorf("%q: %v %v", name, refs, err)
		}
	}
}

// TestContains: the question a landing is decided by, also about commits that
// are not here yet.
func TestContains(t *testing.T) {
	l := newLanding(t)
	next := l.other(l.New, "refs/heads/next")
	for _, row := range []struct {
		tip, commit string
		want        bool
	}{{next, l.New, true}, {next, next, true}, {l.Old, l.New, false}, {l.New, next, false}, {next, strings.Repeat("1", 40), false}} {
		got, err := l.clone.Contains(soon(t), row.tip, row.commit)
		if err != nil || got != row.want {
			t.Errorf("%s contains %s: %v, %v", row.tip, row.commit, got, err)
		}
	}
	if tree, err := l.clone.Tree(soon(t), next); err != nil || tree != l.work.git("rev-parse", next+"^{tree}") {
		t.Errorf("tree %s, %v", tree, err)
	}
}

// TestJudgeReadsPorcelain covers lines a local remote doesn't give.
func TestJudgeReadsPorcelain(t *testing.T) {
	old, new := strings.Repeat("a", 40), strings.Repeat("b", 40)
	l := Landing{Base: mainRef, Old: old, New: new, Tickets: []Ticket{{ticketRef, new}}}
	line := func(flag, ref, summary string) string { return flag + "\t" + new + ":" + ref + "\t" + summary + "\n" }
	for _, row := range []struct {
		name, out, err string
		want           OutcomeKind
		ref            string
	}{
		{"a ruleset", line("!", mainRef, "[remote rejected] (push declined due to repository rule violations)") +
			line("!", ticketRef, "[remote rejected] (atomic push failure)"), "remote: error: GH013: Repository rule violations found\x1b[31m for refs/heads/main.\n", Refused, mainRef},
		{"the ticket's rule", line("!", mainRef, "[remote rejected] (atomic push failure)") +
			line("!", ticketRef, "[remote rejected] (protected branch hook declined)"), "", Refused, ticketRef},
		{"no report", line("!", mainRef, "[remote failure] (remote failed to report status)"), "", Unknown, ""},
		{"half a report", line(" ", mainRef, "a..b"), "", Unknown, ""},
		{"nothing at all", "", "fatal: the remote end hung up unexpectedly", Unknown, ""},
		{"a server error while it was sent", "", "error: RPC failed; HTTP 502 curl 22", Unknown, ""},
		{"a server error before", "", "fatal: unable to access 'https://x/': The requested URL returned error: 503", Transient, ""},
		{"no authorization", "", "fatal: Authentication failed for 'https://x/'", Transient, ""},
		{"a full disk", line("!", mainRef, "[remote rejected] (unpacker error)"), "", Unknown, ""},
		{"a lock", line("!", mainRef, "[remote rejected] (failed to update ref)") + line("!", ticketRef, "[remote rejected] (atomic push failure)"), "", Transient, ""},
	} {
		p := parsePush("To https://x/\n"+row.out+"Done\n", row.err)
		v := l.judge(p)
		if v.Kind != row.want || v.Ref != row.ref {
			t.Errorf("%s: %+v, want %s", row.name, v, row.want)
		}
		if strings.Contains(strings.Join(v.Remote, ""), "\x1b") {
			t.Errorf("%s: control characters came through", row.name)
		}
	}
}
