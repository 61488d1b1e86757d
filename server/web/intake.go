package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/mainstay-ci/mainstay/queue"
)

// maxDelivery is GitHub's own limit of a webhook's body.
const maxDelivery = 25 << 20

// takeWebhook verifies and keeps a webhook, and answers 202. Nothing is decided
// here: GitHub waits ten seconds at most, and never sends it again.
func (d *door) takeWebhook(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Encoding") != "" {
		say(w, http.StatusUnsupportedMediaType, "a webhook's body is sent as it is, without Content-Encoding")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		say(w, http.StatusRequestEntityTooLarge, "a webhook's body has 25 MiB at most")
		return
	}
	if err != nil {
		say(w, http.StatusBadRequest, "the body broke off")
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
