package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/shard"
)

// part is what stands on a page between two of its headings.
func part(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return strings.TrimSpace(text)
}

// Whoever sees the page for the first time asks: what runs, on what; what was
// tested; what is known; where is mine, and why.
func TestTheBatchPageTellsTheWholeSearch(t *testing.T) {
	_, body := get(t, dashboard(t, searchingShop(), nil).URL+"/q/acme/shop/main/batch/8")
	text := plain(body)
	for what, c := range map[string]struct{ from, to, want string }{
		"its state in one sentence": {"opened 25 min ago", "Running now", "1 landed, 3 being tested, 1 back in line; 8 test runs so far."},
		"the whole batch, red":      {"whoever broke it is known.", "red, but landed", "✕ red, so tested on in parts #21 ✓ landed #22 #23 #24 ↩ back in line #25 ↻ attempt 51 : stopped, to be built again , the base moved on main at 798b512 · 3 min ✕ attempt 52 : red TestAnOrderFitsOneParcel on main at 798b512 · 3 min ≈"},
		"a part that was a flake":   {"red, but landed after all", "▾", "#21 ✓ landed ✕ attempt 53 : red TestRecountAgainstTheWarehouse on main at 798b512 · 3 min ✓ attempt 54 : green, landed on main at 798b512 · 3 min"},
		"parts never red":           {"▾", "being tested", "tested on in parts #22 #23 #24 ↩ back in line #25 •"},
		"one on another":            {"being tested #23", "↩", "• attempt 56 : testing, 1 of 4 shards passed on attempt 55"},
		"a part without blame":      {"↩ back in line: nothing speaks against it", "set aside", "#24 ↩ back in line"},
		"a part set aside":          {"set aside, its turn comes", "•", "#25"},
		"a guess, and a narrow one": {"tested ahead, on a guess", "What is known", "#22 #23 • attempt 58 : testing, 2 of 4 shards passed on main at 798b512 • attempt 60 1 failing test only, never lands : testing, 0 of 4 shards passed on main at 798b512"},
		"a red set":                 {"What is known", "Flaky", "Red TestAnOrderFitsOneParcel 2 runs were red, attempt 52 the first. Of the 5 in it, 2 are cleared since. One of these is bad, or the run was a flake. Nobody is blamed yet. #22 #23 #25"},
		"a flake":                   {"Flaky", "Members", "TestRecountAgainstTheWarehouse Red once, in attempt 53, and green after: flaky. All who were in it landed, and nobody is blamed. #21 ✓ landed"},
		"who landed":                {"Where it is Why", "#22", "#21 Round totals half to even by rosa ✓ Landed Attempt 54 was green. It is 798b512 in main."},
		"who is tested twice":       {"by jonas • Being tested", "#23 Let", "Attempt 55, by itself (testing, 3 of 4 shards passed) and attempt 58 with #23 (testing, 2 of 4 shards passed)."},
		"who went back":             {"webhook once by rosa", "#25", "↩ Back in line Nothing speaks against it any more; it kept its place."},
	} {
		if got := part(text, c.from, c.to); !strings.HasPrefix(got+" ", c.want) && got != c.want {
			t.Errorf("%s\n got %s\nwant %s", what, got, c.want)
		}
	}
}

