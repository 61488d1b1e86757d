package main

import (
	"strings"
	"testing"

	"github.com/mainstay-ci/mainstay/queue"
)

// A pull request that changes a workflow waits for an admin, however many writers
// approved it; what is beside it in line goes on.
func TestAWorkflowChangesOnlyWithAnAdminsApproval(t *testing.T) {
	t.Parallel()
	// Given one that changes how CI runs, approved by somebody who may write, and another.
	w := found(t, scene{approvals: 1})
	ruler := w.forge.NewUser("root")
	w.must(w.repo.SetPermission(ruler, "maintain"))
	pr := w.open("ci", map[string]string{".github/workflows/ci.yml": "on: push\n", "CODEOWNERS": "* @ada\n"})
	other := w.opens("topic")
	for _, n := range []int{pr, other} {
		w.must(w.repo.Review(int64(n), w.owner, "APPROVED"))
	}
	w.label(pr, other)
	w.awaitEnds(ends{other: landed})

	// Then it waits, and its check says for whom and why.
	w.until("it waits for an admin", func() bool {
		e := w.entry(pr)
		return e.Phase == queue.Asking && e.Wait == queue.NotApproved
	})
	w.until("the check says so", func() bool {
		return strings.Contains(w.check(w.pull(pr).HeadSHA).Title, "an admin or a maintainer has to approve")
	})

	// When a maintainer approves exactly this head, it lands.
	w.must(w.repo.Review(int64(pr), ruler, "APPROVED"))
	w.awaitEnds(ends{pr: landed})
	if !w.pull(pr).Merged {
		t.Error("it is not merged")
	}
}
