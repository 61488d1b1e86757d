package queue

import (
	"fmt"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// covered says whether shards that are all green ran the whole suite between them.
// Where the server planned, the units that ended must add up to the plan: a shard
// that cut its slice by itself, or went by another plan, may have left out what
// the others left to it. Where nobody planned, all saw the same list and made the
// same cut.
func covered(shards []Shard) (verdictState, string) {
	var plan Shard
	for _, sh := range shards {
		if sh.Plan != "" {
			plan = sh
			break
		}
	}
	if plan.Plan == "" {
		return passed, ""
	}
	ran := shard.NewUnits(plan.Units)
	for _, sh := range shards {
		own, ok := shard.ParseUnits(sh.Ran, plan.Units)
		if sh.Plan != plan.Plan || sh.Units != plan.Units || !ok {
			return failed, fmt.Sprintf("The suite is incomplete: %s did not run by the plan of the others.", sh.label())
		}
		ran.Join(own)
	}
	if missing := plan.Units - ran.Count(); missing > 0 {
		return failed, fmt.Sprintf("The suite is incomplete: %d of %d items of %s never ran.", missing, plan.Units, code(plan.Suite))
	}
	return passed, ""
}
