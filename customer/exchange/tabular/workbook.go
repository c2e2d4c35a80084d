package tabular

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strconv"
	"strings"
)

// XLSX is Office Open XML (ECMA-376), as spreadsheet programs write it. A row yields the
// text of a merged range in each of its cells.
type XLSX struct{}

func (XLSX) Name() string      { return "xlsx" }
func (XLSX) Extension() string { return ".xlsx" }

// Fits reports whether the file is a zip archive.
func (XLSX) Fits(_ string, head []byte) bool { return isZip(head) }

// Inspect lists the sheets, and takes the first visible one if none is asked for.
func (x XLSX) Inspect(ctx context.Context, f *File, o Options) (*Shape, error) {
	b, err := openWorkbook(ctx, f, o.Limits.withDefaults())
	if err != nil {
		return nil, err
	}
	shape := &Shape{Format: x.Name()}
	for _, s := range b.sheets {
		shape.Sheets = append(shape.Sheets, s.name)
	}
	s, err := b.sheet(o.Sheet)
	shape.Sheet = s.name
	return shape, err
}

// Read yields the rows of a sheet, and those of sheets "… (2)" and so on behind a full one,
// as Create writes them, without their headings.
func (XLSX) Read(ctx context.Context, f *File, o Options) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		b, err := openWorkbook(ctx, f, o.Limits.withDefaults())
		if err != nil {
			yield(nil, err)
			return
		}
		if err := b.read(o.Sheet, yield); err != nil {
			yield(nil, err)
		}
	}
}

// workbook is an opened file. It is read no further once ctx is done.
type workbook struct {
	ctx      context.Context
	file     *File
	content  content
	limits   Limits
	parts    map[string]*zip.File
	unpacked int64 // bytes so far
	sheets   []sheet
	from1904 bool
	dates    []bool // whether each cell format shows a date
	texts    sharedTexts
}

type sheet struct {
	name, part string
	hidden     bool
}

// maxParts is far more than a workbook has.
const maxParts = 10000

func openWorkbook(ctx context.Context, f *File, limits Limits) (*workbook, error) {
	b := &workbook{ctx: ctx, file: f, content: content{ReaderAt: f.Content}, limits: limits, parts: map[string]*zip.File{}}
	archive, err := zip.NewReader(&b.content, f.Size)
	if err != nil {
		return nil, b.explain(err, "the archive")
	}
	if len(archive.File) > maxParts {
		return nil, b.fault(Inflates, "the archive", ErrLimit)
	}
	for _, part := range archive.File {
		if err := b.check(part); err != nil {
			return nil, err
		}
		b.parts[strings.ToLower(strings.TrimPrefix(part.Name, "/"))] = part
	}
	if b.parts["[content_types].xml"] == nil {
		return nil, b.fault(Foreign, "a zip archive", ErrFormat)
	}
	return b, b.readIndex()
}

// smallPart may unpack to any multiple of its size.
const smallPart = 16 << 20

// check refuses what the archive's directory admits to be too large. What it doesn't
// admit, part's reader finds.
func (b *workbook) check(part *zip.File) error {
	size := int64(part.UncompressedSize64)
	if size < 0 || size > b.limits.Unpacked {
		return b.fault(TooLarge, strconv.FormatInt(b.limits.Unpacked, 10), ErrLimit)
	}
	if size > smallPart && size/max(int64(part.CompressedSize64), 1) > b.limits.Inflation {
		return b.fault(Inflates, part.Name, ErrLimit)
	}
	return nil
}

func (b *workbook) fault(code Code, value string, err error) *Error {
	return &Error{File: b.file.Name, Code: code, Value: value, Err: err}
}

func (b *workbook) damaged(part string) *Error { return b.fault(Damaged, part, ErrFormat) }

// open opens a part; false if there is none.
func (b *workbook) open(name string) (io.ReadCloser, bool, error) {
	part := b.parts[strings.ToLower(name)]
	if part == nil {
		return nil, false, nil
	}
	r, err := part.Open()
	if err != nil {
		return nil, false, b.explain(err, name)
	}
	return &bounded{ReadCloser: r, workbook: b}, true, nil
}

// content is a file that remembers why it couldn't be read, which is no damage of the
// workbook in it.
type content struct {
	io.ReaderAt
	err error
}

