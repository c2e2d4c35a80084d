// Package report writes a stocktake's result for people: as one HTML page, as a workbook
// (XLSX), as a table (CSV), as a PDF. All four show the same sections from the same
// numbers, in English or Chinese.
//
//   - [HTML] is one file that needs nothing from elsewhere: charts are inline SVG, there is
//     no script and no request. It reads on a telephone and prints.
//   - [XLSX] has a sheet for each section with native charts, frozen headings and typed
//     numbers. Texts are cells of text and never run as formulas.
//   - [CSV] is one long table, a line for each number: table, row, label, column, value,
//     unit. It begins with a byte order mark; texts that a spreadsheet program would run
//     have an apostrophe before them, as package tabular writes them.
//   - [PDF] is A4 with the same charts as lines and areas. It needs a font that has all
//     characters: see [Options].Fonts.
//
// A report shows what is in the [stocktake.Result] and reads nothing else, so that what
// its maker could not see is not in it. Equal results and options give equal bytes. The
// functions are safe for concurrent use, and leave the Result as it is.
package report
