package tabular

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrFormat: the file, or a row, isn't in the format it should be in.
	ErrFormat = errors.New("not in a readable format")
	// ErrEncoding: the bytes aren't characters of the file's encoding.
	ErrEncoding = errors.New("not characters of the encoding")
	// ErrLimit: the file asks for more than the limits allow.
	ErrLimit = errors.New("over a limit")
)

// Code says what is wrong, for programs and for messages in the user's language.
type Code string

const (
	Empty         Code = "empty"         // the file has no bytes
	Foreign       Code = "foreign"       // Value names the format that the file is in
	Unrecognised  Code = "unrecognised"  // no format fits
	Damaged       Code = "damaged"       // Value says which part
	NoSheet       Code = "no_sheet"      // Value is the sheet asked for
	OpenQuote     Code = "open_quote"    // a quoted cell has no end
	RowTooLarge   Code = "row_too_large" // Value is the limit in bytes
	TooManyCells  Code = "too_many_cells"
	BadJSON       Code = "bad_json"
	UnknownKey    Code = "unknown_key"   // Value is a key that no earlier object had
	TooLarge      Code = "too_large"     // the file would unpack to more than the limit
	Inflates      Code = "inflates"      // a part unpacks to suspiciously more than it is
	Unencodable   Code = "unencodable"   // Value has characters that the encoding has not
	CellTooLong   Code = "cell_too_long" // Value is what a worksheet's cell holds
	BadDelimiter  Code = "bad_delimiter"
	TooManyMerged Code = "too_many_merged" // Value is the limit
	BadEncoding   Code = "bad_encoding"
)

// Error says where a file is not in order, and what would be right. It is ErrFormat,
// ErrEncoding or ErrLimit by errors.Is.
type Error struct {
	File   string
	Row    int // from 1 on; 0 when the whole file is meant
	Line   int // in a text file, from 1 on
	Column int // from 1 on; 0 when the whole row is meant
	Code   Code
	Value  string
	Err    error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("tabular")
	if e.File != "" {
		b.WriteString(": " + e.File)
	}
	if e.Row > 0 {
		fmt.Fprintf(&b, ": row %d", e.Row)
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	if e.Column > 0 {
		fmt.Fprintf(&b, ", column %d", e.Column)
	}
	b.WriteString(": " + e.Err.Error())
	if text := e.Remedy(); text != "" {
		b.WriteString(": " + text)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Remedy says what would be right, or what is wrong where that says it, in English.
func (e *Error) Remedy() string {
	switch e.Code {
	case Empty:
		return "the file is empty"
	case Foreign:
		return fmt.Sprintf("this is %s; save it as .xlsx or .csv", e.Value)
	case Unrecognised:
		return "the file is neither text nor a workbook; save it as .xlsx or .csv"
	case Damaged:
		return fmt.Sprintf("%s is damaged; save the file once more from the program it comes from", e.Value)
	case NoSheet:
		return fmt.Sprintf("there is no sheet %q", e.Value)
	case OpenQuote:
		return "a cell begins with a quotation mark that is never closed; double the mark or close it"
	case RowTooLarge:
		return fmt.Sprintf("the row has more than %s bytes", e.Value)
	case TooManyCells:
		return fmt.Sprintf("the row has more than %s cells", e.Value)
	case BadJSON:
		return fmt.Sprintf("each line must be one JSON object: %s", e.Value)
	case UnknownKey:
		return fmt.Sprintf("the key %q isn't in the first objects of the file; give one of them the key, with null if need be", e.Value)
	case TooLarge:
		return fmt.Sprintf("unpacked, it is larger than %s bytes", e.Value)
	case Inflates:
		return fmt.Sprintf("%s unpacks to hundreds of times its size, which no table does", e.Value)
	case Unencodable:
		return fmt.Sprintf("%q can't be written in it; choose CSV in UTF-8 or GB18030", e.Value)
	case CellTooLong:
		return fmt.Sprintf("a worksheet's cell holds %s characters; write CSV or JSON Lines", e.Value)
	case TooManyMerged:
		return fmt.Sprintf("the sheet merges more than %s ranges of cells; take the merging off", e.Value)
	case BadDelimiter:
		return fmt.Sprintf("the delimiter %q can't be a quotation mark, a line end or U+FFFD", e.Value)
	case BadEncoding:
		return fmt.Sprintf("the encoding %q is unknown; one of %s", e.Value, strings.Join(encodingNames(), ", "))
	}
	return e.Value
}
