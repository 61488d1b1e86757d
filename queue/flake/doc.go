// Package flake keeps what is believed of each test: how often it fails on good
// code, whether a red run is worth one more try, and whose failures do not
// count for a while.
//
// Every test is a little flaky; the question is how much. A belief is a Beta
// distribution over the rate at which a test fails on code that is good, made
// of commits that landed and of the default branch alone: a pull request must
// not be able to make its own failing test a known flake. Old news fades.
//
// It is not a judge of pull requests (that is the search) and not a store. It
// is pure: no clock, no I/O, no randomness; it may import the standard library
// only.
package flake
