// Package shard is what the Action and the server say to each other about one
// test suite cut into shards: the JSON of both directions with its limits, the
// deterministic split that needs no server, the server's plan by durations, and
// the verdict on one shard.
//
// It is not a client, not a server and not a store. Who is speaking (repository,
// run, attempt, commit) comes from the caller's token and is never part of a
// body here. It is pure: no clock, no I/O, no goroutine, no randomness, no
// order of map keys; it may import the standard library only.
package shard
