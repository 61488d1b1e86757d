package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// claims is who a job says it is. `sub` is not among them: its format changes.
type claims struct {
	Repository int64
	Run        int64
	RunTry     int
	CheckRun   int64 // 0 where GitHub does not tell
	SHA        string
	Ref        string
	Event      string
}

// identity verifies the tokens of workflow jobs.
type identity struct {
	issuer, audience string
	clock            func() time.Time
	keys             *keys
	config           *oidc.Config
}

// Limits of tokens, in GitHub's practice about 1.5 KiB and five minutes.
const (
	maxToken = 8 << 10
	leeway   = 30 * time.Second
)

func newIdentity(issuer, audience string, clock func() time.Time) *identity {
	issuer = strings.TrimSuffix(issuer, "/")
	return &identity{issuer: issuer, audience: audience, clock: clock,
		// No discovery at the start: a server that can't start because GitHub is down would be our outage.
		keys: newKeys(issuer+"/.well-known/jwks", clock),
		config: &oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.RS256},
			Now: func() time.Time { return clock().Add(-leeway) }}}
}

// verify says whose token this is. The cheap checks come first, so that garbage
// causes neither parsing nor fetching of keys. The error is errNoKeys where the
// token may be right and only the issuer can't be asked.
func (id *identity) verify(ctx context.Context, header string) (claims, error) {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return claims{}, errors.New("there is no bearer token")
	}
	if err := id.precheck(token); err != nil {
		return claims{}, err
	}
	look := &reading{keys: id.keys}
	verified, err := oidc.NewVerifier(id.issuer, look, id.config).Verify(ctx, token)
	if errors.Is(look.err, errNoKeys) {
		return claims{}, look.err
	}
	if err != nil {
		return claims{}, err
	}
	if age := id.clock().Sub(verified.IssuedAt); age > 10*time.Minute || age < -10*time.Minute {
		return claims{}, errors.New("the token was issued too long ago, or in the future")
	}
	return readClaims(verified)
}

func (id *identity) precheck(token string) error {
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return errors.New("that is not a token of three parts and at most 8 KiB")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return errors.New("the token's claims are not base64")
	}
	var c struct {
		Issuer   string    `json:"iss"`
		Audience audiences `json:"aud"`
		Expires  float64   `json:"exp"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return errors.New("the token's claims are not JSON")
	}
	if c.Issuer != id.issuer {
		return fmt.Errorf("the token is from another issuer; this server trusts %s", id.issuer)
	}
	if len(c.Audience) != 1 || c.Audience[0] != id.audience {
		return errors.New("the token is for another audience, or for several")
	}
	if time.Unix(int64(c.Expires), 0).Before(id.clock().Add(-leeway)) {
		return errors.New("the token has expired")
	}
	return nil
}

// audiences reads one or several.
type audiences []string

func (a *audiences) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

func readClaims(token *oidc.IDToken) (claims, error) {
	var raw struct {
		Repository string `json:"repository_id"`
		Run        string `json:"run_id"`
		RunTry     string `json:"run_attempt"`
		CheckRun   string `json:"check_run_id"`
		SHA        string `json:"sha"`
		Ref        string `json:"ref"`
		Event      string `json:"event_name"`
	}
	if err := token.Claims(&raw); err != nil {
		return claims{}, errors.New("the token's claims are not a job's")
	}
	c := claims{SHA: raw.SHA, Ref: raw.Ref, Event: raw.Event}
	var errs [4]error
	c.Repository, errs[0] = strconv.ParseInt(raw.Repository, 10, 64)
	c.Run, errs[1] = strconv.ParseInt(raw.Run, 10, 64)
	c.RunTry, errs[2] = strconv.Atoi(raw.RunTry)
	if raw.CheckRun != "" {
		c.CheckRun, errs[3] = strconv.ParseInt(raw.CheckRun, 10, 64)
	}
	if errors.Join(errs[:]...) != nil || c.SHA == "" || c.Ref == "" {
		return claims{}, errors.New("the token lacks a claim: repository_id, run_id, run_attempt, sha and ref are needed")
	}
	return c, nil
}
