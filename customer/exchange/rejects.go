package exchange

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// rejectHeading heads the column that says what is wrong, in files of refused rows.
const rejectHeading = "错误 · error"

// plainRejectHeading stands for it where the file's encoding hasn't its characters.
const plainRejectHeading = "error"

// headsRejects reports whether a column holds what was wrong, and nothing to be imported.
func headsRejects(heading string) bool {
	return heading == rejectHeading || heading == plainRejectHeading
}

// Rejects writes the rows of a file that an import refused, with its headings and one
// more column that says what is wrong, in the file's own format and encoding: to be
// mended and imported again with the same mapping, which leaves the added column out. It
// returns how many rows there are; of none nothing is written. The file must be the one that
// was imported. Characters that its encoding hasn't become question marks. In delimited
// files texts that a spreadsheet would run as formulas are escaped as by [Session.Export].
// formats are those of the file, if it is in none of package tabular's. Memory is bounded.
func (s Session) Rejects(ctx context.Context, id JobID, f *tabular.File, w io.Writer, tag language.Tag, formats ...tabular.Format) (n int, err error) {
	var job *Job
	err = s.view(ctx, func(r *Reader) error {
		job, err = s.job(r, id)
		return err
	})
	if err != nil {
		return 0, err
	}
	if sum, err := digest(ctx, f); err != nil {
		return 0, err
	} else if sum != job.Digest {
		return 0, fmt.Errorf("exchange: rejects: %s: %w: it has the SHA-256 %x, import %d had %x", f.Name, ErrChanged, sum[:8], id, job.Digest[:8])
	}
	m, err := ParseMapping([]byte(job.Mapping))
	if err != nil {
		return 0, err
	}
	format, err := formatOf(m, f, formats)
	if err != nil {
		return 0, err
	}
	err = s.view(ctx, func(r *Reader) error {
		n, err = writeRejects(ctx, m, format, f, s.refused(r, id), w, tag)
		return err
	})
	return n, err
}

// formatOf returns the format that a mapping names, or that the file fits.
func formatOf(m *Mapping, f *tabular.File, formats []tabular.Format) (tabular.Format, error) {
	for _, format := range append(formats, tabular.Formats()...) {
		if format.Name() == m.Format {
			return format, nil
		}
	}
	return tabular.Find(f, formats...)
}

// rejectFile writes refused rows below the rows that stand above the data, at the numbers
// that they have in the file: so the mapping fits both files.
type rejectFile struct {
	mapping *Mapping
	format  tabular.Format
	options tabular.WriteOptions
	tag     language.Tag
	above   [][]tabular.Cell // by number, from 1 on
	width   int              // of the file without the column of errors
	to      *output
}

func writeRejects(ctx context.Context, m *Mapping, format tabular.Format, f *tabular.File, refused iter.Seq2[*settled, error], w io.Writer, tag language.Tag) (n int, err error) {
	next, stop := iter.Pull2(refused)
	defer stop()
	bad, err, more := next()
	if err != nil || !more {
		return 0, err
	}
	o := m.options(tabular.Limits{})
	r := &rejectFile{mapping: m, format: format, tag: tag, options: tabular.WriteOptions{Encoding: o.Encoding, Delimiter: o.Delimiter, Sheet: o.Sheet}}
	for _, c := range m.Columns {
		r.width = max(r.width, c.Column)
	}
	defer func() { err = r.close(w, err) }()
	for row, err := range format.Read(ctx, f, o) {
		if err != nil {
			return n, err
		}
		if row.Number < m.firstRow() {
			r.keep(row)
			continue
		}
		if row.Number != int(bad.key.row) {
			continue
		}
		if err := r.begin(w); err != nil {
			return n, err
		}
		if err := r.to.Write(r.cells(row.Cells, r.sentence(bad.faults))); err != nil {
			return n, err
		}
		n++
		if bad, err, more = next(); err != nil || !more {
			return n, err
		}
	}
	return n, nil
}

// close ends the file, or gives it up after an error.
func (r *rejectFile) close(w io.Writer, err error) error {
	if err == nil {
		err = r.begin(w)
	}
	if r.to == nil {
		return err
	}
	return r.to.end(err)
}

func (r *rejectFile) keep(row *tabular.Row) {
	for len(r.above) < row.Number {
		r.above = append(r.above, nil)
	}
	r.above[row.Number-1] = slices.Clone(row.Cells)
	r.width = max(r.width, len(row.Cells))
}

// begin writes what stands above the data, if that isn't done. Headings in the first row
// alone are the format's own, as JSON needs them.
func (r *rejectFile) begin(w io.Writer) (err error) {
	if r.to != nil {
		return nil
	}
	heading := r.fitting(rejectHeading, plainRejectHeading)
	var above [][]tabular.Cell
	if last := r.mapping.firstRow() - 1; last == 1 && r.mapping.HeaderRow == 1 && len(r.above) == 1 {
		for _, c := range r.cells(r.above[0], heading) {
			r.options.Columns = append(r.options.Columns, tabular.Column{Heading: c.Text})
		}
	} else if last > 0 {
		above = append(r.above, make([][]tabular.Cell, max(0, last-len(r.above)))...)
		above[last-1] = r.cells(above[last-1], heading)
	}
	if r.to, err = create(r.format, w, r.options); err != nil {
		return err
	}
	for _, cells := range above {
		if err := r.to.Write(cells); err != nil {
			return err
		}
	}
	return nil
}

// cells are those of a row with one more behind, as the file can hold them. What was
// escaped in a delimited file is escaped again as it is written.
func (r *rejectFile) cells(row []tabular.Cell, last string) []tabular.Cell {
	cells := make([]tabular.Cell, max(r.width, len(row))+1)
	copy(cells, row)
	for i := range cells {
		c := &cells[i]
		if c.Kind == tabular.Garbled || c.Kind == tabular.Inexact || c.Kind == tabular.Failed {
			c.Kind = tabular.Text
		}
		if escapes(r.format) {
			c.Text = tabular.Unescape(strings.TrimSpace(c.Text))
		}
		c.Text = r.fitting(c.Text, c.Text)
	}
	cells[len(cells)-1] = tabular.Cell{Text: last}
	return cells
}

// fitting returns a text that the file can hold: the other one if it can't hold this.
func (r *rejectFile) fitting(text, otherwise string) string {
	if r.format.Name() == (tabular.XLSX{}).Name() {
		return strings.Map(func(c rune) rune {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
				return utf8.RuneError // which XML hasn't
			}
			return c
		}, text)
	}
	if r.options.Encoding == "" {
		return text
	}
	if _, whole := r.options.Encoding.Fit(text); whole {
		return text
	}
	fitting, _ := r.options.Encoding.Fit(otherwise)
	return fitting
}

// sentence says what is wrong with a row: as much as the file's encoding has characters
// for, of which Big5 has few that are simplified.
func (r *rejectFile) sentence(faults []Fault) string {
	p := printer(r.tag)
	whole := sentence(faults, func(f Fault) string { return f.In(r.tag) })
	bare := sentence(faults, func(f Fault) string { return f.bare(p) })
	english := sentence(faults, func(f Fault) string { return f.In(language.English) })
	return r.fitting(whole, r.fitting(bare, english))
}

func sentence(faults []Fault, in func(Fault) string) string {
	var list []string
	for _, f := range faults {
		list = append(list, in(f))
	}
	return strings.Join(list, "; ")
}
