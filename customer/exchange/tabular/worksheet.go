package tabular

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// read yields the rows of a sheet, and of those that it goes on in.
func (b *workbook) read(name string, yield func(*Row, error) bool) (err error) {
	s, err := b.sheet(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.texts.close()) }()
	if err := b.readTexts(); err != nil {
		return err
	}
	whole := &table{yield: yield}
	first := s.name
	for goesOn := true; goesOn && err == nil; whole.sheets++ {
		if goesOn, err = b.readSheet(s, whole); !goesOn || err != nil {
			return err
		}
		if s, goesOn = b.continuation(first, whole.sheets+2); !goesOn {
			return nil
		}
	}
	return err
}

// continuation returns the nth sheet of a table, if there is one.
func (b *workbook) continuation(first string, n int) (sheet, bool) {
	i := slices.IndexFunc(b.sheets, func(s sheet) bool { return s.name == continued(first, n) })
	if i < 0 {
		return sheet{}, false
	}
	return b.sheets[i], true
}

// table is what is read: the rows of one sheet or more.
type table struct {
	yield   func(*Row, error) bool
	sheets  int    // before the one that is read
	heading []Cell // the first row of the first sheet
}

// readSheet yields a sheet's rows. goesOn says that it is full, and more is wanted.
func (b *workbook) readSheet(s sheet, t *table) (goesOn bool, err error) {
	merged, err := b.readMerged(s.part)
	if err != nil {
		return false, err
	}
	r, found, err := b.open(s.part)
	if err != nil || !found {
		return false, errors.Join(err, b.damaged(s.part))
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	w := &worksheet{workbook: b, part: s.part, markup: newMarkup(r, b.limits.RowBytes), merged: merged}
	var row Row // as counted in the whole table
	last := 0
	for w.next() {
		last = w.row.Number
		if t.repeats(w) {
			continue
		}
		row = w.row
		row.Number += t.sheets * maxRows
		if !t.yield(&row, nil) {
			return false, nil
		}
	}
	return last == maxRows, b.explain(w.markup.err, s.part)
}

// repeats reports whether a row is the heading once more, which stays in view on a sheet
// that goes on, and keeps the heading of the first one.
func (t *table) repeats(w *worksheet) bool {
	if w.row.Number != 1 {
		return false
	}
	if t.sheets == 0 {
		t.heading = slices.Clone(w.row.Cells)
		return false
	}
	return w.frozen && slices.EqualFunc(t.heading, w.row.Cells, func(a, b Cell) bool { return a.Text == b.Text })
}

// worksheet reads a sheet row by row.
type worksheet struct {
	workbook *workbook
	part     string
	markup   *markup
	merged   []mergedRange // that begin at later rows, by their first
	open     []mergedRange // that the row is in
	row      Row
	bytes    int    // of the row's texts
	frozen   bool   // the first rows stay in view
	formula  []byte // of the cell that is read, empty for none
}

// next makes row the next one that the sheet has.
func (w *worksheet) next() bool {
	m := w.markup
	for m.next() {
		if string(m.name) == "pane" && m.open {
			w.frozen = string(m.attr("state")) == "frozen"
		}
		if string(m.name) != "row" || !m.open {
			continue
		}
		number := w.row.Number + 1
		if n, err := strconv.Atoi(string(m.attr("r"))); err == nil && n > number && n <= maxRows { // rows never go back
			number = n
		}
		w.row = Row{Number: number, Cells: w.row.Cells[:0]}
		w.bytes = 0
		if !m.close && !w.cells() {
			return false
		}
		w.fillMerged()
		w.trim()
		return true
	}
	return false
}

// cells reads up to the row's end.
func (w *worksheet) cells() bool {
	m := w.markup
	for m.next() {
		switch {
		case string(m.name) == "row" && m.close:
			return true
		case string(m.name) == "c" && m.open:
			if !w.cell() {
				return false
			}
		}
	}
	return false
}

// cell reads a cell, whose tag was just read.
func (w *worksheet) cell() bool {
	m, r := w.markup, &w.row
	column := len(r.Cells)
	if n := columnOf(m.attr("r")); n > 0 {
		column = n - 1
	}
	kind, style := cellKind(m.attr("t")), -1
	if s := m.attr("s"); s != nil {
		style, _ = strconv.Atoi(string(s)) // what can't be read shows no date
	}
	if column >= w.workbook.limits.Columns {
		if r.Err == nil {
			r.Err = &Error{File: w.workbook.file.Name, Row: r.Number, Code: TooManyCells, Value: strconv.Itoa(w.workbook.limits.Columns), Err: ErrLimit}
		}
		column = -1
	}
	var text []byte
	w.formula = w.formula[:0]
	phonetic, valued := false, false
	for ended := m.close; !ended; {
		if !m.next() {
			return false
		}
		switch string(m.name) {
		case "c":
			ended = m.close
		case "f":
			if w.formula = append(w.formula[:0], '='); !m.open {
				w.formula = append(w.formula, m.text...)
			}
		case "rPh":
			phonetic = m.open && !m.close
		case "v", "t":
			valued = true
			if m.close && !m.open && !phonetic {
				text = append(text, m.text...)
			}
		}
	}
	if column < 0 {
		return true
	}
	c, err := w.value(kind, style, text)
	if err != nil {
		m.err = err
		return false
	}
	if c.Formula = len(w.formula) > 0; c.Formula && len(text) == 0 && (kind == storedNumber || !valued) {
		c.Text, c.Kind = string(w.formula), Failed // nobody has computed it; an empty result is a text
	}
	if w.bytes += len(c.Text); w.bytes > w.workbook.limits.RowBytes {
		m.err = errTokenSize
		return false
	}
	for len(r.Cells) <= column {
		r.Cells = append(r.Cells, Cell{})
	}
	r.Cells[column] = c
	return true
}

type storedKind uint8

const (
	storedNumber storedKind = iota
	storedShared
	storedText
	storedBool
	storedError
	storedDate
)

func cellKind(t []byte) storedKind {
	switch string(t) {
	case "s":
		return storedShared
	case "str", "inlineStr":
		return storedText
	case "b":
		return storedBool
	case "e":
		return storedError
	case "d":
		return storedDate
	}
	return storedNumber
}

// value returns what a stored cell holds.
func (w *worksheet) value(kind storedKind, style int, stored []byte) (Cell, error) {
	b := w.workbook
	if len(stored) == 0 {
		return Cell{}, nil
	}
	switch kind {
	case storedShared:
		i, err := strconv.Atoi(string(bytes.TrimSpace(stored)))
		if err != nil {
			i = -1
		}
		text, ok, err := b.texts.at(i)
		if err == nil && !ok {
			err = b.damaged(w.part)
		}
		return textCell(text), err
	case storedText:
		return textCell(string(stored)), nil
	case storedBool:
		return Cell{Text: strconv.FormatBool(string(stored) == "1" || string(stored) == "true"), Kind: Bool}, nil
	case storedError:
		return Cell{Text: string(stored), Kind: Failed}, nil
	case storedDate:
		return Cell{Text: strings.TrimSuffix(strings.TrimSuffix(strings.Replace(string(stored), "T", " ", 1), "Z"), " 00:00:00"), Kind: Date}, nil
	}
	raw := string(bytes.TrimSpace(stored))
	if style >= 0 && style < len(b.dates) && b.dates[style] {
		if serial, err := strconv.ParseFloat(raw, 64); err == nil {
			if text, ok := serialDate(serial, b.from1904); ok {
				return Cell{Text: text, Kind: Date}, nil
			}
		}
	}
	text, inexact := plainNumber(raw)
	if inexact {
		return Cell{Text: text, Kind: Inexact}, nil
	}
	return Cell{Text: text, Kind: Number}, nil
}

// textCell decodes the characters that XML can't have, _x000D_ and the like (ECMA-376
// part 1, 22.9.2.19).
func textCell(text string) Cell {
	c := Cell{Text: unescapeControls(text)}
	if strings.ContainsRune(c.Text, utf8.RuneError) || !utf8.ValidString(c.Text) {
		c.Kind = Garbled
		c.Text = strings.ToValidUTF8(c.Text, "\uFFFD")
	}
	return c
}

func unescapeControls(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, "_x")
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i])
		text = text[i:]
		if len(text) >= 7 && text[6] == '_' {
			if n, err := strconv.ParseUint(text[2:6], 16, 16); err == nil {
				b.WriteRune(rune(n))
				text = text[7:]
				continue
			}
		}
		b.WriteString(text[:2])
		text = text[2:]
	}
}

