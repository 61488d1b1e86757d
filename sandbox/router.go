package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

// The standard mux refuses patterns that overlap as GitHub's do
// (issues/comments/{id}, issues/{number}/labels), so the API has a router of
// its own: of the patterns that fit, the one with the earliest literal wins.

// route is one line of the API: pattern, who may, and the answer.
type route struct {
	pattern string
	need    string
	answer  answer
}

type compiled struct {
	route
	method, template string
	segments         []string
}

type router []compiled

func newRouter(tables ...[]route) router {
	var all router
	for _, table := range tables {
		for _, one := range table {
			method, path, _ := strings.Cut(one.pattern, " ")
			all = append(all, compiled{one, method, strings.ReplaceAll(path, "...}", "}"), strings.Split(path[1:], "/")})
		}
	}
	return all
}

// find returns the route of a path and whether the path is known at all.
func (all router) find(method, path string) (best *compiled, values map[string]string, known bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range all {
		one := &all[i]
		got, fits := one.match(parts)
		if !fits {
			continue
		}
		known = true
		if one.method == method && (best == nil || one.before(best)) {
			best, values = one, got
		}
	}
	return best, values, known
}

func (c *compiled) match(parts []string) (map[string]string, bool) {
	for i, segment := range c.segments {
		if strings.HasSuffix(segment, "...}") {
			return c.values(parts), i < len(parts)
		}
		if i >= len(parts) || segment[0] != '{' && segment != parts[i] {
			return nil, false
		}
	}
	if len(parts) != len(c.segments) {
		return nil, false
	}
	return c.values(parts), true
}

func (c *compiled) values(parts []string) map[string]string {
	values := map[string]string{}
	for i, segment := range c.segments {
		if segment[0] != '{' || i >= len(parts) {
			continue
		}
		raw := parts[i]
		if strings.HasSuffix(segment, "...}") {
			raw = strings.Join(parts[i:], "/")
		}
		value, err := url.PathUnescape(raw)
		if err != nil {
			value = raw
		}
		values[strings.Trim(segment, "{.}")] = value
	}
	return values
}

func (c *compiled) before(other *compiled) bool {
	for i := 0; i < len(c.segments) && i < len(other.segments); i++ {
		mine, theirs := c.segments[i][0] == '{', other.segments[i][0] == '{'
		if mine != theirs {
			return theirs
		}
	}
	return false
}

// serveAPI finds the route of a REST call.
func (f *Forge) serveAPI(w http.ResponseWriter, r *http.Request) {
	path, isREST := strings.CutPrefix(r.URL.EscapedPath(), "/api/v3/")
	one, values, known := f.api.find(r.Method, path)
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/api/graphql":
		f.serveREST(w, r, graphRoute)
	case !isREST || !known:
		writeJSON(w, http.StatusNotFound, notFound.body)
	case one == nil:
		writeJSON(w, http.StatusMethodNotAllowed, object{"message": "Method Not Allowed"})
	default:
		for name, value := range values {
			r.SetPathValue(name, value)
		}
		f.serveREST(w, r, one)
	}
}
