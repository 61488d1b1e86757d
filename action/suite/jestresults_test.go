package suite

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// jestSuite is where the fixture was written.
var jestSuite = Suite{Name: "web", Runner: Jest, Dir: "/home/runner/_work/m/m", Root: "/home/runner/_work/m"}

// What jest left is read without jest; what is missing or torn is no result.
func TestReadJest(t *testing.T) {
	text, err := os.ReadFile("testdata/jest.json")
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	all := []string{"t/a.test.js", "t/b.test.js", "t/c.test.js"}
	const got = "t/a.test.js=failed t/b.test.js=error t/c.test.js=passed"
	cases := []struct {
		name, text string
		items      []string
		code       int
		statuses   string
		notRun     int
		extra      int
		bad        string
	}{
		{"whole", whole, all, 1, got, 0, 0, ""},
		{"one was never run", whole, append(all, "t/d.test.js"), 1, got, 1, 0, ""},
		{"one was not asked for", whole, all[:2], 1, "t/a.test.js=failed t/b.test.js=error", 0, 1, ""},
		{"red though no test is", `{"testResults":[]}`, nil, 1, "", 0, 0, ""},
		{"empty", "", all, 0, "", 0, 0, "not what jest"},
		{"cut off", whole[:len(whole)-40], all, 0, "", 0, 0, "EOF"},
		{"cut off between files", whole[:strings.Index(whole, "t/b.test.js")], all, 0, "", 0, 0, "EOF"},
		{"something else", `{"suites":[]}`, all, 0, "", 0, 0, "not what jest"},
		{"no JSON", "<testsuite/>", all, 0, "", 0, 0, "not what jest"},
		{"a list that is none", `{"testResults":{}}`, all, 0, "", 0, 0, "no list"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "r.json")
			if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := jestSuite.readJest(file, past{items: c.items, code: c.code})
			if c.bad != "" {
				if err == nil || !strings.Contains(err.Error(), c.bad) || len(r.Items)+len(r.Tests) != 0 {
					t.Errorf("error %v, want one about %q; %+v", err, c.bad, r)
				}
				return
			}
			if err != nil || statuses(r) != c.statuses || len(r.NotRun) != c.notRun || len(r.Extra) != c.extra {
				t.Errorf("%v: %s, not run %q, extra %q", err, statuses(r), r.NotRun, r.Extra)
			}
			if v := judge(t, jestSuite, r); v.Result.Green() || len(r.Failing()) == 0 {
				t.Errorf("verdict %s", v.Result)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "r.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := jestSuite.readJest(file, past{items: all, code: 1})
	if err != nil {
		t.Fatal(err)
	}
	if want := nameLoad + "=e cart adds (up) & more=f cart later=s cart ok=p cart someday=s x=p"; outcomes(r) != want {
		t.Errorf("tests %s, want %s", outcomes(r), want)
	}
	if e := named(t, r, "t/a.test.js", "cart adds (up) & more").Last(); e.File != "m/t/a.test.js" || e.Line != 2 {
		t.Errorf("the failure is %+v", e)
	}
}

// Whatever jest, or what poses as it, leaves behind: no panic, nothing that the
// wire refuses, and no green out of a red run.
func FuzzReadJest(f *testing.F) {
	text, err := os.ReadFile("testdata/jest.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, 1)
	f.Add(text[:len(text)/2], 1)
	f.Add([]byte(`{"testResults":[{"name":"/home/runner/_work/m/m/t/a.test.js","status":"passed","startTime":-1e308,"endTime":1e308,"assertionResults":[{"fullName":"\u0000\u202e","status":"passed","duration":1e300,"invocations":99999999,"retryReasons":["x","::error::y"]},{"fullName":"","status":"failed","failureMessages":["\u001b[31m(t/a.test.js:99999999999:1)"]}]}]}`), 0)
	f.Add([]byte(`{"testResults":null}`), 137)
	f.Add([]byte(`{"testResults":[{}]}`), 0)
	f.Fuzz(func(t *testing.T, text []byte, code int) {
		items := []string{"t/a.test.js", "t/b.test.js", "t/c.test.js"}
		r, err := jestSuite.jestResults(bytes.NewReader(text), past{items: items, code: code})
		if err != nil {
			return
		}
		if len(r.Tests) > shard.MaxTests {
			t.Skip("a report of several chunks")
		}
		v := judge(t, jestSuite, r)
		if code != 0 && v.Result.Green() {
			t.Errorf("exit code %d became %s", code, v.Result)
		}
		if v.Result.Green() && len(r.Items) != len(items) {
			t.Errorf("%s with %d of %d items", v.Result, len(r.Items), len(items))
		}
	})
}
