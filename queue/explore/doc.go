// Package explore walks every state that the real queue.Step can come to in
// small named worlds, nearest first, and holds each against the laws S1 to S10
// of docs/design.md. When one breaks, it prints the shortest way there.
//
// Worlds are data in worlds.go. -explore.full walks each to its end; the ordinary
// tests stop at a limit, and say so. What differs only by
// clock readings, by the numbers of attempts or by words is one state (canon.go).
//
// It is not a simulator: it knows no probabilities and measures nothing. It may
// import package queue and its subpackages, and nothing else of ours.
package explore
