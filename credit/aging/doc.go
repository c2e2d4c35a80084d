// Package aging is the arithmetic of receivables aging: which bucket an item stands in,
// the sums by customer and currency, their conversion, and the report.
//
// It reads nothing and stores nothing. A [Scheme] says at which date, by which date of the
// items and in which [Buckets]; an [Accumulator] adds up what a caller feeds it, be it
// package credit from its pages or a program from a file:
//
//	sums := aging.NewAccumulator(scheme)
//	account := sums.Account(customer, money.CNY)
//	sums.Add(account, scheme.Column(document, due), open)   // a debit's open amount
//	sums.Add(account, scheme.Unapplied(), -open)            // a credit's
//	for row, err := range sums.Rows() { ... }
//
// Sums are linear: what is added with one sign and then with the other leaves no trace, in
// whatever order, so that a report of the past can be made from today's by undoing what
// came since. For each row, buckets + unapplied = balance.
//
// Amounts are minor units of the row's currency (package money).
package aging
