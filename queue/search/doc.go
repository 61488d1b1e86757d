// Package search decides what a queue tests next: how many pull requests
// together, which part of a red batch, what beside what, and who is guilty.
//
// What was red is a fact, never forgotten before it is explained. From the facts
// follows, exactly, how likely each pull request is good, and from that the next
// test: the front of the line, as long as its chance of green tells most.
//
// It is not a queue: it keeps nothing, starts nothing and lands nothing. It is
// pure: no clock, no chance, no goroutine, no order of map keys; it may import
// the standard library only.
package search
