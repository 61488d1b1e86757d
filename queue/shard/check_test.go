package shard

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func request(change func(*PlanRequest)) PlanRequest {
	r := PlanRequest{API: API, Suite: "unit", Runner: "go", Shard: Position{Index: 1, Total: 2}, Mode: ModeStatic,
		Inventory: NewInventory([]string{"m/b", "m/a"})}
	change(&r)
	return r
}

// The server takes these bodies from strangers: what is not refused here is stored.
func TestPlanRequestValidate(t *testing.T) {
	cases := map[string]struct {
		change func(*PlanRequest)
		bad    string
	}{
		"good":                 {func(r *PlanRequest) {}, ""},
		"digest alone":         {func(r *PlanRequest) { r.Inventory.Items = nil }, ""},
		"other version":        {func(r *PlanRequest) { r.API = 2 }, "api"},
		"leased":               {func(r *PlanRequest) { r.Mode = ModeLeased }, ""},
		"other mode":           {func(r *PlanRequest) { r.Mode = "dealt" }, "mode"},
		"index at total":       {func(r *PlanRequest) { r.Shard.Index = 2 }, "index"},
		"negative index":       {func(r *PlanRequest) { r.Shard.Index = -1 }, "index"},
		"too many shards":      {func(r *PlanRequest) { r.Shard.Total = 257 }, "total"},
		"no suite":             {func(r *PlanRequest) { r.Suite = "" }, "suite"},
		"suite of two lines":   {func(r *PlanRequest) { r.Suite = "a\nb" }, "suite"},
		"long variant":         {func(r *PlanRequest) { r.Variant = strings.Repeat("x", 201) }, "variant"},
		"digest is not one":    {func(r *PlanRequest) { r.Inventory.Digest = "sha256:zz" }, "digest"},
		"digest of other list": {func(r *PlanRequest) { r.Inventory.Digest = Digest([]string{"x"}) }, "digest"},
		"unsorted":             {func(r *PlanRequest) { r.Inventory.Items = []Item{{ID: "b"}, {ID: "a"}} }, "sorted"},
		"doubled":              {func(r *PlanRequest) { r.Inventory.Items = []Item{{ID: "b"}, {ID: "b"}} }, "sorted"},
		"item too long":        {func(r *PlanRequest) { r.Inventory.Items = []Item{{ID: strings.Repeat("x", 1001)}} }, "item"},
		"item with NUL":        {func(r *PlanRequest) { r.Inventory.Items = []Item{{ID: "a\x00"}} }, "item"},
		"item not UTF-8":       {func(r *PlanRequest) { r.Inventory.Items = []Item{{ID: "a\xff"}} }, "item"},
		"negative size":        {func(r *PlanRequest) { r.Inventory.Items[0].Bytes = -1 }, "size"},
		"too many items":       {func(r *PlanRequest) { r.Inventory.Items = make([]Item, MaxItems+1) }, "items"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { expect(t, request(c.change).Validate(), c.bad) })
	}
}

