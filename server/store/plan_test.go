package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var sqlWords = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)

// After a year, history is a hundred thousand rows: a statement that walks them
// would be fine in every other test. So each one is asked for its plan.
func TestEveryStatementUsesAnIndex(t *testing.T) {
	s := openTemp(t)
	all := constants(t, "statements.go")
	if len(all) < 40 {
		t.Fatalf("found only %d statements", len(all))
	}
	// The list of queues walks the queues, and nothing else walks.
	delete(all, "sqlAllQueues")
	for name, query := range all {
		for _, step := range plan(t, s, query) {
			if badStep(step, query) {
				t.Errorf("%s: %s", name, step)
			}
		}
	}
}

func plan(t *testing.T, s *Store, query string) []string {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	steps, err := list(rows, func(row scanner) (detail string, err error) {
		var id, parent, unused int
		err = row.Scan(&id, &parent, &unused, &detail)
		return detail, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// badStep finds sorting and walking. Walking an index in its order is fine when a LIMIT ends it.
func badStep(step, query string) bool {
	if strings.Contains(step, "TEMP B-TREE") {
		return true
	}
	if !strings.HasPrefix(step, "SCAN ") || step == "SCAN jump" || step == "SCAN CONSTANT ROW" {
		return false
	}
	return !strings.Contains(step, "INDEX") || !strings.Contains(query, "LIMIT")
}

// The test above must be able to fail, and must see every statement there is.
func TestPlansAreJudged(t *testing.T) {
	s := openTemp(t)
	for query, bad := range map[string]bool{
		`SELECT body FROM ended WHERE pr = ?`:                      true,
		`SELECT body FROM ended WHERE queue = ? ORDER BY pr`:       true,
		`DELETE FROM events WHERE kind = ?`:                        true,
		`SELECT count(*) FROM deliveries`:                          true,
		`SELECT body FROM ended WHERE queue = ? ORDER BY id DESC`:  false,
		`SELECT due FROM effects ORDER BY due LIMIT 1`:             false,
		`SELECT due FROM effects ORDER BY due`:                     true,
		`UPDATE queues SET version = version + 1 WHERE branch = ?`: true,
	} {
		found := false
		for _, step := range plan(t, s, query) {
			found = found || badStep(step, query)
		}
		if found != bad {
			t.Errorf("%s: bad is %v, want %v", query, found, bad)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file == "statements.go" || file == "open.go" || strings.HasSuffix(file, "_test.go") {
			continue // what open.go asks runs once, on a schema's own tables
		}
		for _, text := range literals(t, file) {
			if sqlWords.MatchString(text) {
				t.Errorf("%s holds a statement of its own: %s", file, text)
			}
		}
	}
}

func constants(t *testing.T, file string) map[string]string {
	t.Helper()
	all := map[string]string{}
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for i, value := range spec.Values {
				all[spec.Names[i].Name] = unquote(t, value.(*ast.BasicLit))
			}
		}
		return true
	})
	return all
}

func literals(t *testing.T, file string) []string {
	t.Helper()
	var all []string
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			all = append(all, unquote(t, lit))
		}
		return true
	})
	return all
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func unquote(t *testing.T, lit *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