// The picture puts each attempt inside the one it stands on; what stands on a
// landed one stands on the base.
func TestTheChainPutsEachAttemptOnWhatItStandsOn(t *testing.T) {
	s := &scene{now: noon, place: shopPlace(), rows: searchingShop().rows[1]}
	var draw func(links []linkView) string
	draw = func(links []linkView) string {
		var parts []string
		for _, l := range links {
			text := string(rune('0'+l.ID/10)) + string(rune('0'+l.ID%10))
			if len(l.Above) > 0 {
				text += "(" + draw(l.Above) + ")"
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, " ")
	}
	if got, want := draw(s.chain(8).Links), "55(56(57)) 58 59 60"; got != want {
		t.Errorf("the chain is %s, want %s", got, want)
	}
	for i := range s.rows.Attempts {
		switch a := &s.rows.Attempts[i]; a.ID {
		case 55: // red, but 56 above it may be green and take it along
			a.Phase, a.Aim = queue.AttemptDead, queue.AimSearch
		case 58: // red, and nothing stands on it
			a.Phase, a.Aim = queue.AttemptAbandoning, queue.AimSearch
		}
	}
	if got, want := draw(s.chain(8).Links), "55(56(57)) 59 60"; got != want {
		t.Errorf("with red ones the chain is %s, want %s", got, want)
	}
}

// What the cancelled shards of a red attempt say afterwards is no evidence.
func TestOnlyTheTestsThatCondemnedAPartAreNamed(t *testing.T) {
	for _, c := range []struct{ said, red, want string }{
		{"TestA,[test process],tests", "TestA", "TestA"},
		{"TestA,TestB", "TestB", "TestB"},
		{"", "TestA,TestB", "TestA,TestB"},
		{"TestOld", "TestNew", "TestOld"},
		{"TestA", "", "TestA"},
	} {
		v := testView{}
		split := func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) }
		v.Failed = split(c.said)
		v.blame(split(c.red))
		if got := strings.Join(v.Failed, ","); got != c.want {
			t.Errorf("said %q, condemned by %q: named %q, want %q", c.said, c.red, got, c.want)
		}
	}
}

// With attempts side by side the queue's page shows the picture, and leaves what
// is in each of them to the batch's page.
func TestTheQueuePageShowsWhatStandsOnWhat(t *testing.T) {
	srv := dashboard(t, searchingShop(), nil)
	_, body := get(t, srv.URL+"/q/acme/shop/main")
	for _, want := range []string{`href="/q/acme/shop/main/batch/9#attempt-57"`, `href="/q/acme/shop/main/batch/8"`, "What stands on what", "the base by itself, 1 failing test only"} {
		if !strings.Contains(body, want) {
			t.Errorf("the queue's page has no %s", want)
		}
	}
	_, other := get(t, srv.URL+"/q/acme/shop/main/batch/9")
	if !strings.Contains(other, `id="attempt-57"`) || strings.Contains(other, `id="attempt-55"`) {
		t.Error("a batch's page does not show the attempts of its own, and those only")
	}
	if _, serial := get(t, dashboard(t, busyShop(), nil).URL+"/q/acme/shop/main"); strings.Contains(serial, "What stands on what") {
		t.Error("one attempt alone needs no picture")
	}
}

// A pair is told with both names: the first has landed, the second says why it is out.
func TestAPairIsTold(t *testing.T) {
	d := searchingShop()
	d.change(1, func(r *queue.Rows) {
		r.Entries, r.Attempts, r.Header.Reds = nil, nil, nil
		r.Batches = []queue.Batch{{ID: 8, Members: []int{23, 25}, Landed: []int{23}, Out: []int{25}, Opened: before(time.Hour), Closed: before(time.Minute), Nodes: []queue.Node{
			{Parent: -1, PRs: []int{23, 25}, State: queue.NodeSplit, Red: []string{parcelTest}},
			{Parent: 0, PRs: []int{23}, State: queue.NodeDone},
			{Parent: 0, PRs: []int{25}, State: queue.NodeDone, Red: []string{parcelTest}},
		}}}
	})
	first := entry(23, queue.Landed, pull(23, "Let orders have 50 items", "mei"))
	first.Batch, first.Became = 8, sha(90)
	second := entry(25, queue.Out, pull(25, "Send orders as one parcel", "jonas"))
	second.Batch = 8
	second.End = &queue.End{Reason: queue.ConflictingPair, Detail: "It does not go together with #23, which landed.", Tests: []queue.FailedTest{{Name: parcelTest}}}
	d.ended[1] = []queue.Entry{second, first}
	srv := dashboard(t, d, nil)
	_, body := get(t, srv.URL+"/q/acme/shop/main/batch/8")
	for _, want := range []string{"1 landed, 1 out.", "closed 60 s ago", "✕ Out It does not go together with #23, which landed.", "✓ Landed It is 798b512 in main."} {
		if !strings.Contains(plain(body), want) {
			t.Errorf("the page of the pair does not say %q:\n%s", want, plain(body))
		}
	}
}

