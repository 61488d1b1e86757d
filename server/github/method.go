package github

import (
	"strings"

	"github.com/mainstay-ci/mainstay/queue"
)

// methodOf is the method a label asks for; empty when it asks for none.
func methodOf(label string) queue.Method {
	if len(label) < len(queue.MethodLabel) || !strings.EqualFold(label[:len(queue.MethodLabel)], queue.MethodLabel) {
		return ""
	}
	if m := queue.Method(strings.ToLower(label[len(queue.MethodLabel):])); m.Known() {
		return m
	}
	return ""
}

// markMethod notes which method labels ask for. Those that ask for several ask for none.
func markMethod(pr *queue.PullRequest, names []string) {
	asked := 0
	for _, name := range names {
		if m := methodOf(name); m != "" {
			pr.Method = m
			asked++
		}
	}
	if asked > 1 {
		pr.Method = ""
	}
}

// headOwner is whose fork a pull request comes from.
func (p *pull) headOwner() string {
	if p.Head.User == nil {
		return ""
	}
	return p.Head.User.Login
}
