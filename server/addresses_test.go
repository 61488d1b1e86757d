package main

import "testing"

// Where a GitHub is says where its API and its issuer are; what is given stays.
func TestAddressesAreDerivedFromWhereGitHubIs(t *testing.T) {
	for _, c := range []struct{ given, want addresses }{
		{addresses{GitHub: "https://github.com"}, addresses{"https://github.com", "https://api.github.com", "https://token.actions.githubusercontent.com"}},
		{addresses{GitHub: "https://github.com/"}, addresses{"https://github.com", "https://api.github.com", "https://token.actions.githubusercontent.com"}},
		{addresses{GitHub: "https://ghe.example.com"}, addresses{"https://ghe.example.com", "https://ghe.example.com/api/v3", "https://ghe.example.com/_services/token"}},
		{addresses{GitHub: "https://ghe.example.com:8443/"}, addresses{"https://ghe.example.com:8443", "https://ghe.example.com:8443/api/v3", "https://ghe.example.com:8443/_services/token"}},
		{addresses{GitHub: "https://acme.ghe.com"}, addresses{"https://acme.ghe.com", "https://api.acme.ghe.com", "https://token.actions.acme.ghe.com"}},
		{addresses{GitHub: "https://ghe.example.com", API: "https://api.ghe.example.com", Issuer: "https://one,https://two"},
			addresses{"https://ghe.example.com", "https://api.ghe.example.com", "https://one,https://two"}},
	} {
		if got := c.given.filled(); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.given, got, c.want)
		}
	}
}
