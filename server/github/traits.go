package github

import (
	"context"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// traitsAge is how long what a repository is set to is believed.
const traitsAge = 10 * time.Minute

// traits are what a repository is set to, as far as it concerns a landing.
type traits struct {
	defaultBranch string
	deletes       bool           // branches, once they are merged
	methods       []queue.Method // it lets its people merge by; none: not told
	at            time.Time
}

// traits reads what the repository is set to, or what it was set to lately.
func (s site) traits(ctx context.Context) (traits, error) {
	if known, ok := s.knownTraits(); ok && s.app.clock().Sub(known.at) < traitsAge {
		return known, nil
	}
	var r repository
	if _, err := s.get(ctx, "", nil, &r); err != nil {
		return traits{}, err
	}
	t := traits{r.DefaultBranch, r.Deletes, r.methods(), s.app.clock()}
	s.app.defaults.Store(s.place.Repository, t)
	return t, nil
}

// knownTraits are those read last, however old.
func (s site) knownTraits() (traits, bool) {
	known, ok := s.app.defaults.Load(s.place.Repository)
	if !ok || s.place.Repository == 0 {
		return traits{}, false
	}
	return known.(traits), true
}

// methods are those that the repository's settings allow. GitHub tells them only to
// those with enough permission: untold, all are.
func (r *repository) methods() []queue.Method {
	var allowed []queue.Method
	told := 0
	for _, one := range []struct {
		allowed *bool
		method  queue.Method
	}{{r.AllowRebase, queue.MethodRebase}, {r.AllowSquash, queue.MethodSquash}, {r.AllowMerge, queue.MethodMerge}} {
		if one.allowed == nil {
			continue
		}
		if told++; *one.allowed {
			allowed = append(allowed, one.method)
		}
	}
	if told < 3 {
		return nil
	}
	return allowed
}
