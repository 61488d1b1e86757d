package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// tries is how often a request is made before we do without.
const tries = 3

// client talks to the server, within a budget of time for all of its requests.
type client struct {
	base     string
	checkRun string
	left     time.Duration // of the budget
	// identify gives the headers that say who asks, anew for each request.
	identify func(ctx context.Context) (http.Header, error)
	http     *http.Client
}

// newClient checks the server's address. A token goes over TLS only, or stays
// on this machine.
func newClient(set settings, identify func(context.Context) (http.Header, error)) (*client, error) {
	base, err := url.Parse(set.server)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("server-url is not the address of a server")
	}
	if base.Scheme != "https" && !(base.Scheme == "http" && loopback(base.Hostname())) {
		return nil, fmt.Errorf("server-url begins with %q; only https is spoken to another machine", base.Scheme)
	}
	transport := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 3 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2: true,
	}
	return &client{
		base: set.server, checkRun: set.checkRun, left: set.timeout, identify: identify,
		http: &http.Client{
			Transport: transport,
			// A redirect would take the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// smallInventory is up to how many items a first request carries them at once.
const smallInventory = 200

// plan asks for the shard's share. It may use at most half of the budget when
// more is to come after it.
func (c *client) plan(ctx context.Context, request shard.PlanRequest, limit time.Duration) (shard.PlanAnswer, error) {
	ctx, done := c.spend(ctx, limit)
	defer done()
	full := request
	if len(request.Inventory.Items) > smallInventory {
		request.Inventory.Items = nil
	}
	var answer shard.PlanAnswer
	err := c.call(ctx, http.MethodPost, shard.PlansPath, request, &answer)
	if err == nil && answer.Need == shard.NeedItems && request.Inventory.Items == nil {
		request, answer = full, shard.PlanAnswer{}
		err = c.call(ctx, http.MethodPost, shard.PlansPath, request, &answer)
	}
	if err == nil {
		err = answer.Validate(request)
	}
	if err == nil {
		err = known(answer, full.Inventory)
	}
	if err != nil {
		return shard.PlanAnswer{}, fmt.Errorf("ask for a plan: %w", err)
	}
	return answer, nil
}

// known refuses a plan with items that are not of our inventory: it is somebody
// else's, and running it would leave out ours.
func known(answer shard.PlanAnswer, inventory shard.Inventory) error {
	have := make(map[string]bool, len(inventory.Items))
	for _, item := range inventory.Items {
		have[item.ID] = true
	}
	for _, s := range append([]shard.PlannedShard{answer.Shard}, answer.Shards...) {
		for _, item := range s.Items {
			if !have[item.ID] {
				return fmt.Errorf("the plan has an item that is not of this suite: %.80q", item.ID)
			}
		}
	}
	return nil
}

// spend gives a context that ends with the budget, and takes off what was used.
func (c *client) spend(ctx context.Context, limit time.Duration) (context.Context, func()) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, min(limit, c.left))
	return ctx, func() {
		cancel()
		c.left -= time.Since(began)
	}
}

// call makes one request with an identity of its own, again where that can help.
// A nil body is none.
func (c *client) call(ctx context.Context, method, path string, body, answer any) error {
	var payload, packed []byte
	var err error
	if body != nil {
		if payload, err = json.Marshal(body); err != nil {
			return err
		}
		packed = pack(payload)
	}
	identity, err := c.identify(ctx)
	if err != nil {
		return err
	}
	key := sha256.Sum256(append([]byte(method+" "+path+"\n"), payload...))
	for try := 0; ; try++ {
		var wait time.Duration
		wait, err = c.once(ctx, tries-try, func() (*http.Request, error) {
			request, err := http.NewRequest(method, c.base+path, bytes.NewReader(packed))
			if err != nil {
				return nil, err
			}
			request.Header = identity.Clone()
			request.Header.Set("User-Agent", "mainstay-action/"+version)
			if body != nil {
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Idempotency-Key", hex.EncodeToString(key[:]))
			}
			if len(packed) < len(payload) {
				request.Header.Set("Content-Encoding", "gzip")
			}
			if c.checkRun != "" {
				request.Header.Set(shard.HeaderCheckRun, c.checkRun)
			}
			return request, nil
		}, answer)
		var fault *final
		if err == nil || errors.As(err, &fault) || try+1 == tries || !pause(ctx, max(wait, backoff(try+1))) {
			return err
		}
	}
}

// final is an error that asking again would not change.
type final struct{ error }

func (f *final) Unwrap() error { return f.error }

// once makes one try. It returns how long the server wants us to wait.
func (c *client) once(ctx context.Context, left int, make func() (*http.Request, error), answer any) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, share(ctx, left))
	defer cancel()
	request, err := make()
	if err != nil {
		return 0, &final{err}
	}
	response, err := c.http.Do(request.WithContext(ctx))
	if err != nil {
		return 0, errors.New(reason(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, shard.MaxPlainBody))
	switch {
	case err != nil:
		return 0, errors.New("the answer broke off: " + reason(err))
	case response.StatusCode/100 != 2:
		wait, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return time.Duration(wait) * time.Second, refusal(response.StatusCode, text)
	case json.Unmarshal(text, answer) != nil:
		return 0, &final{errors.New("the answer is not the JSON of a Mainstay server")}
	}
	return 0, nil
}

// errGone is the server's word that a lease is lost.
var errGone = errors.New("status 410: it is lost")

// refusal says what the server refused, in its own words where they can be read.
func refusal(status int, text []byte) error {
	said := fmt.Errorf("status %d", status)
	var body shard.ErrorBody
	if json.Unmarshal(text, &body) == nil && body.Error.Code != "" {
		said = fmt.Errorf("status %d, %s: %s", status, shard.Cut(shard.CleanName(string(body.Error.Code)), 50), shard.Cut(shard.CleanName(body.Error.Message), 300))
	}
	if status == http.StatusGone {
		return &final{errGone}
	}
	if status == http.StatusTooManyRequests || status >= 500 {
		return said
	}
	return &final{said}
}

// reason is an error's text without the address, in which others may have put
// what should not be printed, and without what another line could be made of.
func reason(err error) string {
	if err == nil {
		return "no answer"
	}
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "the job was cancelled"
	}
	return shard.Cut(shard.CleanName(err.Error()), 300)
}

// pack compresses what is worth it.
func pack(payload []byte) []byte {
	if len(payload) < 4<<10 {
		return payload
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.Copy(w, strings.NewReader(string(payload))); err != nil {
		return payload
	}
	if err := w.Close(); err != nil || packed.Len() >= len(payload) {
		return payload
	}
	return packed.Bytes()
}
