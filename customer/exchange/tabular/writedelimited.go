package tabular

import (
	"bufio"
	"encoding/csv"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// Create begins a file. Lines end with a line feed alone, so that line ends within cells
// stay as they are.
func (CSV) Create(w io.Writer, o WriteOptions) (Writer, error) { return createDelimited(w, o, ',') }

// Create begins a file.
func (TSV) Create(w io.Writer, o WriteOptions) (Writer, error) { return createDelimited(w, o, '\t') }

func createDelimited(w io.Writer, o WriteOptions, delimiter rune) (Writer, error) {
	if o.Delimiter != 0 {
		delimiter = o.Delimiter
	}
	if o.Encoding == "" {
		o.Encoding = UTF8
	}
	if err := checkDelimiter(&File{}, delimiter); err != nil {
		return nil, err
	}
	c, err := o.Encoding.codec()
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(w, readBytes)
	if o.Encoding != GB18030 { // whose mark no spreadsheet program knows
		if _, err := buffer.WriteString(c.mark); err != nil {
			return nil, err
		}
	}
	dw := &delimitedWriter{buffer: buffer, verbatim: o.Verbatim}
	var to io.Writer = buffer
	if c.Encoding != encoding.Nop {
		dw.encoder = c.NewEncoder()
		dw.encoded = transform.NewWriter(buffer, c.NewEncoder())
		to = dw.encoded
	}
	dw.to = csv.NewWriter(to)
	dw.to.Comma = delimiter
	if len(o.Columns) == 0 {
		return dw, nil
	}
	heading := make([]Cell, len(o.Columns))
	for i, column := range o.Columns {
		heading[i].Text = column.Heading
	}
	return dw, dw.Write(heading)
}

type delimitedWriter struct {
	buffer   *bufio.Writer
	encoded  *transform.Writer
	encoder  *encoding.Encoder // to see whether a text can be written
	to       *csv.Writer
	verbatim bool
	texts    []string
	row      int
}

func (w *delimitedWriter) Write(cells []Cell) error {
	w.row++
	w.texts = w.texts[:0]
	for i, c := range cells {
		if w.encoder != nil {
			if _, err := w.encoder.String(c.Text); err != nil {
				return &Error{Row: w.row, Column: i + 1, Code: Unencodable, Value: c.Text, Err: ErrEncoding}
			}
		}
		if c.Kind != Number && !w.verbatim {
			c.Text = Escape(c.Text)
		}
		w.texts = append(w.texts, c.Text)
	}
	return w.to.Write(w.texts)
}

func (w *delimitedWriter) Close() error {
	w.to.Flush()
	if err := w.to.Error(); err != nil {
		return err
	}
	if w.encoded != nil {
		if err := w.encoded.Close(); err != nil {
			return err
		}
	}
	return w.buffer.Flush()
}
