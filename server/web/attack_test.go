package web

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // what x5t is made of
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/go-jose/go-jose/v4"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// oddSet is a key set as GitHub publishes it, with certificates and thumbprints,
// and among the good keys some that are none of ours.
func oddSet(set jose.JSONWebKeySet) map[string]any {
	var keys []any
	for i, k := range set.Keys {
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: "issuer"},
			NotBefore: noonClock().Add(-time.Hour), NotAfter: noonClock().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, k.Key, signingKeys()[0])
		if err != nil {
			panic(err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			panic(err)
		}
		old, sum := sha1.Sum(der), sha256.Sum256(der)
		k.Certificates, k.CertificateThumbprintSHA1, k.CertificateThumbprintSHA256 = []*x509.Certificate{certificate}, old[:], sum[:]
		keys = append(keys, k)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	keys = append(keys, jose.JSONWebKey{Key: curve.Public(), KeyID: "curve", Algorithm: "ES256", Use: "sig"},
		jose.JSONWebKey{Key: signingKeys()[1].Public(), KeyID: "seal", Use: "enc"},
		map[string]any{"kty": "OKP-of-tomorrow", "kid": "new"}, map[string]any{"kty": "RSA", "kid": "broken", "n": "%%%"}, 7)
	return map[string]any{"keys": keys}
}

