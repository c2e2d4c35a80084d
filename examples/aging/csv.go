package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
)

// RowError says which cell of a file is wrong. Row 1 is the header, as in a spreadsheet.
type RowError struct {
	File   string
	Row    int
	Column string // empty when the whole row is meant
	Value  string // shortened
	Err    error
}

func (e *RowError) Error() string {
	text := fmt.Sprintf("%s: row %d", e.File, e.Row)
	if e.Column != "" {
		text += ", column " + e.Column
	}
	if e.Value != "" {
		text += fmt.Sprintf(", %q", e.Value)
	}
	return text + ": " + e.Err.Error()
}

func (e *RowError) Unwrap() error { return e.Err }

// Errors of a file's form.
var (
	errQuote  = errors.New(`a quote within a field that isn't quoted; write "…" around the field and "" for each quote in it`)
	errClose  = errors.New("a quoted field is not closed, or longer than 16 MiB")
	errAfter  = errors.New(`something follows a closing quote; write "" for a quote within a field`)
	errHeader = errors.New("the header lacks this column")
	errTwice  = errors.New("the header has this column twice")
	errEmpty  = errors.New("the file is empty; its first row must name the columns")
	errUTF16  = errors.New("the file is in UTF-16; save it as CSV in UTF-8")
	errReturn = errors.New("lines end in a carriage return alone; save the file with the line ends of Windows or Unix")
)

// columns are those that a program reads from a file. Others are skipped.
type columns struct {
	required []string
	optional []string
}

func (c columns) name(i int) string {
	if i < len(c.required) {
		return c.required[i]
	}
	return c.optional[i-len(c.required)]
}

// record is a row: its fields in the order of columns, required ones first. What is
// optional and missing is empty. Fields are valid as long as the block that they are in.
type record struct {
	columns columns
	fields  [][]byte // as asked for
	all     [][]byte // as in the file
}

// bad blames a column.
func (r *record) bad(column int, err error) error {
	value := string(r.fields[column])
	if len(value) > 60 {
		end := 60
		for end > 56 && !utf8.RuneStart(value[end]) {
			end--
		}
		value = value[:end] + "…"
	}
	return &RowError{Column: r.columns.name(column), Value: value, Err: err}
}

// blockSize is how much of a file is parsed at a time; a row may be longer, up to
// longestRow.
const (
	blockSize  = 1 << 20
	longestRow = 16 << 20
)

// block is part of a file: whole rows, and what was parsed from them.
type block[T any] struct {
	data   []byte
	parsed []T
	at     []int32 // their rows in the block, from 1
	rows   int     // with those that are blank
	err    error   // ended parsing, at the last of rows
	done   chan struct{}
}

// readCSV reads a file, parses its rows on all cores and applies the results in the order
// of rows, from the caller's goroutine. The fields that parse saw stay valid until apply
// has returned. The first error ends it; it is a *RowError when a row is to blame.
func readCSV[T any](name string, want columns, parse func(*record) (T, error), apply func(*T) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	s := &splitter{in: file}
	head, err := s.next()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	places, width, rest, rows, err := readHeader(head, want)
	if err != nil {
		return inFile(name, rows, err)
	}
	fresh := func() *record {
		return &record{columns: want, fields: make([][]byte, len(places)), all: make([][]byte, 0, width)}
	}

	workers := runtime.GOMAXPROCS(0)
	order, todo := make(chan *block[T], 2*workers), make(chan *block[T], 2*workers)
	stop := make(chan struct{})
	defer close(stop)
	var readErr error
	go func() {
		defer close(todo)
		defer close(order)
		for data := rest; data != nil && readErr == nil; {
			b := &block[T]{data: data, done: make(chan struct{})}
			select {
			case order <- b:
			case <-stop:
				return
			}
			todo <- b // has as much room as order
			data, readErr = s.next()
		}
	}()
	for range workers {
		go func() {
			r := fresh()
			for b := range todo {
				b.parse(r, places, width, parse)
				close(b.done)
			}
		}()
	}
	for b := range order {
		<-b.done
		if row, err := b.apply(rows, apply); err != nil {
			return inFile(name, row, err)
		}
		rows += b.rows
	}
	if readErr != nil && readErr != io.EOF {
		return fmt.Errorf("%s: %w", name, readErr)
	}
	return nil
}

// inFile completes an error that blames a cell.
func inFile(name string, row int, err error) error {
	var cell *RowError
	if !errors.As(err, &cell) {
		cell = &RowError{Err: err}
	}
	cell.File, cell.Row = name, row
	return cell
}

// parse parses the block's rows up to the first that is wrong.
func (b *block[T]) parse(r *record, places []int, width int, parse func(*record) (T, error)) {
	guess := len(b.data)/64 + 1
	b.parsed, b.at = make([]T, 0, guess), make([]int32, 0, guess)
	for rest := b.data; len(rest) > 0; {
		b.rows++
		rest, b.err = r.scan(rest)
		if b.err != nil {
			return
		}
		if len(r.all) == 1 && len(r.all[0]) == 0 && width > 1 {
			continue // a blank line
		}
		if len(r.all) != width {
			b.err = fmt.Errorf("the row has %d fields and the header %d", len(r.all), width)
			return
		}
		for i, place := range places {
			r.fields[i] = nil
			if place >= 0 {
				r.fields[i] = r.all[place]
			}
		}
		one, err := parse(r)
		if err != nil {
			b.err = err
			return
		}
		b.parsed = append(b.parsed, one)
		b.at = append(b.at, int32(b.rows))
	}
}

