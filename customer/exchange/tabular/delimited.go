package tabular

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CSV is the format of RFC 4180, with any delimiter, line ends of any kind, and
// quotation marks within unquoted cells taken as they are.
type CSV struct{}

// TSV is CSV with tabs.
type TSV struct{}

func (CSV) Name() string      { return "csv" }
func (CSV) Extension() string { return ".csv" }
func (TSV) Name() string      { return "tsv" }
func (TSV) Extension() string { return ".tsv" }

// Fits reports whether the file is text.
func (CSV) Fits(_ string, head []byte) bool { return !isZip(head) && !binary(head) }

// Fits reports whether the file is text and named .tsv or .tab.
func (TSV) Fits(name string, head []byte) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return (ext == ".tsv" || ext == ".tab") && CSV{}.Fits(name, head)
}

func (c CSV) Inspect(ctx context.Context, f *File, o Options) (*Shape, error) {
	return inspectText(ctx, c.Name(), f, o, []rune{',', ';', '\t', '|', '，', '；'})
}

func (t TSV) Inspect(ctx context.Context, f *File, o Options) (*Shape, error) {
	return inspectText(ctx, t.Name(), f, o, []rune{'\t'})
}

func (CSV) Read(ctx context.Context, f *File, o Options) iter.Seq2[*Row, error] {
	return readDelimited(ctx, f, o, ',')
}

func (TSV) Read(ctx context.Context, f *File, o Options) iter.Seq2[*Row, error] {
	return readDelimited(ctx, f, o, '\t')
}

// inspectText recognises the encoding and which of the delimiters splits the first rows
// most evenly.
func inspectText(ctx context.Context, format string, f *File, o Options, delimiters []rune) (*Shape, error) {
	shape := &Shape{Format: format, Encoding: o.Encoding, Delimiter: o.Delimiter}
	head, err := sample(f)
	if err != nil {
		return nil, err
	}
	if shape.Encoding == "" {
		if shape.Encoding, err = recognise(ctx, f, head); err != nil {
			return nil, err
		}
	}
	if shape.Delimiter != 0 {
		return shape, checkDelimiter(f, shape.Delimiter)
	}
	best := -1.0
	for _, d := range delimiters {
		score, err := evenness(ctx, &File{Name: f.Name, Content: bytes.NewReader(head), Size: int64(len(head))}, shape.Encoding, d)
		if err != nil {
			return nil, err
		}
		if score > best {
			best, shape.Delimiter = score, d
		}
	}
	return shape, nil
}

func sample(f *File) ([]byte, error) { return sampleAt(f, 0) }

