// Package dedupe keeps a book free of customers that are recorded twice: it finds them,
// asks people where it is not sure, remembers what they said, merges, and takes merges
// back.
//
// # Merging
//
// [Tx.Merge] lets one customer, the survivor, stand for others. Its record becomes a
// golden one, field by field by the rules of a [Survivorship]; everything that points to
// the losers moves in the same transaction through a [Participant]: tags, placements, and
// whatever an embedder adds. A loser's id, code, identifiers and source keys lead to the
// survivor from then on. [Tx.Unmerge] undoes a merge, in any order with others into the
// same survivor, and leaves what was edited since where it was edited.
// [Store.MergeCluster] merges thousands, in bounded transactions.
//
// # Finding
//
// [Reader.Candidates] tells, in milliseconds, whom a draft or a customer resembles, from
// an index that is kept with the customers. [Store.Run] looks through the whole book and
// puts what it finds in the review queue: [Reader.Queue]. [Tx.Decide] records what a
// person says: the same, different, or not now. Decisions win over every later score.
// [Store.Link] compares the book with another system's list.
//
// The judging itself is done by package match; this package holds its model, as a version,
// in the book.
package dedupe
