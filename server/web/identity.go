package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// claims is who a job says it is. `sub` is not among them: its format changes.
type claims struct {
	Repository int64
	Run        int64 // negative where a shared secret vouches for it, so that it meets no real run
	RunTry     int
	CheckRun   int64 // 0 where GitHub does not tell
	SHA        string
	Ref        string
	Event      string // empty where a shared secret vouches for it: it is no event that counts
	Workflow   string // the workflow's path in the repository; empty where GitHub does not tell
	ID         string // the token's, for the log
}

// identity verifies the tokens of workflow jobs.
type identity struct {
	audience string
	clock    func() time.Time
	issuers  map[string]*keys
	config   *oidc.Config
	failures *failures
}

// Limits of tokens, in GitHub's practice about 1.5 KiB and five minutes.
const (
	maxToken = 8 << 10
	leeway   = 30 * time.Second
)

func newIdentity(issuers []string, audience string, clock func() time.Time) *identity {
	id := &identity{audience: audience, clock: clock, issuers: map[string]*keys{}, failures: newFailures(),
		config: &oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{oidc.RS256},
			Now: func() time.Time { return clock().Add(-leeway) }}}
	for _, issuer := range issuers {
		issuer = strings.TrimSuffix(issuer, "/")
		// No discovery at the start: a server that can't start because GitHub is down would be our outage.
		id.issuers[issuer] = newKeys(issuer+"/.well-known/jwks", clock)
	}
	return id
}

// errTooMany says that an address failed so often that no keys are fetched for it now.
var errTooMany = errors.New("too many requests from this address could not prove who they are")

// verify says whose token this is. The cheap checks come first, so that garbage
// causes neither parsing nor fetching of keys. The error is errNoKeys where the
// token may be right and only the issuer can't be asked, and errTooMany where it
// may be right and its address has failed too often: a token of a known key is
// good from anywhere, because honest jobs share addresses with others.
func (id *identity) verify(ctx context.Context, header, address string) (claims, error) {
	full := id.failures.many(address, id.clock())
	c, err := id.check(ctx, header, full)
	if err != nil && !errors.Is(err, errNoKeys) {
		if full {
			return claims{}, errTooMany
		}
		id.failures.count(address, id.clock())
	}
	return c, err
}

func (id *identity) check(ctx context.Context, header string, knownOnly bool) (claims, error) {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || token == "" {
		return claims{}, errors.New("there is no bearer token")
	}
	issuer, err := id.precheck(token)
	if err != nil {
		return claims{}, err
	}
	look := &reading{keys: id.issuers[issuer], knownOnly: knownOnly}
	verified, err := oidc.NewVerifier(issuer, look, id.config).Verify(ctx, token)
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

// precheck refuses what needs no key to be refused, and says who claims to have issued the token.
func (id *identity) precheck(token string) (string, error) {
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return "", errors.New("that is not a token of three parts and at most 8 KiB")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return "", errors.New("the token's claims are not base64")
	}
	var c struct {
		Issuer   string    `json:"iss"`
		Audience audiences `json:"aud"`
		Expires  float64   `json:"exp"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		return "", errors.New("the token's claims are not JSON")
	}
	if id.issuers[c.Issuer] == nil {
		return "", errors.New("the token is from another issuer than those this server trusts")
	}
	if len(c.Audience) != 1 || c.Audience[0] != id.audience {
		return "", errors.New("the token is for another audience, or for several")
	}
	if time.Unix(int64(c.Expires), 0).Before(id.clock().Add(-leeway)) {
		return "", errors.New("the token has expired")
	}
	return c.Issuer, nil
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
		Workflow   string `json:"workflow_ref"`
		ID         string `json:"jti"`
	}
	if err := token.Claims(&raw); err != nil {
		return claims{}, errors.New("the token's claims are not a job's")
	}
	c := claims{SHA: raw.SHA, Ref: raw.Ref, Event: raw.Event, Workflow: workflowPath(raw.Workflow), ID: raw.ID}
	var errs [4]error
	c.Repository, errs[0] = strconv.ParseInt(raw.Repository, 10, 64)
	c.Run, errs[1] = strconv.ParseInt(raw.Run, 10, 64)
	c.RunTry, errs[2] = strconv.Atoi(raw.RunTry)
	if raw.CheckRun != "" {
		c.CheckRun, errs[3] = strconv.ParseInt(raw.CheckRun, 10, 64)
	}
	if errors.Join(errs[:]...) != nil || c.Repository <= 0 || c.Run <= 0 || c.RunTry <= 0 || c.CheckRun < 0 || c.SHA == "" || c.Ref == "" || c.Event == "" {
		return claims{}, errors.New("the token lacks a claim: repository_id, run_id, run_attempt, sha, ref and event_name are needed")
	}
	return c, nil
}

// workflowPath is the path of owner/name/path@ref: names and refs change, and the
// run itself is asked for those.
func workflowPath(ref string) string {
	path, _, _ := strings.Cut(ref, "@")
	parts := strings.SplitN(path, "/", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}
