package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// livePace is the least time between two renderings for one listener.
	livePace = 250 * time.Millisecond
	// heartbeat keeps the line open and relative times true.
	heartbeat = 15 * time.Second
	// maxStreams bounds the listening pages; each costs a rendering per change.
	maxStreams = 200
	// writeLimit is how long a listener may take no data.
	writeLimit = 10 * time.Second
)

func (p *pages) streamHome(w http.ResponseWriter, r *http.Request) {
	places, err := p.Reader.Queues(r.Context())
	if err != nil {
		p.fail(w, r, err)
		return
	}
	ids := make([]int64, len(places))
	for i, place := range places {
		ids[i] = place.ID
	}
	p.stream(w, r, func(ctx context.Context) (page, error) {
		content, err := p.home(ctx)
		if body, ok := content.Body.(homeBody); ok && len(body.Queues) != len(ids) {
			return page{}, errOtherQueues
		}
		return content, err
	}, ids...)
}

// errOtherQueues ends a stream that watches too few queues: its page connects again.
var errOtherQueues = errors.New("there are other queues now")

// stream sends a page's main part, rendered here, each time one of its queues
// changed, until the request ends.
func (p *pages) stream(w http.ResponseWriter, r *http.Request, v view, ids ...int64) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		w.Header().Set("Retry-After", "30")
		say(w, http.StatusServiceUnavailable, "Too many pages are listening; reload to see what is new.")
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	changed := p.watchAll(ctx, ids)
	l := &listener{pages: p, view: v, control: http.NewResponseController(w), w: w}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	// The server's limit for reading a request would end it after a minute.
	_ = l.control.SetReadDeadline(time.Time{})
	_, _ = w.Write([]byte("retry: 1000\n\n")) // a listener that is gone shows at the next write
	l.run(ctx, changed)
}

// watchAll makes one channel of several queues' changes.
func (p *pages) watchAll(ctx context.Context, ids []int64) <-chan struct{} {
	all := make(chan struct{}, 1)
	for _, id := range ids {
		one, stop := p.Operator.Watch(id)
		go func() {
			defer stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-one:
					select {
					case all <- struct{}{}:
					default:
					}
				}
			}
		}()
	}
	return all
}

// listener is one page that is kept up to date.
type listener struct {
	*pages
	view    view
	w       http.ResponseWriter
	control *http.ResponseController
	last    []byte
}

func (l *listener) run(ctx context.Context, changed <-chan struct{}) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	pace := time.NewTimer(livePace)
	defer pace.Stop()
	// What changed between the page and this line is sent at once.
	if !l.send(ctx) {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		case <-changed:
			select { // several changes, one rendering
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			pace.Reset(livePace)
			select {
			case <-changed:
			default:
			}
		}
		if !l.send(ctx) {
			return
		}
	}
}

// send tells the listener what the page shows now, or, where that is nothing
// new, that it is still there. It is false when the listener is gone.
func (l *listener) send(ctx context.Context) bool {
	now, err := l.fragment(ctx)
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, errOtherQueues) {
			l.Log.Error("a live page could not be rendered", "err", err)
		}
		return false // the page connects again
	}
	var out bytes.Buffer
	if bytes.Equal(now, l.last) {
		out.WriteString(": still here\n\n")
	} else {
		l.last = now
		out.WriteString("event: changed\n")
		for line := range bytes.Lines(now) {
			fmt.Fprintf(&out, "data: %s\n", bytes.TrimRight(line, "\r\n"))
		}
		out.WriteString("\n")
	}
	_ = l.control.SetWriteDeadline(l.limit())
	if _, err := l.w.Write(out.Bytes()); err != nil {
		return false
	}
	return l.control.Flush() == nil
}

// limit is on the machine's clock, not the pages': it is the connection's.
func (l *listener) limit() time.Time { return time.Now().Add(writeLimit) }

func (l *listener) fragment(ctx context.Context) ([]byte, error) {
	content, err := l.view(ctx)
	if err != nil {
		return nil, err
	}
	return l.render("main", content)
}
