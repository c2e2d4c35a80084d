package tabular

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// What a worksheet holds: rows, of which more go to further sheets, and units of UTF-16 in
// a cell.
const (
	maxRows      = 1 << 20
	maxCellUnits = 32767
)

// Create begins a workbook with typed cells and, if there are columns, a heading that
// stays in view and filters. Rows that one sheet can't hold go to sheets "… (2)" and so on.
// What was written waits in a temporary file until Close.
func (XLSX) Create(w io.Writer, o WriteOptions) (Writer, error) {
	if o.Sheet == "" {
		o.Sheet = "Sheet1"
	}
	b := &workbookWriter{to: w, options: o, file: excelize.NewFile()}
	err := b.styles()
	if err == nil {
		err = b.file.SetSheetName("Sheet1", o.Sheet)
	}
	if err == nil {
		err = b.begin(o.Sheet)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tabular: begin workbook: %w", err), b.file.Close())
	}
	return b, nil
}

type workbookWriter struct {
	to      io.Writer
	options WriteOptions
	file    *excelize.File
	stream  *excelize.StreamWriter
	sheets  int
	row     int // last written of the sheet
	cells   []any

	heading, date, clock int // styles
}

func (w *workbookWriter) styles() (err error) {
	dateFormat, clockFormat := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
	if w.heading, err = w.file.NewStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true},
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7ECF3"}},
	}); err != nil {
		return err
	}
	if w.date, err = w.file.NewStyle(&excelize.Style{CustomNumFmt: &dateFormat}); err != nil {
		return err
	}
	w.clock, err = w.file.NewStyle(&excelize.Style{CustomNumFmt: &clockFormat})
	return err
}

// begin begins a sheet, which exists.
func (w *workbookWriter) begin(name string) (err error) {
	if w.stream, err = w.file.NewStreamWriter(name); err != nil {
		return err
	}
	w.sheets, w.row = w.sheets+1, 0
	columns := w.options.Columns
	if len(columns) == 0 {
		return nil
	}
	for from := 0; from < len(columns); { // neighbours of one width together: each call looks at all before
		width, to := columns[from].width(), from+1
		for to < len(columns) && columns[to].width() == width {
			to++
		}
		if err := w.stream.SetColWidth(from+1, to, float64(width)); err != nil {
			return err
		}
		from = to
	}
	if err := w.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	w.cells = w.cells[:0]
	for _, c := range columns {
		w.cells = append(w.cells, excelize.Cell{StyleID: w.heading, Value: c.Heading})
	}
	return w.put()
}

// width returns a column's width: that of its heading, in which a Chinese character is
// two wide, or what such values take.
func (c *Column) width() int {
	if c.Width > 0 {
		return min(c.Width, 255)
	}
	n := utf8.RuneCountInString(c.Heading) + (len(c.Heading)-utf8.RuneCountInString(c.Heading))/2 + 2
	switch c.Kind {
	case Date:
		return max(n, 12)
	case Number:
		return max(n, 14)
	case Bool:
		return max(n, 8)
	}
	return min(max(n, 18), 60)
}

func (w *workbookWriter) put() error {
	w.row++
	return w.stream.SetRow("A"+strconv.Itoa(w.row), w.cells)
}

func (w *workbookWriter) Write(cells []Cell) error {
	if w.row == maxRows {
		if err := w.end(); err != nil {
			return err
		}
		name := continued(w.options.Sheet, w.sheets+1)
		if _, err := w.file.NewSheet(name); err != nil {
			return err
		}
		if err := w.begin(name); err != nil {
			return err
		}
	}
	w.cells = w.cells[:0]
	for i := range cells {
		if err := fitsCell(cells[i].Text); err != nil {
			err.Row, err.Column = w.row+1, i+1
			return err
		}
		w.cells = append(w.cells, w.value(&cells[i]))
	}
	return w.put()
}

// continued is the name of the nth sheet of a table that takes several. Names have at most
// 31 characters.
func continued(first string, n int) string { return fmt.Sprintf("%.24s (%d)", first, n) }

// fitsCell refuses texts that a workbook would lose a part of.
func fitsCell(text string) *Error {
	if len(text) > maxCellUnits && len(utf16.Encode([]rune(text))) > maxCellUnits {
		return &Error{Code: CellTooLong, Value: strconv.Itoa(maxCellUnits), Err: ErrLimit}
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return &Error{Code: Unencodable, Value: text, Err: ErrEncoding}
		}
	}
	return nil
}

// value returns a cell as excelize writes it. Numbers of more digits than a worksheet
// keeps stay texts.
func (w *workbookWriter) value(c *Cell) any {
	if c.Text == "" {
		return nil
	}
	switch c.Kind {
	case Number:
		digits := strings.Count(c.Text, "") - 1 - strings.Count(c.Text, ".") - strings.Count(c.Text, "-")
		if x, err := strconv.ParseFloat(c.Text, 64); err == nil && digits <= 15 {
			return x
		}
	case Bool:
		if c.Text == "true" || c.Text == "false" {
			return c.Text == "true"
		}
	case Date:
		if serial, whole, ok := dateSerial(c.Text); ok && whole {
			return excelize.Cell{StyleID: w.date, Value: serial}
		} else if ok {
			return excelize.Cell{StyleID: w.clock, Value: serial}
		}
	}
	return c.Text
}

// dateSerial returns a worksheet's day number of a date from March 1900 on, before which
// programs disagree.
func dateSerial(text string) (serial float64, whole, ok bool) {
	layout := time.DateOnly
	if len(text) > len(layout) {
		layout = time.DateTime
	}
	t, err := time.Parse(layout, text)
	if err != nil || t.Year() > 9999 || t.Before(time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC)) {
		return 0, false, false
	}
	seconds := t.Unix() - time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	return float64(seconds) / 86400, layout == time.DateOnly, true
}

// end ends the sheet, with filters in its heading if every heading has a name of its own.
func (w *workbookWriter) end() error {
	if w.row > 1 && w.filterable() {
		last, err := excelize.CoordinatesToCellName(len(w.options.Columns), w.row)
		if err != nil {
			return err
		}
		off := false
		err = w.stream.AddTable(&excelize.Table{Range: "A1:" + last, Name: fmt.Sprint("Table", w.sheets), ShowRowStripes: &off})
		if err != nil {
			return err
		}
	}
	return w.stream.Flush()
}

func (w *workbookWriter) filterable() bool {
	seen := []string{}
	for _, c := range w.options.Columns {
		folded := strings.ToLower(c.Heading)
		if folded == "" || slices.Contains(seen, folded) {
			return false
		}
		seen = append(seen, folded)
	}
	return len(seen) > 0
}

func (w *workbookWriter) Close() (err error) {
	defer func() { err = errors.Join(err, w.file.Close()) }()
	if err := w.end(); err != nil {
		return err
	}
	return w.file.Write(w.to)
}
