package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Delivery is one webhook on its way to one App, and afterwards its record.
type Delivery struct {
	ID             int64
	GUID           string
	Event          string
	Action         string
	AppID          int64
	InstallationID int64
	RepositoryID   int64
	Body           []byte
	Redelivery     bool
	// StatusCode is 0 while the delivery is on its way or held; a lost one gets 502.
	StatusCode  int
	DeliveredAt time.Time
	Duration    time.Duration
	// Delay is set by a plan: the delivery waits that long and is overtaken.
	Delay time.Duration
}

// deliveryDeadline is how long GitHub waits for an answer.
const deliveryDeadline = 10 * time.Second

func newSender() *http.Client {
	return &http.Client{Timeout: deliveryDeadline,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// outbox is the line of deliveries to one App.
type outbox struct {
	mu     sync.Mutex
	queue  []*Delivery
	wake   chan struct{}
	open   int // queued, on the way or waiting for their delay
	closed bool
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

func (o *outbox) expect() {
	o.mu.Lock()
	o.open++
	o.mu.Unlock()
}

func (o *outbox) put(d *Delivery) {
	o.mu.Lock()
	o.queue = append(o.queue, d)
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) take() (d *Delivery, closed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) > 0 && !o.closed {
		d, o.queue = o.queue[0], o.queue[1:]
	}
	return d, o.closed
}

func (o *outbox) done() {
	o.mu.Lock()
	o.open--
	o.mu.Unlock()
}

func (o *outbox) pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open
}

func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.signal()
}

// deliverAll sends what lies in the App's outbox, one after the other.
func (f *Forge) deliverAll(app *App) {
	for {
		d, closed := app.outbox.take()
		switch {
		case closed:
			return
		case d == nil:
			<-app.outbox.wake
		default:
			f.deliver(app, d)
			app.outbox.done()
			f.mu.Lock()
			f.touch()
			f.mu.Unlock()
		}
	}
}

func (f *Forge) deliver(app *App, d *Delivery) {
	f.mu.Lock()
	url, secret := app.webhookURL, app.WebhookSecret
	f.mu.Unlock()
	start := time.Now()
	code, err := f.post(url, secret, d)
	f.mu.Lock()
	defer f.mu.Unlock()
	d.StatusCode, d.Duration, d.DeliveredAt = code, time.Since(start), f.options.Now().UTC()
	if err != nil && f.ctx.Err() == nil {
		f.log.Warn("a webhook did not arrive", "event", d.Event, "delivery", d.GUID, "error", err)
	}
}

// post sends one delivery; no answer is 502 as in GitHub's own record.
func (f *Forge) post(url, secret string, d *Delivery) (int, error) {
	req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, url, bytes.NewReader(d.Body))
	if err != nil {
		return http.StatusBadGateway, fmt.Errorf("deliver %s: %w", d.Event, err)
	}
	head := req.Header
	head.Set("Content-Type", "application/json")
	head.Set("User-Agent", "GitHub-Hookshot/5a4dbox")
	head.Set("X-GitHub-Event", d.Event)
	head.Set("X-GitHub-Delivery", d.GUID)
	head.Set("X-GitHub-Hook-ID", fmt.Sprint(d.AppID))
	head.Set("X-GitHub-Hook-Installation-Target-ID", fmt.Sprint(d.AppID))
	head.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if secret != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(d.Body)
		head.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := f.sender.Do(req)
	if err != nil {
		return http.StatusBadGateway, fmt.Errorf("deliver %s: %w", d.Event, err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, resp.Body.Close()
}

func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// listeners are the installations an event of the repository goes to.
func (f *Forge) listeners(repo *Repository, event string) []*installation {
	if f.silent > 0 || f.closed {
		return nil
	}
	var all []*installation
	for _, i := range f.installs {
		if i.repos[repo.ID] && i.app.listens(event) {
			all = append(all, i)
		}
	}
	return all
}

func (a *App) listens(event string) bool {
	return a.webhookURL != "" && (a.events == nil || a.events[event])
}

// emit tells an event of a repository to every App that listens; the lock is held.
func (r *Repository) emit(by *credential, event, action string, body object) {
	for _, i := range r.forge.listeners(r, event) {
		r.complete(by, action, body)
		body["installation"] = object{"id": i.id, "node_id": nodeID("Installation", i.id)}
		r.forge.dispatch(i.app, &Delivery{Event: event, Action: action, InstallationID: i.id, RepositoryID: r.ID}, body)
	}
}

// complete adds what every event of a repository carries.
func (r *Repository) complete(by *credential, action string, body object) {
	if action != "" {
		body["action"] = action
	}
	if body["repository"] == nil {
		body["repository"] = r.shown()
	}
	body["sender"] = r.forge.accountJSON(by.account())
	if r.owner.kind == "Organization" {
		body["organization"] = r.forge.organizationJSON(r.owner)
	}
}

// dispatch records a delivery and hands it to the faults, which send it on.
func (f *Forge) dispatch(app *App, d *Delivery, body object) {
	raw, err := json.Marshal(body)
	if err != nil {
		f.log.Error("a webhook could not be written", "event", d.Event, "error", err)
		return
	}
	if f.options.Told != nil {
		f.options.Told(d.Event, d.Action, raw)
	}
	d.ID, d.GUID, d.AppID, d.Body = f.newID(), newGUID(), app.ID, raw
	f.deliveries = append(f.deliveries, d)
	f.Faults.pass(app, d)
}

// Deliveries returns the record of all webhooks, oldest first.
func (f *Forge) Deliveries() []Delivery {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Delivery, len(f.deliveries))
	for i, d := range f.deliveries {
		all[i] = *d
	}
	return all
}

// Redeliver sends a delivery once more under its old GUID. It fails when there
// is none of that GUID.
func (f *Forge) Redeliver(guid string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.deliveries {
		if d.GUID == guid {
			f.redeliver(d)
			return nil
		}
	}
	return fmt.Errorf("redeliver %s: no such delivery", guid)
}

func (f *Forge) redeliver(d *Delivery) {
	again := &Delivery{ID: f.newID(), GUID: d.GUID, Event: d.Event, Action: d.Action, AppID: d.AppID,
		InstallationID: d.InstallationID, RepositoryID: d.RepositoryID, Body: d.Body, Redelivery: true}
	f.deliveries = append(f.deliveries, again)
	for _, app := range f.apps {
		if app.ID == d.AppID {
			f.Faults.pass(app, again)
		}
	}
}
