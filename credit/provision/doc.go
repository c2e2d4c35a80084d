// Package provision computes the loss allowance of trade receivables: expected credit
// losses over their lifetime by a provision matrix (IFRS 9 5.5.15 and B5.5.35; CAS 22
// (2017) article 63, 准备矩阵).
//
// A [Matrix] has a loss rate for each aging bucket of each segment of customers who lose
// alike (IFRS 9 B5.5.5). The rates come from experience by [EstimateRates], the roll-rate
// method (迁徙率): of what stood in a bucket at one date, how much stands in the next one a
// period later; the product of these from a bucket to the last is what of it will be lost.
// A forward factor for each segment adjusts experience to what is expected (B5.5.52).
// Customers that are credit-impaired or otherwise unlike their segment are assessed one by
// one and left out of the matrix.
//
// [Matrix.Allowance] gives a [Workpaper] that accounts for every balance and can be
// written as CSV or XLSX. Amounts are minor units of one currency, usually the base.
package provision
