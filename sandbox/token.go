package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// credential is what a request proved: an App (by its JWT), an installation, a
// person or a workflow job. who is set for somebody who acts without a token.
type credential struct {
	app     *App
	install *installation
	user    *User
	job     *run
	who     account
	// repos the token is good for; nil is every one of its installation.
	repos       map[int64]bool
	permissions map[string]string
	expires     time.Time
	limit       window
}

// window counts the calls of one hour.
type window struct {
	used  int
	reset time.Time
}

func credentialOf(by Actor) *credential {
	switch actor := by.(type) {
	case *User:
		return &credential{user: actor}
	case *App:
		return &credential{app: actor}
	}
	return &credential{who: account{0, "ghost", "User"}}
}

func (c *credential) account() account {
	switch {
	case c.user != nil:
		return c.user.account()
	case c.app != nil:
		return c.app.account()
	}
	return c.who
}

// may says whether the credential reaches the repository with that permission
// ("checks:write"). The lock is held.
func (c *credential) may(repo *Repository, permission string) bool {
	name, level, _ := strings.Cut(permission, ":")
	switch {
	case c == nil:
		return repo.public && level == "read"
	case c.user != nil:
		needed := map[string]int{"read": 1, "triage": 2, "write": 3}[level]
		if name == "administration" {
			needed = 5
		}
		return roleRank[repo.role(c.user.ID)] >= needed
	case !c.sees(repo) || c.install != nil && c.install.suspended || repo.archived && level != "read":
		return false
	}
	have := c.permissions[name]
	return have == "write" || have == "admin" || have == "read" && level == "read"
}

// sees says whether the repository exists for the credential at all.
func (c *credential) sees(repo *Repository) bool {
	switch {
	case repo.public:
		return true
	case c == nil:
		return false
	case c.user != nil:
		return repo.role(c.user.ID) != "none"
	case c.job != nil:
		return c.job.repo == repo
	case c.install != nil:
		return c.install.repos[repo.ID] && (c.repos == nil || c.repos[repo.ID])
	}
	return false
}

const tokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newToken draws a token of n letters after the prefix. Long ones carry dots
// and underscores, as GitHub's do, so that nobody counts on a form.
func newToken(prefix string, n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw)
	for i, b := range raw {
		raw[i] = tokenLetters[int(b)%len(tokenLetters)]
		if n > 100 && i%97 == 50 {
			raw[i] = "._"[i%2]
		}
	}
	return prefix + string(raw)
}

// authenticate finds who a request is from; nil without an error is nobody.
func (f *Forge) authenticate(r *http.Request) (*credential, error) {
	token := ""
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "":
		return nil, nil
	case "bearer", "token":
		token = strings.TrimSpace(value)
	case "basic":
		name, password, _ := r.BasicAuth()
		if token = password; password == "" || password == "x-oauth-basic" {
			token = name
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.credentials[token]; c != nil {
		if !c.expires.IsZero() && !f.options.Now().Before(c.expires) {
			return nil, fmt.Errorf("the token has expired")
		}
		return c, nil
	}
	if strings.Count(token, ".") == 2 && strings.HasPrefix(token, "ey") {
		return f.appOf(token)
	}
	return nil, fmt.Errorf("no such token")
}

// appOf checks an App's own JWT as GitHub does; the lock is held.
func (f *Forge) appOf(token string) (*credential, error) {
	var app *App
	claims := jwt.RegisteredClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) {
		id, err := strconv.ParseInt(claims.Issuer, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("'Issuer' claim ('iss') must be an Integer")
		}
		for _, a := range f.apps {
			if a.ID == id && a.key != nil {
				app = a
				return &a.key.PublicKey, nil
			}
		}
		return nil, fmt.Errorf("integration not found")
	})
	if err != nil {
		return nil, errors.New("a JSON web token could not be decoded")
	}
	now := f.options.Now()
	switch {
	case claims.ExpiresAt == nil || !now.Before(claims.ExpiresAt.Time):
		return nil, fmt.Errorf("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case claims.IssuedAt == nil || claims.IssuedAt.After(now.Add(time.Second)):
		return nil, fmt.Errorf("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	case claims.ExpiresAt.Sub(claims.IssuedAt.Time) > 11*time.Minute || claims.ExpiresAt.After(now.Add(10*time.Minute+time.Second)):
		return nil, fmt.Errorf("'Expiration time' claim ('exp') is too far in the future")
	}
	return &credential{app: app}, nil
}

// signingKey is an RSA key with the name it has in a key set.
type signingKey struct {
	private *rsa.PrivateKey
	id      string
}

// newSigningKey makes a key of 2048 bits. The system's randomness does not
// fail on the systems Go supports, so neither does this.
func newSigningKey() signingKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(key.N.Bytes())
	return signingKey{key, base64.RawURLEncoding.EncodeToString(sum[:12])}
}

var appKeys struct {
	sync.Mutex
	made []signingKey
}

// appKey is the key of a forge's n-th App. Making one takes a tenth of a second
// and more, so the forges of one process share them; within a forge they differ.
func appKey(n int) signingKey {
	appKeys.Lock()
	defer appKeys.Unlock()
	for len(appKeys.made) <= n {
		appKeys.made = append(appKeys.made, newSigningKey())
	}
	return appKeys.made[n]
}

func (k signingKey) sign(claims map[string]any) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = k.id
	return token.SignedString(k.private)
}

func (k signingKey) public() object {
	return object{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": k.id,
		"n": base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes())}
}
