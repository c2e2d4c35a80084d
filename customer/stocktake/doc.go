// Package stocktake counts customers under a stated definition, so that an auditor can
// sign the number (盘点): how many at the opening of a period, how many at its closing,
// and which customer came or went why.
//
// A [Definition] says who counts and by what the counted are divided. [Session.Count]
// counts what the session sees and stores nothing. [Session.Run] stores the [Result] under
// its digest, with the customers of every term, to be reviewed ([Tx.Submit], [Tx.Adjust]),
// approved, signed ([Session.Sign]) and filed. [Reader.Customers] leads from a number to
// its customers, [Reader.Compare] from run to run, [Reader.Due] says what a schedule asks
// for. Package report makes a page, a workbook, a table and a PDF of a Result.
//
// # What holds
//
// Opening + new + reactivated + unmerged + entered − merged − archived − erased − left =
// closing, to the customer: each is in at most one term. A count of the past finds what a
// count made then found, since boundaries are positions of the journal; the same count
// twice gives equal bytes. A stored result holds nothing personal: it names customers by
// their ids, and codes and names are added for who reads it.
//
// # Costs
//
// A count reads sets of the present, the journal since the opening, and from history the
// customers that changed since; never all records, unless a check or a figure asks for
// them. See ADR 0019 for the way and for what the past can't tell.
//
// # Caveats
//
// Instants are moments: for the year 2025 ask from 2025-01-01 to 2026-01-01, midnight of the
// definition's zone. Activity and purchases count by complete calendar months before the
// instant: events by months of UTC, invoices by their dates. Tags stand where they stand
// now, also in counts of the past. Filters on what was erased since can't count it again.
// Receivables are those of the instant, by who held them then, whatever was merged,
// unmerged or posted afterwards; but items that are loaded in bulk later as recorded
// earlier count as recorded then. Events, too, are those of whom had them then; only what
// is recorded later for a month before changes them. Suspected duplicates, and links to
// another list, are those of today.
package stocktake
