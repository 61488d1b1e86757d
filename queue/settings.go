package queue

import "time"

// Settings are one queue's rules as its config asks for them.
type Settings struct {
	Label        string         `json:"label"`
	Checks       []NamedCheck   `json:"checks,omitempty"` // besides what the branch rules require
	Suites       map[string]int `json:"suites,omitempty"` // shard suites that must report; 0 shards: as many as the suite says
	BatchSize    int            `json:"batch_size"`       // 0: auto
	BatchWait    time.Duration  `json:"batch_wait"`
	Parallel     int            `json:"parallel"` // attempts side by side; 1 is the serial queue
	StartLimit   time.Duration  `json:"start_limit"`
	RunLimit     time.Duration  `json:"run_limit"` // 0: auto
	MoveBranches bool           `json:"move_branches"`
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
	}
}

// autoRun is the run limit while nothing is learnt.
const autoRun = time.Hour

func (s Settings) runLimit() time.Duration {
	if s.RunLimit > 0 {
		return s.RunLimit
	}
	return autoRun
}

// Rules are what the base branch's protection asks, in the parts that Step decides on.
type Rules struct {
	Approvals int          `json:"approvals"` // of exactly the head, by writers
	Checks    []NamedCheck `json:"checks,omitempty"`
	// Unknown names rules we cannot judge: the push will tell.
	Unknown []string `json:"unknown,omitempty"`
}