// apply applies the block's rows, which follow so many others, and then returns the error
// that ended parsing, with the row to blame.
func (b *block[T]) apply(before int, apply func(*T) error) (int, error) {
	for i := range b.parsed {
		if err := apply(&b.parsed[i]); err != nil {
			return before + int(b.at[i]), err
		}
	}
	return before + b.rows, b.err
}

// readHeader returns where in a row each wanted column is, -1 for nowhere, how many
// columns a row has, and what follows the header after how many rows.
func readHeader(data []byte, want columns) (places []int, width int, rest []byte, rows int, err error) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, 0, nil, 1, errUTF16
	}
	rest = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(rest)) == 0 {
		return nil, 0, nil, 1, errEmpty
	}
	var r record
	for len(r.all) == 0 || len(r.all) == 1 && len(r.all[0]) == 0 {
		rows++
		if rest, err = r.scan(rest); err != nil {
			return nil, 0, nil, rows, err
		}
	}
	names := make([]string, len(r.all))
	for i, field := range r.all {
		if bytes.IndexByte(field, '\r') >= 0 { // the whole file would be taken for its header
			return nil, 0, nil, rows, errReturn
		}
		names[i] = strings.ToLower(strings.TrimSpace(string(field)))
	}
	for i, name := range slices.Concat(want.required, want.optional) {
		place := slices.Index(names, name)
		if place < 0 && i < len(want.required) {
			return nil, 0, nil, rows, &RowError{Column: name, Err: errHeader}
		}
		if place >= 0 && slices.Contains(names[place+1:], name) {
			return nil, 0, nil, rows, &RowError{Column: name, Err: errTwice}
		}
		places = append(places, place)
	}
	return places, len(names), rest, rows, nil
}

// splitter cuts a file into blocks of whole rows.
type splitter struct {
	in    io.Reader
	carry []byte // read already, the beginning of the next block
	ended bool
}

// next returns the next block, which is the caller's, or nil after the last.
func (s *splitter) next() ([]byte, error) {
	data := append(make([]byte, 0, blockSize), s.carry...)
	s.carry = nil
	for !s.ended {
		data = slices.Grow(data, blockSize/2)
		n, err := io.ReadFull(s.in, data[len(data):cap(data)])
		data = data[:len(data)+n]
		s.ended = err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !s.ended {
			return nil, err
		}
		if cut := lastRowEnd(data); cut > 0 && !s.ended {
			s.carry = data[cut:]
			return data[:cut:cut], nil
		}
		if len(data) >= longestRow {
			break // a quote isn't closed: parsing tells where
		}
	}
	if len(data) == 0 {
		return nil, nil
	}
	return data, nil
}

// lastRowEnd returns where the last whole row ends: after a line break before which the
// number of quotes is even. It is 0 when there is none.
func lastRowEnd(data []byte) int {
	quotes := bytes.Count(data, []byte{'"'})
	for end := len(data); ; {
		line := bytes.LastIndexByte(data[:end], '\n')
		if line < 0 {
			return 0
		}
		if quotes -= bytes.Count(data[line:end], []byte{'"'}); quotes%2 == 0 {
			return line + 1
		}
		end = line
	}
}

// scan reads a row by RFC 4180, with lines that end in \n or \r\n, and returns what
// follows. Quoted fields are unquoted in place.
func (r *record) scan(data []byte) (rest []byte, err error) {
	r.all = r.all[:0]
	for {
		var field []byte
		if len(data) > 0 && data[0] == '"' {
			if field, data, err = unquote(data); err != nil {
				return nil, err
			}
		} else {
			end := 0
			for end < len(data) && data[end] != ',' && data[end] != '\n' && data[end] != '"' {
				end++
			}
			if end < len(data) && data[end] == '"' {
				return nil, errQuote
			}
			field, data = data[:end:end], data[end:]
			if len(data) == 0 || data[0] == '\n' {
				field = bytes.TrimSuffix(field, []byte{'\r'})
			}
		}
		r.all = append(r.all, field)
		if len(data) == 0 || data[0] == '\n' {
			return data[min(1, len(data)):], nil
		}
		data = data[1:]
	}
}

// unquote returns a quoted field and what follows it: nothing, a comma or a line's end.
func unquote(data []byte) (field, rest []byte, err error) {
	field = data[1:1]
	for at := 1; ; {
		quote := bytes.IndexByte(data[at:], '"')
		if quote < 0 {
			return nil, nil, errClose
		}
		field = append(field, data[at:at+quote]...)
		at += quote + 1
		rest = data[at:]
		if len(rest) > 0 && rest[0] == '"' {
			field = append(field, '"')
			at++
			continue
		}
		if bytes.HasPrefix(rest, []byte("\r\n")) || len(rest) == 1 && rest[0] == '\r' {
			rest = rest[1:]
		}
		if len(rest) > 0 && rest[0] != ',' && rest[0] != '\n' {
			return nil, nil, errAfter
		}
		return field[:len(field):len(field)], rest, nil
	}
}