// One odd key must not cost the good ones, and none but those for signatures count.
func TestAKeySetWithOtherKeysInIt(t *testing.T) {
	f := openFront(t)
	f.issuer.change(func() { f.issuer.odd = true })
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	if status, text := f.call(sign(t, "seal", signingKeys()[1], f.claims()), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 401 {
		t.Fatalf("a key that is not for signatures: answered %d %s", status, text)
	}
}

// A key rotated while a job runs: what it asked with the old one it reports with the new.
func TestKeysRotateWhileAJobRuns(t *testing.T) {
	f := openFront(t)
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a", "b")); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	f.issuer.change(func() { f.issuer.keys["two"] = signingKeys()[1] })
	f.advance(20 * time.Minute)
	if status, text := f.call(sign(t, "two", signingKeys()[1], f.claims()), "PUT", "/v1/reports/unit/0/0", aReport(0, 2)); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	other := f.token(map[string]any{"check_run_id": "901"})
	if status, text := f.call(other, "PUT", "/v1/reports/unit/1/0", aReport(1, 2)); status != 200 {
		t.Fatalf("the old key, which the issuer has still: answered %d %s", status, text)
	}
}

// A key that the issuer took away goes here, too, though nobody brings a new one.
func TestAKeyTheIssuerTookAwayIsForgotten(t *testing.T) {
	f := openFront(t)
	id := newIdentity([]string{f.issuer.URL}, audience, f.now)
	verify := func() error {
		_, err := id.verify(t.Context(), "Bearer "+f.token(nil), "192.0.2.1:1")
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	f.issuer.awaitFetch(t)
	f.issuer.change(func() { delete(f.issuer.keys, "one"); f.issuer.keys["two"] = signingKeys()[1] })
	f.advance(freshFor + time.Second)
	_ = verify() // whose look at the keys goes on beside it
	f.issuer.awaitFetch(t)
	set := id.issuers[f.issuer.URL]
	set.mu.Lock() // until it ended
	fetched := set.trouble
	set.mu.Unlock()
	if fetched != nil {
		t.Fatal(fetched)
	}
	if err := verify(); err == nil {
		t.Fatal("the key is good still")
	}
}

// A server may trust several issuers, each by its own keys.
func TestSeveralIssuers(t *testing.T) {
	second := newIssuer(t)
	second.keys["one"] = signingKeys()[1]
	f := openFront(t, func(o *Options) { o.Issuers = append(o.Issuers, second.URL+"/") })
	theirs := f.claims()
	theirs["iss"] = second.URL
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"the first's":              {f.token(nil), 200},
		"the second's":             {sign(t, "one", signingKeys()[1], theirs), 200},
		"the second's by first":    {sign(t, "one", signingKeys()[0], theirs), 401},
		"the first's by the other": {sign(t, "one", signingKeys()[1], f.claims()), 401},
	} {
		if status, text := f.call(c.token, "POST", "/v1/plans", planRequest(0, 2, "a")); status != c.status {
			t.Errorf("%s: answered %d %s", name, status, text)
		}
	}
}

// Who fails too often is told to wait, and costs no fetch; honest jobs of the same
// address, which may be a whole cloud's, are answered as before.
func TestAnAddressThatFailsTooOften(t *testing.T) {
	f := openFront(t)
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 200 {
		t.Fatalf("answered %d %s", status, text)
	}
	counts := map[int]int{}
	for i := range 100 {
		f.advance(100 * time.Millisecond)
		status, _ := f.call(sign(t, fmt.Sprint("made-up-", i), signingKeys()[1], f.claims()), "POST", "/v1/plans", planRequest(0, 2, "a"))
		counts[status]++
	}
	if counts[401] != failuresMost || counts[429] != 100-failuresMost {
		t.Fatalf("answered %v", counts)
	}
	fetched := f.issuer.fetches.Load()
	f.advance(11 * time.Second)
	if status, _ := f.call(sign(t, "made-up", signingKeys()[1], f.claims()), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 429 {
		t.Fatalf("answered %d", status)
	}
	if f.issuer.fetches.Load() != fetched {
		t.Fatal("an address that failed too often had keys fetched")
	}
	if status, text := f.call(f.token(nil), "POST", "/v1/plans", planRequest(0, 2, "a")); status != 200 {
		t.Fatalf("an honest job of that address was answered %d %s", status, text)
	}
	f.advance(failureWindow)
	if status, _ := f.call("garbage", "POST", "/v1/plans", planRequest(0, 2, "a")); status != 401 {
		t.Fatalf("after the window: answered %d", status)
	}
}

// The count of failures takes the same memory for one address and for a million,
// and a machine's many IPv6 addresses are one.
func TestFailuresTakeBoundedMemory(t *testing.T) {
	if size := unsafe.Sizeof(failures{}); size > 256<<10 {
		t.Fatalf("it takes %d bytes", size)
	}
	f := newFailures()
	for i := range failuresMost {
		f.count(fmt.Sprintf("[2001:db8:1:2::%x]:443", i+1), noonClock())
	}
	if !f.many("[2001:db8:1:2:ffff::1]:80", noonClock()) {
		t.Fatal("another address of the same machine counts for itself")
	}
	for address, want := range map[string]string{"192.0.2.7:80": "192.0.2.7", "[::ffff:192.0.2.7]:80": "192.0.2.7", "[fe80::1%eth0]:80": "fe80::/64", "pipe": "pipe"} {
		if got := network(address); got != want {
			t.Errorf("%s is of %s, want %s", address, got, want)
		}
	}
}

// What GitHub told of a run is held against what the token says of its workflow,
// and one job can't be all shards.
func TestAJobIsHeldAgainstWhatIsKnown(t *testing.T) {
	known := queue.Attempt{ID: 43, Batch: 3, New: "known", Ticket: "mainstay/main/43", Phase: queue.AttemptTesting,
		Results: queue.Results{Runs: []queue.Run{{ID: 100, Event: "push", Branch: "mainstay/main/43", Path: ".github/workflows/test.yml"}}},
		Shards:  []queue.Shard{{Suite: "unit", Index: 0, Total: 2, CheckRun: 900, RunID: 100, RunTry: 1}}}
	for name, c := range map[string]struct {
		claims map[string]any
		index  int
		hint   string
		status int
		says   string
	}{
		"the job, its shard":                  {nil, 0, "", 200, ""},
		"another job, another shard":          {map[string]any{"check_run_id": "901"}, 1, "", 200, ""},
		"the job, another shard":              {nil, 1, "", 409, "can't be"},
		"the same, with a hint at another":    {nil, 1, "901", 409, "can't be"},
		"another job, the same shard":         {map[string]any{"check_run_id": "901"}, 0, "", 409, "Another job"},
		"no claim, and a hint":                {map[string]any{"check_run_id": nil}, 1, "901", 200, ""},
		"no claim, and a hint at the job":     {map[string]any{"check_run_id": nil}, 1, "900", 409, "can't be"},
		"no claim, and nonsense for a hint":   {map[string]any{"check_run_id": nil}, 1, "-900", 200, ""},
		"a re-run of the shard":               {map[string]any{"check_run_id": "950", "run_attempt": "2"}, 0, "", 200, ""},
		"its workflow":                        {map[string]any{"workflow_ref": "o/r/.github/workflows/test.yml@refs/heads/mainstay/main/43"}, 0, "", 200, ""},
		"its workflow, of a renamed owner":    {map[string]any{"workflow_ref": "new/r/.github/workflows/test.yml@refs/heads/mainstay/main/43"}, 0, "", 200, ""},
		"another workflow in that run's name": {map[string]any{"workflow_ref": "o/r/.github/workflows/fake.yml@refs/heads/mainstay/main/43"}, 0, "", 409, "run 100"},
		"a run that is not known yet":         {map[string]any{"run_id": "101", "workflow_ref": "o/r/.github/workflows/fake.yml@x"}, 0, "", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			f.keeper.attempts = map[string]queue.Attempt{"known": known}
			claims := map[string]any{"sha": "known", "ref": "refs/heads/mainstay/main/43"}
			for k, v := range c.claims {
				claims[k] = v
			}
			header := map[string]string{"Authorization": "Bearer " + f.token(claims)}
			if c.hint != "" {
				header[shard.HeaderCheckRun] = c.hint
			}
			for path, body := range map[string]any{"POST /v1/plans": planRequest(c.index, 2, "a", "b"), fmt.Sprintf("PUT /v1/reports/unit/%d/0", c.index): aReport(c.index, 2)} {
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				method, path, _ := strings.Cut(path, " ")
				if status, answered := f.send(method, path, header, text); status != c.status || !strings.Contains(answered, c.says) {
					t.Errorf("%s: answered %d %s, want %d and %q", path, status, answered, c.status, c.says)
				}
			}
			if c.status != 200 && len(f.keeper.facts)+len(f.keeper.reports) > 0 {
				t.Fatalf("the queue heard %v", f.keeper.facts)
			}
		})
	}
}

// A host without OIDC has a secret: such a caller is answered and believed nothing,
// not even where it says that it is the attempt's own run.
func TestACallerWithTheSharedSecretMovesNothing(t *testing.T) {
	const secret = "a long and random secret"
	header := func(change map[string]string) map[string]string {
		h := map[string]string{"Authorization": "Mainstay " + secret, shard.HeaderRepository: "7", shard.HeaderRun: "100", shard.HeaderRunAttempt: "1",
			shard.HeaderRef: "refs/heads/mainstay/main/41", shard.HeaderSHA: "tested", shard.HeaderEvent: "push"}
		for k, v := range change {
			h[k] = v
		}
		return h
	}
	for name, c := range map[string]struct {
		secret string
		header map[string]string
		status int
	}{
		"right":                  {secret, header(nil), 200},
		"wrong":                  {secret, header(map[string]string{"Authorization": "Mainstay " + secret + "x"}), 401},
		"empty":                  {secret, header(map[string]string{"Authorization": "Mainstay "}), 401},
		"empty, and none shared": {"", header(map[string]string{"Authorization": "Mainstay "}), 401},
		"none is shared":         {"", header(nil), 401},
		"as a token":             {secret, header(map[string]string{"Authorization": "Bearer " + secret}), 401},
		"no repository":          {secret, header(map[string]string{shard.HeaderRepository: ""}), 401},
		"a negative run":         {secret, header(map[string]string{shard.HeaderRun: "-5"}), 401},
		"another repository":     {secret, header(map[string]string{shard.HeaderRepository: "8"}), 404},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t, func(o *Options) { o.Secret = c.secret })
			plan, err := json.Marshal(planRequest(0, 2, "a", "b"))
			if err != nil {
				t.Fatal(err)
			}
			status, text := f.send("POST", "/v1/plans", c.header, plan)
			if status != c.status || strings.Contains(text, `"trusted":true`) || strings.Contains(text, secret) {
				t.Fatalf("the plan was answered %d %s", status, text)
			}
			report, err := json.Marshal(aReport(0, 2, "TestCheckout"))
			if err != nil {
				t.Fatal(err)
			}
			if status, text = f.send("PUT", "/v1/reports/unit/0/0", c.header, report); status != c.status || strings.Contains(text, `"batch"`) {
				t.Fatalf("the report was answered %d %s", status, text)
			}
			if len(f.keeper.facts)+len(f.keeper.reports) > 0 {
				t.Fatalf("the queue heard %v", f.keeper.facts)
			}
			if status, text = f.send("GET", shard.VerdictPath, c.header, nil); status != c.status || status == 200 && !strings.Contains(text, `"none"`) {
				t.Fatalf("the verdict was answered %d %s", status, text)
			}
		})
	}
}

