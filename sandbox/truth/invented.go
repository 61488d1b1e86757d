package truth

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// The description lets every object have more properties than it names. What it
// does not name is invented all the same: the sandbox's answer would teach us
// something that GitHub never says, our request something that it overlooks.

// inventedBySender returns what a request's body holds beyond the description.
func (x *exchange) inventedBySender(route *routers.Route) []string {
	body := route.Operation.RequestBody
	if body == nil || body.Value == nil {
		if len(x.sent) > 0 {
			return []string{"a body, where GitHub takes none"}
		}
		return nil
	}
	return invented(body.Value.Content, "application/json", x.sent)
}

// inventedInAnswer returns what an answer holds beyond the description.
func (x *exchange) inventedInAnswer(route *routers.Route) []string {
	answer := route.Operation.Responses.Status(x.status)
	if answer == nil || answer.Value == nil {
		return nil
	}
	if len(answer.Value.Content) == 0 && len(x.answer) > 0 && x.status < http.StatusBadRequest {
		return []string{"a body, where GitHub has none"}
	}
	return invented(answer.Value.Content, x.answerHead.Get("Content-Type"), x.answer)
}

func invented(content openapi3.Content, mime string, raw []byte) []string {
	media := content.Get(mime)
	var value any
	if media == nil || media.Schema == nil || json.Unmarshal(raw, &value) != nil {
		return nil
	}
	found := map[string]bool{}
	beyond([]*openapi3.SchemaRef{media.Schema}, value, "", found)
	return slices.Sorted(maps.Keys(found))
}

// beyond walks a value beside all the schemas it may have; elements of a list are
// told as one.
func beyond(schemas []*openapi3.SchemaRef, value any, at string, found map[string]bool) {
	all := flat(schemas)
	switch v := value.(type) {
	case map[string]any:
		named := false
		for _, s := range all {
			if free(s) {
				return
			}
			named = named || len(s.Properties) > 0
		}
		for name, inner := range v {
			var its []*openapi3.SchemaRef
			for _, s := range all {
				if p := s.Properties[name]; p != nil {
					its = append(its, p)
				}
			}
			if len(its) == 0 && named {
				found[fmt.Sprintf("%s/%s: GitHub's description has no such property", at, name)] = true
			}
			beyond(its, inner, at+"/"+name, found)
		}
	case []any:
		var items []*openapi3.SchemaRef
		for _, s := range all {
			if s.Items != nil {
				items = append(items, s.Items)
			}
		}
		for _, inner := range v {
			beyond(items, inner, at+"/*", found)
		}
	}
}

// free says that an object may have any properties: it names none, or others too.
func free(s *openapi3.Schema) bool {
	more := s.AdditionalProperties
	return more.Schema != nil || more.Has != nil && *more.Has ||
		s.Type != nil && s.Type.Is("object") && len(s.Properties) == 0 && len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) == 0
}

// flat lists the schemas with all that they are made of.
func flat(schemas []*openapi3.SchemaRef) (all []*openapi3.Schema) {
	for _, ref := range schemas {
		if ref == nil || ref.Value == nil {
			continue
		}
		s := ref.Value
		all = append(all, s)
		for _, parts := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
			all = append(all, flat(parts)...)
		}
	}
	return all
}
