// Package queue holds the rules of the merge queue: who is in line, what is
// tested together, what a result means, who is out and why, and when the base
// may move. Everything that can be decided is decided in Step.
//
// It is not a server: it knows no clock, no GitHub, no git, no database. It
// imports the standard library only, and of that nothing that can see the time,
// chance, the network or another goroutine.
package queue
