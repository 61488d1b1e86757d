package truth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// exchange is one request of the REST API and its answer.
type exchange struct {
	method string
	path   string // as escaped, below the root of the API
	query  url.Values
	head   http.Header
	sent   []byte

	status     int
	answerHead http.Header
	answer     []byte
}

// check returns what GitHub's description has against the exchange.
func (x *exchange) check() ([]fault, error) {
	all, err := description()
	if err != nil {
		return nil, err
	}
	route, values, err := all.FindRoute(x.request())
	switch {
	case errors.Is(err, routers.ErrMethodNotAllowed):
		return []fault{{x.method, x.path, "request", "GitHub's description has no such method on this path"}}, nil
	case err != nil:
		return []fault{{x.method, x.path, "request", "the slice of GitHub's description has no such path: if GitHub has it, add it to sandbox/truth/paths.txt and run `make truth` (needs npm)"}}, nil
	}
	in := &openapi3filter.RequestValidationInput{Request: x.request(), PathParams: values, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true}}
	path := plainPath(route.Path)
	var faults []fault
	find := func(side string, texts []string) {
		for _, text := range texts {
			if f := (fault{x.method, path, side, text}); !allowed(f) {
				faults = append(faults, f)
			}
		}
	}
	find("request", told(openapi3filter.ValidateRequest(context.Background(), in)))
	find("request", append(x.unknownParameters(route), x.inventedBySender(route)...))
	find("request", append(x.notForApps(route), x.byHand(path)...))
	if x.status == http.StatusNotModified { // an answer to any conditional reading
		return faults, nil
	}
	out := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{RequestValidationInput: in,
		Status: x.status, Header: x.answerHead, Body: io.NopCloser(bytes.NewReader(x.answer)), Options: in.Options})
	find(fmt.Sprintf("answer %d", x.status), append(told(out), x.inventedInAnswer(route)...))
	return faults, nil
}

// request is what was sent, at the root of the description.
func (x *exchange) request() *http.Request {
	r, _ := http.NewRequest(x.method, "http://github"+x.path+"?"+x.query.Encode(), bytes.NewReader(x.sent))
	r.Header = x.head
	return r
}

// unknownParameters names what the query has and the description has not: GitHub
// would overlook it.
func (x *exchange) unknownParameters(route *routers.Route) []string {
	var unknown []string
	for name := range x.query {
		if route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil &&
			route.PathItem.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			unknown = append(unknown, fmt.Sprintf("parameter %q in query is unknown to GitHub", name))
		}
	}
	slices.Sort(unknown)
	return unknown
}

// notForApps says when an installation's token did what GitHub lets no App do.
func (x *exchange) notForApps(route *routers.Route) []string {
	about, _ := route.Operation.Extensions["x-github"].(map[string]any)
	if about["enabledForGitHubApps"] == false && x.status < http.StatusBadRequest && strings.Contains(x.head.Get("Authorization"), " ghs_") {
		return []string{"GitHub lets no installation's token do this"}
	}
	return nil
}

var pattern = regexp.MustCompile(`\{(\w+):[^{}]*\}`)

func plainPath(path string) string { return pattern.ReplaceAllString(path, "{$1}") }

// told words an error of the validator, one text for each finding.
func told(err error) []string {
	var several openapi3.MultiError
	var request *openapi3filter.RequestError
	var schema *openapi3.SchemaError
	switch {
	case err == nil:
		return nil
	case as(err, &several):
		var all []string
		for _, one := range several {
			all = append(all, told(one)...)
		}
		return all
	case as(err, &request) && request.Parameter != nil:
		return []string{strings.TrimSpace(firstLine(request.Error()))}
	case as(err, &schema):
		return deepest(schema)
	}
	if inner := errors.Unwrap(err); inner != nil {
		return told(inner)
	}
	return []string{firstLine(err.Error())}
}

// as is errors.As without looking inside.
func as[T error](err error, into *T) bool {
	got, ok := err.(T)
	if ok {
		*into = got
	}
	return ok
}

// deepest words a finding by where it is and, where one of several shapes was
// asked, by what each of them misses.
func deepest(err *openapi3.SchemaError) []string {
	text := "/" + strings.Join(err.JSONPointer(), "/") + ": " + firstLine(err.Reason)
	if inner := errors.Unwrap(err.Origin); inner != nil {
		text += " (" + strings.Join(told(inner), "; ") + ")"
	}
	return []string{text}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return brief(line, 300)
}

func brief(text string, most int) string {
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
