// Package kv is the contract between storage and the engine that keeps its bytes.
//
// An [Engine] is an ordered map from byte keys to byte values with four abilities
// that a plain map lacks: consistent snapshots, conditional atomic batches, a
// gapless journal of the batches that carried an entry, and bulk loading of sorted
// runs. Everything else (records, indexes, sessions, views) is built on top, once,
// by package storage.
//
// Two kinds of people read this package. Storage calls an engine; an engine author
// implements one and proves it with [kvtest.Run]. An application does neither.
//
// # Time
//
// An engine has two clocks. A [Stamp] orders all commits and is only good for
// comparing against the same open engine: a snapshot carries one, and a batch says
// "nothing that I read has changed since that stamp". A [Position] numbers journal
// entries 1, 2, 3 … without a gap and survives everything, backups included.
//
// # Ownership of bytes
//
// Get appends to a slice that the caller owns. Scan lends Entry.Key and Entry.Value
// until the loop's next step. A Batch copies what it is given. A Load's runs are
// borrowed until Ingest returns.
//
// [kvtest.Run]: https://pkg.go.dev/github.com/clientele-go/clientele/storage/kv/kvtest#Run
package kv
