// Package credit keeps what customers owe: receivable items and how they are settled,
// aging at any date, credit limits and reservations, reminders and dunning.
//
// # The ledger
//
// [Tx.Post] posts a [Document] (an invoice, a payment, a credit note) to a customer's
// account; by its [Terms] it becomes one [Item] for each instalment. [Tx.Allocate]
// settles a debit by a credit, [Tx.AllocateAutomatically] looks for what settles what,
// [Tx.Deallocate] and [Tx.Reverse] take back. Nothing posted is ever changed: what was
// wrong is taken back by another posting, so every report of the past can be made again.
//
// Each posting has two days. Effective is from when it counts: its date, for an
// allocation no earlier than its items. Known is when it was recorded. What is open of an
// item as of a day D is its amount, if it counts by then, less the allocations that do;
// as known on a day K, only what was recorded by the end of K (UTC) is looked at.
// [Tx.ClosePeriod] keeps later postings out of closed periods.
//
// # Reports
//
// [Reader.Aging] gives the rows by customer and currency, [Reader.AgingIn] converted,
// [Reader.Revalue] in the customer's or the base currency with what changed rates did apart,
// [Reader.AgingBy] by unit, representative or group, [Reader.AgingTotal] for all together,
// [Reader.OpenItems] by item, and [Reader.Movements] says why two reports differ. All take
// a set of customers, and see none that the session doesn't. For every row, buckets and
// what is unapplied add up to the balance, and the balances of all rows to the control
// total; [Store.Verify] checks both against what was posted.
//
// Open items lie in pages that a report reads at the speed of memory, and every change
// lies in a log by month, so that the past is today with what came later undone. See
// docs/adr for the reasons, and the benchmarks for the figures.
//
// # Amounts and days
//
// Amounts are whole minor units of a currency ([money.Amount]), days are civil days
// ([date.Date]). An overflow is an error that wraps ErrOverflow, and nothing is posted.
//
// # Limits
//
// [Tx.SetLimit] sets the [Limit] of a customer, of a [Group] that shares it, or of a unit
// and those below it; the nearest counts. [Reader.Check] says whether a customer may buy
// for an amount more by the steps of its [Policy], and [Tx.Reserve] takes a part of the
// limit, so that no number of clerks at once exceeds it. [Tx.Pass] hands the credit on from
// order to delivery to invoice without counting it twice. [Tx.Override] and [Tx.Propose]
// let people decide otherwise, and keep who did and why. Who asks through a
// unit is bound by what that unit has agreed with the customer as well: see [Overlay].
//
// [Reader.Reminders] yields what somebody should be told, [Tx.Dun] takes a customer a level
// further and returns the [Letter], each once.
//
// # Measures, scores and provisions
//
// [Reader.Measures] gives days sales outstanding, days to pay and late, what is late and how
// well is collected, by month, customer or set; [Reader.Concentration] how much of what is owed
// the largest owe. [Reader.ScoreHistory] is what package score grades, [Reader.AgingSnapshots]
// are what package provision estimates rates of loss from, and [Reader.Facts] and
// [Reader.Figures] are what a customer bought, for rules.
package credit
