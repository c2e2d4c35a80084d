// Package storage keeps typed records with indexes, history and a journal in any
// engine that fulfils the contract of package kv.
//
// A [Table] describes a type of record: its key, its codec, its indexes and tallies. A
// [Store] opens an engine with a [Schema] of such tables. [Store.Update] runs a
// function as a serializable, durable transaction, [Store.View] on a consistent state,
// and [Store.Load] adds records in bulk.
//
// # What a change leaves
//
// One Update is one batch: records, index entries, tallies, earlier versions, and one
// journal entry that names every changed record by key, version and digest, but holds
// nothing of its content, so that content can be erased while the journal stays whole.
// The journal is a Merkle log ([Store.Head]).
//
// # Derived views
//
// A [DerivedView], such as a search index, has a store of its own and follows the
// journal; see [Store.Sync] for reading one's own writes.
//
// # Trust
//
// [Store.Verify] compares everything that is stored twice, [Store.Repair] mends what
// is derived, [Store.Backup] and [Restore] copy. The key space is in KEYS.md.
//
// # Caveats
//
// The function given to Update runs again after a conflict, so it must have no effect
// but on its transaction, and must not call Update. A View can see a commit some
// milliseconds before it is durable; the journal never shows such a one. A snapshot
// that is kept open keeps overwritten data on disk.
package storage
