// Package customer keeps customers: people and organisations that buy, may buy or are
// partners, with their identifiers, phones, e-mails, addresses and custom attributes.
//
// A [Draft] becomes a [Customer] by [Tx.Create], which checks and normalises it and
// reports everything that is wrong at once, as a [ValidationError]. Codes, identifiers
// and source keys belong to one customer at a time; a [DuplicateError] names the
// customer that has one. [Tx.Update] takes the version that was read and refuses a
// stale one. Every version is kept ([Reader.History], [Reader.At]).
//
// A customer is archived rather than deleted; [Tx.Erase] removes what is personal, for
// PIPL and GDPR, unless a retention [Hold] forbids it.
//
// [Store.Load] creates customers in bulk. Full-text search is in the package search
// below, typed numbers with their check digits in the package identifier.
//
// An [Access] says what an actor may see and do: a reader or transaction that is narrowed by
// one ([Store.ReaderWith], [Store.TxWith]) shows the customers that the actor sees, without
// what is hidden from it, and refuses what is not permitted.
//
// Programs reach all this through the root package: tx.Customers of a transaction.
package customer