func TestPlanAnswerValidate(t *testing.T) {
	asked := request(func(r *PlanRequest) {})
	digestOnly := request(func(r *PlanRequest) { r.Inventory.Items = nil })
	all := request(func(r *PlanRequest) { r.All = true })
	good := PlanAnswer{PlanID: "pl_1", Scope: ScopeSlice, Shard: PlannedShard{Index: 1, Total: 2, Items: []PlannedItem{{ID: "m/b"}}}}
	cases := map[string]struct {
		asked  PlanRequest
		change func(*PlanAnswer)
		bad    string
	}{
		"good":                        {asked, func(a *PlanAnswer) {}, ""},
		"an empty slice":              {asked, func(a *PlanAnswer) { a.Shard.Items = nil }, ""},
		"needs what was not given":    {digestOnly, func(a *PlanAnswer) { *a = PlanAnswer{Need: NeedItems} }, ""},
		"needs what was given":        {asked, func(a *PlanAnswer) { *a = PlanAnswer{Need: NeedItems} }, "needs"},
		"needs something else":        {digestOnly, func(a *PlanAnswer) { *a = PlanAnswer{Need: "money"} }, "needs"},
		"empty answer":                {asked, func(a *PlanAnswer) { *a = PlanAnswer{} }, "plan id"},
		"another shard":               {asked, func(a *PlanAnswer) { a.Shard.Index = 0 }, "asked for"},
		"another total":               {asked, func(a *PlanAnswer) { a.Shard.Total = 3 }, "asked for"},
		"unknown scope":               {asked, func(a *PlanAnswer) { a.Scope = "failed" }, "scope"},
		"a narrow slice":              {asked, func(a *PlanAnswer) { a.Scope, a.Shard.Items[0].Tests = ScopeNarrow, []string{"TestA"} }, ""},
		"test of two lines":           {asked, func(a *PlanAnswer) { a.Shard.Items[0].Tests = []string{"TestA\nTestB"} }, "test"},
		"too many tests":              {asked, func(a *PlanAnswer) { a.Shard.Items[0].Tests = make([]string, MaxTests+1) }, "tests"},
		"a part":                      {asked, func(a *PlanAnswer) { a.Shard.Items[0].Part = &Part{Index: 0, Of: 2, Only: []string{"TestA"}} }, ""},
		"a last part":                 {asked, func(a *PlanAnswer) { a.Shard.Items[0].Part = &Part{Index: 1, Of: 2, Without: []string{"TestA"}} }, ""},
		"a part without tests":        {asked, func(a *PlanAnswer) { a.Shard.Items[0].Part = &Part{Index: 0, Of: 2} }, "last part"},
		"a last part that leaves out": {asked, func(a *PlanAnswer) { a.Shard.Items[0].Part = &Part{Index: 1, Of: 2, Only: []string{"TestA"}} }, "last part"},
		"a part too many":             {asked, func(a *PlanAnswer) { a.Shard.Items[0].Part = &Part{Index: 2, Of: 2} }, "part 2 of 2"},
		"a part's test of two lines":  {asked, func(a *PlanAnswer) { a.Shard.Items[0].Part = &Part{Index: 0, Of: 2, Only: []string{"A\nB"}} }, "test"},
		"item of two lines":           {asked, func(a *PlanAnswer) { a.Shard.Items[0].ID = "a\nb" }, "item"},
		"plan job without the shards": {all, func(a *PlanAnswer) {}, "shards"},
		"plan job":                    {all, func(a *PlanAnswer) { a.Shards = []PlannedShard{{Index: 0, Total: 2}, {Index: 1, Total: 2}} }, ""},
		"plan job without its own":    {all, func(a *PlanAnswer) { a.Shard.Total = 0 }, "asked for"},
		"plan job, one shard twice":   {all, func(a *PlanAnswer) { a.Shards = []PlannedShard{{Index: 0, Total: 2}, {Index: 0, Total: 2}} }, "asked for"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			answer := good
			answer.Shard.Items = []PlannedItem{{ID: "m/b"}}
			c.change(&answer)
			expect(t, answer.Validate(c.asked), c.bad)
		})
	}
}

func TestReportValidate(t *testing.T) {
	long := strings.Repeat("x", 1001)
	cases := map[string]struct {
		change func(*Report)
		bad    string
	}{
		"good":               {func(r *Report) { r.Tests = []Test{red("a"), green("b"), retried("c")} }, ""},
		"other version":      {func(r *Report) { r.API = 0 }, "api"},
		"index at total":     {func(r *Report) { r.Shard.Index = 1 }, "index"},
		"unknown source":     {func(r *Report) { r.Source = "rumour" }, "source"},
		"unknown scope":      {func(r *Report) { r.Scope = "" }, "scope"},
		"narrow scope":       {func(r *Report) { r.Scope = ScopeNarrow }, ""},
		"unknown outcome":    {func(r *Report) { r.Outcome = "fine" }, "outcome"},
		"unknown item state": {func(r *Report) { r.Items[0].Status = "green" }, "status"},
		"item too long":      {func(r *Report) { r.Items[0].ID = long }, "item"},
		"a part":             {func(r *Report) { r.Items[0].Part, r.Items[0].Parts = 1, 2 }, ""},
		"a part too many":    {func(r *Report) { r.Items[0].Part, r.Items[0].Parts = 2, 2 }, "part"},
		"a part of nothing":  {func(r *Report) { r.Items[0].Part = 1 }, "part"},
		"negative time":      {func(r *Report) { r.Items[0].MS = -1 }, "duration"},
		"a year of tests":    {func(r *Report) { r.WallMS = 365 * 24 * 3600 * 1000 }, "duration"},
		"final too early":    {func(r *Report) { r.Chunks = 2 }, "final"},
		"last not final":     {func(r *Report) { r.Final = false }, "final"},
		"chunk out of range": {func(r *Report) { r.Chunk = 1 }, "chunk"},
		"no chunks":          {func(r *Report) { r.Chunks = 0 }, "chunks"},
		"test without name":  {func(r *Report) { r.Tests = []Test{{Key: "k"}} }, "name"},
		"test without key":   {func(r *Report) { r.Tests = []Test{{Name: "n"}} }, "key"},
		"test name too long": {func(r *Report) { r.Tests = []Test{{Key: "k", Name: long}} }, "name"},
		"test file with NUL": {func(r *Report) { r.Tests = []Test{{Key: "k", Name: "n", File: "a\x00"}} }, "file"},
		"unknown status":     {func(r *Report) { r.Tests = []Test{{Key: "k", Name: "n", Executions: []Execution{{Status: "?"}}}} }, "status"},
		"unknown kind": {func(r *Report) {
			r.Tests = []Test{{Key: "k", Name: "n", Executions: []Execution{{Status: Failed, Kind: "?"}}}}
		}, "kind"},
		"message too long": {func(r *Report) {
			r.Tests = []Test{{Key: "k", Name: "n", Executions: []Execution{{Status: Failed, Message: strings.Repeat("x", MaxMessage+1)}}}}
		}, "message"},
		"message with NUL": {func(r *Report) {
			r.Tests = []Test{{Key: "k", Name: "n", Executions: []Execution{{Status: Failed, Message: "\x00"}}}}
		}, "message"},
		"negative line": {func(r *Report) {
			r.Tests = []Test{{Key: "k", Name: "n", Executions: []Execution{{Status: Failed, Line: -1}}}}
		}, "line"},
		"too many executions": {func(r *Report) {
			r.Tests = []Test{{Key: "k", Name: "n", Executions: make([]Execution, MaxExecutions+1)}}
		}, "executions"},
		"too many tests": {func(r *Report) { r.Tests = make([]Test, MaxTests+1) }, "tests"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { expect(t, whole(c.change, "m/a").Validate(), c.bad) })
	}
}

