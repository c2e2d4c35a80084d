package tabular

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strconv"
	"strings"
)

// JSONLines has one JSON object a line, in UTF-8. The first row that it yields has the
// keys as headings, in the order in which the first thousand objects bring them; keys of
// objects within objects are joined with a dot.
type JSONLines struct{}

func (JSONLines) Name() string      { return "jsonl" }
func (JSONLines) Extension() string { return ".jsonl" }

// Fits reports whether the text begins with an object.
func (JSONLines) Fits(name string, head []byte) bool {
	const space = " \r\n\t"
	object, begins := bytes.CutPrefix(bytes.TrimLeft(head, "\xEF\xBB\xBF"+space), []byte("{"))
	ext := strings.ToLower(filepath.Ext(name))
	return begins && bytes.HasPrefix(bytes.TrimLeft(object, space), []byte(`"`)) || (ext == ".jsonl" || ext == ".ndjson") && !binary(head)
}

func (j JSONLines) Inspect(context.Context, *File, Options) (*Shape, error) {
	return &Shape{Format: j.Name(), Encoding: UTF8}, nil
}

// headingObjects is how many objects are looked at for their keys.
const headingObjects = 1000

func (JSONLines) Read(ctx context.Context, f *File, o Options) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		r := &lineReader{file: f.Name, limits: o.Limits.withDefaults(), columns: map[string]int{}}
		err := r.headings(f)
		if err == nil && !yield(r.heading(), nil) {
			return
		}
		for err == nil && r.next() {
			if r.row.Number%1024 == 0 {
				err = ctx.Err()
			}
			if err == nil && !yield(&r.row, nil) {
				return
			}
		}
		if err = errors.Join(err, r.err); err != nil {
			yield(nil, err)
		}
	}
}

// lineReader reads objects.
type lineReader struct {
	file    string
	limits  Limits
	columns map[string]int // index of each key
	keys    []string
	lines   *bufio.Reader
	row     Row
	line    int
	err     error
}

func (r *lineReader) open(f *File) error {
	text, err := UTF8.decoder(f)
	r.lines, r.line, r.err = bufio.NewReaderSize(text, readBytes), 0, nil
	return err
}

// headings learns the keys, and goes back to the file's beginning.
func (r *lineReader) headings(f *File) error {
	if err := r.open(f); err != nil {
		return err
	}
	size := 0 // of the keys, which are a row as well
	for range headingObjects {
		line, tooLarge, more := r.read()
		if !more {
			break
		}
		if tooLarge {
			continue
		}
		// What is wrong with a line is said when it comes as a row.
		_ = flatten(line, func(key string, _ Cell) error {
			if _, known := r.columns[key]; !known && len(r.keys) < r.limits.Columns && size+len(key) <= r.limits.RowBytes {
				r.columns[key] = len(r.keys)
				r.keys = append(r.keys, key)
				size += len(key)
			}
			return nil
		})
	}
	if r.err != nil {
		return r.err
	}
	return r.open(f)
}

func (r *lineReader) heading() *Row {
	r.row.Number = 1
	for _, key := range r.keys {
		r.row.Cells = append(r.row.Cells, Cell{Text: key})
	}
	return &r.row
}

// read returns the next line that isn't empty.
func (r *lineReader) read() (line []byte, tooLarge, more bool) {
	for {
		r.line++
		line = line[:0]
		piece, prefix, err := r.lines.ReadLine()
		for err == nil && prefix {
			if len(line) <= r.limits.RowBytes {
				line = append(line, piece...)
			}
			piece, prefix, err = r.lines.ReadLine()
		}
		if err == io.EOF && len(line) > 0 { // it ended where the buffer did
			piece, err = nil, nil
		}
		if err != nil {
			if err != io.EOF {
				r.err = err
			}
			return nil, false, false
		}
		if line = append(line, piece...); len(bytes.TrimSpace(line)) > 0 {
			return line, len(line) > r.limits.RowBytes, true
		}
	}
}

