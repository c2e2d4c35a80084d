// Package money holds amounts of money exactly: whole minor units of a currency.
//
// An [Amount] is a number of minor units (cents, fen; yen, which have no smaller unit) and
// a [Currency] of ISO 4217. Nothing here is a float, every sum is checked, and what does
// not fit 64 bits is ErrOverflow: 92 thousand million million units of a currency with two
// digits are the most. A [Rate] is an exact decimal; converting by it rounds half to even
// to the digits of the currency that results.
//
// Errors are of type [*Error] and wrap one of the package's sentinels.
package money
