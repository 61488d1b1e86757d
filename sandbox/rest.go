package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is one REST request; its answer runs with the forge's lock held.
type call struct {
	f    *Forge
	r    *http.Request
	who  *credential
	repo *Repository
	body []byte
	link string
	goTo string // where a redirect leads
}

// reply is a status and what goes into the body; nil is no body.
type reply struct {
	status int
	body   any
}

type answer func(q *call) reply

// need says whom a route is for: an App by its JWT, an installation's token, or
// whoever has a permission on the repository.
const (
	needApp          = "app"
	needInstallation = "installation"
	needNobody       = ""
)

const mostBody = 4 << 20

// routes makes the whole server.
func (f *Forge) routes() http.Handler {
	f.api = newRouter(appRoutes, pullRoutes, issueRoutes, checkRoutes, gitRoutes, actionRoutes, policyRoutes)
	mux := http.NewServeMux()
	mux.HandleFunc("/api/", f.serveAPI)
	mux.HandleFunc("GET /_services/token/.well-known/openid-configuration", f.serveDiscovery)
	mux.HandleFunc("GET /_services/token/.well-known/jwks", f.serveKeys)
	mux.HandleFunc("GET /_services/pipelines/idtoken/{job}", f.serveIdentity)
	mux.HandleFunc("GET /_services/artifacts/{key}", f.serveArtifact)
	f.manifestRoutes(mux)
	mux.HandleFunc("/", f.serveGit)
	return mux
}

func (f *Forge) serveREST(w http.ResponseWriter, r *http.Request, one *compiled) {
	method, template := one.method, one.template
	f.count(method + " " + template)
	f.withFaults(w, r, method, template, func(w http.ResponseWriter) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		if err != nil {
			writeJSON(w, http.StatusRequestEntityTooLarge, object{"message": "Payload too large"})
			return
		}
		who, err := f.authenticate(r)
		if err != nil {
			writeJSON(w, http.StatusUnauthorized, object{"message": badCredentials(err), "documentation_url": docs, "status": "401"})
			return
		}
		q := &call{f: f, r: r, who: who, body: body}
		q.write(w, q.locked(w, one.route))
	})
}

func (q *call) locked(w http.ResponseWriter, one route) reply {
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	if out := q.spend(w); out.status != 0 {
		return out
	}
	return q.answer(one)
}

func badCredentials(err error) string {
	if strings.HasPrefix(err.Error(), "'") || strings.Contains(err.Error(), "JSON web token") {
		return err.Error()
	}
	return "Bad credentials"
}

// answer admits the caller and lets the route answer; the lock is held.
func (q *call) answer(one route) reply {
	if owner := q.r.PathValue("owner"); owner != "" {
		q.repo = q.f.repository(owner, q.r.PathValue("repo"))
		if q.repo == nil || !q.who.sees(q.repo) {
			if q.who == nil {
				return fail(http.StatusUnauthorized, "Requires authentication")
			}
			if q.who.app == nil || q.who.install != nil || q.repo == nil || one.need != needApp {
				return notFound
			}
		}
	}
	switch one.need {
	case needNobody:
	case needApp:
		if q.who == nil || q.who.app == nil || q.who.install != nil {
			return fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
		}
	case needInstallation:
		if q.who == nil || q.who.install == nil {
			return fail(http.StatusForbidden, "Resource not accessible by personal access token")
		}
	default:
		if !q.who.may(q.repo, one.need) {
			return fail(http.StatusForbidden, "Resource not accessible by integration")
		}
	}
	return one.answer(q)
}

// spend counts the call against its credential's hour.
func (q *call) spend(w http.ResponseWriter) reply {
	limit := window{}
	use := &limit
	if q.who != nil {
		use = &q.who.limit
	}
	now := q.f.options.Now()
	if !now.Before(use.reset) {
		*use = window{reset: now.Add(time.Hour)}
	}
	use.used++
	most := q.f.options.RateLimit
	head := w.Header()
	head.Set("X-RateLimit-Limit", strconv.Itoa(most))
	head.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, most-use.used)))
	head.Set("X-RateLimit-Used", strconv.Itoa(use.used))
	head.Set("X-RateLimit-Reset", strconv.FormatInt(use.reset.Unix(), 10))
	head.Set("X-RateLimit-Resource", "core")
	if use.used > most {
		return fail(http.StatusForbidden, "API rate limit exceeded for installation. If you reach out to GitHub Support for help, please include the request ID.")
	}
	return reply{}
}

