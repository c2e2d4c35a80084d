// Package kvtest checks that a storage engine keeps the contract of package kv.
//
// An engine author calls [Run] from a test and gives it a [Harness], which says how to
// open the engine. Run checks nearly a hundred properties, each a subtest named after
// the promise that it holds the engine to:
//
//	func TestConformance(t *testing.T) {
//		kvtest.Run(t, kvtest.Harness{
//			Open: func(t testing.TB) kv.Engine { return open(t, t.TempDir()) },
//		})
//	}
//
// A failure states what was expected, what came instead, and the steps before it.
// A single promise is checked with
//
//	go test -run 'TestConformance/Condition/ConflictOnRange'
//
// # What is checked
//
//   - Read, Snapshot: gets and scans, their bounds and the ownership of bytes; frozen,
//     whole and ordered states under concurrent writers.
//   - Merge, Batch, Condition: the order of operations, folding against a naive model,
//     limits, and every way in which a read may be invalidated.
//   - Transaction: lost update, write skew, phantom, read-only anomaly and races,
//     with a small optimistic transaction; strict serializability of whole concurrent
//     histories by Porcupine (Horn and Kroening, "Faster linearizability checking
//     via P-compositionality", FORTE 2015).
//   - Retry, Journal, Ingest: idempotence by batch id, a gapless feed in commit order,
//     bulk loads.
//   - Persist, Backup, Purge, Life: reopening, crashes, copies, erasure, closing, limits
//     and figures.
//   - History: random sequences of everything against a model, shrunk by rapid to the
//     shortest one that fails.
//
// The contract lets an engine refuse a batch whose stamp it can't judge any more. The
// suite therefore demands a conflict only where one must be, and elsewhere only that trying
// again from a new snapshot succeeds within seconds.
//
// # How long it runs
//
// Seconds by default, less with -short. CLIENTELE_TEST_SCALE=10 (or [Harness.Scale])
// makes the random and concurrent runs ten times as long. The usual -rapid.* flags apply.
package kvtest
