package github

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

var testKeyOnce = sync.OnceValues(func() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), nil
})

func testKey(t *testing.T) []byte {
	t.Helper()
	key, err := testKeyOnce()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newApp is App 99 with what the options leave open filled in.
func newApp(t *testing.T, o Options) *App {
	t.Helper()
	if o.AppID == 0 {
		o.AppID = 99
	}
	if o.Key == nil {
		o.Key = testKey(t)
	}
	if o.Secrets == nil {
		o.Secrets = [][]byte{[]byte("webhook secret")}
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Somebody who sets up the App wrongly should read what is wrong, and not see the key in it.
func TestNewSaysWhatIsWrong(t *testing.T) {
	good := func() Options {
		return Options{AppID: 1, Key: testKey(t), Secrets: [][]byte{[]byte("s")}}
	}
	for want, spoil := range map[string]func(o *Options){
		"no App id":                    func(o *Options) { o.AppID = 0 },
		"not PEM":                      func(o *Options) { o.Key = []byte("c2VjcmV0IGtleQ==") },
		"holds no private key":         func(o *Options) { o.Key = []byte("-----BEGIN X-----\nAAAA\n-----END X-----\n") },
		"not an RSA key":               func(o *Options) { o.Key = ellipticKey(t) },
		"no webhook secret is set":     func(o *Options) { o.Secrets = nil },
		"a webhook secret is empty":    func(o *Options) { o.Secrets = [][]byte{[]byte("s"), {}} },
		"API address: it has to be":    func(o *Options) { o.APIURL = "ftp://example.com" },
		"git address: it has to be":    func(o *Options) { o.GitURL = "https://user:pass@example.com" },
		"API address: it does not par": func(o *Options) { o.APIURL = "http://[::1" },
	} {
		o := good()
		spoil(&o)
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if err != nil && (strings.Contains(err.Error(), "c2Vj") || strings.Contains(err.Error(), "pass")) {
			t.Errorf("the error shows a secret: %v", err)
		}
	}
	if _, err := New(good()); err != nil {
		t.Error(err)
	}
	pkcs8 := good()
	block, _ := pem.Decode(pkcs8.Key)
	key, _ := x509.ParsePKCS1PrivateKey(block.Bytes)
	der, _ := x509.MarshalPKCS8PrivateKey(key)
	pkcs8.Key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if _, err := New(pkcs8); err != nil {
		t.Errorf("the same key as PKCS 8: %v", err)
	}
}

func ellipticKey(t *testing.T) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestCloneURL(t *testing.T) {
	place := queue.Place{Owner: "acme", Name: "shop"}
	for base, want := range map[string]string{
		"":                        "https://github.com/acme/shop.git",
		"http://127.0.0.1:9/git/": "http://127.0.0.1:9/git/acme/shop.git",
	} {
		if got := newApp(t, Options{GitURL: base}).CloneURL(place); got != want {
			t.Errorf("below %q: %s, want %s", base, got, want)
		}
	}
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