// columnOf returns the column of a reference such as "AB12", from 1 on; 0 if there is none.
func columnOf(reference []byte) int {
	n := 0
	for _, c := range reference {
		if c < 'A' || c > 'Z' || n > 1<<20 {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	return n
}

// trim drops the empty cells at the row's end, of which formatted sheets have thousands.
func (w *worksheet) trim() {
	cells := w.row.Cells
	n := len(cells)
	for n > 0 && cells[n-1].Text == "" {
		n--
	}
	w.row.Cells = cells[:n]
}

// mergedRange is a range of cells that shows the text of its first one.
type mergedRange struct {
	top, bottom, left, right int // from 1 on
	first                    Cell
}

// maxMerged is more merged ranges than people make, and few enough for memory.
const maxMerged = 1 << 19

// readMerged reads the merged ranges, which stand behind all rows: the rows are searched
// for their end without being taken apart.
func (b *workbook) readMerged(part string) (list []mergedRange, err error) {
	r, found, err := b.open(part)
	if err != nil || !found {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	tail, err := afterRows(r)
	if err != nil || tail == nil {
		return nil, b.explain(err, part)
	}
	m := newMarkup(tail, b.limits.RowBytes)
	for m.next() {
		if string(m.name) != "mergeCell" || !m.open {
			continue
		}
		if r, ok := parseRange(m.attr("ref")); ok {
			list = append(list, r)
		}
		if len(list) > maxMerged {
			return nil, b.fault(TooManyMerged, strconv.Itoa(maxMerged), ErrLimit)
		}
	}
	slices.SortStableFunc(list, func(x, y mergedRange) int { return cmp.Compare(x.top, y.top) })
	return list, b.explain(m.err, part)
}

// afterRows returns what follows the rows of a sheet; nil if nothing does.
func afterRows(r io.Reader) (io.Reader, error) {
	const mark = "sheetData>"
	buffer, kept := make([]byte, readBytes), 0
	for {
		n, err := io.ReadAtLeast(r, buffer[kept:], 1)
		text := buffer[:kept+n]
		for from := 0; ; {
			i := bytes.Index(text[from:], []byte(mark))
			if i < 0 {
				break
			}
			from += i + len(mark)
			begin := bytes.LastIndexByte(text[:from], '<')
			if begin >= 0 && bytes.HasPrefix(text[begin:], []byte("</")) {
				return io.MultiReader(bytes.NewReader(text[from:]), r), nil
			}
		}
		switch {
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return nil, err
		}
		// A mark with a name space before it may lie across the end of what was read.
		kept = copy(buffer, text[max(0, len(text)-100):])
	}
}

// parseRange reads a reference such as "B2:D5".
func parseRange(reference []byte) (r mergedRange, ok bool) {
	first, last, found := bytes.Cut(reference, []byte(":"))
	if !found {
		last = first
	}
	var err1, err2 error
	r.left, r.right = columnOf(first), columnOf(last)
	r.top, err1 = strconv.Atoi(strings.TrimLeft(string(first), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	r.bottom, err2 = strconv.Atoi(strings.TrimLeft(string(last), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	return r, errors.Join(err1, err2) == nil && r.left > 0 && r.top > 0 && r.right >= r.left && r.bottom >= r.top
}

// fillMerged gives the row's cells the texts of the ranges that they are merged into.
func (w *worksheet) fillMerged() {
	n, room := w.row.Number, w.workbook.limits.Columns
	w.open = slices.DeleteFunc(w.open, func(r mergedRange) bool { return r.bottom < n })
	for _, r := range w.open {
		room -= r.right - r.left + 1
	}
	for len(w.merged) > 0 && w.merged[0].top <= n {
		r := w.merged[0]
		w.merged = w.merged[1:]
		r.right = min(r.right, w.workbook.limits.Columns)
		// Ranges don't overlap, so that those of a row have room in it.
		if r.top == n && r.left <= len(w.row.Cells) && w.row.Cells[r.left-1].Text != "" && r.right-r.left < room {
			r.first = w.row.Cells[r.left-1]
			r.first.Merged = true
			w.open = append(w.open, r)
			room -= r.right - r.left + 1
		}
	}
	for i := range w.open {
		w.spread(&w.open[i])
	}
}

func (w *worksheet) spread(r *mergedRange) {
	for column := r.left; column <= r.right; column++ {
		if column == r.left && w.row.Number == r.top {
			continue
		}
		for len(w.row.Cells) < column {
			w.row.Cells = append(w.row.Cells, Cell{})
		}
		if w.row.Cells[column-1].Text == "" {
			w.row.Cells[column-1] = r.first
		}
	}
}
