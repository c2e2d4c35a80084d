package tabular

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// File is the content of a file that is read. Its bytes must not change meanwhile.
type File struct {
	Name    string // for its extension and for messages; a path or not
	Content io.ReaderAt
	Size    int64 // bytes
}

// Open opens a file of the file system. The caller closes it.
func Open(path string) (*File, io.Closer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	stat, err := f.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return &File{Name: filepath.Base(path), Content: f, Size: stat.Size()}, f, nil
}

// Kind is what a cell holds, as far as its file says.
type Kind uint8

const (
	Text    Kind = iota // also every cell of a delimited file
	Number              // Text is the number as stored, "1234.5"
	Date                // Text is "2006-01-02", or "2006-01-02 15:04:05" with a time of day
	Bool                // Text is "true" or "false"
	Failed              // Text is an error of the workbook's own, such as "#REF!", or a formula that no program has computed
	Nested              // Text is a list or an object in JSON
	Inexact             // Text is a number of more digits than the 15 that a worksheet keeps, the last of which may be lost
	Garbled             // Text has U+FFFD where the file's bytes were no characters, or is that of a row in another encoding
)

// Cell is one value of a row.
type Cell struct {
	Text    string
	Kind    Kind
	Formula bool // Text is what the workbook last computed
	Merged  bool // Text is that of the first cell of the range that this one is merged into
}

// Row is a row of a table. A row that can't be read has Err, and the cells up to there.
type Row struct {
	// Number counts from 1 on: the sheet's rows, or the file's records. Rows of sheets that go
	// on where one was full (see [XLSX.Read]) count on behind its 1,048,576.
	Number int
	Line   int // in the file, from 1 on; 0 in a workbook
	Cells  []Cell
	Err    *Error
}

// Blank reports whether no cell has a text, but for spaces.
func (r *Row) Blank() bool {
	for i := range r.Cells {
		if strings.TrimSpace(r.Cells[i].Text) != "" {
			return false
		}
	}
	return r.Err == nil
}

// Options say how to read a file. What is left zero is recognised; see [Shape].
type Options struct {
	Encoding  Encoding
	Delimiter rune
	Sheet     string
	Limits    Limits
}

// Limits bound what a file may cost, so that a small file can't take all memory. Zero
// values are the defaults.
type Limits struct {
	RowBytes  int   // 4 MiB: a row's text
	Columns   int   // 16,384, a worksheet's
	Unpacked  int64 // 16 GiB: a workbook's parts, unpacked
	Inflation int64 // 400: how much larger than itself a workbook's part may unpack to, once it is over 16 MiB
	Memory    int   // 48 MiB: texts shared by a workbook's cells that are kept in memory; more go to a temporary file
}

func (l Limits) withDefaults() Limits {
	set := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	set(&l.RowBytes, 4<<20)
	set(&l.Columns, 16384)
	set(&l.Memory, 48<<20)
	if l.Unpacked == 0 {
		l.Unpacked = 16 << 30
	}
	if l.Inflation == 0 {
		l.Inflation = 400
	}
	return l
}

// Shape is what was recognised about a file.
type Shape struct {
	Format    string
	Encoding  Encoding // of a text file
	Delimiter rune     // of a delimited file
	Sheets    []string // of a workbook, in its order
	Sheet     string   // the one that is read
}

// Options returns options that read the file as recognised.
func (s *Shape) Options() Options {
	return Options{Encoding: s.Encoding, Delimiter: s.Delimiter, Sheet: s.Sheet}
}

// Format is a file format for tables. Implementations are safe for concurrent use.
type Format interface {
	// Name is a short name, such as "csv".
	Name() string
	// Extension is the usual ending of such files' names, such as ".csv".
	Extension() string
	// Fits reports whether a file that begins with head, some 4 KiB at most, and has
	// this name is in the format.
	Fits(name string, head []byte) bool
	// Inspect recognises what Options leaves open, from the file's beginning.
	Inspect(ctx context.Context, f *File, o Options) (*Shape, error)
	// Read yields the rows in order. A row and its cells are valid until the next one
	// is asked for. An error, which can only come last, is an *Error or of the file
	// system. Memory is bounded, whatever the file.
	Read(ctx context.Context, f *File, o Options) iter.Seq2[*Row, error]
	// Create begins a file.
	Create(w io.Writer, o WriteOptions) (Writer, error)
}

// WriteOptions say how a file is written. The zero value works.
type WriteOptions struct {
	Encoding  Encoding // UTF8 for text files when zero
	Delimiter rune     // of delimited files; zero is the format's own
	Sheet     string   // name of a workbook's sheet; "Sheet1" when empty
	Columns   []Column // headings; a workbook's types and widths
	// Verbatim leaves texts in delimited files as they are. Otherwise a text that a
	// spreadsheet would run as a formula gets an apostrophe in front; see [Unescape].
	Verbatim bool
}

// Column heads a column of a written file.
type Column struct {
	Heading string
	Kind    Kind // Text, Number, Date or Bool
	Width   int  // in characters; 0 follows the heading and kind
}

// Writer writes rows. It is used by one goroutine. The file is complete only when Close
// returned nil.
type Writer interface {
	// Write writes a row. It doesn't keep cells.
	Write(cells []Cell) error
	// Close ends the file and frees what the writer holds, also when the end can't be
	// written. Who gives a file up closes it, too, after having its destination fail.
	Close() error
}

// Formats returns the formats known here, in the order in which they are tried.
func Formats() []Format { return []Format{XLSX{}, JSONLines{}, TSV{}, CSV{}} }

// Find returns the first of the formats, or of [Formats] if there are none, that a file
// fits.
func Find(f *File, formats ...Format) (Format, error) {
	if len(formats) == 0 {
		formats = Formats()
	}
	head := make([]byte, min(f.Size, 4096))
	if n, err := f.Content.ReadAt(head, 0); err != nil && !(errors.Is(err, io.EOF) && n == len(head)) {
		return nil, fmt.Errorf("tabular: read %s: %w", f.Name, err)
	}
	if len(head) == 0 {
		return nil, &Error{File: f.Name, Code: Empty, Err: ErrFormat}
	}
	if kind := foreign(head); kind != "" {
		return nil, &Error{File: f.Name, Code: Foreign, Value: kind, Err: ErrFormat}
	}
	for _, format := range formats {
		if format.Fits(f.Name, head) {
			return format, nil
		}
	}
	return nil, &Error{File: f.Name, Code: Unrecognised, Err: ErrFormat}
}
