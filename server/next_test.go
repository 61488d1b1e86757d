package main

import (
	"testing"

	"github.com/mainstay-ci/mainstay/server/doctor"
	"github.com/mainstay-ci/mainstay/server/web"
)

// The workflow that the page prints is one in which the doctor finds nothing.
func TestThePrintedWorkflowIsSound(t *testing.T) {
	found := doctor.Examine(doctor.Facts{Branch: "main", OurCheck: checkName, OurApp: 7,
		Workflows: []doctor.Workflow{{Path: ".github/workflows/ci.yml", Text: []byte(web.WorkflowText("https://mainstay.example.com"))}},
		Required:  []doctor.Required{{Name: "test (3)", App: doctor.ActionsApp}, {Name: checkName, App: 7}},
		Actions:   &doctor.Policy{Enabled: true, Allowed: "selected", Patterns: []string{"mainstay-ci/mainstay@*"}}})
	if len(found) != 0 {
		t.Errorf("%+v", found)
	}
}
