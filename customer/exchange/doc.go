// Package exchange brings lists of customers, and of what belongs to them, into a book and
// takes customers out: CSV, TSV, XLSX and JSON Lines, in the encodings that Chinese and
// English users have.
//
// A file is looked at first (Session.Inspect), which recognises its format, encoding and
// headings in English or Chinese and guesses what the columns hold. The [Mapping] that
// comes of it can be corrected and kept. Session.Preview tells what cleaning the file needs:
// values that are normalised, rows that repeat others, numbers that aren't valid, empty
// rows and what looks like a test. Session.Run imports the file part by part: new
// customers are loaded in bulk, others are updated in transactions, and each row's outcome
// is kept in the part that changed the book. So an import that was cut off, by whatever,
// goes on when it is run again, with no row lost and none twice; its refused rows can be
// written to a file, mended and imported again (Session.Rejects); and a whole import can
// be taken back while nothing depends on it (Session.Undo).
//
// Rows are customers, or what a [Subject] says: units of the organisation, receivables,
// opening balances, credit scores. A list of customers without names, such as codes and
// tags, changes customers that the book has. Cells that are wrong are kept with the import
// until [Session.Forget], or until their customer is erased.
//
// What a Session does is done for its actor: unseen customers are neither found nor
// changed, and exports hold what the actor may see.
//
// The package tabular below reads and writes the files themselves.
package exchange
