package web

import "github.com/mainstay-ci/mainstay/queue"

// shownRulings is how many lines of the audit a page shows.
const shownRulings = 50

// auditRow is one line of the audit: who asked for what, and what refused it.
type auditRow struct {
	At     moment
	By     string
	What   string
	Rule   string
	Fork   bool
	Head   link
	Detail string
}

func (s *scene) audit(rulings []queue.Ruling) []auditRow {
	var rows []auditRow
	for _, r := range rulings {
		what := r.What
		if r.Source != "" {
			what += " by " + r.Source
		}
		rows = append(rows, auditRow{At: s.since(r.At), By: plainLine(r.By.Login, 60), What: plainLine(what, 60), Rule: string(r.Rule),
			Fork: r.Fork, Head: s.commit(r.Head), Detail: r.Detail})
	}
	return rows
}
