// Package receivable makes the receivables of a whole book for benchmarks and for contests
// with other engines: what is open, and what was settled in the months before. The same
// Book makes the same items, each customer by itself, so that any number can be streamed
// in any order.
package receivable
