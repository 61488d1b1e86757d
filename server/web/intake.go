package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/mainstay-ci/mainstay/queue"
)

const (
	maxDelivery = 25 << 20  // GitHub's own limit of a webhook's body
	maxInFlight = 256 << 20 // of all bodies being read or kept
)

var errCrowded = errors.New("too many webhooks at once")

// metered counts what a body takes of the memory that all share: anybody can send
// one, and only a whole one has a signature.
type metered struct {
	io.Reader
	left *atomic.Int64
	took int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.took += int64(n)
	if m.left.Add(-int64(n)) < 0 {
		return n, errCrowded
	}
	return n, err
}

func (m *metered) giveBack() { m.left.Add(m.took) }

// takeWebhook verifies and keeps a webhook, and answers 202. Nothing is decided
// here: GitHub waits ten seconds at most, and never sends it again.
func (d *door) takeWebhook(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Encoding") != "" {
		say(w, http.StatusUnsupportedMediaType, "a webhook's body is sent as it is, without Content-Encoding")
		return
	}
	meter := &metered{Reader: http.MaxBytesReader(w, r.Body, maxDelivery), left: &d.room}
	defer meter.giveBack()
	body, err := io.ReadAll(meter)
	if err != nil {
		d.Log.Warn("a webhook was refused", "err", err, "delivery", r.Header.Get("X-GitHub-Delivery"))
		say(w, brokenOff(err), "a webhook's body is read whole, 25 MiB at most: "+err.Error())
		return
	}
	if err := d.Webhooks.Verify(r.Header.Get("X-Hub-Signature-256"), body); err != nil {
		d.Log.Warn("a webhook was refused", "err", err, "delivery", r.Header.Get("X-GitHub-Delivery"))
		say(w, http.StatusUnauthorized, "the signature in X-Hub-Signature-256 does not fit: is the App's webhook secret the one the server knows?")
		return
	}
	delivery := queue.Delivery{GUID: r.Header.Get("X-GitHub-Delivery"), Event: r.Header.Get("X-GitHub-Event"), Body: body, At: d.Clock()}
	if delivery.GUID == "" || len(delivery.GUID) > 100 || delivery.Event == "" || len(delivery.Event) > 100 {
		say(w, http.StatusBadRequest, "X-GitHub-Delivery and X-GitHub-Event must say which delivery this is")
		return
	}
	if !json.Valid(body) {
		say(w, http.StatusBadRequest, "the body is not JSON: set the App's webhook content type to application/json")
		return
	}
	if _, err := d.Webhooks.KeepDelivery(r.Context(), delivery); err != nil {
		d.Log.Error("a webhook could not be kept", "delivery", delivery.GUID, "err", err)
		say(w, http.StatusServiceUnavailable, "it could not be kept; send it again later")
		return
	}
	d.Webhooks.WakeInbox()
	say(w, http.StatusAccepted, "kept")
}

// brokenOff is the status for a body that was not read to its end.
func brokenOff(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errCrowded):
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
