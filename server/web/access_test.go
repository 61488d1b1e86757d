package web

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Without a password nobody looks; with one, only who knows it; nothing changes from another site.
func TestWhoMayLookAndOperate(t *testing.T) {
	const path = "/q/acme/shop/main"
	closed := func(o *PageOptions) { o.Open = false }
	locked := func(o *PageOptions) { o.Open, o.Password = false, "correct horse" }
	same, other := map[string]string{"Sec-Fetch-Site": "same-origin"}, map[string]string{"Sec-Fetch-Site": "cross-site"}
	for name, c := range map[string]struct {
		edit     func(*PageOptions)
		method   string
		path     string
		password string
		header   map[string]string
		status   int
		says     string
	}{
		"off":                      {closed, "GET", path, "", nil, 404, "MAINSTAY_DASHBOARD_PASSWORD"},
		"off, any password":        {closed, "GET", "/", "x", nil, 404, "MAINSTAY_DASHBOARD_PASSWORD"},
		"off, acting":              {closed, "POST", path + "/resume", "", same, 404, "MAINSTAY_DASHBOARD_PASSWORD"},
		"off, listening":           {closed, "GET", path + "/events", "", nil, 404, "MAINSTAY_DASHBOARD_PASSWORD"},
		"locked, nobody":           {locked, "GET", path, "", nil, 401, "Sign in"},
		"locked, static":           {locked, "GET", "/static/live.js", "", nil, 401, "Sign in"},
		"locked, listening":        {locked, "GET", "/events", "", nil, 401, "Sign in"},
		"locked, wrong":            {locked, "GET", path, "correct", nil, 401, "Sign in"},
		"locked, right":            {locked, "GET", path, "correct horse", nil, 200, "acme/shop"},
		"locked, acting, nobody":   {locked, "POST", path + "/resume", "", same, 401, "Sign in"},
		"locked, acting, right":    {locked, "POST", path + "/resume", "correct horse", same, 303, ""},
		"locked, acting, forged":   {locked, "POST", path + "/resume", "correct horse", other, 403, "another site"},
		"open, looking":            {nil, "GET", path, "", nil, 200, "acme/shop"},
		"open, acting":             {nil, "POST", path + "/resume", "", same, 303, ""},
		"open, forged":             {nil, "POST", path + "/resume", "", other, 403, "another site"},
		"open, sibling site":       {nil, "POST", path + "/resume", "", map[string]string{"Sec-Fetch-Site": "same-site"}, 403, "another site"},
		"open, foreign origin":     {nil, "POST", path + "/resume", "", map[string]string{"Origin": "https://evil.example"}, 403, "another site"},
		"open, opaque origin":      {nil, "POST", path + "/resume", "", map[string]string{"Origin": "null"}, 403, "another site"},
		"open, rebound name":       {nil, "GET", path, "", map[string]string{"Host": "evil.example"}, 403, "localhost"},
		"open, localhost":          {nil, "GET", path, "", map[string]string{"Host": "localhost:8080"}, 200, "acme/shop"},
		"open, no such action":     {nil, "POST", path + "/explode", "", same, 404, "no such action"},
		"open, a pause for no why": {nil, "POST", path + "/pause", "", same, 400, "needs a reason"},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(c.method, dashboard(t, busyShop(), c.edit).URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.password != "" {
				req.SetBasicAuth("rosa", c.password)
			}
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			if host := c.header["Host"]; host != "" {
				req.Host = host
			}
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(body), c.says) {
				t.Errorf("status %d, want %d with %q:\n%.300s", resp.StatusCode, c.status, c.says, body)
			}
			csp := resp.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
				resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("headers: %v", resp.Header)
			}
		})
	}
}

// A pause is on the record with a name and a reason, and the form leads back to the queue.
func TestPausingAndResuming(t *testing.T) {
	d := busyShop()
	srv := dashboard(t, d, func(o *PageOptions) { o.Open, o.Password = false, "pw" })
	act := func(action string, form url.Values) *http.Response {
		req, _ := http.NewRequest("POST", srv.URL+"/q/acme/shop/main/"+action, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", srv.URL)
		req.SetBasicAuth("rosa", "pw")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	resp := act("pause", url.Values{"reason": {"  release\n day "}})
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/q/acme/shop/main" {
		t.Errorf("pause: %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	act("resume", nil)
	if got := strings.Join(d.acts, "; "); got != "pause 1 by rosa: release day; resume 1 by rosa" {
		t.Errorf("on the record: %s", got)
	}
}
