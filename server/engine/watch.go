package engine

import "sync"

// watchers are pages that want to know when a queue changed.
type watchers struct {
	mu     sync.Mutex
	all    map[int64]map[chan struct{}]bool
	opened chan struct{}
}

// Watch tells, by a token in a channel of one, each time the queue changed; the
// second value ends it.
func (e *Engine) Watch(id int64) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w := &e.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[int64]map[chan struct{}]bool{}
	}
	if w.all[id] == nil {
		w.all[id] = map[chan struct{}]bool{}
	}
	w.all[id][ch] = true
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all[id], ch)
	}
}

func (w *watchers) tell(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.all[id] {
		ping(ch)
	}
}

// Opened gives a channel that is closed when the next queue is opened.
func (e *Engine) Opened() <-chan struct{} {
	e.watch.mu.Lock()
	defer e.watch.mu.Unlock()
	if e.watch.opened == nil {
		e.watch.opened = make(chan struct{})
	}
	return e.watch.opened
}

func (w *watchers) tellOpened() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opened != nil {
		close(w.opened)
		w.opened = nil
	}
}
