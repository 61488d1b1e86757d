package sandbox

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Outcome is what becomes of a pull request whose head and base moved in one
// push, so that the base contains the head.
type Outcome int

// The outcomes; BySeed draws ClosedUnmerged or StillOpen.
const (
	BySeed Outcome = iota
	Merged
	ClosedUnmerged
	StillOpen
)

// Odds are the chances, from 0 to 1, that a webhook is lost, doubled, delayed
// (by up to MaxDelay) or overtaken by the next one.
type Odds struct {
	Lose, Double, Delay, Shuffle float64
	// MaxDelay bounds a delay and how long a shuffled one waits to be
	// overtaken; 0 is 100 ms.
	MaxDelay time.Duration
}

// Moment says when a broken answer breaks.
type Moment int

// Before the effect, after it, or after it with the connection cut.
const (
	BeforeEffect Moment = iota
	AfterEffect
	CutAfterEffect
)

// HTTPFault breaks answers. Method and Route are as Calls counts them, "" is
// any; Skip calls go well first, then Times break (0: all).
type HTTPFault struct {
	Method, Route string
	Skip, Times   int
	When          Moment
	// Status of the answer; 0 is 502.
	Status int
	Header http.Header
	// Message of the answer's body; "" is "Server Error".
	Message string
}

// Faults disturbs the world outside a product under test. Its methods may be
// called while the forge runs.
type Faults struct {
	forge    *Forge
	mu       sync.Mutex
	plan     func(Delivery) []Delivery
	odds     Odds
	holding  bool
	held     []*Delivery
	behind   map[*App]*Delivery
	http     []*HTTPFault
	together Outcome
}

func newFaults(f *Forge) *Faults { return &Faults{forge: f, behind: map[*App]*Delivery{}} }

// Plan decides for each delivery what is sent in its place: none, itself,
// several, with Delay set where it shall wait. It comes before the odds and must
// not call the forge; nil plans nothing.
func (x *Faults) Plan(plan func(Delivery) []Delivery) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.plan = plan
}

// Disturb leaves deliveries to chance, by the forge's seed.
func (x *Faults) Disturb(odds Odds) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.odds = odds
}

// Break breaks answers until its count is spent.
func (x *Faults) Break(fault HTTPFault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.http = append(x.http, &fault)
}

// HeadWithBase forces what becomes of a pull request whose head and base moved
// in one push.
func (x *Faults) HeadWithBase(outcome Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.together = outcome
}

// Clear ends all faults and lets held deliveries go.
func (x *Faults) Clear() {
	x.mu.Lock()
	x.plan, x.odds, x.http, x.together = nil, Odds{}, nil, BySeed
	x.mu.Unlock()
	x.ReleaseAll()
}

// Hold keeps deliveries back until they are released.
func (x *Faults) Hold() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.holding = true
}

// Held returns what is held back, oldest first.
func (x *Faults) Held() []Delivery {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]Delivery, len(x.held))
	for i, d := range x.held {
		all[i] = *d
	}
	return all
}

// Release lets held deliveries of these numbers (Delivery.ID) go, in that order.
func (x *Faults) Release(ids ...int64) {
	x.forge.mu.Lock()
	defer x.forge.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		i := slices.IndexFunc(x.held, func(d *Delivery) bool { return d.ID == id })
		if i >= 0 {
			d := x.held[i]
			x.held = slices.Delete(x.held, i, i+1)
			x.forge.send(d, 0)
		}
	}
}

// ReleaseAll lets everything held go and holds nothing from now on.
func (x *Faults) ReleaseAll() {
	x.forge.mu.Lock()
	defer x.forge.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.holding = false
	for _, d := range x.held {
		x.forge.send(d, 0)
	}
	x.held = nil
}

// pass sends a delivery on as the faults will have it; the forge's lock is held.
func (x *Faults) pass(app *App, d *Delivery) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sent := []*Delivery{d}
	if x.plan != nil {
		sent = nil
		for _, planned := range x.plan(*d) {
			one := d
			if len(sent) > 0 || planned.ID != d.ID {
				one = &planned
				x.forge.deliveries = append(x.forge.deliveries, one)
			}
			one.Delay = planned.Delay
			sent = append(sent, one)
		}
		if len(sent) == 0 {
			d.StatusCode, d.DeliveredAt = http.StatusBadGateway, x.forge.options.Now().UTC()
		}
	}
	for _, one := range sent {
		x.chance(app, one)
	}
}

func (x *Faults) chance(app *App, d *Delivery) {
	draw := func(p float64) bool { return p > 0 && x.forge.chance.Float64() < p }
	most := x.odds.MaxDelay
	if most <= 0 {
		most = 100 * time.Millisecond
	}
	if draw(x.odds.Lose) {
		d.StatusCode, d.DeliveredAt = http.StatusBadGateway, x.forge.options.Now().UTC()
		return
	}
	if draw(x.odds.Delay) {
		d.Delay = time.Duration(x.forge.chance.Int64N(int64(most))) + 1
	}
	if x.holding {
		x.held = append(x.held, d)
		x.forge.touch()
		return
	}
	overtaken := x.behind[app]
	delete(x.behind, app)
	if overtaken == nil && d.Delay == 0 && draw(x.odds.Shuffle) {
		x.behind[app] = d
		app.outbox.expect()
		time.AfterFunc(most, func() { x.flush(app, d) })
		return
	}
	x.forge.send(d, d.Delay)
	if draw(x.odds.Double) {
		double := *d
		double.ID = x.forge.newID()
		x.forge.deliveries = append(x.forge.deliveries, &double)
		x.forge.send(&double, d.Delay)
	}
	if overtaken != nil {
		app.outbox.put(overtaken)
	}
}

// flush sends a shuffled delivery that nothing came to overtake.
func (x *Faults) flush(app *App, d *Delivery) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.behind[app] == d {
		delete(x.behind, app)
		app.outbox.put(d)
	}
}

// send puts a delivery into its App's outbox, at once or later; the lock is held.
func (f *Forge) send(d *Delivery, after time.Duration) {
	for _, app := range f.apps {
		if app.ID != d.AppID {
			continue
		}
		app.outbox.expect()
		if after > 0 {
			time.AfterFunc(after, func() { app.outbox.put(d) })
		} else {
			app.outbox.put(d)
		}
	}
}

func (x *Faults) togetherOutcome() Outcome {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.together != BySeed {
		return x.together
	}
	if x.forge.chance.IntN(2) == 0 {
		return ClosedUnmerged
	}
	return StillOpen
}

// broken returns the fault that hits a call, if one does.
func (x *Faults) broken(method, route string) *HTTPFault {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, fault := range x.http {
		if fault.Method != "" && fault.Method != method || fault.Route != "" && fault.Route != route {
			continue
		}
		if fault.Skip > 0 {
			fault.Skip--
			continue
		}
		if fault.Times == 1 {
			x.http = slices.Delete(x.http, i, i+1)
		}
		if fault.Times > 0 {
			fault.Times--
		}
		hit := *fault
		return &hit
	}
	return nil
}
