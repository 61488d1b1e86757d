package github

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Class says how much a call matters, for when there are fewer calls than wishes.
type Class int

// The classes. Whoever says nothing is Usual.
const (
	Usual      Class = iota
	Decoration       // what people see: checks, comments, labels
	Landing          // what a landing needs, and what proves it
)

type classKey struct{}

// WithClass has all calls made with this context count as of a class.
func WithClass(ctx context.Context, c Class) context.Context {
	return context.WithValue(ctx, classKey{}, c)
}

func classOf(ctx context.Context) Class {
	c, _ := ctx.Value(classKey{}).(Class)
	return c
}

// What one installation may write. GitHub's own limits are 80 things made in a minute
// and 500 in an hour, may change unannounced, and can't be asked for; who goes on
// while limited may be banned.
const (
	writesAMinute = 60
	makesAnHour   = 400
	keptForLand   = 10 // of the writes of a minute, for landings
)

// Shares of the hour's calls below which decoration waits, and then everything but landings.
const (
	scarce  = 0.20
	nothing = 0.05
)

// pace keeps an installation inside its limits. It never waits: it says when, and
// whoever asks is put off till then, so that a call that waits holds no place.
type pace struct {
	mu     sync.Mutex
	writes window
	makes  window

	strikes int // limits in a row of which GitHub did not say how long they hold

	limit, remaining int // of the hour's calls, as GitHub last said; 0 limit: it has not
	reset            time.Time
}

func newPace(aMinute int) *pace {
	if aMinute == 0 {
		aMinute = writesAMinute
	}
	return &pace{writes: window{span: time.Minute, most: aMinute}, makes: window{span: time.Hour, most: makesAnHour * aMinute / writesAMinute}}
}

// admit counts a call that may be made now; else it says when to ask again, and why.
func (p *pace) admit(c Class, what call, now time.Time) (at time.Time, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if share := p.share(now); c != Landing && (share < nothing || share < scarce && c == Decoration) {
		return p.reset, "few calls of this hour are left"
	}
	if what.method == http.MethodGet || what.path == graphPath {
		return time.Time{}, ""
	}
	kept := 0
	if c != Landing {
		kept = min(keptForLand, p.writes.most/2)
	}
	if at := p.writes.next(now, kept); !at.IsZero() {
		return at, "enough was written this minute"
	}
	if what.method == http.MethodPost {
		if at := p.makes.next(now, kept); !at.IsZero() {
			return at, "enough was made this hour"
		}
		p.makes.count(now)
	}
	p.writes.count(now)
	return time.Time{}, ""
}

// share is how much of the hour's calls is left, 1 where that is not known.
func (p *pace) share(now time.Time) float64 {
	if p.limit <= 0 || !now.Before(p.reset) {
		return 1
	}
	return float64(p.remaining) / float64(p.limit)
}

// graphPath is where questions are sent as writes are.
const graphPath = "graphql"

// note takes from an answer what is left of the hour's calls.
func (p *pace) note(h http.Header) {
	limit, err1 := strconv.Atoi(h.Get("X-Ratelimit-Limit"))
	remaining, err2 := strconv.Atoi(h.Get("X-Ratelimit-Remaining"))
	reset, err3 := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || h.Get("X-Ratelimit-Resource") == "graphql" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit, p.remaining, p.reset = limit, remaining, time.Unix(reset, 0)
}

// window counts what happened in the last while, any while: a bucket that refills
// would let by twice its measure in a while that begins at the right moment.
type window struct {
	span time.Duration
	most int
	past []time.Time // oldest first
}

// next is zero when one more fits now, with so many places kept free; else when it will.
func (w *window) next(now time.Time, kept int) time.Time {
	first := 0
	for first < len(w.past) && !w.past[first].Add(w.span).After(now) {
		first++
	}
	w.past = w.past[first:]
	over := len(w.past) - (w.most - kept)
	if over < 0 {
		return time.Time{}
	}
	return w.past[over].Add(w.span)
}

func (w *window) count(now time.Time) { w.past = append(w.past, now) }

// strike says until when to be silent after a limit: as GitHub said, else a minute,
// and twice that each time it happens again.
func (p *pace) strike(t *Trouble, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.told {
		return t.RetryAt
	}
	wait := time.Minute << min(p.strikes, 6)
	p.strikes++
	return now.Add(wait)
}

func (p *pace) forgive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strikes = 0
}
