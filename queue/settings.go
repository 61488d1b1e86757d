package queue

import "time"

// Settings are one queue's rules as its config asks for them.
type Settings struct {
	Label        string         `json:"label"`
	Checks       []NamedCheck   `json:"checks,omitempty"`    // besides what the branch rules require
	Suites       map[string]int `json:"suites,omitempty"`    // shard suites that must report; 0 shards: as many as the suite says
	BatchSize    int            `json:"batch_size"`          // 0: auto
	BatchMin     int            `json:"batch_min,omitempty"` // bounds of a learnt size; 0: none
	BatchMax     int            `json:"batch_max,omitempty"`
	BatchWait    time.Duration  `json:"batch_wait"`
	Parallel     int            `json:"parallel"` // attempts side by side; 1 is the serial queue
	StartLimit   time.Duration  `json:"start_limit"`
	RunLimit     time.Duration  `json:"run_limit"` // 0: auto
	MoveBranches bool           `json:"move_branches"`
	Labels       Labels         `json:"labels"`
	Enter        Enter          `json:"enter,omitzero"`
	PerAuthor    int            `json:"per_author,omitempty"` // tests one author may have at once; 0: as many as come
	Reruns       int            `json:"reruns,omitempty"`     // how often a shard may run its failed tests again, where that may tell a flake
	Quarantine   time.Duration  `json:"quarantine,omitempty"` // how long a flaky test's failures are excused; 0: never
	Merge        Merging        `json:"merge,omitzero"`
	Guard        bool           `json:"guard,omitempty"`    // what changes .github or the code owners wants an admin's approval
	When         string         `json:"when,omitempty"`     // a condition on each pull request; empty: none
	Priority     string         `json:"priority,omitempty"` // a term that gives each its priority; empty: labels do
}

// Labels are the names of the labels that say how a wish is treated. They count
// beside the label that asks to land, and only where somebody set them who may write.
type Labels struct {
	Hotfix string `json:"hotfix"` // front of the line, a batch of its own
	Hold   string `json:"hold"`   // tested by itself, not landed while it is there
	Solo   string `json:"solo"`   // a batch of its own
	// Priority is what labels are worth, in hours of waiting.
	Priority map[string]int `json:"priority,omitempty"`
	// All has every label looked up by who set it: a term gives the priority.
	All bool `json:"all,omitempty"`
}

// same compares two sets of labels.
func (l Labels) same(m Labels) bool {
	if l.Hotfix != m.Hotfix || l.Hold != m.Hold || l.Solo != m.Solo || l.All != m.All || len(l.Priority) != len(m.Priority) {
		return false
	}
	for _, name := range sortedNames(l.Priority) {
		if worth, ok := m.Priority[name]; !ok || worth != l.Priority[name] {
			return false
		}
	}
	return true
}

// NamedCheck is one check or status that an attempt must see green.
type NamedCheck struct {
	Name string `json:"name"`
	// App binds it to one App's id; 0 takes any.
	App int64 `json:"app,omitempty"`
	// SkippedOK lets a skipped or neutral conclusion count.
	SkippedOK bool `json:"skipped_ok,omitempty"`
}

// Defaults are the settings of a repository without a config file.
func Defaults() Settings {
	return Settings{
		Label:        "merge-queue",
		Parallel:     1,
		StartLimit:   10 * time.Minute,
		MoveBranches: true,
		Reruns:       3,
		Enter:        Enter{Most: 500, MostBot: 20},
		Quarantine:   14 * 24 * time.Hour,
		Guard:        true,
		Labels:       Labels{Hotfix: "hotfix", Hold: "hold", Solo: "solo"},
	}
}
