// Package suite knows test runners: it lists what a suite consists of, runs a
// slice of it while showing what happens, and reads what came out, test by
// test.
//
// It is not a client of the server and decides nothing about a job: verdicts
// stand in queue/shard. It may import queue/shard, the standard library,
// gotestsum's testjson (results of go test), go-junit and tap13 (results of
// others), golang.org/x/net/html/charset and golang.org/x/text (encodings),
// go-shellwords (splitting a command line) and doublestar (globs).
package suite
