// Package demo is a small world to watch the queue in: a forge in a box with a
// repository full of pull requests, people who label them, and a real Mainstay
// server beside it. The bench measures in the same world.
//
// It is not a test double: the git, the workflow runs, the Action and the server
// are the real ones. It imports queue and sandbox; package main hands it the
// server.
package demo
