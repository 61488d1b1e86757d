package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/sandbox/truth"
)

// The docs' table is this one, letter by letter.
func TestTheDocsHaveThePermissions(t *testing.T) {
	page, err := os.ReadFile("../../docs/setup.md")
	if err != nil {
		t.Fatal(err)
	}
	table := "| permission | access | why | without it |\n|---|---|---|---|\n"
	for _, p := range Permissions {
		table += fmt.Sprintf("| %s | %s | %s | %s |\n", p.Title, p.Access, p.Why, p.Lost)
	}
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/setup.md lacks this table:\n%s", table)
	}
	events := "Events: `" + strings.Join(Events, "`, `") + "`."
	if !strings.Contains(strings.ReplaceAll(string(page), "\n", " "), events) {
		t.Errorf("docs/setup.md lacks this line:\n%s", events)
	}
	if lines := strings.Count(string(page), "\n"); lines > 50 {
		t.Errorf("docs/setup.md has %d lines: it must fit one screen", lines)
	}
}

// A manifest with one name that GitHub doesn't know makes no App at all.
func TestGitHubHasWhatIsAskedFor(t *testing.T) {
	for _, p := range Permissions {
		if !truth.KnowsPermission(t, p.Name, p.Access) {
			t.Errorf("GitHub has no permission %s: %s", p.Name, p.Access)
		}
	}
	for _, event := range Events {
		if !truth.KnowsEvent(t, event) {
			t.Errorf("GitHub has no webhook %s", event)
		}
	}
	if truth.KnowsPermission(t, "workflows", "read") || truth.KnowsEvent(t, "push_request") {
		t.Error("truth knows what GitHub has not")
	}
}
