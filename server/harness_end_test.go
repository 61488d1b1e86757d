package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// ends is how a story's pull requests shall end: landed, or out for a reason.
type ends map[int]queue.Reason

const landed queue.Reason = ""

// awaitEnds waits until each pull request has ended so and GitHub shows it, then
// holds the whole town against what must be true at the end of every story.
func (w *town) awaitEnds(want ends) {
	w.t.Helper()
	w.until("every pull request has its end", func() bool {
		at := map[int]queue.Entry{}
		for _, e := range w.rows().Entries {
			at[e.PR.Number] = e
		}
		for pr := range want {
			if e := at[pr]; !e.Phase.Ended() || e.Phase == queue.Landed && !e.Settled {
				return false
			}
		}
		return true
	})
	w.awaitRest()
	w.holds(want)
}

// awaitRest waits until nothing is due any more, and nothing was put off.
func (w *town) awaitRest() {
	w.t.Helper()
	w.until("nothing is due", func() bool { return w.resting() })
}

func (w *town) resting() bool {
	ctx := context.Background()
	unread, err := w.server.store.Unread(ctx, w.place.ID, 1)
	w.must(err)
	kept, err := w.server.store.UnreadDeliveries(ctx, 1)
	w.must(err)
	pending, err := w.server.store.Pending(ctx, w.place.ID)
	w.must(err)
	for _, e := range pending {
		if e.Tries > 0 || !e.Due.After(w.clock.now()) {
			return false
		}
	}
	return len(unread) == 0 && len(kept) == 0
}

// holds checks the end of a story.
func (w *town) holds(want ends) {
	w.t.Helper()
	for pr, reason := range want {
		e := w.entry(pr)
		switch {
		case reason == landed && e.Phase != queue.Landed, reason != landed && e.Phase != queue.Out:
			w.t.Errorf("#%d is %s (%+v), want %q", pr, e.Phase, e.End, reason)
		case e.End.Reason != reason || e.End.Detail == "":
			w.t.Errorf("#%d ended with %+v, want the reason %q and a sentence", pr, *e.End, reason)
		}
		if pull := w.pull(pr); reason == landed && pull.State != "closed" {
			w.t.Errorf("#%d landed and is %s", pr, pull.State)
		}
		if check := w.check(e.Check.Head); check.Status != "completed" {
			w.t.Errorf("#%d ended and its check on %s says %s, %q", pr, e.Check.Head, check.Status, check.Title)
		}
	}
	w.holdsHistory()
	if t := w.tickets(); len(t) > 0 {
		w.t.Errorf("tickets are left: %v", t)
	}
}

// holdsHistory checks that the base is the last tested commit, over a line of
// exactly what the landed pull requests became, each once.
func (w *town) holdsHistory() {
	w.t.Helper()
	receipts, err := w.server.store.Receipts(context.Background(), w.place.ID, 100)
	w.must(err)
	tip := w.repo.Ref("main")
	if len(receipts) > 0 && receipts[0].Commit != tip {
		w.t.Errorf("main is %s, the last receipt is of %s", tip, receipts[0].Commit)
	}
	inBase := map[string]bool{}
	for _, c := range strings.Fields(w.git("rev-list", tip)) {
		inBase[c] = true
	}
	times := map[int]int{}
	for _, r := range receipts {
		var became []string
		for _, m := range r.Members {
			times[m.PR]++
			became = append(became, m.Commits...)
			if merges := w.git("rev-list", "--min-parents=2", m.Became, "^"+m.Commits[0]+"^"); merges != "" && m.Method != queue.MethodMerge {
				w.t.Errorf("#%d landed by %s with merges: %s", m.PR, m.Method, merges)
			}
			for _, c := range m.Commits {
				if !inBase[c] {
					w.t.Errorf("#%d landed with %s, which main does not have", m.PR, c)
				}
			}
		}
		if line := strings.Fields(w.git("rev-list", "--first-parent", "--reverse", r.Commit, "^"+r.Old)); !slices.Equal(line, became) {
			w.t.Errorf("%s stands on %s over %v, its members became %v", r.Commit, r.Old, line, became)
		}
		if tree := w.git("rev-parse", r.Commit+"^{tree}"); tree != r.Tree {
			w.t.Errorf("the receipt of %s names another tree", r.Commit)
		}
	}
	for pr, n := range times {
		if n > 1 {
			w.t.Errorf("#%d landed %d times", pr, n)
		}
	}
	subjects := map[string]bool{}
	for _, s := range strings.Split(w.git("log", "--format=%an %ad %s", tip), "\n") {
		if subjects[s] && strings.Contains(s, "Change ") {
			w.t.Errorf("main has %q twice", s)
		}
		subjects[s] = true
	}
}

var tokenText = regexp.MustCompile(`gh[spu]_[A-Za-z0-9._-]{20,}`)

// seekSecrets looks for anything secret in the log and in whatever the server wrote to disk.
func (w *town) seekSecrets() {
	w.t.Helper()
	w.seekIn("the log", w.log.bytes())
	err := filepath.WalkDir(filepath.Join(w.dir, "server"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		w.seekIn(path, body)
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

func (w *town) seekIn(where string, body []byte) {
	w.t.Helper()
	for _, line := range bytes.Split(w.app.PrivateKeyPEM, []byte("\n")) {
		if len(line) > 30 && bytes.Contains(body, line) {
			w.t.Errorf("the App's key is in %s", where)
			break
		}
	}
	if bytes.Contains(body, []byte(w.app.WebhookSecret)) {
		w.t.Errorf("the webhook secret is in %s", where)
	}
	for _, coded := range []string{base64.StdEncoding.EncodeToString([]byte("x-access-token:")), "Bearer ey"} {
		if bytes.Contains(body, []byte(coded)) {
			w.t.Errorf("authorization is in %s", where)
		}
	}
	if tokenText.Match(body) {
		w.t.Errorf("a token is in %s", where)
	}
}
