package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// A webhook is believed by its signature alone, so this is checked against the
// example that GitHub's documentation publishes.
func TestVerifyTakesGitHubsPublishedExample(t *testing.T) {
	a := newApp(t, Options{Secrets: [][]byte{[]byte("the next one"), []byte("It's a Secret to Everybody")}})
	const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if err := a.Verify(signature, []byte("Hello, World!")); err != nil {
		t.Errorf("the published example: %v", err)
	}
	for name, bad := range map[string]struct{ signature, body string }{
		"another body":       {signature, "Hello, World"},
		"one digit off":      {strings.Replace(signature, "757", "758", 1), "Hello, World!"},
		"no signature":       {"", "Hello, World!"},
		"an empty one":       {"sha256=", "Hello, World!"},
		"the old SHA-1":      {"sha1=" + strings.Repeat("0", 40), "Hello, World!"},
		"not hexadecimal":    {"sha256=" + strings.Repeat("z", 64), "Hello, World!"},
		"somebody's secret":  {sign("guessed", "Hello, World!"), "Hello, World!"},
		"of an empty secret": {sign("", "Hello, World!"), "Hello, World!"},
	} {
		if a.Verify(bad.signature, []byte(bad.body)) == nil {
			t.Errorf("%s: was believed", name)
		}
	}
	if err := a.Verify(sign("the next one", "{}"), []byte("{}")); err != nil {
		t.Errorf("the second secret, while one replaces the other: %v", err)
	}
}

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

const (
	commitA  = "1111111111111111111111111111111111111111"
	commitB  = "2222222222222222222222222222222222222222"
	noCommit = "0000000000000000000000000000000000000000"
)

