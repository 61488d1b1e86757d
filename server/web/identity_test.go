package web

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A token that is not exactly a job's of a known repository opens nothing.
func TestOnlyAJobsOwnTokenIsTaken(t *testing.T) {
	f := openFront(t)
	other := signingKeys()[1]
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"right":                     {f.token(nil), 200},
		"no token":                  {"", 401},
		"another audience":          {f.token(map[string]any{"aud": "https://github.com/o"}), 401},
		"two audiences":             {f.token(map[string]any{"aud": []string{audience, "x"}}), 401},
		"expired":                   {f.token(map[string]any{"exp": f.now().Unix() - 60}), 401},
		"within the leeway":         {f.token(map[string]any{"exp": f.now().Unix() - 10}), 200},
		"not yet valid":             {f.token(map[string]any{"nbf": f.now().Unix() + 3600}), 401},
		"issued an hour ago":        {f.token(map[string]any{"iat": f.now().Unix() - 3600}), 401},
		"another issuer":            {f.token(map[string]any{"iss": "https://evil.example.com"}), 401},
		"another key":               {sign(t, "one", other, f.claims()), 401},
		"an unknown key id":         {sign(t, "nine", signingKeys()[0], f.claims()), 401},
		"an unknown repository":     {f.token(map[string]any{"repository_id": "8"}), 404},
		"no repository":             {f.token(map[string]any{"repository_id": ""}), 401},
		"alg none":                  {"eyJhbGciOiJub25lIn0." + strings.Split(f.token(nil), ".")[1] + ".", 401},
		"HMAC by the public key":    {signedByPublicKey(t, f.claims()), 401},
		"an installation's token":   {"ghs_16C7e42F292c6912E7710c838347Ae178B4a", 401},
		"a job's own GITHUB_TOKEN":  {"ghs_" + strings.Repeat("x", 512) + ".y.z", 401},
		"a megabyte":                {strings.Repeat("a", 1<<20), 401},
		"four parts":                {f.token(nil) + ".x", 401},
		"a commit of no attempt":    {f.token(map[string]any{"sha": "other"}), 409},
		"another ref of the queue":  {f.token(map[string]any{"ref": "refs/heads/mainstay/main/40"}), 409},
		"an attempt that is over":   {f.token(map[string]any{"sha": "dropped", "ref": "refs/heads/mainstay/main/40"}), 409},
		"an issuer with a slash":    {f.token(map[string]any{"iss": f.issuer.URL + "/"}), 401},
		"issued in an hour":         {f.token(map[string]any{"iat": f.now().Unix() + 3600}), 401},
		"an expiry beyond measure":  {f.token(map[string]any{"exp": 1e300}), 401},
		"an expiry in words":        {f.token(map[string]any{"exp": "tomorrow"}), 401},
		"no expiry":                 {f.token(map[string]any{"exp": nil}), 401},
		"an audience of numbers":    {f.token(map[string]any{"aud": 7}), 401},
		"no audience":               {f.token(map[string]any{"aud": []string{}}), 401},
		"a repository as a number":  {f.token(map[string]any{"repository_id": 7}), 401},
		"a negative repository":     {f.token(map[string]any{"repository_id": "-7"}), 401},
		"a run of zero":             {f.token(map[string]any{"run_id": "0"}), 401},
		"a negative run":            {f.token(map[string]any{"run_id": "-100"}), 401},
		"no event":                  {f.token(map[string]any{"event_name": ""}), 401},
		"a check run in words":      {f.token(map[string]any{"check_run_id": "all"}), 401},
		"no check run":              {f.token(map[string]any{"check_run_id": nil}), 200},
		"a subject of any new form": {f.token(map[string]any{"sub": "repo:o@1/r@7:whatever"}), 200},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.token) > 15<<10 {
				c.token = c.token[:15<<10] // what the server's header limit lets through
			}
			f.keeper.reports = map[string]string{}
			f.door.identity.failures = newFailures() // this is about tokens, not about how many
			status, text := f.call(c.token, "PUT", "/v1/reports/unit/0/0", aReport(0, 2))
			if status != c.status {
				t.Fatalf("answered %d %s, want %d", status, text, c.status)
			}
		})
	}
	if n := f.issuer.fetches.Load(); n != 1 {
		t.Fatalf("the issuer's keys were fetched %d times within ten seconds", n)
	}
}

// A rotated key is learnt as soon as the pace allows.
func TestANewKeyOfTheIssuerIsLearnt(t *testing.T) {
	f := openFront(t)
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a", "b")); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	f.issuer.change(func() { f.issuer.keys = map[string]*rsa.PrivateKey{"two": signingKeys()[1]} })
	f.advance(11 * time.Second)

	status, text := f.call(sign(t, "two", signingKeys()[1], f.claims()), "POST", "/v1/plans", planRequest(0, 2, "a", "b"))

	if status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
}

