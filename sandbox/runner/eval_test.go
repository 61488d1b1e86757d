package runner

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// everywhere allows every context and function, for tests of the evaluator alone.
var everywhere = place{
	file: "f", line: 1, col: 1,
	contexts:  []string{"x", "github", "matrix"},
	functions: []string{"always", "cancelled", "failure", "hashfiles", "success"},
}

func parseOne(s string) (actionlint.ExprNode, error) {
	node, _, err := parseExpression(s+"}}", everywhere)
	return node, err
}

func testScope(t testing.TB, x string) *scope {
	v, err := parseJSON(x)
	if err != nil {
		t.Fatal(err)
	}
	return &scope{
		lookup: func(name string) (any, bool) { return v, name == "x" },
		status: status{success: true},
	}
}

// GitHub's coercions are what workflows lean on without knowing; a wrong one
// turns a condition around.
func TestExpressions(t *testing.T) {
	s := testScope(t, `{"a":{"B-c":1,"list":[1,2,3]},"jobs":[{"n":"p","l":["u","v"]},{"n":"q","l":["w"]},{"m":1}],"empty":"","nil":null,"o":{"k1":{"id":1},"k2":{"id":2}}}`)
	for source, want := range map[string]string{
		// literals and text
		`null`: ``, `true`: `true`, `12`: `12`, `-1.50`: `-1.5`, `0xff`: `255`, `1e3`: `1000`, `'it''s'`: `it's`,
		`1e21`: `1E+21`, `0.00001`: `1E-05`, `1234567890123456`: ``,
		// coercion in ==
		`1 == '1'`: `true`, `1 == '0x1'`: `true`, `0 == ''`: `true`, `0 == null`: `true`, `'' == null`: `true`, `false == 0`: `true`,
		`true == '1'`: `true`, `true == 'true'`: `false`, `'A' == 'a'`: `true`, `null == false`: `true`, `'x' == 0`: `false`,
		`x.a == x.a`: `true`, `x.a == 'Object'`: `false`, `fromJSON('[]') == fromJSON('[]')`: `false`, `x.a == null`: `false`,
		`'a' != 'b'`: `true`, `'1_0' == 10`: `false`, `' 10 ' == 10`: `true`, `'Infinity' == 'infinity'`: `true`,
		// order
		`1 < 2`: `true`, `'10' < 9`: `false`, `'b' > 'A'`: `true`, `true > false`: `true`, `'x' < 1`: `false`, `'x' >= 1`: `false`,
		`2 >= 2`: `true`, `2 <= 1`: `false`, `null <= 0`: `true`, `x.a > 0`: `false`,
		// logic gives operands back
		`'' || 'b'`: `b`, `'a' && 'b'`: `b`, `0 && 'b'`: `0`, `!'a'`: `false`, `!''`: `true`, `!x.a`: `false`, `1 && 0 || 2`: `2`,
		`(1 || 0) && 3`: `3`, `!(1 == 2)`: `true`, `(1 == 1) == true`: `true`,
		// access
		`x.a.b-C`: `1`, `x['A']['B-c']`: `1`, `x.a.list[1]`: `2`, `x.a.list['2']`: `3`, `x.a.list[1.9]`: `2`, `x.a.list[9]`: ``,
		`x.a.list[-1]`: ``, `x.no.way[0].at.all`: ``, `x.empty.y`: ``, `join(x.jobs.*.n)`: `p,q`, `join(x.jobs.*.l.*, '')`: `uvw`,
		`join(x.jobs.*.l[0])`: `u,w`, `join(x.o.*.id, '+')`: `1+2`, `x.empty.*`: ``, `join(x.jobs.*.zz)`: ``,
		// functions
		`contains('Hello', 'ELL')`: `true`, `contains(x.a.list, '2')`: `true`, `contains(x.a.list, 9)`: `false`, `contains(x.a, 'b')`: `false`,
		`contains(x.jobs.*.n, 'Q')`: `true`, `startsWith('Hello', 'he')`: `true`, `endsWith('Hello', 'LO')`: `true`, `startsWith(123, 12)`: `true`,
		`format('{0}-{1}-{0}', 'a', 2)`: `a-2-a`, `format('{{0}} {0}', true)`: `{0} true`, `format('x')`: `x`,
		`join('a', ';')`: `a`, `join(x.a.list, '; ')`: `1; 2; 3`, `join(x.a)`: ``,
		`toJSON('a<b')`: `"a<b"`, `toJSON(null)`: `null`, `toJSON(1.5)`: `1.5`, `toJSON(fromJSON('[]'))`: `[]`,
		`toJSON(x.a)`:                            "{\n  \"B-c\": 1,\n  \"list\": [\n    1,\n    2,\n    3\n  ]\n}",
		`fromJSON('{"a":[1,{"b":"c"}]}').a[1].b`: `c`, `fromJSON('true') && 'y'`: `y`, `FROMJSON('1') + 0`: ``,
		`always()`: `true`, `success()`: `true`, `failure() || cancelled()`: `false`,
	} {
		node, err := parseOne(source)
		if source == `FROMJSON('1') + 0` || source == `1234567890123456` {
			if err == nil {
				t.Errorf("%s: want an error", source)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got, err := evaluate(node, s)
		if err != nil || text(got) != want {
			t.Errorf("%s = %q, %v; want %q", source, text(got), err, want)
		}
	}
}

// What cannot be evaluated has to be an error and never an empty text.
func TestExpressionErrors(t *testing.T) {
	s := testScope(t, `{}`)
	for source, want := range map[string]string{
		`a == b`: `context "a" does not exist here`, `1 == 2 == 3`: "a comparison on the right", `nope(1)`: "function nope is not supported",
		`contains('a')`: "takes 2 to 2 arguments, not 1", `github.retention_days`: "github.retention_days is not supported",
		`github['actor_id']`: "github.actor_id is not supported", `1 +`: "expression", `'open`: "expression", ``: "expression",
		`fromJSON('')`: "unexpected EOF", `fromJSON('{"a":1} x')`: "more text", `fromJSON('[1')`: "unexpected EOF",
		`format('{1}', 'a')`: "names {1}, there are 1 values", `format('{a}')`: "names {a}", `format('{0', 1)`: "lone", `format('}', 1)`: "lone",
		`matrix.x`: `context "matrix" does not exist here`, `hashFiles('a')`: "no workspace",
	} {
		node, err := parseOne(source)
		if err == nil {
			_, err = evaluate(node, s)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", source, err, want)
		}
	}
}

// A text that grows without end must stop at a bound, not at the memory's.
func TestTextsAreBounded(t *testing.T) {
	s := testScope(t, `"`+strings.Repeat("a", 2000)+`"`)
	source := `format('` + strings.Repeat("{0}", 6000) + `', x)`
	node, err := parseOne(source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = evaluate(node, s); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("error %v, want too long", err)
	}
	if _, err = parseOne(strings.Repeat("(", 30000)); err == nil {
		t.Error("an endless expression was parsed")
	}
	if _, err = parseJSON(strings.Repeat("[", 5000)); err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("error %v, want deeper", err)
	}
}

func TestConditions(t *testing.T) {
	// Whether success() is implied decides whether clean-up steps run.
	for source, want := range map[string][2]bool{ // after success, after failure
		`1 == 1`: {true, false}, `${{ 1 == 1 }}`: {true, false}, `always()`: {true, true}, `failure()`: {false, true},
		`!failure()`: {true, false}, `"x" == 1`: {}, `success() || failure()`: {true, true}, `!cancelled()`: {true, true}, `false`: {},
	} {
		c, err := parseCondition(source, everywhere)
		if strings.Contains(source, `"`) {
			if err == nil {
				t.Errorf("%s: want an error", source)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		green, err1 := c.holds(&scope{status: status{success: true}})
		red, err2 := c.holds(&scope{status: status{failure: true}})
		if green != want[0] || red != want[1] || err1 != nil || err2 != nil {
			t.Errorf("if: %s holds %v %v (%v %v), want %v", source, green, red, err1, err2, want)
		}
	}
	for _, source := range []string{`${{ false }} == 'a'`, `a ${{ true }}`, `${{ true }}}}`} {
		if _, err := parseCondition(source, everywhere); err == nil {
			t.Errorf("if: %s is always true on GitHub, want an error", source)
		}
	}
}

func TestHashFiles(t *testing.T) {
	// The hash has to move with the content of the chosen files, and with nothing else.
	dir := t.TempDir()
	write := func(files map[string]string) {
		if err := writeFiles(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	hash := func(patterns ...any) string {
		v, err := hashFiles(patterns, &scope{workspace: dir})
		if err != nil {
			t.Fatal(err)
		}
		return v.(string)
	}
	write(map[string]string{"go.sum": "1", "a/go.sum": "2", "a/b/x.txt": "3"})
	if err := os.Symlink("/etc/passwd", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	all := hash("**/go.sum")
	if len(all) != 64 || all == hash("go.sum") || hash("nothing") != "" || hash("link") != "" {
		t.Errorf("hashes: %q %q %q %q", all, hash("go.sum"), hash("nothing"), hash("link"))
	}
	if hash("**/go.sum\n!a/**") != hash("go.sum") || hash("a") != hash("a/**") {
		t.Error("exclusion or folder patterns choose other files")
	}
	write(map[string]string{"a/b/x.txt": "4"})
	if hash("**/go.sum") != all {
		t.Error("the hash moved with a file that was not chosen")
	}
	write(map[string]string{"a/go.sum": "5"})
	if hash("**/go.sum") == all {
		t.Error("the hash did not move with its file")
	}
}

// No expression, however odd, may crash the forge; and what is equal to itself
// stays so.
func FuzzEvaluate(f *testing.F) {
	for _, s := range []string{"1 == 1", "x.a.*.b[0]", "format('{0}', x)", "toJSON(fromJSON('{}'))", "!always() && x['a']", "((1))", "join(x.*)", "'''"} {
		f.Add(s)
	}
	s := testScope(f, `{"a":[{"b":[1]},{"b":"c"}],"n":null}`)
	f.Fuzz(func(t *testing.T, source string) {
		node, err := parseOne(source)
		if err != nil {
			return
		}
		v, err := evaluate(node, s)
		if err != nil {
			return
		}
		_ = text(v)
		if f, ok := v.(float64); (!ok || !math.IsNaN(f)) && !equal(v, v) {
			t.Errorf("%q is not equal to itself: %v", source, v)
		}
		if _, err := parseJSON(formatJSON(v)); err != nil && !strings.Contains(formatJSON(v), "NaN") && !strings.Contains(formatJSON(v), "Infinity") {
			t.Errorf("%q: toJSON gives no JSON: %v", source, err)
		}
	})
}