// A batch's rows are forgotten some time after its last landing; links to it
// still say what became of its members.
func TestABatchLongClosedIsStillTold(t *testing.T) {
	d := searchingShop()
	d.change(1, func(r *queue.Rows) { r.Entries, r.Batches, r.Attempts, r.Header.Reds = nil, nil, nil, nil })
	srv := dashboard(t, d, nil)
	status, body := get(t, srv.URL+"/q/acme/shop/main/batch/8")
	if text := plain(body); status != http.StatusOK || !strings.Contains(text, "1 landed.") || !strings.Contains(text, "ten minutes after") || !strings.Contains(text, "#21 Round totals half to even") {
		t.Errorf("status %d: %s", status, text)
	}
	for _, path := range []string{"/batch/7", "/batch/0", "/batch/x", "/batch/8/nonsense"} {
		if status, _ := get(t, srv.URL+"/q/acme/shop/main"+path); status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, status)
		}
	}
}

// A narrow attempt tells of its few tests and nothing else.
func TestANarrowAttemptSaysWhatItsTestsTold(t *testing.T) {
	shards := func(result shard.Result, failed ...string) []queue.Shard {
		sh := queue.Shard{Result: result}
		for _, name := range failed {
			sh.Failed = append(sh.Failed, queue.FailedTest{Name: name})
		}
		return []queue.Shard{sh}
	}
	for want, list := range map[string][]queue.Shard{
		"✓ passed":        shards(shard.ResultPassed),
		"✕ red":           shards(shard.ResultFailed, parcelTest),
		"– told nothing":  shards(shard.ResultFailed, "TestOther"),
		"– told  nothing": nil,
	} {
		a := queue.Attempt{Phase: queue.AttemptDead, Aim: queue.AimSearch, Narrow: []queue.FailedTest{{Name: parcelTest}}, Shards: list}
		if _, sign, text := verdictText(a); sign+" "+text != strings.ReplaceAll(want, "  ", " ") {
			t.Errorf("%v: %s %s, want %s", list, sign, text, want)
		}
	}
}

// Before somebody is blamed for a test the base itself is asked; a member says so.
func TestAMemberWaitsForTheBaseToBeAsked(t *testing.T) {
	d := searchingShop()
	d.change(1, func(r *queue.Rows) {
		r.Attempts = r.Attempts[:4]
		r.Header.Doubt = &queue.Doubt{Tests: []queue.FailedTest{{Name: parcelTest}}, PRs: []int{25}}
	})
	_, body := get(t, dashboard(t, d, nil).URL+"/q/acme/shop/main/batch/8")
	for _, want := range []string{"#25 Send orders as one parcel by jonas Set aside It was red; before it is blamed, main itself is asked", "#22 Cache the price list per currency by jonas Set aside It was in attempt 52, which was red."} {
		if !strings.Contains(plain(body), want) {
			t.Errorf("the page does not say %q:\n%s", want, plain(body))
		}
	}
}

