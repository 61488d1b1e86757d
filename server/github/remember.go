package github

import (
	"bytes"
	"container/list"
	"io"
	"net/http"
	"sync"
)

// Bounds of what an installation's answers may take in memory.
const (
	rememberedAnswer = 128 << 10 // bytes of one
	rememberedInAll  = 4 << 20
)

// memory asks again for what was read before only in case that it has changed
// (If-None-Match): the answer "not modified" is free of GitHub's hourly limit. It
// never answers by itself, as a cache by the book would for the minute that
// GitHub's headers allow: a decision must not rest on an answer nobody gave now.
type memory struct {
	next http.RoundTripper

	mu    sync.Mutex
	known map[string]*list.Element // of *answer, by address
	order *list.List               // the one used last comes first
	size  int
}

// answer is one reading as it came.
type answer struct {
	address, tag string
	header       http.Header
	body         []byte
}

func newMemory(next http.RoundTripper) *memory {
	return &memory{next: next, known: map[string]*list.Element{}, order: list.New()}
}

// RoundTrip sends a request; what is answered "not modified" comes as it came first.
func (m *memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return m.next.RoundTrip(r)
	}
	address := r.URL.String()
	old := m.find(address)
	if old != nil {
		r = r.Clone(r.Context())
		r.Header.Set("If-None-Match", old.tag)
	}
	resp, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && old != nil:
		resp.Body.Close()
		return old.again(resp), nil
	case resp.StatusCode == http.StatusOK && resp.Header.Get("ETag") != "":
		return resp, m.take(address, resp)
	}
	return resp, nil
}

// again is the first answer with the headers of the new one, which tell of limits.
func (a *answer) again(now *http.Response) *http.Response {
	for _, name := range []string{"Link", "Content-Type"} {
		if v := a.header.Get(name); v != "" && now.Header.Get(name) == "" {
			now.Header.Set(name, v)
		}
	}
	now.StatusCode, now.Status = http.StatusOK, "200 OK"
	now.Body, now.ContentLength = io.NopCloser(bytes.NewReader(a.body)), int64(len(a.body))
	return now
}

// take keeps an answer that is small enough; a larger one goes on as it streams.
func (m *memory) take(address string, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, rememberedAnswer+1))
	if err != nil {
		resp.Body.Close()
		return err
	}
	if len(body) > rememberedAnswer {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
		return nil
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	m.keep(&answer{address: address, tag: resp.Header.Get("ETag"), header: resp.Header, body: body})
	return nil
}

func (m *memory) find(address string) *answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.known[address]
	if at == nil {
		return nil
	}
	m.order.MoveToFront(at)
	return at.Value.(*answer)
}

func (m *memory) keep(a *answer) {
	a.header = http.Header{"Link": a.header["Link"], "Content-Type": a.header["Content-Type"]}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.known[a.address]; at != nil {
		m.drop(at)
	}
	m.known[a.address] = m.order.PushFront(a)
	m.size += len(a.body)
	for m.size > rememberedInAll {
		m.drop(m.order.Back())
	}
}

func (m *memory) drop(at *list.Element) {
	a := m.order.Remove(at).(*answer)
	delete(m.known, a.address)
	m.size -= len(a.body)
}