// A webhook only says what to look at again: this table is all that any of them tells.
func TestInterpret(t *testing.T) {
	place := func(branch string) queue.Place {
		return queue.Place{Installation: 7, Repository: 42, Owner: "acme", Name: "shop", Branch: branch}
	}
	pull := func(number int, labelled bool) queue.Fact {
		return queue.PullRequestHinted{Number: number, Labelled: labelled}
	}
	one := func(h queue.Hint) []queue.Hint { return []queue.Hint{h} }
	for _, c := range []struct {
		name, event, body string
		want              []queue.Hint
	}{
		{"a label", "pull_request", `"action":"labeled","pull_request":{"number":12,"labels":[{"name":"x"},{"name":"merge-queue"}],"base":{"ref":"main"}}`,
			one(queue.Hint{Place: place("main"), Opens: true, Fact: pull(12, true)})},
		{"another label opens no queue", "pull_request", `"action":"labeled","pull_request":{"number":12,"labels":[{"name":"x"},7],"base":{"ref":"main"}}`,
			one(queue.Hint{Place: place("main"), Fact: pull(12, true)})},
		{"a push to an unlabelled one", "pull_request", `"action":"synchronize","pull_request":{"number":12,"labels":[],"base":{"ref":"main"}}`,
			one(queue.Hint{Place: place("main"), Fact: pull(12, false)})},
		{"an action that is new to us", "pull_request", `"action":"pondered","pull_request":{"number":12,"base":{"ref":"main"}}`,
			one(queue.Hint{Place: place("main"), Fact: pull(12, false)})},
		{"an assignee changes nothing", "pull_request", `"action":"assigned","pull_request":{"number":12,"labels":[{}],"base":{"ref":"main"}}`, nil},
		{"a retarget tells both queues", "pull_request", `"action":"edited","changes":{"base":{"ref":{"from":"old"}}},"pull_request":{"number":12,"labels":[{"name":"merge-queue"}],"base":{"ref":"main"}}`,
			[]queue.Hint{{Place: place("main"), Opens: true, Fact: pull(12, true)}, {Place: place("old"), Fact: pull(12, false)}}},
		{"a review", "pull_request_review", `"action":"submitted","pull_request":{"number":3,"labels":[{"name":"merge-queue"}],"base":{"ref":"v1/x"}}`,
			one(queue.Hint{Place: place("v1/x"), Opens: true, Fact: pull(3, true)})},
		{"an issue that is a pull request", "issues", `"action":"labeled","issue":{"number":9,"labels":[{}],"pull_request":{}}`,
			one(queue.Hint{Place: place(""), Fact: pull(9, true)})},
		{"an issue", "issues", `"action":"labeled","issue":{"number":9,"labels":[{}]}`, nil},
		{"a command", "issue_comment", `"action":"created","issue":{"number":9,"pull_request":{}},"comment":{"id":77,"body":"well\n/mainstay queue"}`,
			one(queue.Hint{Place: place(""), Fact: queue.CommandHinted{Comment: 77}})},
		{"an edited command", "issue_comment", `"action":"edited","issue":{"number":9,"pull_request":{}},"comment":{"id":77,"body":"/mainstay queue"}`, nil},
		{"a deleted command", "issue_comment", `"action":"deleted","issue":{"number":9,"pull_request":{}},"comment":{"id":77,"body":"/mainstay queue"}`, nil},
		{"a command on an issue", "issue_comment", `"action":"created","issue":{"number":9},"comment":{"id":77,"body":"/mainstay queue"}`, nil},
		{"a comment", "issue_comment", `"action":"created","issue":{"number":9,"pull_request":{}},"comment":{"id":77,"body":"nice"}`, nil},
		{"a push", "push", `"ref":"refs/heads/main","after":"` + commitA + `"`,
			one(queue.Hint{Place: place("main"), Fact: queue.BaseHinted{Tip: commitA}})},
		{"a deleted branch", "push", `"ref":"refs/heads/main","deleted":true,"after":"` + noCommit + `"`,
			one(queue.Hint{Place: place("main"), Fact: queue.BaseHinted{}})},
		{"our own ticket", "push", `"ref":"refs/heads/mainstay/main/4","after":"` + commitA + `"`, nil},
		{"a tag", "push", `"ref":"refs/tags/v1","after":"` + commitA + `"`, nil},
		{"changed rules", "repository_ruleset", `"action":"edited"`, one(queue.Hint{Place: place(""), Fact: queue.BaseHinted{}})},
		{"a running check", "check_run", `"check_run":{"head_sha":"` + commitA + `","status":"in_progress","app":{"id":15368}}`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitA}})},
		{"a check with a date that is none", "check_run", `"check_run":{"head_sha":"` + commitA + `","status":"completed","app":{"id":1,"created_at":"2018-04-25 20:42:10"}}`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitA, Done: true}})},
		{"our own check", "check_run", `"check_run":{"head_sha":"` + commitA + `","status":"completed","app":{"id":99}}`, nil},
		{"our own suite", "check_suite", `"check_suite":{"head_sha":"` + commitA + `","status":"queued","app":{"id":99}}`, nil},
		{"a suite", "check_suite", `"check_suite":{"head_sha":"` + commitA + `","status":"completed","app":{"id":1}}`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitA, Done: true}})},
		{"a run", "workflow_run", `"workflow_run":{"head_sha":"` + commitB + `","status":"completed"}`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitB, Done: true}})},
		{"a job", "workflow_job", `"workflow_job":{"head_sha":"` + commitB + `","status":"queued"}`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitB}})},
		{"a status", "status", `"sha":"` + commitB + `","state":"failure"`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitB, Done: true}})},
		{"a pending status", "status", `"sha":"` + commitB + `","state":"pending"`,
			one(queue.Hint{Place: place(""), Fact: queue.ResultsHinted{Commit: commitB}})},
		{"a ping", "ping", `"zen":"Keep it logically awesome."`, nil},
		{"an installation", "installation", `"action":"created"`, nil},
		{"what is not invented yet", "quantum_merge", `"action":"maybe"`, nil},
	} {
		body := `{"installation":{"id":7},"repository":{"id":42,"name":"shop","owner":{"login":"acme"}},` + c.body + `}`
		got, err := newApp(t, Options{}).Interpret(c.event, []byte(body))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", c.name, got, err, c.want)
		}
	}
}