// Guessing at the secret ends soon.
func TestGuessesAtTheSecretAreBounded(t *testing.T) {
	f := openFront(t, func(o *Options) { o.Secret = "a long and random secret" })
	for i := range failuresMost + 5 {
		status, _ := f.send("GET", shard.VerdictPath, map[string]string{"Authorization": fmt.Sprint("Mainstay guess", i)}, nil)
		if want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusTooManyRequests}[i < failuresMost]; status != want {
			t.Fatalf("guess %d was answered %d", i, status)
		}
	}
}

// A job that waits is told what its commit's suites come to, whatever became of the attempt.
func TestTheVerdictOfACommit(t *testing.T) {
	shards := func(results ...shard.Result) (all []queue.Shard) {
		for i, r := range results {
			all = append(all, queue.Shard{Suite: "unit", Index: i, Total: len(results), CheckRun: int64(900 + i), RunID: 100, RunTry: 1, Result: r})
		}
		return all
	}
	attempt := func(phase queue.AttemptPhase, results ...shard.Result) queue.Attempt {
		return queue.Attempt{ID: 43, Batch: 3, New: "known", Ticket: "mainstay/main/43", Phase: phase, Cause: "the base moved",
			Plan: queue.Plan{Suites: map[string]int{"unit": 2}}, Shards: shards(results...)}
	}
	ticket := map[string]any{"sha": "known", "ref": "refs/heads/mainstay/main/43"}
	for name, c := range map[string]struct {
		attempt queue.Attempt
		claims  map[string]any
		state   string
		url     string
	}{
		"nothing began":         {attempt(queue.AttemptTesting), ticket, "pending", "/batch/3"},
		"half is there":         {attempt(queue.AttemptTesting, shard.ResultPassed, ""), ticket, "pending", "/batch/3"},
		"all is there":          {attempt(queue.AttemptTesting, shard.ResultPassed, shard.ResultFlaky), ticket, "passed", "/batch/3"},
		"red":                   {attempt(queue.AttemptTesting, shard.ResultFailed, ""), ticket, "failed", "/batch/3"},
		"landed":                {attempt(queue.AttemptLanded), ticket, "passed", "/batch/3"},
		"given up":              {attempt(queue.AttemptDead), ticket, "cancelled", "/batch/3"},
		"an attempt unknown":    {queue.Attempt{}, map[string]any{"sha": "gone", "ref": "refs/heads/mainstay/main/9"}, "cancelled", ""},
		"a pull request's run":  {attempt(queue.AttemptTesting, shard.ResultPassed, shard.ResultPassed), map[string]any{"sha": "known", "event_name": "pull_request", "ref": "refs/pull/3/merge"}, "none", ""},
		"an ordinary push":      {queue.Attempt{}, map[string]any{"sha": "other", "ref": "refs/heads/topic"}, "none", ""},
		"the base's own run":    {attempt(queue.AttemptLanded), map[string]any{"sha": "known", "ref": "refs/heads/main"}, "none", ""},
		"another ticket's run":  {attempt(queue.AttemptTesting, shard.ResultPassed, shard.ResultPassed), map[string]any{"sha": "known", "ref": "refs/heads/mainstay/main/44"}, "none", ""},
		"another event, ticket": {attempt(queue.AttemptTesting, shard.ResultPassed, shard.ResultPassed), map[string]any{"sha": "known", "ref": "refs/heads/mainstay/main/43", "event_name": "workflow_dispatch"}, "none", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFront(t)
			f.keeper.attempts = map[string]queue.Attempt{"known": c.attempt}
			status, text := f.send("GET", shard.VerdictPath, map[string]string{"Authorization": "Bearer " + f.token(c.claims)}, nil)
			var v shard.VerdictAnswer
			if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 {
				t.Fatalf("answered %d %s", status, text)
			}
			if v.State != c.state || !strings.HasSuffix(v.URL, c.url) {
				t.Fatalf("answered %+v, want %s and %s", v, c.state, c.url)
			}
		})
	}
	f := openFront(t)
	if status, _ := f.send("GET", shard.VerdictPath, nil, nil); status != 401 {
		t.Fatalf("without a token: answered %d", status)
	}
}

// GitHub writes a token's header in an order of its own, and with a thumbprint in it:
// the signature is over the bytes as they came.
func TestATokensHeaderIsVerifiedAsItCame(t *testing.T) {
	f := openFront(t)
	payload, err := json.Marshal(f.claims())
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{`{"typ":"JWT","alg":"RS256","x5t":"HyQ_tHAHwR","kid":"one"}`, `{"typ":"JWT","kid":"one","alg":"RS256"}`, ` { "alg" : "RS256", "kid":"one" } `} {
		signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(payload)
		sum := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(rand.Reader, signingKeys()[0], crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
		if status, text := f.call(token, "POST", "/v1/plans", planRequest(0, 2, "a")); status != 200 {
			t.Errorf("%s: answered %d %s", header, status, text)
		}
	}
}
