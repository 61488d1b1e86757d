package github

import "net/http"

// versioned pins the version of the REST API on every request to GitHub's API, also
// on those that a library makes for us. Other hosts are sent nothing of ours.
type versioned struct {
	next http.RoundTripper
	host string
}

const versionHeader = "X-GitHub-Api-Version"

// RoundTrip sends a copy: a transport must leave its request as it is.
func (v versioned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == v.host && r.Header.Get(versionHeader) == "" {
		r = r.Clone(r.Context())
		r.Header.Set(versionHeader, apiVersion)
	}
	return v.next.RoundTrip(r)
}
