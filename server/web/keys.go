package web

import (
	"context"
	"crypto"
	"crypto/rsa"
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
	freshFor  = time.Hour // after that they are looked at again, though all is well
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
	knownOnly bool // don't fetch for it
	err       error
}

// VerifySignature gives a token's payload when one of the issuer's keys signed it.
func (r *reading) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := r.verify(ctx, token, r.knownOnly)
	r.err = err
	return payload, err
}

func (k *keys) verify(ctx context.Context, token string, knownOnly bool) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("parse the token: %w", err)
	}
	if payload, ok := k.check(ctx, token, signed); ok {
		if k.clock().Sub(k.set.Load().at) > freshFor {
			k.renewAside(ctx)
		}
		return payload, nil
	}
	if knownOnly {
		return nil, errTooMany
	}
	trouble := k.renew(ctx)
	if payload, ok := k.check(ctx, token, signed); ok {
		return payload, nil
	}
	if trouble != nil {
		return nil, fmt.Errorf("%w: %w", errNoKeys, trouble)
	}
	return nil, errors.New("no known key of the issuer signed the token")
}

// check verifies the token's own bytes: written anew, its header may come in another order.
func (k *keys) check(ctx context.Context, token string, signed *jose.JSONWebSignature) ([]byte, bool) {
	set := k.set.Load()
	if len(signed.Signatures) != 1 || k.clock().Sub(set.at) > keyAge {
		return nil, false
	}
	var static oidc.StaticKeySet
	for _, key := range set.Key(signed.Signatures[0].Header.KeyID) {
		static.PublicKeys = append(static.PublicKeys, crypto.PublicKey(key.Key))
	}
	if len(static.PublicKeys) == 0 {
		return nil, false
	}
	payload, err := static.VerifySignature(ctx, token)
	return payload, err == nil
}

// renew fetches the keys unless that was tried just now, and gives the trouble of
// the last try. Who comes during a fetch waits for its end.
func (k *keys) renew(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.renewLocked(ctx)
}

func (k *keys) renewLocked(ctx context.Context) error {
	if k.clock().Sub(k.tried) >= fetchPace {
		k.tried = k.clock()
		// A caller that hangs up must not break off what the others wait for.
		k.trouble = k.fetch(context.WithoutCancel(ctx))
	}
	return k.trouble
}

// renewAside fetches beside a request whose key is known, so that a key which the
// issuer took away goes here, too, though nobody brings a new one.
func (k *keys) renewAside(ctx context.Context) {
	if !k.mu.TryLock() {
		return // somebody is at it
	}
	go func() {
		defer k.mu.Unlock()
		_ = k.renewLocked(ctx) // kept as the trouble of the last try
	}()
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
	set, err := readKeys(body)
	if err != nil {
		return fmt.Errorf("read %s: %w", k.address, err)
	}
	k.set.Store(&keySet{set, k.clock()})
	return nil
}

// readKeys takes the RSA keys for signatures out of a key set. What is of another
// kind or can't be read is left out, so that one odd key doesn't cost all others.
func readKeys(body []byte) (set jose.JSONWebKeySet, err error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return set, err
	}
	for _, text := range raw.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) != nil || key.Use != "" && key.Use != "sig" {
			continue
		}
		if _, isRSA := key.Key.(*rsa.PublicKey); isRSA {
			set.Keys = append(set.Keys, key)
		}
	}
	if len(set.Keys) == 0 {
		return set, errors.New("there is no RSA key for signatures in it")
	}
	return set, nil
}
