package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/sandbox"
)

// Buttons on the check take out and try again; who may not write is refused by name.
func TestTheButtonsOfTheCheck(t *testing.T) {
	t.Parallel()
	w := found(t, scene{})
	trudy := w.forge.NewUser("trudy")
	w.must(w.repo.SetPermission(trudy, "triage"))
	w.ci.hold()
	pr := w.opens("topic")
	w.label(pr)
	w.until("it is under test", func() bool { return strings.HasPrefix(w.check(w.pull(pr).HeadSHA).Title, "Testing") })
	id := w.check(w.pull(pr).HeadSHA).ID

	w.must(w.repo.Press(id, trudy, "out"))
	w.until("the refusal is told", func() bool { return w.said(pr, "not_permitted") })
	if e := w.entry(pr); e.Phase != queue.Testing {
		t.Fatalf("it is %s", e.Phase)
	}
	w.must(w.repo.Press(id, w.author, "out"))
	w.awaitEnds(ends{pr: queue.Withdrawn})

	w.ci.release()
	w.must(w.repo.Press(id, w.author, "retry"))
	w.awaitPhase(pr, queue.Landed)
	w.awaitEnds(ends{pr: landed})

	// The audit can be read from the shell, beside the running server.
	var plain, coded bytes.Buffer
	c := auditCommand{Repository: "acme/widgets", Data: w.settings().data, Limit: 10}
	w.must(c.print(t.Context(), &plain))
	for _, want := range []string{"trudy", "by button", "refused (not_permitted)", "retry granted", "enter granted"} {
		if !strings.Contains(plain.String(), want) {
			t.Errorf("the audit does not say %q:\n%s", want, plain.String())
		}
	}
	c.JSON, c.Refused = true, true
	w.must(c.print(t.Context(), &coded))
	var line auditLine
	if err := json.Unmarshal(coded.Bytes(), &line); err != nil || line.By.ID != trudy.ID || line.Rule != queue.Rule(queue.NotPermitted) {
		t.Errorf("%s: %v", coded.String(), err)
	}
	if err := (auditCommand{Repository: "acme/nothing", Data: c.Data}).print(t.Context(), &plain); err == nil {
		t.Error("a repository that is unknown has an audit")
	}
}

const hostileText = "`x` <script>alert(1)</script> [a](javascript:b) \u202eevil \x1b[31m @everyone $(touch /tmp/x) --upload-pack=x"

// Names, titles and branch names are anybody's: nothing of them is markup, an
// option, a line of a log, or an order to a terminal.
func TestHostileTextIsTextEverywhere(t *testing.T) {
	t.Parallel()
	w := found(t, scene{approvals: 1})
	branch := "--upload-pack=$(x);`y`<b>&'"
	head, err := w.repo.Commit("main", map[string]string{"topic.txt": "topic\n"}, hostileText)
	w.must(err)
	w.must(w.repo.Push(w.author, sandbox.RefUpdate{Ref: "refs/heads/" + branch, New: head}))
	opened, err := w.repo.OpenPullRequest(sandbox.OpenPullRequest{By: w.author, Head: branch, Title: hostileText})
	w.must(err)
	pr := int(opened.Number)
	w.gate.remember(head, pr)
	mallory := w.forge.NewUser("mallory")

	w.ci.hold()
	w.writes(pr, mallory, "/mainstay "+hostileText)
	w.until("the refusal is told", func() bool { return w.said(pr, "not_permitted") })
	w.must(w.server.engine.Pause(t.Context(), w.place.ID, "octavia", "wait"))
	w.must(w.repo.Review(int64(pr), w.owner, "approved"))
	w.label(pr)
	w.awaitPhase(pr, queue.Waiting)
	w.awaitMark(w.writes(pr, w.owner, "/mainstay first "+hostileText), "+1")
	w.until("the check says why it is first", func() bool { return strings.Contains(w.check(head).Summary, "Sent to the front") })
	summary := w.check(head).Summary
	w.must(w.server.engine.Resume(t.Context(), w.place.ID, "octavia"))
	w.awaitPhase(pr, queue.Testing)
	w.until("the check shows the members", func() bool { return strings.Contains(w.check(head).Summary, "becomes") })
	summary += w.check(head).Summary
	w.ci.release()
	w.awaitEnds(ends{pr: landed})

	texts := []string{summary, w.check(w.entry(pr).Check.Head).Title}
	for _, c := range w.repo.Comments(int64(pr)) {
		if strings.Contains(c, "was refused") || strings.Contains(c, "Landed") {
			texts = append(texts, c)
		}
	}
	for _, text := range texts {
		for i, part := range strings.Split(text, "`") {
			inCode := i%2 == 1 // spans of one backtick each: what strangers wrote is inside
			if !inCode && (strings.Contains(part, "<script") || strings.Contains(part, "](javascript") || strings.Contains(part, "@everyone")) {
				t.Errorf("outside a code span: %q of %q", part, text)
			}
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) || r == '\u202e' }); i >= 0 {
			t.Errorf("%q has an order to a terminal", text)
		}
	}
	for _, line := range strings.Split(string(w.log.bytes()), "\n") {
		if strings.Contains(line, "\x1b") || line != "" && !strings.HasPrefix(line, "time=") {
			t.Errorf("the log has the line %q", line)
		}
	}
	var audit bytes.Buffer
	w.must(auditCommand{Repository: "acme/widgets", Data: w.settings().data, Limit: 10}.print(t.Context(), &audit))
	if out := audit.String(); strings.ContainsAny(out, "\x1b\u202e") || !strings.Contains(out, `\x1b`) {
		t.Errorf("the audit prints %q", out)
	}
}
