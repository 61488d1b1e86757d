package web

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// keys is an issuer's key set. A key id it doesn't know, and a signature that
// fails, cause a fetch; but never more than one in fetchPace, so that a flood of
// garbage tokens can't become a flood at the issuer. What was fetched stays in
// use for keyAge when the issuer can't be reached, also while a fetch is under way.
type keys struct {
	address string
	clock   func() time.Time
	client  *http.Client
	set     atomic.Pointer[keySet]

	mu      sync.Mutex // of a fetch and its two figures
	tried   time.Time
	trouble error // of the last try
}

type keySet struct {
	jose.JSONWebKeySet
	at time.Time
}

const (
	fetchPace = 10 * time.Second
	fetchTime = 5 * time.Second
	keyAge    = 24 * time.Hour
	maxKeys   = 64 << 10 // bytes
)

// errNoKeys says that we can't tell whose a token is, which is our trouble and not the token's.
var errNoKeys = errors.New("the issuer's keys can't be fetched")

func newKeys(address string, clock func() time.Time) *keys {
	k := &keys{address: address, clock: clock, client: &http.Client{Timeout: fetchTime}}
	k.set.Store(&keySet{})
	return k
}

// reading is one token's look at the keys. It keeps the error, of which the
// library hands on only the text.
type reading struct {
	*keys
	err error
}

// VerifySignature gives a token's payload when one of the issuer's keys signed it.
func (r *reading) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := r.verify(ctx, token)
	r.err = err
	return payload, err
}

func (k *keys) verify(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("parse the token: %w", err)
	}
	if payload, ok := k.check(ctx, signed); ok {
		return payload, nil
	}
	trouble := k.renew(ctx)
	if payload, ok := k.check(ctx, signed); ok {
		return payload, nil
	}
	if trouble != nil {
		return nil, fmt.Errorf("%w: %w", errNoKeys, trouble)
	}
	return nil, errors.New("no known key of the issuer signed the token")
}

func (k *keys) check(ctx context.Context, signed *jose.JSONWebSignature) ([]byte, bool) {
	set := k.set.Load()
	if len(signed.Signatures) != 1 || k.clock().Sub(set.at) > keyAge {
		return nil, false
	}
	var static oidc.StaticKeySet
	for _, key := range set.Key(signed.Signatures[0].Header.KeyID) {
		static.PublicKeys = append(static.PublicKeys, crypto.PublicKey(key.Key))
	}
	text, err := signed.CompactSerialize()
	if err != nil || len(static.PublicKeys) == 0 {
		return nil, false
	}
	payload, err := static.VerifySignature(ctx, text)
	return payload, err == nil
}

// renew fetches the keys unless that was tried just now, and gives the trouble of
// the last try. Who comes during a fetch waits for its end.
func (k *keys) renew(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.clock().Sub(k.tried) >= fetchPace {
		k.tried = k.clock()
		// A caller that hangs up must not break off what the others wait for.
		k.trouble = k.fetch(context.WithoutCancel(ctx))
	}
	return k.trouble
}

func (k *keys) fetch(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, nil)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", k.address, err)
	}
	response, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", k.address, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch %s: %s", k.address, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeys))
	if err != nil {
		return fmt.Errorf("fetch %s: %w", k.address, err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		return fmt.Errorf("read %s: %w", k.address, err)
	}
	k.set.Store(&keySet{set, k.clock()})
	return nil
}