func (r *lineReader) next() bool {
	line, tooLarge, more := r.read()
	if !more {
		return false
	}
	row := &r.row
	*row = Row{Number: row.Number + 1, Line: r.line, Cells: row.Cells[:0]}
	if tooLarge {
		row.Err = r.fault(RowTooLarge, strconv.Itoa(r.limits.RowBytes), ErrLimit)
		return true
	}
	for range r.keys {
		row.Cells = append(row.Cells, Cell{})
	}
	err := flatten(line, func(key string, c Cell) error {
		i, known := r.columns[key]
		if !known {
			return r.fault(UnknownKey, key, ErrFormat)
		}
		row.Cells[i] = c
		return nil
	})
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the line ends before the object does")
	}
	if err != nil && !errors.As(err, &row.Err) {
		row.Err = r.fault(BadJSON, err.Error(), ErrFormat)
	}
	return true
}

func (r *lineReader) fault(code Code, value string, err error) *Error {
	return &Error{File: r.file, Row: r.row.Number, Line: r.row.Line, Code: code, Value: value, Err: err}
}

// flatten calls f with each value of an object that is not an object itself.
func flatten(line []byte, f func(key string, c Cell) error) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("begins with %v instead of {", t)
	}
	if err := flattenObject(d, "", f); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object on its line")
	}
	return nil
}

// maxNesting bounds how deep objects may lie within one another.
const maxNesting = 16

func flattenObject(d *json.Decoder, prefix string, f func(string, Cell) error) error {
	if strings.Count(prefix, ".") > maxNesting {
		return fmt.Errorf("objects lie more than %d deep", maxNesting)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := flattenValue(prefix+key, value, f); err != nil {
			return err
		}
	}
	_, err := d.Token() // the closing brace
	return err
}

func flattenValue(key string, value json.RawMessage, f func(string, Cell) error) error {
	switch value[0] {
	case '{':
		d := json.NewDecoder(bytes.NewReader(value))
		if _, err := d.Token(); err != nil {
			return err
		}
		return flattenObject(d, key+".", f)
	case '[':
		return f(key, Cell{Text: string(value), Kind: Nested})
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		c := Cell{Text: text}
		if strings.ContainsRune(text, '\uFFFD') {
			c.Kind = Garbled
		}
		return f(key, c)
	case 't', 'f':
		return f(key, Cell{Text: string(value), Kind: Bool})
	case 'n':
		return f(key, Cell{})
	}
	return f(key, Cell{Text: string(value), Kind: Number})
}

// Create begins a file. Headings are the keys; a cell without a text is left out.
func (JSONLines) Create(w io.Writer, o WriteOptions) (Writer, error) {
	if o.Encoding != "" && o.Encoding != UTF8 {
		return nil, &Error{Code: BadEncoding, Value: string(o.Encoding) + " for JSON, which is UTF-8", Err: ErrEncoding}
	}
	lw := &lineWriter{to: bufio.NewWriterSize(w, readBytes)}
	for _, c := range o.Columns {
		key, err := json.Marshal(c.Heading)
		if err != nil {
			return nil, err
		}
		lw.keys = append(lw.keys, string(key)+":")
	}
	return lw, nil
}

type lineWriter struct {
	to   *bufio.Writer
	keys []string // as written
	line []byte
}

func (w *lineWriter) Write(cells []Cell) error {
	if len(cells) > len(w.keys) {
		return fmt.Errorf("tabular: %d cells for %d keys", len(cells), len(w.keys))
	}
	w.line = append(w.line[:0], '{')
	for i, c := range cells {
		if c.Text == "" {
			continue
		}
		if len(w.line) > 1 {
			w.line = append(w.line, ',')
		}
		w.line = append(w.line, w.keys[i]...)
		var err error
		if w.line, err = appendJSON(w.line, c); err != nil {
			return err
		}
	}
	w.line = append(w.line, '}', '\n')
	_, err := w.to.Write(w.line)
	return err
}

func appendJSON(to []byte, c Cell) ([]byte, error) {
	switch c.Kind {
	case Number, Bool, Nested:
		if json.Valid([]byte(c.Text)) {
			return append(to, c.Text...), nil
		}
	}
	text, err := json.Marshal(c.Text)
	return append(to, text...), err
}

func (w *lineWriter) Close() error { return w.to.Flush() }
