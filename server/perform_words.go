package main

import (
	"fmt"

	"github.com/mainstay-ci/mainstay/queue"
	"github.com/mainstay-ci/mainstay/queue/message"
	"github.com/mainstay-ci/mainstay/server/git"
)

// gitMethods are git's own names of the methods.
var gitMethods = map[queue.Method]git.Method{queue.MethodSquash: git.Squash, queue.MethodMerge: git.Merge}

// wording words the one commit of a member by what was fixed when its attempt began.
func wording(place queue.Place, how queue.Merging, text queue.PullText, method queue.Method) func([]git.Authored) string {
	owner := text.Owner
	if owner == "" {
		owner = place.Owner
	}
	pull := message.Pull{Number: text.PR, Title: text.Title, Body: text.Body, Author: text.Author,
		Branch: owner + "/" + text.Branch, Base: place.Branch}
	var template message.Template
	merges := how.Method == queue.MethodMerge
	if merges == (method == queue.MethodMerge) {
		template = message.Template{Title: how.Title, Body: how.Body} // the words for a squash are not those for a merge
	}
	return func(own []git.Authored) string {
		commits := make([]message.Commit, len(own))
		for i, c := range own {
			commits[i] = message.Commit(c)
		}
		if method == queue.MethodMerge {
			return message.Merge(template, pull, commits)
		}
		return message.Squash(template, pull, commits)
	}
}

// landedText is what is said where GitHub can't show a landed pull request as merged.
func landedText(place queue.Place, task queue.SettleLanded) string {
	why := "because the commits were rebased"
	switch task.Method {
	case queue.MethodSquash:
		why = "because the commits were squashed"
	case queue.MethodMerge:
		why = "though its commits are in it"
	}
	return fmt.Sprintf("Landed on `%s` as %s. GitHub can't show this as merged, %s, so it is closed here.", place.Branch, task.Became, why)
}
