package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"unicode"
)

const closedText = "The dashboard is off. Set MAINSTAY_DASHBOARD_PASSWORD and start the server again; then sign in with any user name and that password."

// pageHeaders let a page use nothing but this server's own files.
var pageHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"X-Frame-Options":              "DENY",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// guard lets only those in who may look, and nothing change from another site.
func (p *pages) guard(next http.HandlerFunc) http.Handler {
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range pageHeaders {
			w.Header().Set(name, value)
		}
		switch {
		case p.Open && !addressed(r.Host):
			// A name can be made to point here by anybody (DNS rebinding); an address can't.
			say(w, http.StatusForbidden, "This dashboard is open to everybody on this machine, so it answers to localhost and addresses only.")
		case !p.Open && p.Password == "":
			say(w, http.StatusNotFound, closedText)
		case !p.Open && !p.knows(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="Mainstay", charset="UTF-8"`)
			say(w, http.StatusUnauthorized, "Sign in with any user name and the dashboard's password.")
		case foreign.Check(r) != nil:
			say(w, http.StatusForbidden, "This came from another site. Use the form on the queue's own page.")
		default:
			next(w, r)
		}
	})
}

// addressed reports whether a Host header is localhost or an address.
func addressed(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil
}

// knows compares the password in constant time, whatever its length.
func (p *pages) knows(r *http.Request) bool {
	_, password, ok := r.BasicAuth()
	got, want := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(p.Password))
	return ok && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// who names the person behind a request, for the record.
func who(r *http.Request) string {
	user, _, _ := r.BasicAuth()
	if user = plainLine(user, 60); user != "" {
		return user
	}
	return "dashboard"
}

// plainLine makes one short line of text without control characters.
func plainLine(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit-1]) + "…"
	}
	return text
}