func expect(t *testing.T, err error, bad string) {
	t.Helper()
	if bad == "" && err != nil || bad != "" && (err == nil || !strings.Contains(err.Error(), bad)) {
		t.Errorf("error %v, want one about %q", err, bad)
	}
}

// Whatever a test is called and prints, the cleaned text is fit for the wire.
func TestCleanTextPassesValidation(t *testing.T) {
	hostile := []string{
		"", "a\nb", "\x00", "a\xffb", strings.Repeat("é", 20000), "\u202eevil", "_GitHubActionsFileCommandDelimeter_",
		"::set-env name=A::b", "  ::error::x", "##[error]x", "\x1b[31mred", strings.Repeat("\xff", 40000), "\r\n::add-mask::x",
		"token ghs_" + strings.Repeat("A", 40), "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0abc.c2lnbmF0dXJlc2lnbmF0dXJl",
	}
	for _, text := range hostile {
		name, message := CleanName("x"+text), CleanMessage(text)
		r := whole(func(r *Report) {
			r.Tests = []Test{{Key: TestKey("s", "", "c", name), Name: name, Executions: []Execution{{Status: Failed, Message: message}}}}
		}, "m/a")
		if err := r.Validate(); err != nil {
			t.Errorf("%.40q: %v", text, err)
		}
		for _, line := range strings.Split(message, "\n") {
			line = strings.TrimLeft(line, " \t")
			if strings.HasPrefix(line, "::") || strings.HasPrefix(line, "##[") {
				t.Errorf("%.40q: still a workflow command: %q", text, line)
			}
		}
		if strings.Contains(message, "ghs_") || strings.Contains(message, "eyJ") {
			t.Errorf("still a token: %q", message)
		}
	}
}

// An odd suite name must come out of the path as it went in.
func TestReportPathAndMatches(t *testing.T) {
	r := whole(func(r *Report) { r.Suite = "web/e2e 1" })
	if got, want := ReportPath(r.Suite, 0, 0), "/v1/reports/web%2Fe2e%201/0/0"; got != want {
		t.Errorf("path %q, want %q", got, want)
	}
	if !r.Matches("web/e2e 1", "0", "0") || r.Matches("web", "0", "0") || r.Matches("web/e2e 1", "1", "0") || r.Matches("web/e2e 1", "00", "0") {
		t.Error("the report matches the wrong paths")
	}
}

// The wire is a promise to older Actions: these names never change.
func TestWireNames(t *testing.T) {
	const body = `{"api":1,"plan_id":"pl_1","suite":"unit","runner":"go","shard":{"index":2,"total":4},"source":"server","scope":"slice",
		"outcome":"failure","exit_code":1,"final":true,"chunk":0,"chunks":1,"wall_ms":131200,"setup_ms":9400,
		"items":[{"id":"example.com/m/a","status":"failed","ms":40100}],"not_run":["x"],"extra":["y"],
		"tests":[{"key":"t_4be1","file":"a/a_test.go","class":"example.com/m/a","name":"TestX/y","executions":[
			{"status":"failed","ms":120,"kind":"assertion","message":"want 1, got 2","line":42},{"status":"passed","ms":118}]}],
		"tool":{"name":"mainstay-action","version":"1","os":"linux","arch":"amd64"},"news":"ignored"}`
	var r Report
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	if !r.Tests[0].Flaky() || r.Tests[0].Executions[0].Line != 42 || r.Items[0].MS != 40100 || r.Shard.Index != 2 {
		t.Errorf("read wrongly: %+v", r)
	}
	again, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(again, &back); err != nil || !reflect.DeepEqual(r, back) {
		t.Errorf("round trip: %v\n%+v\n%+v", err, r, back)
	}
}
