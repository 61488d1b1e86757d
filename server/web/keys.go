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
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// keys is an issuer's key set. A key id it doesn't know, and a signature that
// fails, cause a fetch; but never more than one in fetchPace, so that a flood of
// garbage tokens can't become a flood at the issuer. What was fetched stays in
// use for keyAge when the issuer can't be reached.
type keys struct {
	address string
	clock   func() time.Time
	client  *http.Client

	mu      sync.Mutex
	set     jose.JSONWebKeySet
	fetched time.Time // when set was
	tried   time.Time
}

const (
	fetchPace = 10 * time.Second
	keyAge    = 24 * time.Hour
	maxKeys   = 64 << 10 // bytes
)

func newKeys(address string, clock func() time.Time) *keys {
	return &keys{address: address, clock: clock, client: &http.Client{Timeout: 5 * time.Second}}
}

// VerifySignature gives a token's payload when one of the issuer's keys signed it.
func (k *keys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("parse the token: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if payload, ok := k.check(ctx, signed); ok {
		return payload, nil
	}
	if k.clock().Sub(k.tried) < fetchPace {
		return nil, errors.New("no known key of the issuer signed the token")
	}
	k.tried = k.clock()
	if err := k.fetch(ctx); err != nil {
		return nil, err
	}
	if payload, ok := k.check(ctx, signed); ok {
		return payload, nil
	}
	return nil, errors.New("no key of the issuer signed the token")
}

func (k *keys) check(ctx context.Context, signed *jose.JSONWebSignature) ([]byte, bool) {
	if len(signed.Signatures) != 1 || k.clock().Sub(k.fetched) > keyAge {
		return nil, false
	}
	var static oidc.StaticKeySet
	for _, key := range k.set.Key(signed.Signatures[0].Header.KeyID) {
		static.PublicKeys = append(static.PublicKeys, crypto.PublicKey(key.Key))
	}
	text, err := signed.CompactSerialize()
	if err != nil || len(static.PublicKeys) == 0 {
		return nil, false
	}
	payload, err := static.VerifySignature(ctx, text)
	return payload, err == nil
}

func (k *keys) fetch(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, nil)
	if err != nil {
		return fmt.Errorf("fetch the issuer's keys: %w", err)
	}
	response, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("fetch the issuer's keys: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch the issuer's keys: %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeys))
	if err != nil {
		return fmt.Errorf("fetch the issuer's keys: %w", err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		return fmt.Errorf("read the issuer's keys: %w", err)
	}
	k.set, k.fetched = set, k.clock()
	return nil
}
