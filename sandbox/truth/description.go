package truth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed data/openapi.json.gz
var packedDescription []byte

// known is GitHub's description and a way to its operations.
type known struct {
	*openapi3.T
	routers.Router
}

// description is the slice of GitHub's OpenAPI description, loaded once.
var description = sync.OnceValues(func() (*known, error) {
	raw, err := unpack(packedDescription)
	if err != nil {
		return nil, fmt.Errorf("unpack GitHub's description: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(greedy(raw))
	if err != nil {
		return nil, fmt.Errorf("load GitHub's description: %w", err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route GitHub's description: %w", err)
	}
	return &known{doc, router}, nil
})

// KnowsPermission returns whether an App may ask for a permission, read or write.
func KnowsPermission(t testing.TB, name, access string) bool {
	t.Helper()
	all, err := description()
	if err != nil {
		t.Fatal(err)
	}
	permission := all.Components.Schemas["app-permissions"].Value.Properties[name]
	return permission != nil && slices.Contains(permission.Value.Enum, any(access))
}

func unpack(packed []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}

// slashed are the paths whose parameter may hold slashes, which OpenAPI cannot
// say. commits/{ref} is none of them: it would swallow commits/{sha}/pulls.
var slashed = regexp.MustCompile(`"/repos/\{owner\}/\{repo\}/(?:rules/|git/)?(?:branches|ref|refs|matching-refs|compare|contents)/\{(?:branch|ref|basehead|path)\}`)

func greedy(raw []byte) []byte {
	return slashed.ReplaceAllFunc(raw, func(path []byte) []byte {
		return slices.Concat(path[:len(path)-1], []byte(":.+}"))
	})
}