// Each state of a part says in words where it stands.
func TestEachPartSaysItsStateInWords(t *testing.T) {
	members := func(fate ...string) (prs []pullView) {
		for i, f := range fate {
			prs = append(prs, pullView{Number: i + 1, Fate: f})
		}
		return prs
	}
	for _, c := range []struct {
		state        queue.NodeState
		red, running bool
		runs         int
		members      []pullView
		want         string
	}{
		{queue.NodeTesting, false, true, 1, nil, "• being tested"},
		{queue.NodeTesting, true, true, 1, nil, "• red once, being tested again"},
		{queue.NodeAside, false, false, 1, nil, " set aside, its turn comes"},
		{queue.NodeAside, true, false, 1, nil, "✕ red, tested again when its turn comes"},
		{queue.NodeSplit, false, false, 1, nil, "▾ tested on in parts"},
		{queue.NodeSplit, true, false, 1, nil, "✕ red, so tested on in parts"},
		{queue.NodeSplit, true, false, 1, members("back", "back"), "≈ red, but nothing speaks against any of them"},
		{queue.NodeGuess, false, true, 1, members(""), "• tested ahead, on a guess"},
		{queue.NodeGuess, true, false, 1, members(""), "✕ tested ahead, on a guess: red"},
		{queue.NodeGuess, false, false, 1, members("landed", "landed"), "✓ tested ahead, and landed"},
		{queue.NodeGuess, false, false, 1, members("landed", ""), "… tested ahead, but not needed any more"},
		{queue.NodeDone, false, false, 1, members("landed"), "✓ landed"},
		{queue.NodeDone, false, false, 0, members("landed"), "✓ landed, tested in another part"},
		{queue.NodeDone, true, false, 1, members("landed"), "≈ red, but landed after all"},
		{queue.NodeDone, true, false, 1, members("landed", "out"), "✓ landed, but for those out"},
		{queue.NodeDone, true, false, 1, members("out"), "✕ out"},
		{queue.NodeDone, false, false, 1, members("back"), "↩ back in line: nothing speaks against it"},
	} {
		v := nodeWords[c.state]
		v.Members, v.Runs = c.members, c.runs
		v = v.settle(c.state, c.red, c.running)
		if got := v.Sign + " " + v.Text; got != c.want {
			t.Errorf("%s, red %v, running %v, %v: %q, want %q", c.state, c.red, c.running, c.members, got, c.want)
		}
	}
}

// What strangers write is text on the batch's page too, and never runs off.
func TestAHostileBatchIsText(t *testing.T) {
	srv := dashboard(t, hostileShop(), nil)
	for _, path := range []string{"/q/acme/shop/main", "/q/acme/shop/main/batch/8", "/q/acme/shop/main/batch/9"} {
		status, body := get(t, srv.URL+path)
		if status != http.StatusOK || !strings.Contains(body, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("%s: status %d, or the names are not shown", path, status)
		}
		for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %s", path, bad)
			}
		}
	}
	if name := brief(hostile + strings.Repeat("W", 300)); len([]rune(name)) != 100 {
		t.Errorf("a long name is shown with %d letters", len([]rune(name)))
	}
}

// The page says who asked for what, and what strangers wrote there is text.
func TestThePageOfAPullRequestHasItsAudit(t *testing.T) {
	d := hostileShop()
	d.rulings = map[int][]queue.Ruling{26: {
		{At: noon, PR: 26, By: queue.Actor{ID: 4, Login: hostile}, What: "queue", Rule: queue.Rule(queue.NotPermitted), Detail: hostile, Source: "comment", SourceID: 9},
		{At: noon, PR: 26, Head: strings.Repeat("a", 40), Fork: true, By: queue.Actor{ID: 5, Login: "ann"}, What: "enter", Source: "label"},
	}}
	status, body := get(t, dashboard(t, d, nil).URL+"/q/acme/shop/main/pr/26")
	for _, want := range []string{"refused: <code>not_permitted</code>", "ann: enter by label, from a fork", "&lt;script&gt;alert(1)"} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, and the page does not say %q", status, want)
		}
	}
	if strings.Contains(body, "<script>alert") {
		t.Error("what a stranger wrote is markup")
	}
}

// A guess of the wait counts rounds: so many batches are tested side by side.
func TestTheGuessOfAWaitKnowsWhatRunsSideBySide(t *testing.T) {
	for _, c := range []struct {
		size, parallel, place, open int
		want                        string
	}{
		{5, 1, 1, 0, "about 6 min"},
		{5, 1, 6, 1, "about 18 min"},
		{5, 2, 6, 1, "about 12 min"},
		{5, 4, 6, 1, "about 6 min"},
		{0, 1, 16, 0, "about 6 min"}, // about 20 at a time, as long as nothing was learnt
		{0, 1, 21, 0, "about 12 min"},
		{5, 0, 6, 0, "about 12 min"},
		{5, 1, 0, 0, ""},
	} {
		h := queue.Header{TestTime: 6 * time.Minute, Settings: queue.Settings{BatchSize: c.size, Parallel: c.parallel}}
		if got := waitGuess(h, c.place, c.open); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
