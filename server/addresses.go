package main

import (
	"fmt"
	"net/url"
	"strings"
)

// addresses are where a GitHub is. A GitHub Enterprise Server has everything below
// its own address; github.com and the enterprises on ghe.com have hosts of their own.
type addresses struct{ GitHub, API, Issuer string }

// filled derives what is not given from where GitHub is.
func (a addresses) filled() addresses {
	a.GitHub = strings.TrimSuffix(a.GitHub, "/")
	api, issuer := a.GitHub+"/api/v3", a.GitHub+"/_services/token"
	if u, err := url.Parse(a.GitHub); err == nil {
		switch host := strings.ToLower(u.Host); {
		case host == "github.com" || host == "www.github.com":
			api, issuer = "https://api.github.com", "https://token.actions.githubusercontent.com"
		case strings.HasSuffix(host, ".ghe.com"):
			api, issuer = "https://api."+host, "https://token.actions."+host
		}
	}
	if a.API == "" {
		a.API = api
	}
	if a.Issuer == "" {
		a.Issuer = issuer
	}
	return a
}

// checkAddress refuses what is no address, and one with a user in it.
func checkAddress(name, address string) error {
	u, err := url.Parse(address)
	if err == nil && u.Host != "" && u.User == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return nil
	}
	if at := strings.LastIndex(address, "@"); at >= 0 {
		address = "…" + address[at:] // a password may stand before it
	}
	return fmt.Errorf("%s is %q; it must be an address like https://mainstay.example.com, without a user in it", name, address)
}
