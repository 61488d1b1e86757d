// Package store keeps queues, their unread events and due effects, webhooks,
// shard reports, frozen plans, durations and history in one SQLite file.
//
// It decides nothing: it knows what a row is and what a transaction is, and
// leaves to others what an event means or when an effect is performed. Every
// write goes through one goroutine, which commits together whatever waits at
// that moment, so that one fsync carries many callers; every read comes from a
// pool of read-only connections and never waits for a write. What a method has
// acknowledged survives a killed process and a power cut.
//
// It may import queue, queue/shard, the SQLite driver and the migrator, and no sibling.
package store
