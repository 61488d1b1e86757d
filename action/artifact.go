package main

import (
	"fmt"
	"strings"
)

// tellSent says whether the server took the report, and under what name the last
// step of action.yml may leave it with GitHub where it did not.
func (j *job) tellSent(sent bool) {
	j.flow.output("sent", fmt.Sprint(sent))
	j.flow.output("artifact", j.set.artifact())
}

// artifact is a name of this report alone: no other shard, configuration or
// attempt of the run has it.
func (s settings) artifact() string {
	label := s.suite.Name
	if s.suite.Variant != "" {
		label += "-" + s.suite.Variant
	}
	// What an artifact's name may not have.
	label = strings.NewReplacer(`"`, "_", ":", "_", "<", "_", ">", "_", "|", "_", "*", "_", "?", "_", `\`, "_", "/", "_").Replace(label)
	return fmt.Sprintf("mainstay-report-%s-%d-%d", label, s.at.Index, s.attempt)
}