func (c *content) ReadAt(p []byte, at int64) (n int, err error) {
	if n, err = c.ReaderAt.ReadAt(p, at); err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// bounded counts what is unpacked, and stops when the context is done.
type bounded struct {
	io.ReadCloser
	workbook *workbook
}

func (r *bounded) Read(p []byte) (int, error) {
	b := r.workbook
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.ReadCloser.Read(p)
	if b.unpacked += int64(n); b.unpacked > b.limits.Unpacked {
		return 0, b.fault(TooLarge, strconv.FormatInt(b.limits.Unpacked, 10), ErrLimit)
	}
	return n, err
}

// each calls f with each tag of a part, which may be absent.
func (b *workbook) each(name string, f func(m *markup) error) (err error) {
	r, found, err := b.open(name)
	if err != nil || !found {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	m := newMarkup(r, b.limits.RowBytes)
	for m.next() {
		if err := f(m); err != nil {
			return err
		}
	}
	return b.explain(m.err, name)
}

// explain says in which part the reading stopped.
func (b *workbook) explain(err error, part string) error {
	var known *Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case b.ctx.Err() != nil:
		return b.ctx.Err()
	case b.content.err != nil:
		return fmt.Errorf("tabular: read %s: %w", b.file.Name, b.content.err)
	case errors.Is(err, errTokenSize):
		return b.fault(RowTooLarge, strconv.Itoa(b.limits.RowBytes), ErrLimit)
	}
	return b.damaged(part)
}

// readIndex reads which sheets there are and how cells are shown.
func (b *workbook) readIndex() error {
	book := "xl/workbook.xml"
	root, err := b.targets("")
	if err != nil {
		return err
	}
	for _, t := range root {
		if strings.HasSuffix(t.kind, "/officeDocument") {
			book = t.part
		}
	}
	if b.parts[strings.ToLower(book)] == nil {
		return b.fault(Foreign, "a zip archive without a workbook", ErrFormat)
	}
	parts, err := b.targets(book)
	if err != nil {
		return err
	}
	if err := b.readSheets(book, parts); err != nil {
		return err
	}
	if len(b.sheets) == 0 {
		return b.damaged(book)
	}
	for _, t := range parts {
		if strings.HasSuffix(t.kind, "/styles") {
			return b.readStyles(t.part)
		}
	}
	return nil
}

// target is a part that another one refers to.
type target struct{ id, kind, part string }

// targets returns what a part, or the whole archive, refers to.
func (b *workbook) targets(of string) ([]target, error) {
	dir, name := path.Split(of)
	var list []target
	err := b.each(dir+"_rels/"+name+".rels", func(m *markup) error {
		if !m.open || string(m.name) != "Relationship" {
			return nil
		}
		part := m.attrText("Target")
		if strings.HasPrefix(part, "/") {
			part = strings.TrimPrefix(part, "/")
		} else {
			part = path.Join(dir, part)
		}
		list = append(list, target{m.attrText("Id"), m.attrText("Type"), part})
		return nil
	})
	return list, err
}

func (b *workbook) readSheets(book string, parts []target) error {
	return b.each(book, func(m *markup) error {
		if !m.open {
			return nil
		}
		switch string(m.name) {
		case "workbookPr":
			v := m.attrText("date1904")
			b.from1904 = v == "1" || v == "true"
		case "sheet":
			id := m.attrText("id")
			for _, t := range parts {
				if t.id == id && strings.HasSuffix(t.kind, "/worksheet") {
					b.sheets = append(b.sheets, sheet{m.attrText("name"), t.part, string(m.attr("state")) != "" && string(m.attr("state")) != "visible"})
				}
			}
		}
		return nil
	})
}

// readStyles learns which cell formats show dates.
func (b *workbook) readStyles(part string) error {
	codes, inFormats := map[int]string{}, false
	return b.each(part, func(m *markup) error {
		switch string(m.name) {
		case "numFmt":
			if id, err := strconv.Atoi(string(m.attr("numFmtId"))); err == nil && m.open {
				codes[id] = m.attrText("formatCode")
			}
		case "cellXfs":
			inFormats = m.open && !m.close
		case "xf":
			if inFormats && m.open {
				id, _ := strconv.Atoi(string(m.attr("numFmtId"))) // none is 0, General
				b.dates = append(b.dates, shownAsDate(id, codes[id]))
			}
		}
		return nil
	})
}

// sheet returns a sheet by name, or the first visible one.
func (b *workbook) sheet(name string) (sheet, error) {
	for _, s := range b.sheets {
		if name == s.name || name == "" && !s.hidden {
			return s, nil
		}
	}
	if name == "" {
		return b.sheets[0], nil
	}
	return sheet{}, b.fault(NoSheet, name, ErrFormat)
}

// readTexts reads the texts that cells share. The text of phonetic guides isn't part of
// them.
func (b *workbook) readTexts() error {
	var text []byte
	phonetic := false
	part := "xl/sharedStrings.xml"
	for name := range b.parts {
		if strings.HasSuffix(name, "/sharedstrings.xml") {
			part = name
		}
	}
	b.texts.limit = b.limits.Memory
	err := b.each(part, func(m *markup) error {
		switch string(m.name) {
		case "t":
			if m.close && !m.open && !phonetic {
				text = append(text, m.text...)
			}
		case "rPh":
			phonetic = m.open && !m.close
		case "si":
			if !m.close {
				text = text[:0]
				return nil
			}
			if m.open {
				text = text[:0]
			}
			return b.texts.add(text)
		}
		return nil
	})
	if errors.Is(err, errTextIndex) {
		return b.fault(Inflates, part, ErrLimit)
	}
	return errors.Join(err, b.texts.flush())
}
