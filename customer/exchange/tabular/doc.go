// Package tabular reads and writes tables in files: CSV, TSV, XLSX and JSON Lines, in
// the encodings that Chinese and English users have. It knows rows and cells, and
// nothing about customers.
//
//	file, closer, err := tabular.Open("customers.csv")
//	format, err := tabular.Find(file)
//	shape, err := format.Inspect(ctx, file, tabular.Options{})
//	for row, err := range format.Read(ctx, file, shape.Options()) { ... }
//
// Rows stream in bounded memory, whatever the size of the file. A row that can't be read
// is yielded with its error and the rows after it go on: an unclosed quotation mark costs
// one row, not the rest of the file. Bytes that are no characters make a Garbled cell.
//
// What a file says is kept apart from what it may mean: a cell has a text and a kind, a
// date is a date only where a workbook says so, and a number keeps its digits. Whole
// numbers of more than 15 digits that a spreadsheet program has already rounded are
// Inexact.
//
// The reader of workbooks is our own since none that is kept up tells dates from numbers
// while it streams; they are written by excelize. Delimited files are too: encoding/csv
// can neither bound a record nor go on after an unclosed quotation mark.
package tabular
