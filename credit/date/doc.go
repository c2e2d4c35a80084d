// Package date holds civil days: dates of documents and due dates, without hours and time
// zones.
//
// A [Date] is one number, so that days past due are a subtraction and dates are small in
// pages and keys. The years 1900 to 2200 of the Gregorian calendar exist; the zero Date is
// no date. A [Month] is a month of a year.
//
// Errors are of type [*Error] and wrap ErrSyntax, ErrNoSuchDay or ErrRange.
package date
