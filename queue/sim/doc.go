// Package sim plays a load against a merge queue in virtual time and counts what
// it costs: waits, CI runs and minutes, good pull requests thrown out. Policy
// "adaptive" drives the real queue.Step; the others are what other queues do, as
// small policies of their own over a number of executors.
//
// It is not a test of Step (queue/explore and the tests beside Step are) and not a
// model of GitHub: calls take no time, nothing is lost. It imports the standard
// library and queue. The same load and seed give the same figures.
package sim
