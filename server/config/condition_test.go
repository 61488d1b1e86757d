package config

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

func sample() queue.PullRequest {
	return queue.PullRequest{Number: 12, Title: "Mend the basket", Body: "See #9", Author: queue.Actor{Login: "ada"}, Head: "abc", HeadRef: "fix/basket",
		Base: "main", Approvals: 2, Traits: &queue.Traits{Labels: []string{"security", "wip"}, Trusted: []string{"security"}, Files: 7, Additions: 30, Deletions: 5}}
}

// A condition holds, or says which part of it does not.
func TestWhen(t *testing.T) {
	for source, unmet := range map[string]string{
		`pr.files < 500`: "",
		`pr.files < 500 && !("wip" in pr.labels)`:                          "`!(\"wip\" in pr.labels)` does not hold",
		`pr.number == 12 && pr.author == "ada" && pr.additions < 30`:       "`pr.additions < 30` does not hold",
		`pr.deletions > 5 || pr.draft`:                                     "it does not hold",
		`pr.base == "main" && pr.head.startsWith("fix/") && !pr.fork`:      "",
		`pr.body.matches("#[0-9]+") && pr.title.size() > 3`:                "",
		`pr.labels.all(l, l != "blocked") && !pr.bot`:                      "",
		`pr.approvals >= 2`:                                                "",
		`pr.labels[9] == "x"`:                                              "it can't be evaluated: index out of bounds: 9",
		`pr.labels.exists(a, pr.labels.exists(b, a + b == "wipsecurity"))`: "",
		`pr.title.lowerAscii().contains("basket")`:                         "",
	} {
		term, err := CompileWhen(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := term.Unmet(sample()); got != unmet {
			t.Errorf("%s: %q, want %q", source, got, unmet)
		}
	}
}

// What is written to be slow ends all the same, and does not hold.
func TestAnEndlessConditionIsCutOff(t *testing.T) {
	pr := sample()
	pr.Traits.Labels = nil
	for range 100 {
		pr.Traits.Labels = append(pr.Traits.Labels, strings.Repeat("x", 50))
	}
	pr.Body = strings.Repeat("y", 60_000)
	for _, source := range []string{
		"pr.labels.all(a, pr.labels.all(b, pr.labels.all(c, pr.labels.all(d, a + b + c + d != pr.body))))",
		`pr.labels.all(a, pr.labels.all(b, !pr.body.matches("(y*)*z")))`,
	} {
		term, err := CompileWhen("!(" + source + ")")
		if err != nil {
			t.Fatal(err)
		}
		if got := term.Unmet(pr); !strings.Contains(got, "cost limit exceeded") {
			t.Errorf("%s: %q", source, got)
		}
	}
}

// For a priority only labels count that somebody set who may write.
func TestPriorityAsATerm(t *testing.T) {
	for source, worth := range map[string]int{
		`"security" in pr.labels ? 10 : 0`: 10,
		`"wip" in pr.labels ? 10 : -2`:     -2,
		`pr.files < 10 ? 5000 : 0`:         maxWorth,
		`pr.number / 0`:                    0,
	} {
		term, err := CompilePriority(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got := term.Worth(sample()); got != worth {
			t.Errorf("%s: %d, want %d", source, got, worth)
		}
	}
}

// A wrong term is told at its place in the file, and the file is not taken.
func TestWrongTermsAreToldAtTheirPlace(t *testing.T) {
	item := func(line string) string { return "version: 1\nqueues:\n  - branch: main\n    " + line + "\n" }
	for src, want := range map[string]string{
		item("when: pr.files < five"):             "4:22: when: undeclared reference to 'five'",
		item("when: 'pr.files < five'"):           "4:23: when: undeclared reference to 'five'",
		item("when: pr.size > 3"):                 "4:13: when: undefined field 'size'",
		item("when: pr.files"):                    "4:11: when: want a term that is true or false, this is int",
		item("when: pr.title"):                    "4:11: when: want a term that is true or false, this is string",
		item("when: now() > 3"):                   "4:14: when: undeclared reference to 'now'",
		item("when: [a]"):                         "4:11: when: want a term in CEL",
		item("when: ''"):                          "4:11: when: want a term in CEL, got nothing",
		item("when: 7"):                           "4:11: when: want a term in CEL",
		item("when: pr.files <"):                  "4:21: when: Syntax error",
		item(`priority: '"x" in pr.labels'`):      "4:16: priority: want a term that is a whole number, this is bool",
		item("when: |\n      pr.files < five"):    "4:11: when: undeclared reference to 'five'",
		item("when: \"pr.title == 'a' && size\""): "4:31: when: undeclared reference to 'size'",
	} {
		_, _, err := Parse(name, []byte(src))
		if err == nil || !strings.HasPrefix(err.Error(), name+":"+want) {
			t.Errorf("%q:\n got %v\nwant %s", src, err, want)
		}
	}
}
