package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue"
)

// Change is one setting of one queue that differs between two files.
type Change struct {
	Branch   string // as the file names it
	Key      string // as in batch.size
	Old, New string
}

// defaultBranch is what a queue without a branch is called in comparisons.
const defaultBranch = "(the default branch)"

// Compare says what changes from one file to another: for each branch that either
// names, in the order they name them, and for the default branch. A nil Config is no file.
func Compare(old, next *Config) []Change {
	branches := []string{""}
	for _, c := range []*Config{old, next} {
		if c == nil {
			continue
		}
		for _, r := range c.rules {
			if !slices.Contains(branches, r.branch) {
				branches = append(branches, r.branch)
			}
		}
	}
	var changes []Change
	for _, branch := range branches {
		was, is := shown(old.named(branch)), shown(next.named(branch))
		for i := range was {
			if was[i].New != is[i].New {
				name := branch
				if name == "" {
					name = defaultBranch
				}
				changes = append(changes, Change{name, was[i].Key, was[i].New, is[i].New})
			}
		}
	}
	return changes
}

// named are the settings of the first item with exactly that branch.
func (c *Config) named(branch string) queue.Settings {
	if c != nil {
		for _, r := range c.rules {
			if r.branch == branch {
				return r.settings
			}
		}
	}
	return queue.Defaults()
}

// shown are all settings in the file's own words.
func shown(s queue.Settings) []Change {
	set := func(key, value string) Change { return Change{Key: key, New: value} }
	return []Change{
		set("label", s.Label), set("when", orNone(s.When)), set("priority", worth(s)), set("checks", named(s.Checks)), set("suites", shards(s.Suites)),
		set("labels.hotfix", s.Labels.Hotfix), set("labels.hold", s.Labels.Hold), set("labels.solo", s.Labels.Solo),
		set("enter.bots", bots(s.Enter.Bots)), set("enter.forks", strconv.FormatBool(!s.Enter.NoForks)), set("enter.most", orWord(s.Enter.Most, "none")),
		set("enter.most_per_bot", orWord(s.Enter.MostBot, "none")),
		set("per_author", orWord(s.PerAuthor, "none")), set("batch.size", orWord(s.BatchSize, "auto")), set("batch.min", orWord(s.BatchMin, "none")),
		set("batch.max", orWord(s.BatchMax, "none")), set("batch.wait", lasting(s.BatchWait, "0s")), set("parallel", strconv.Itoa(s.Parallel)),
		set("merge.method", orNone(string(s.Merge.Method))), set("merge.title", orNone(s.Merge.Title)), set("merge.body", orNone(s.Merge.Body)),
		set("guard", map[bool]string{true: "on", false: "off"}[s.Guard]), set("timeouts.start", lasting(s.StartLimit, "0s")),
		set("timeouts.run", lasting(s.RunLimit, "auto")), set("flaky.reruns", strconv.Itoa(s.Reruns)), set("flaky.quarantine", lasting(s.Quarantine, "off")),
		set("move_branches", strconv.FormatBool(s.MoveBranches)),
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func orWord(n int, zero string) string {
	if n == 0 {
		return zero
	}
	return strconv.Itoa(n)
}

func lasting(d time.Duration, zero string) string {
	if d == 0 {
		return zero
	}
	if d%maxDay == 0 {
		return fmt.Sprintf("%dd", d/maxDay)
	}
	return brief(d)
}

func worth(s queue.Settings) string {
	if s.Priority != "" {
		return s.Priority
	}
	return listed(s.Labels.Priority)
}

func shards(suites map[string]int) string { return listed(suites) }

// listed is a mapping in one line; JSON keeps its keys in order.
func listed(m map[string]int) string {
	if len(m) == 0 {
		return "none"
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func bots(list []queue.Bot) string {
	var names []string
	for _, b := range list {
		name := b.Login
		if b.ID != 0 {
			name += fmt.Sprintf(" (%d)", b.ID)
		}
		names = append(names, name)
	}
	return orNone(strings.Join(names, ", "))
}

func named(checks []queue.NamedCheck) string {
	var names []string
	for _, c := range checks {
		name := c.Name
		if c.SkippedOK {
			name += " (skipped ok)"
		}
		names = append(names, name)
	}
	return orNone(strings.Join(names, ", "))
}
