package exchange

import (
	"context"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange/tabular"
)

// rejectHeading heads the column that says what is wrong, in files of refused rows.
const rejectHeading = "错误 · error"

// Rejects writes the rows of a file that an import refused, with its headings and one
// more column that says what is wrong, in the file's own format and encoding: to be
// mended and imported again with the same mapping, which leaves the added column out. It
// returns how many rows there are. The file must be the one that was imported.
func (s Session) Rejects(ctx context.Context, id JobID, f *tabular.File, w io.Writer, tag language.Tag) (n int, err error) {
	var job *Job
	err = s.view(ctx, func(r *Reader) error {
		if err := r.Customers.PermitAll(customer.RightImport, customer.Identity); err != nil {
			return err
		}
		job, err = s.Imports.jobs.Get(r.Storage, id)
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
	refused, err := s.refusedRows(ctx, id)
	if err != nil || len(refused) == 0 {
		return 0, err
	}
	m, err := ParseMapping([]byte(job.Mapping))
	if err != nil {
		return 0, err
	}
	return writeRejects(ctx, m, f, refused, w, tag)
}

func writeRejects(ctx context.Context, m *Mapping, f *tabular.File, refused map[int][]Fault, w io.Writer, tag language.Tag) (n int, err error) {
	format, err := tabular.Find(f)
	if err != nil {
		return 0, err
	}
	o := m.options(tabular.Limits{})
	writeOptions := tabular.WriteOptions{Encoding: o.Encoding, Delimiter: o.Delimiter, Sheet: o.Sheet, Verbatim: true}
	width := 0
	for _, c := range m.Columns {
		width = max(width, c.Column)
	}
	if m.HeaderRow > 0 {
		writeOptions.Columns = rejectColumns(m, width)
	}
	to, err := format.Create(w, writeOptions)
	if err != nil {
		return 0, err
	}
	for row, err := range format.Read(ctx, f, o) {
		if err != nil {
			return n, err
		}
		faults, bad := refused[row.Number]
		if !bad {
			continue
		}
		cells := make([]tabular.Cell, max(width, len(row.Cells))+1)
		copy(cells, row.Cells)
		for i := range cells {
			if cells[i].Kind == tabular.Garbled || cells[i].Kind == tabular.Inexact || cells[i].Kind == tabular.Failed {
				cells[i].Kind = tabular.Text
			}
		}
		cells[len(cells)-1] = tabular.Cell{Text: sentence(faults, tag)}
		if err := to.Write(cells); err != nil {
			return n, err
		}
		n++
	}
	return n, to.Close()
}

func rejectColumns(m *Mapping, width int) []tabular.Column {
	columns := make([]tabular.Column, width+1)
	for _, c := range m.Columns {
		columns[c.Column-1].Heading = c.Heading
	}
	columns[width].Heading = rejectHeading
	return columns
}

func sentence(faults []Fault, tag language.Tag) string {
	var list []string
	for _, f := range faults {
		list = append(list, f.In(tag))
	}
	return strings.Join(list, "; ")
}