// write sends the reply, with an ETag where it was a reading; a reading that
// brought nothing new is 304 and costs no call of the hour.
func (q *call) write(w http.ResponseWriter, out reply) {
	head := w.Header()
	head.Set("X-GitHub-Request-Id", newToken("", 16))
	head.Set("X-GitHub-Media-Type", "github.v3; format=json")
	if q.goTo != "" {
		head.Set("Location", q.goTo)
	}
	if q.link != "" {
		head.Set("Link", q.link)
	}
	if out.body == nil || out.status == http.StatusNoContent {
		w.WriteHeader(out.status)
		return
	}
	raw, err := json.Marshal(out.body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if q.r.Method == http.MethodGet && out.status == http.StatusOK {
		sum := sha256.Sum256(raw)
		tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
		head.Set("ETag", tag)
		head.Set("Cache-Control", "private, max-age=60, s-maxage=60")
		if match := q.r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, strings.TrimPrefix(tag, "W/")) {
			q.refund(head)
			q.f.countUnchanged()
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	head.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(out.status)
	_, _ = w.Write(raw)
}

func (q *call) refund(head http.Header) {
	if q.who == nil {
		return
	}
	q.f.mu.Lock()
	defer q.f.mu.Unlock()
	q.who.limit.used--
	head.Set("X-RateLimit-Used", strconv.Itoa(q.who.limit.used))
	head.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, q.f.options.RateLimit-q.who.limit.used)))
}

const docs = "https://docs.github.com/rest"

var (
	notFound = fail(http.StatusNotFound, "Not Found")
	gone     = reply{http.StatusNoContent, nil}
)

func fail(status int, message string) reply {
	return reply{status, object{"message": message, "documentation_url": docs, "status": strconv.Itoa(status)}}
}

// invalid is a 422 that names the field.
func invalid(resource, field, code, message string) reply {
	fault := object{"resource": resource, "field": field, "code": code}
	if message != "" {
		fault["message"] = message
	}
	return reply{http.StatusUnprocessableEntity, object{"message": "Validation Failed", "errors": []object{fault}, "documentation_url": docs, "status": "422"}}
}

func ok(body any) reply { return reply{http.StatusOK, body} }

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// read decodes the body; an empty one and null leave the value as it is.
func (q *call) read(into any) (reply, bool) {
	if len(q.body) == 0 {
		return reply{}, true
	}
	if err := json.Unmarshal(q.body, into); err != nil {
		return fail(http.StatusBadRequest, "Problems parsing JSON"), false
	}
	return reply{}, true
}

func (q *call) number(name string) int64 {
	n, err := strconv.ParseInt(q.r.PathValue(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (q *call) query(name string) string { return q.r.URL.Query().Get(name) }

// page cuts the asked page out of all items and leaves the Link header.
func page[T any](q *call, all []T, shown func(T) object) []object {
	size, err := strconv.Atoi(q.query("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	at, err := strconv.Atoi(q.query("page"))
	if err != nil || at < 1 {
		at = 1
	}
	last := max(1, (len(all)+size-1)/size)
	var links []string
	link := func(to int, rel string) {
		values := url.Values{}
		for key, value := range q.r.URL.Query() {
			values[key] = value
		}
		values.Set("page", strconv.Itoa(to))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, q.f.url, q.r.URL.EscapedPath(), values.Encode(), rel))
	}
	if at > 1 {
		link(min(at-1, last), "prev")
	}
	if at < last {
		link(at+1, "next")
		link(last, "last")
	}
	if at > 1 {
		link(1, "first")
	}
	q.link = strings.Join(links, ", ")
	from := min((at-1)*size, len(all))
	list := make([]object, 0, size)
	for _, item := range all[from:min(from+size, len(all))] {
		list = append(list, shown(item))
	}
	return list
}