// signedByPublicKey is the old trick: a public key, known to all, used as an HMAC secret.
func signedByPublicKey(t *testing.T, claims map[string]any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(signingKeys()[0].Public())
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	options := (&jose.SignerOptions{}).WithHeader("kid", "one")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, options)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A flood of tokens with made-up key ids must not become a flood at the issuer,
// however many addresses it comes from.
func TestAFloodOfUnknownKeysIsFewFetches(t *testing.T) {
	f := openFront(t)
	id := newIdentity([]string{f.issuer.URL}, audience, f.now)
	for i := range 600 { // ten a second, each from another address
		token := sign(t, fmt.Sprintf("made-up-%d", i), signingKeys()[1], f.claims())
		if _, err := id.verify(t.Context(), "Bearer "+token, fmt.Sprintf("192.0.%d.%d:1", i/250, i%250)); err == nil {
			t.Fatal("a token of an unknown key was taken")
		}
		f.advance(100 * time.Millisecond)
	}
	if n := f.issuer.fetches.Load(); n != 6 {
		t.Fatalf("the keys were fetched %d times in a minute, want 6", n)
	}
}

// What can be known without keys is known without them.
func TestATokenForSomebodyElseFetchesNoKeys(t *testing.T) {
	f := openFront(t)
	for _, change := range []map[string]any{{"aud": "https://github.com/o"}, {"iss": "https://evil.example.com"}, {"exp": f.now().Unix() - 60}} {
		if status, text := f.call(f.token(change), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 401 {
			t.Fatalf("answered %d %s", status, text)
		}
	}
	if n := f.issuer.fetches.Load(); n != 0 {
		t.Fatalf("the keys were fetched %d times", n)
	}
}

// An issuer that is down is our trouble: known keys stay in use for a day, and
// nobody is told that a token is wrong which we could not judge.
func TestAnIssuerThatIsDown(t *testing.T) {
	f := openFront(t)
	ask := func(token string) (int, string) {
		return f.call(token, "POST", "/v1/plans", planRequest(0, 2, "a"))
	}
	f.issuer.change(func() { f.issuer.down = true })
	for range 2 { // the second is within the pace, and gets the same word
		if status, text := ask(f.token(nil)); status != 503 || !strings.Contains(text, `"retry_after_s"`) {
			t.Fatalf("without any keys: answered %d %s", status, text)
		}
	}
	f.issuer.change(func() { f.issuer.down = false })
	f.advance(fetchPace)
	if status, text := ask(f.token(nil)); status != 200 {
		t.Fatalf("up again: answered %d %s", status, text)
	}
	f.issuer.change(func() { f.issuer.down = true })
	f.advance(keyAge)
	if status, text := ask(f.token(nil)); status != 200 {
		t.Fatalf("keys of a day ago: answered %d %s", status, text)
	}
	f.advance(time.Second)
	if status, text := ask(f.token(nil)); status != 503 {
		t.Fatalf("keys of more than a day ago: answered %d %s", status, text)
	}
}

// A slow issuer holds up nobody whose key is known, and a caller that hangs up does
// not break off the fetch that others wait for.
func TestAFetchUnderWayHoldsNobodyUp(t *testing.T) {
	// Given known keys, and an issuer that has become slow and has a new one
	f := openFront(t)
	id := newIdentity([]string{f.issuer.URL}, audience, f.now)
	known, fresh := "Bearer "+f.token(nil), "Bearer "+sign(t, "two", signingKeys()[1], f.claims())
	if _, err := id.verify(t.Context(), known, "192.0.2.1:1"); err != nil {
		t.Fatal(err)
	}
	f.issuer.awaitFetch(t)
	f.advance(fetchPace)
	hold := make(chan struct{})
	f.issuer.change(func() { f.issuer.hold, f.issuer.keys["two"] = hold, signingKeys()[1] })
	// When somebody brings the new key's token and hangs up
	ctx, hangUp := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := id.verify(ctx, fresh, "192.0.2.1:1")
		ended <- err
	}()
	f.issuer.awaitFetch(t)
	hangUp()
	// Then known keys are good meanwhile, and the new one is there at the fetch's end
	if _, err := id.verify(t.Context(), known, "192.0.2.1:1"); err != nil {
		t.Fatalf("a known key: %v", err)
	}
	close(hold)
	if err := <-ended; err != nil {
		t.Fatalf("the fetch was broken off: %v", err)
	}
	if _, err := id.verify(t.Context(), fresh, "192.0.2.1:1"); err != nil {
		t.Fatalf("the new key: %v", err)
	}
	if n := f.issuer.fetches.Load(); n != 2 {
		t.Fatalf("the keys were fetched %d times, want 2", n)
	}
}
