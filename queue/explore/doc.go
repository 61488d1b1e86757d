// Package explore walks every state that the real queue.Step can come to in
// small named worlds, nearest first, and holds each against the laws S1 to S10
// of docs/design.md. When one breaks, it tells the shortest way there.
//
// # Worlds
//
// They are data in worlds.go, named with their sizes in docs/proof.md, and each is
// walked to its end: one bad or two of three, a pair that conflicts, conflicts in
// text, a flake, a test that hangs, CI that never starts, reports of shards, a base
// that is red by itself; crashes around every effect, slow, lost and late answers,
// landing pushes that land after they were given up; pushes to the base and
// force-backs; heads, labels, approvals and pull requests that come and go at any
// time; a hotfix, a hold, a pause, a refusing rule, a build that breaks; and
// attempts side by side.
//
// # Laws
//
// S1 tested as landed, in full and as itself. S2 only the batch. S3 approved as
// landed, by the newest readings told, none older than eleven seconds. S4 once.
// S5 no lie. S6 no resurrection, and an audit that finds a landing gone stops the
// queue. S7 order, when a batch is taken and when it lands. S8 one writer. S9 the
// run of the ticket and no copy of it. S10 nothing lost. Besides: members add up;
// nobody is blamed for what is not so; a pause stops attempts and landings; and
// from every state, if no more trouble comes, all comes to rest.
//
// # What is one state
//
// What differs only by clock readings, by the numbers of attempts or by words is
// one state (canon.go, part.go). Times count from now in quarters of a second, as
// far as they decide anything. What a queue learns is frozen: its failure rates,
// its run times and the list of landed heads stay as they are in the beginning,
// and the run limit is set. Retries need no bound: they are the same state again.
// Of a state that was gone on from only a 64-bit hash is kept, so two in ten
// million millions may be taken for one.
//
// It is not a simulator: it knows no probabilities and measures nothing. It may
// import package queue and its subpackages, and nothing else of ours.
//
// The ordinary tests stop after some states of each world; `make explore` walks
// them all, and `make mutants` shows what the laws catch.
package explore