func sampleAt(f *File, at int64) ([]byte, error) {
	head := make([]byte, min(f.Size-at, sampleBytes))
	if _, err := f.Content.ReadAt(head, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

// recognise is Recognise of a file that begins with head. One that is all ASCII there is
// judged by what follows its first other character, as in lists with Latin names first.
func recognise(ctx context.Context, f *File, head []byte) (Encoding, error) {
	at, whole := int64(0), int64(len(head)) == f.Size
	for !whole && !slices.ContainsFunc(head, func(b byte) bool { return b == 0 || b >= utf8.RuneSelf }) {
		if at += int64(len(head)); at >= f.Size || ctx.Err() != nil {
			return UTF8, ctx.Err()
		}
		var err error
		if head, err = sampleAt(f, at); err != nil {
			return "", err
		}
		if i := slices.IndexFunc(head, func(b byte) bool { return b >= utf8.RuneSelf }); i > 0 {
			if head, err = sampleAt(f, at+int64(i)); err != nil {
				return "", err
			}
			return Recognise(head, at+int64(i+len(head)) == f.Size), nil
		}
	}
	return Recognise(head, at+int64(len(head)) == f.Size), nil
}

// sampleRows is how many rows are looked at to recognise the delimiter.
const sampleRows = 200

// evenness returns the share of rows that have the most frequent number of cells, if
// that is two or more; else 0.
func evenness(ctx context.Context, head *File, e Encoding, delimiter rune) (float64, error) {
	counts, all := map[int]int{}, 0
	for row, err := range readDelimited(ctx, head, Options{Encoding: e, Delimiter: delimiter}, delimiter) {
		if err != nil {
			return 0, err
		}
		if row.Blank() {
			continue
		}
		counts[len(row.Cells)]++
		if all++; all == sampleRows {
			break
		}
	}
	most := 0
	for cells, n := range counts {
		if cells > 1 {
			most = max(most, n)
		}
	}
	return float64(most) / float64(max(all, 1)), nil
}

func checkDelimiter(f *File, d rune) error {
	if d == '"' || d == '\r' || d == '\n' || d == utf8.RuneError || !utf8.ValidRune(d) {
		return &Error{File: f.Name, Code: BadDelimiter, Value: string(d), Err: ErrFormat}
	}
	return nil
}

func readDelimited(ctx context.Context, f *File, o Options, delimiter rune) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		if o.Delimiter != 0 {
			delimiter = o.Delimiter
		}
		if o.Encoding == "" {
			head, err := sample(f)
			if err != nil {
				yield(nil, err)
				return
			}
			if o.Encoding, err = recognise(ctx, f, head); err != nil {
				yield(nil, err)
				return
			}
		}
		err := checkDelimiter(f, delimiter)
		var text io.Reader
		if err == nil {
			text, err = o.Encoding.decoder(f)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		s := newScanner(f.Name, text, delimiter, o.Limits.withDefaults())
		s.misread = newMisreading(o.Encoding)
		for s.next() {
			if s.row.Number%1024 == 0 && ctx.Err() != nil {
				s.err = ctx.Err()
				break
			}
			if !yield(&s.row, nil) {
				return
			}
		}
		if s.err != nil {
			yield(nil, s.err)
		}
	}
}

// scanner splits decoded text into rows.
type scanner struct {
	file      string
	from      io.Reader
	delimiter string
	limits    Limits

	text    []byte // what was read and not yet given out
	at      int    // where in text the next row begins
	line    int    // its line in the file
	ended   bool   // nothing comes after text
	skip    bool   // the rest of the line belongs to a row that was given up
	first   bool
	row     Row
	scratch []byte // the row's cells, one after another
	ends    []int  // of the cells in scratch
	misread *misreading
	err     error
}

func newScanner(file string, from io.Reader, delimiter rune, limits Limits) *scanner {
	return &scanner{file: file, from: from, delimiter: string(delimiter), limits: limits, line: 1, first: true}
}

// readBytes is how much is read at once.
const readBytes = 64 << 10

// fill reads more text. It reports whether there was any.
func (s *scanner) fill() bool {
	if s.ended || s.err != nil {
		return false
	}
	if s.at > 0 {
		s.text = s.text[:copy(s.text, s.text[s.at:])]
		s.at = 0
	}
	n := len(s.text)
	s.text = append(s.text, make([]byte, max(readBytes, n))...)
	// At least doubled, since all of a long row is looked at again: decoders give 4 KiB at a time.
	got, err := io.ReadAtLeast(s.from, s.text[n:], max(n, 1))
	s.text = s.text[:n+got]
	if err != nil {
		s.ended = true
		if err != io.EOF && err != io.ErrUnexpectedEOF {
			s.err = err
		}
	}
	return got > 0
}

// next makes row the next one.
func (s *scanner) next() bool {
	for s.err == nil {
		if s.at == len(s.text) && !s.fill() {
			return false
		}
		if s.skip {
			s.skipLine()
			continue
		}
		length, lines, code := s.split()
		for code == more && !s.ended && s.err == nil {
			s.fill()
			length, lines, code = s.split()
		}
		if s.err != nil {
			return false
		}
		if code == more { // an open quotation mark at the end of the file
			length, lines, code = s.firstLine(), 1, OpenQuote
		}
		begin := s.line
		s.at, s.line = s.at+length, s.line+lines
		if s.first {
			s.first = false
			if s.separator() {
				continue
			}
		}
		s.take(begin, code)
		return true
	}
	return false
}

// more says that the row's end isn't in the text yet.
const more Code = "more"

// split finds the cells of the row at s.at. It returns the row's length and the lines
// that it takes, and what is wrong with it.
func (s *scanner) split() (length, lines int, code Code) {
	s.scratch, s.ends = s.scratch[:0], s.ends[:0]
	text := s.text[s.at:]
	i := 0
	for {
		cell, n, breaks, complete := s.cell(text[i:])
		if len(text) > s.limits.RowBytes && i+n > s.limits.RowBytes {
			return s.tooLarge(text)
		}
		if !complete {
			return 0, 0, more
		}
		s.scratch = append(s.scratch, cell...)
		s.ends = append(s.ends, len(s.scratch))
		i, lines = i+n, lines+breaks
		end := lineEnd(text[i:], s.ended)
		switch {
		case end < 0:
			return 0, 0, more
		case end > 0 || i == len(text):
			if len(s.ends) > s.limits.Columns {
				code = TooManyCells
			}
			return i + end, lines + 1, code
		}
		i += len(s.delimiter)
	}
}

// tooLarge gives up a row that is over the limit: if its first line is not, a quotation
// mark was left open and only that line is lost.
func (s *scanner) tooLarge(text []byte) (length, lines int, code Code) {
	n := s.firstLine()
	if n <= s.limits.RowBytes {
		return n, 1, OpenQuote
	}
	s.skip = true
	return s.limits.RowBytes, 0, RowTooLarge
}

// skipLine drops text up to the end of the line.
func (s *scanner) skipLine() {
	text := s.text[s.at:]
	i := bytes.IndexAny(text, "\r\n")
	if i < 0 {
		s.at = len(s.text)
		return
	}
	end := lineEnd(text[i:], s.ended)
	if end < 0 { // a carriage return whose line feed may be in the next piece
		s.at += i
		s.fill()
		return
	}
	s.at, s.line, s.skip = s.at+i+end, s.line+1, false
}

// firstLine returns the length of the line at s.at, with its end.
func (s *scanner) firstLine() int {
	text := s.text[s.at:]
	i := bytes.IndexAny(text, "\r\n")
	if i < 0 {
		return len(text)
	}
	return i + max(lineEnd(text[i:], true), 1)
}

// lineEnd returns the length of the line end that a text begins with, 0 if with none,
// and -1 if it takes more text to know.
func lineEnd(text []byte, ended bool) int {
	switch {
	case len(text) == 0:
		if ended {
			return 0
		}
		return -1
	case text[0] == '\n':
		return 1
	case text[0] != '\r':
		return 0
	case len(text) > 1:
		if text[1] == '\n' {
			return 2
		}
		return 1
	case ended:
		return 1
	}
	return -1
}

// cell returns the cell that a text begins with, how long it is there, and the lines that
// end in it. It is complete when what follows, or the end of the file, is in the text.
func (s *scanner) cell(text []byte) (cell []byte, length, breaks int, complete bool) {
	if len(text) > 0 && text[0] == '"' {
		return s.quoted(text)
	}
	end := s.cellEnd(text)
	return text[:end], end, 0, s.closed(text, end)
}

// closed reports whether a cell that ends in a text is known to end there.
func (s *scanner) closed(text []byte, end int) bool {
	return s.ended || len(text)-end >= len(s.delimiter)
}

// cellEnd returns where an unquoted cell ends: at a delimiter or a line end.
func (s *scanner) cellEnd(text []byte) int {
	if len(s.delimiter) == 1 {
		d := s.delimiter[0]
		for i, b := range text {
			if b == d || b == '\n' || b == '\r' {
				return i
			}
		}
		return len(text)
	}
	end := len(text)
	if i := bytes.Index(text, []byte(s.delimiter)); i >= 0 {
		end = i
	}
	if i := bytes.IndexAny(text[:end], "\r\n"); i >= 0 {
		end = i
	}
	return end
}

// quoted returns the cell in quotation marks that a text begins with. Characters between
// the closing mark and the delimiter are kept, mark and all.
func (s *scanner) quoted(text []byte) (cell []byte, length, breaks int, complete bool) {
	plain := true
	for i := 1; i < len(text); i++ {
		j := bytes.IndexByte(text[i:], '"')
		if j < 0 {
			break
		}
		i += j
		if i+1 < len(text) && text[i+1] == '"' {
			plain = false
			i++
			continue
		}
		if !s.closed(text, i+1) {
			return nil, len(text), 0, false
		}
		inner, after := text[1:i], text[i+1:]
		breaks = countLines(inner)
		end := s.cellEnd(after)
		if end > 0 {
			return s.loose(text, i, end, breaks)
		}
		if !plain {
			inner = bytes.ReplaceAll(inner, []byte(`""`), []byte(`"`))
		}
		return inner, i + 1, breaks, true
	}
	return nil, len(text), 0, false
}

// loose is a cell whose closing mark, at i, is followed by other characters.
func (s *scanner) loose(text []byte, i, end, breaks int) (cell []byte, length, lines int, complete bool) {
	return text[:i+1+end], i + 1 + end, breaks, s.closed(text, i+1+end)
}

func countLines(text []byte) int {
	n := bytes.Count(text, []byte{'\n'})
	for i, b := range text {
		if b == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			n++
		}
	}
	return n
}

