package queue

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Enter says who and what may enter the line besides what people who may write ask for.
type Enter struct {
	Bots    []Bot `json:"bots,omitempty"`     // those that may enter, as people who write may
	NoForks bool  `json:"no_forks,omitempty"` // pull requests from forks may not
	Most    int   `json:"most,omitempty"`     // in line and under test; 0: as many as come
	MostBot int   `json:"most_bot,omitempty"` // of one bot's
}

// Bot names one. Without an id whoever has that login counts, as long as it is a bot.
type Bot struct {
	Login string `json:"login"` // without [bot]
	ID    int64  `json:"id,omitempty"`
}

const botSuffix = "[bot]"

// names reports whether a bot is named. Only GitHub gives out logins that end in [bot].
func (n Enter) names(by Actor) bool {
	login := strings.TrimSuffix(by.Login, botSuffix)
	for _, b := range n.Bots {
		if b.ID != 0 && b.ID == by.ID || b.ID == 0 && strings.EqualFold(strings.TrimSuffix(b.Login, botSuffix), login) {
			return by.Bot
		}
	}
	return false
}

// full says whether there is no room for a new entry. A hotfix always finds some.
func (t *step) full(e *Entry) (End, bool) {
	s := t.header.Settings.Enter
	if e.PR.Hotfix || s.Most == 0 && s.MostBot == 0 {
		return End{}, false
	}
	all, ofAuthor := 0, 0
	for _, pr := range t.living() {
		if pr == e.PR.Number {
			continue
		}
		all++
		if x := t.entries[pr]; x.PR.Author.ID == e.PR.Author.ID {
			ofAuthor++
		}
	}
	if e.PR.Author.Bot && s.MostBot > 0 && ofAuthor >= s.MostBot {
		return End{Reason: QueueFull, Detail: fmt.Sprintf("%s has %d pull requests in line, which is as many as a bot may have.", code(e.PR.Author.Login), ofAuthor),
			Next: "Set the label again when some have landed."}, true
	}
	if s.Most > 0 && all >= s.Most {
		return End{Reason: QueueFull, Detail: fmt.Sprintf("%d pull requests are in line, which is as many as may be.", all),
			Next: "Set the label again when some have landed."}, true
	}
	return End{}, false
}

// living is everybody in line and under test.
func (t *step) living() []int {
	all := slices.Clone(t.line)
	for _, b := range t.openBatches() {
		for _, n := range b.Nodes {
			all = append(all, n.Members...)
		}
	}
	return all
}

// seeWish takes from a reading who asks now. Where we set the label ourselves, the
// command that had us do so is the wish.
func (t *step) seeWish(e *Entry) {
	w := e.PR.Wish
	switch {
	case w == nil && t.labelling(e):
		e.PR.Wish = &Wish{Ours: true}
		return
	case w == nil || w.Kind != ByLabel:
		return
	}
	e.LabelDue = time.Time{} // it shows
	if w.ID != 0 && !w.Ours && (w.Kind == e.Wish.Kind || w.after(e.Wish)) {
		e.Wish = *w
	}
}

// followHead sends an entry that only waits back to be judged at its new head. A
// fork's head may be moved by somebody who may not write: without an approval of
// exactly the new head nobody would have said that it may run here.
func (t *step) followHead(e *Entry) {
	if e.Phase != Waiting || e.PR.Head == e.Pinned || e.PR.Fork && t.header.Rules.Approvals == 0 {
		return
	}
	t.giveUpWith(e, pullName(e)+" was pushed to")
	e.Pinned = ""
	t.move(e, Asking, NotApproved)
}

// togglePace is how soon after a short stay in line a label is looked at again.
const togglePace = 10 * time.Second

// toggled reports until when a label that comes and goes waits to be looked at.
func (e *Entry) toggled() time.Time {
	if e.Phase != Out || e.End.Reason != LabelRemoved || e.End.At.Sub(e.EnteredAt) >= togglePace {
		return time.Time{}
	}
	return e.End.At.Add(togglePace)
}
