package queue

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Step can only be explored, simulated and replayed if nothing but its arguments
// decides: the source itself is held against that.
func TestSourceIsPure(t *testing.T) {
	fset := token.NewFileSet()
	files := parseSource(t, fset, "*.go")
	for _, f := range files {
		checkImports(t, fset, f)
		ast.Inspect(f, func(n ast.Node) bool {
			if what := impure(n); what != "" {
				t.Errorf("%s: %s", fset.Position(n.Pos()), what)
			}
			return true
		})
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	// Imported packages stay empty, so that this takes no time: every map that is
	// ranged over is one of this package's own. What they lack is no error here.
	ignore := func(error) {}
	conf := types.Config{Importer: packages{}, Error: ignore}
	search, _ := conf.Check("queue/search", fset, parseSource(t, fset, "search/*.go"), nil)
	conf.Importer = packages{"github.com/mainstay-ci/mainstay/queue/search": search}
	_, _ = conf.Check("queue", fset, files, info)
	for _, f := range files {
		checkMapRanges(t, fset, f, info)
	}
}

// packages are the imports whose types matter; the others are empty.
type packages map[string]*types.Package

func (known packages) Import(path string) (*types.Package, error) {
	if p := known[path]; p != nil {
		return p, nil
	}
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

func parseSource(t *testing.T, fset *token.FileSet, pattern string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		t.Fatal("no source found")
	}
	return files
}

func checkImports(t *testing.T, fset *token.FileSet, f *ast.File) {
	t.Helper()
	allowed := []string{"cmp", "encoding/json", "errors", "fmt", "maps", "math", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode/utf8",
		"github.com/mainstay-ci/mainstay/queue/shard", "github.com/mainstay-ci/mainstay/queue/search"}
	for _, imp := range f.Imports {
		if path, _ := strconv.Unquote(imp.Path.Value); !slices.Contains(allowed, path) {
			t.Errorf("%s imports %s", fset.Position(imp.Pos()), path)
		}
	}
}

// impure says what is wrong with a node: goroutines, channels, the clock.
func impure(n ast.Node) string {
	clock := []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker", "Local"}
	switch x := n.(type) {
	case *ast.GoStmt:
		return "starts a goroutine"
	case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
		return "uses a channel"
	case *ast.SelectorExpr:
		if pkg, ok := x.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, x.Sel.Name) {
			return "asks time." + x.Sel.Name
		}
	}
	return ""
}

// checkMapRanges refuses a range over a map unless its order cannot show: the body
// only fills another map, or gathers into a list that is sorted afterwards.
func checkMapRanges(t *testing.T, fset *token.FileSet, f *ast.File, info *types.Info) {
	t.Helper()
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			loop, ok := n.(*ast.RangeStmt)
			if !ok {
				return true
			}
			tv := info.TypeOf(loop.X)
			if tv == nil || tv == types.Typ[types.Invalid] {
				t.Errorf("%s: no type for this range", fset.Position(loop.Pos()))
				return true
			}
			if _, isMap := tv.Underlying().(*types.Map); isMap && !orderless(loop, fn) {
				t.Errorf("%s: the order of a map may show", fset.Position(loop.Pos()))
			}
			return true
		})
	}
}

func orderless(loop *ast.RangeStmt, fn *ast.FuncDecl) bool {
	for _, stmt := range loop.Body.List {
		assign, ok := stmt.(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
			return false
		}
		if _, fills := assign.Lhs[0].(*ast.IndexExpr); fills {
			continue
		}
		call, ok := assign.Rhs[0].(*ast.CallExpr)
		if !ok {
			return false
		}
		if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "append" || !sortedAfter(loop, fn) {
			return false
		}
	}
	return true
}

func sortedAfter(loop *ast.RangeStmt, fn *ast.FuncDecl) bool {
	sorted := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok && x.Pos() > loop.End() {
			if pkg, ok := x.X.(*ast.Ident); ok && (pkg.Name == "sort" || pkg.Name == "slices") {
				sorted = true
			}
		}
		return true
	})
	return sorted
}
