// Command mainstay-action is the companion Action: one workflow step that asks
// which tests are this job's own, runs them or lets a later step run them, and
// tells the server what happened.
//
// It is not a judge. Two laws hold whatever the server does: our outage never
// turns a green build red, and never a red one green. It may import queue/shard,
// action/suite, go-githubactions and the standard library.
package main