// separator reports whether the first row is a line such as "sep=;", by which spreadsheet
// programs tell one another the delimiter, and obeys it.
func (s *scanner) separator() bool {
	line := strings.TrimRight(string(s.text[:s.at]), "\r\n")
	d, found := strings.CutPrefix(line, "sep=")
	if !found || utf8.RuneCountInString(d) != 1 || checkDelimiter(&File{}, []rune(d)[0]) != nil {
		return false
	}
	s.delimiter = d
	return true
}

// take makes row of what split found.
func (s *scanner) take(line int, code Code) {
	r := &s.row
	*r = Row{Number: r.Number + 1, Line: line, Cells: r.Cells[:0]}
	switch code {
	case "":
	case TooManyCells:
		r.Err = s.fault(code, strconv.Itoa(s.limits.Columns), ErrLimit)
		s.ends = s.ends[:s.limits.Columns]
	case RowTooLarge:
		r.Err = s.fault(code, strconv.Itoa(s.limits.RowBytes), ErrLimit)
		return
	default:
		r.Err = s.fault(code, "", ErrFormat)
		r.Err.Column = len(s.ends) + 1
		return
	}
	all, begin := string(s.scratch), 0
	if len(s.ends) == 1 && all == "" {
		return
	}
	misread := s.misread.finds(s.scratch)
	for _, end := range s.ends {
		c := Cell{Text: all[begin:end]}
		if strings.ContainsRune(c.Text, utf8.RuneError) || misread && !isASCII(c.Text) {
			c.Kind = Garbled
		}
		r.Cells = append(r.Cells, c)
		begin = end
	}
}

func (s *scanner) fault(code Code, value string, err error) *Error {
	return &Error{File: s.file, Row: s.row.Number, Line: s.row.Line, Code: code, Value: value, Err: err}
}
