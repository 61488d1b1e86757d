package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/flake"
)

// errForm is in the error of a form that asks for what cannot be done; its text is
// for the one who filled it in.
var errForm = errors.New("the form")

// maxTerm is how long a person may excuse a test, in days.
const maxTerm = 90

// quarantine puts a test in quarantine or takes it out, as a form of the Tests
// page asks. A test nobody saw fail on good code cannot be excused.
func (p *pages) quarantine(r *http.Request, place queue.Place, release bool) error {
	form := func(name string, most int) string { return plainLine(r.PostForm.Get(name), most) }
	if p.Tests == nil {
		return queue.ErrNotFound
	}
	key, now := form("key", 200), p.Clock()
	change := func(b flake.Book) ([]flake.Entry, error) { return releaseTest(b, key, who(r), now) }
	if !release {
		days, err := strconv.Atoi(form("days", 10))
		if err != nil || days < 1 || days > maxTerm {
			return fmt.Errorf("%w: days must be a number from 1 to %d", errForm, maxTerm)
		}
		entry := flake.Entry{Key: key, Owner: form("owner", 100), Reason: form("reason", 300), By: who(r), Since: now,
			Until: now.Add(time.Duration(days) * 24 * time.Hour)}
		if entry.Owner == "" || entry.Reason == "" {
			return fmt.Errorf("%w: a quarantine needs an owner and a reason", errForm)
		}
		change = func(b flake.Book) ([]flake.Entry, error) { return holdTest(b, entry) }
	}
	return p.Tests.ChangeQuarantine(r.Context(), place.Repository, r.PostForm.Get("suite"), r.PostForm.Get("variant"), change)
}

// releaseTest ends the entries of a test that stand.
func releaseTest(b flake.Book, key, by string, now time.Time) ([]flake.Entry, error) {
	var ended []flake.Entry
	for _, e := range b.Entries {
		if e.Key == key && e.Stands(now) {
			e.Ended, e.End = now, "released by "+by
			ended = append(ended, e)
		}
	}
	if len(ended) == 0 {
		return nil, fmt.Errorf("%w: that test is not in quarantine (any more)", errForm)
	}
	return ended, nil
}

// holdTest makes the entry of a test complete, in place of one that stands.
func holdTest(b flake.Book, entry flake.Entry) ([]flake.Entry, error) {
	t := b.Record(entry.Key)
	if t.Times == 0 {
		return nil, fmt.Errorf("%w: that test never failed on good code, so there is nothing to excuse", errForm)
	}
	entry.Name, entry.Class, entry.File, entry.Times = t.Name, t.Class, t.File, t.Times
	entries, standing := []flake.Entry{entry}, 0
	for _, e := range b.Entries {
		switch {
		case e.Key == entry.Key && e.Stands(entry.Since):
			e.Ended, e.End = entry.Since, "renewed by "+entry.By
			entries = append(entries, e)
		case e.Stands(entry.Since):
			standing++
		}
	}
	if most := flake.Share(b.Suite.Tests); standing >= most {
		return nil, fmt.Errorf("%w: %d of %d tests are in quarantine already, and that is the most: one in a hundred", errForm, standing, b.Suite.Tests)
	}
	return entries, nil
}