// Whoever may open a pull request chooses titles, branches and labels, and GitHub
// adds fields as it likes: nothing of that may crash us or open a queue for nothing.
func TestInterpretSurvivesOddPayloads(t *testing.T) {
	a := newApp(t, Options{})
	deep := strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000)
	huge := `{"repository":{"id":1,"name":"` + strings.Repeat("n", 1<<18) + `"},"pull_request":{"number":1,"labels":[` +
		strings.TrimSuffix(strings.Repeat(`{"name":"x"},`, 5_000), ",") + `],"base":{"ref":"` + strings.Repeat("b", 1<<18) + `"}}}`
	for _, event := range []string{"pull_request", "pull_request_review", "issues", "push", "check_run", "check_suite",
		"workflow_run", "workflow_job", "status", "issue_comment", "branch_protection_rule"} {
		for name, c := range map[string]struct {
			body string
			fine bool // no error
		}{
			"nothing":             {``, false},
			"half of it":          {`{"action":"labeled","pull_req`, false},
			"no object":           {`[1,2,3]`, false},
			"null":                {`null`, true},
			"an empty object":     {`{}`, true},
			"everything null":     {`{"action":null,"repository":null,"pull_request":null,"installation":null,"check_run":null,"check_suite":{"app":null},"changes":null,"issue":null,"comment":null,"sha":null}`, true},
			"no repository":       {`{"pull_request":{"number":1,"base":{"ref":"main"}},"ref":"refs/heads/main"}`, true},
			"a negative number":   {`{"repository":{"id":1},"pull_request":{"number":-1},"issue":{"number":0,"pull_request":{}}}`, true},
			"a negative id":       {`{"repository":{"id":-1},"pull_request":{"number":1},"ref":"refs/heads/main"}`, true},
			"a number beyond all": {`{"repository":{"id":1},"pull_request":{"number":99999999999999999999}}`, false},
			"a text for a number": {`{"repository":{"id":"1"}}`, false},
			"commits that are not": {`{"repository":{"id":1},"sha":"--upload-pack=x","check_run":{"head_sha":"main"},"check_suite":{"head_sha":""},
				"workflow_run":{"head_sha":"` + strings.Repeat("g", 40) + `"},"workflow_job":{"head_sha":"` + noCommit + `"},"ref":"refs/heads/"}`, true},
			"very deep": {`{"repository":{"id":1},"sender":` + deep + `}`, true},
			"very long": {huge, true},
		} {
			hints, err := a.Interpret(event, []byte(c.body))
			if (err == nil) != c.fine {
				t.Errorf("%s, %s: error %v", event, name, err)
			}
			if len(hints) > 0 && name != "very long" && name != "very deep" && event != "branch_protection_rule" {
				t.Errorf("%s, %s: hints %+v", event, name, hints)
			}
		}
	}
}

// Keys and secrets must not show, however somebody prints what holds them.
func TestSecretsNeverPrint(t *testing.T) {
	key := testKey(t)
	o := Options{AppID: 99, Key: key, Secrets: [][]byte{[]byte("hunter2")}}
	a := newApp(t, o)
	for _, text := range []string{
		fmt.Sprint(o), fmt.Sprintf("%+v", o), fmt.Sprintf("%#v", o), fmt.Sprintf("%s %x", o, o), o.LogValue().String(),
		fmt.Sprintf("%v %+v %#v %q %x", a.secrets, a.secrets, a.secrets[0], a.secrets[0], a.secrets[0]),
		a.secrets[0].LogValue().String(), fmt.Sprintf("%v %+v %#v", a, a, a), a.LogValue().String(),
	} {
		for _, secret := range []string{"hunter2", hex.EncodeToString([]byte("hunter2")), "104 117 110", string(key[40:80])} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows in %q", secret, text)
			}
		}
	}
}
