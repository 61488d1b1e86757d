package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// proveBySecret takes the secret that hosts without OIDC share with us. Whoever
// may push to a repository can read it there, and say what he likes: so the
// caller gets a plan and is believed nothing. It has no event, which keeps it from
// counting or being learnt from, and a run number that no real run has, so that
// it can't settle a real run's plan.
func (d *door) proveBySecret(r *http.Request, secret string) (claims, *refusal) {
	if d.identity.failures.many(r.RemoteAddr, d.Clock()) {
		return claims{}, tooMany()
	}
	given, ours := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(d.Secret))
	if d.Secret == "" || subtle.ConstantTimeCompare(given[:], ours[:]) != 1 {
		d.identity.failures.count(r.RemoteAddr, d.Clock())
		return claims{}, refuse(http.StatusUnauthorized, shard.CodeUnauthenticated, "identity: that is not the secret this server shares, or it shares none")
	}
	number := func(name string) int64 {
		n, err := strconv.ParseInt(r.Header.Get(name), 10, 64)
		if err != nil || n <= 0 {
			return 0
		}
		return n
	}
	c := claims{Repository: number(shard.HeaderRepository), Run: -number(shard.HeaderRun), RunTry: int(number(shard.HeaderRunAttempt)),
		SHA: r.Header.Get(shard.HeaderSHA), Ref: r.Header.Get(shard.HeaderRef)}
	if c.Repository == 0 || c.Run == 0 || c.RunTry == 0 || c.SHA == "" || c.Ref == "" {
		return claims{}, refuse(http.StatusUnauthorized, shard.CodeUnauthenticated,
			"identity: a header is missing: %s, %s, %s, %s and %s are needed", shard.HeaderRepository, shard.HeaderRun, shard.HeaderRunAttempt, shard.HeaderRef, shard.HeaderSHA)
	}
	d.Log.Debug("a caller brought the shared secret", "repository", c.Repository, "run", c.Run, "event", r.Header.Get(shard.HeaderEvent))
	return c, nil
}
