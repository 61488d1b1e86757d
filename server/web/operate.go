package web

import (
	"errors"
	"net/http"
)

// maxForm is far more than a reason needs.
const maxForm = 16 << 10

// operate does what a form of the queue's page asks, and leads back to it.
func (p *pages) operate(w http.ResponseWriter, r *http.Request) {
	place, action, err := p.locate(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		say(w, http.StatusBadRequest, "The form could not be read.")
		return
	}
	back := queuePath(place)
	switch action {
	case "pause":
		reason := plainLine(r.PostForm.Get("reason"), 300)
		if reason == "" {
			say(w, http.StatusBadRequest, "A pause needs a reason: everybody in line will read it.")
			return
		}
		err = p.Operator.Pause(r.Context(), place.ID, who(r), reason)
	case "resume":
		err = p.Operator.Resume(r.Context(), place.ID, who(r))
	case "tests/quarantine", "tests/release":
		err, back = p.quarantine(r, place, action == "tests/release"), back+"/tests"
	default:
		say(w, http.StatusNotFound, "There is no such action.")
		return
	}
	if errors.Is(err, errForm) {
		say(w, http.StatusBadRequest, upperFirst(err.Error())+".")
		return
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.Log.Info("an operator acted", "action", action, "by", who(r), "queue", place.ID)
	http.Redirect(w, r, back, http.StatusSeeOther)
}
