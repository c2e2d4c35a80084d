// Package pebblekv keeps a book in a directory of its own process, with Pebble, or in
// memory. It implements [kv.Engine] and needs neither a server nor cgo.
//
// # Keys
//
// Keys that begin with 0x00 are the engine's own:
//
//	0x00 0x00 <number, 4 bytes big-endian>   empty; there only for moments of a purge
//	0x00 'b' <batch id, 16 bytes>            journal position as a uvarint, 0 for none
//	0x00 'f'                                 format version as a uvarint, now 1
//	0x00 'j' <position, 8 bytes big-endian>  journal payload
//
// All others are the caller's and stored as they are. The format version covers these
// keys and what [kv.Fold] reads and writes. It is written at creation; Open refuses a
// newer one, a newer Pebble's and a stranger's database with kv.ErrFormat.
//
// # Commits
//
// Apply prepares a batch on its own. Synced batches gather while others are being synced; one of
// them takes a lock, checks each one's reads against the keys of recent commits, hands
// them to Pebble's log and memtable as one batch, in which each key is merged into once,
// releases the lock and waits for the sync. Snapshots between two
// commits share one of Pebble's; the commit that outdates it lets go of it after the lock. The recent commits
// are kept in memory: at least the last 262,144 keys or 32 MiB of them, and up to eight
// times as much while an open snapshot needs them. A batch whose stamp is older is
// refused with kv.ErrConflict.
//
// Relaxed commits are synced in the background within Options.RelaxedDelay, and by
// Close. Synced commits, loads, and an empty synced batch make all commits before them
// durable too.
//
// # Merges
//
// Pebble folds deltas when it flushes and compacts. Until then a reader would have to
// fold them all, 0.1 to 0.2 µs each, so before a key gets more than 128 it is rewritten as
// one value, and with 16 or more within seconds in the background. A load's large sets are
// stored as what they come to. While 5,000 deltas a second are merged into 16 full bitmaps of 65,536, one of
// them is read in 23 µs; in 93 µs without the rewriting, and in 37 after 512. A delta that can't be read is
// refused by Apply. One that doesn't fit the value under its key, as a count onto a name,
// makes reading the key fail with kv.ErrCorrupt until it is set or deleted.
//
// # Failures
//
// When a write to the directory fails, nothing is written to it any more. The commits
// waiting for a sync get kv.ErrUnknownOutcome, later ones kv.ErrFailed, both with the
// cause (kv.ErrNoSpace and the like). Reads go on, and show the commits whose outcome is
// unknown too. Close works; opening again recovers what had reached the disk, which
// is everything acknowledged. Temporary files of an ingestion or backup may fail without
// harm to the engine. A failed read harms only its caller.
//
// # Choices
//
// Measured on two cores with 300,000 to 400,000 rows of some 430 bytes; times are CPU
// times.
//
//   - Format: FormatValueSeparation, the newest that this Pebble writes. It brings log
//     chunks that tell a torn tail from a broken middle, columnar blocks and checksums of
//     table footers. No older Clientele exists that would need an older one. It is named,
//     not taken as "newest", so that a new release of Pebble doesn't change books.
//   - Cache: an eighth of the memory, since a book that fits is read in 4 µs and one
//     that doesn't in 13 to 20 µs. Not more, because without cgo the cache is in the
//     heap, where the collector lets garbage grow in proportion.
//   - Blocks of 8 KiB: a read that misses the cache took 9 µs with 4 KiB, 13 with 8, 17
//     with 16 and 30 with 32, at 407, 382, 363 and 349 bytes a row.
//   - Compression: the fastest (MinLZ, or Snappy on arm64), 486 to 382 bytes a row. Zstd
//     comes to 293, but without cgo a cache miss then takes 45 µs instead of 17.
//   - Bloom filters of 10 bits a key on all levels but the last, where Pebble's Get
//     doesn't look at them.
//   - Values stay beside their keys. Records are a few hundred bytes, and a value apart
//     would cost a second read; separation pays from a few KiB.
//   - Memtables of 32 MiB: 300,000 rows in batches of 1,000 were written 2.6 times over
//     (3.4 times with 16 MiB, 2.1 with 64) at about the same CPU time. Four may be in
//     memory, so that a flush doesn't hold writers up.
//   - Level 0 is compacted after each flush, for reads' sake, but after four while one flush follows
//     another within three seconds: 16 writers then create half as many customers again. From
//     20 overlapping runs on, Apply waits, within its context; Pebble's own stop, which knows no
//     context, is never reached.
//   - While a bulk load is under way, and two seconds longer, compactions wait until there are ten
//     runs in level 0. Records and journal entries of a load go to the last level at once; the
//     index tables of its parts overlap, and are then merged once and not part by part: of eight
//     parts of 96 MiB, 0.33 bytes were written again for each byte loaded instead of 0.50, with
//     30 % less processor time for it, none of which falls into the load.
//   - A purge that has waited a second holds writers up from one run in level 0 on: Pebble runs the
//     compactions that a purge asks for only when no other is due.
//   - Manifests are as short as Pebble makes them, since they keep keys of tables that are gone;
//     a purge begins a new one.
//   - Half the cores compact, at least one; the rest is the application's. From 15 runs in level 0
//     on, when writers are about to wait, all cores do. A flush has a thread of its own.
//   - The log is written out every MiB, so that the sync after a large batch is short.
//   - A new log has 256 KiB of zeros written ahead of it, step by step: on ext4, a sync of 3 KB took
//     155 µs over written ground and 240 at the end of a growing file, on a busy disk 0.5 to 0.8 ms
//     and 1.2 to 1.5 on average, since it then waits for the file system's journal. Pebble uses
//     old logs again, so that this is about a log's first use. A log that is copied while it is
//     written ends where it ended then.
package pebblekv
