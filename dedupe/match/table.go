package match

import (
	"context"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// table is the records of a run, column by column.
type table struct {
	layout *layout
	link   bool
	ids    []string
	source []uint8
	names  []string      // of the sources
	values []uint32      // of one row after another, by column
	dicts  []*dictionary // by column
}

func (t *table) rows() int { return len(t.ids) }

// row is the values of a row by column. They stand together, as each row is a place in memory
// that isn't in the cache.
func (t *table) row(row uint32) []uint32 {
	n := len(t.dicts)
	return t.values[int(row)*n:][:n]
}

// column is the values of a column by row. They may be changed.
func (t *table) column(i int) iter.Seq2[int, *uint32] {
	return func(yield func(int, *uint32) bool) {
		for at, row := i, 0; at < len(t.values); at, row = at+len(t.dicts), row+1 {
			if !yield(row, &t.values[at]) {
				return
			}
		}
	}
}

// maxRows is what a row number can hold, with room for packing two of them.
const maxRows = 1 << 31

// readTable reads the stream.
func readTable(ctx context.Context, o *Options, l *layout, records iter.Seq2[Record, error]) (*table, *rowsByID, error) {
	t := &table{layout: l, link: o.Mode == Link}
	for i := range l.columns {
		t.dicts = append(t.dicts, newDictionary(l.columns[i].cmp))
	}
	rowOf := &rowsByID{t: t}
	for r, err := range records {
		if err != nil {
			return nil, nil, err
		}
		if err := t.add(&r, rowOf); err != nil {
			return nil, nil, err
		}
		if t.rows()%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			o.report(Reading, t.rows(), 0)
		}
	}
	return t, rowOf, ctx.Err()
}

func (t *table) add(r *Record, rowOf *rowsByID) error {
	row := t.rows() + 1
	if err := t.layout.check(r, row); err != nil {
		return err
	}
	if row > maxRows {
		return &Error{ErrRecord, "id", row, r.ID, "a run takes at most " + itoa(maxRows) + " records"}
	}
	if r.ID == "" {
		return &Error{ErrRecord, "id", row, "", "give every record an id"}
	}
	if first, twice := rowOf.row(r.ID); twice {
		return &Error{ErrRecord, "id", row, r.ID, "ids must be unique; row " + itoa(int(first)+1) + " has it too"}
	}
	source, err := t.sourceOf(r, row)
	if err != nil {
		return err
	}
	t.ids = append(t.ids, r.ID)
	rowOf.add(r.ID)
	t.source = append(t.source, source)
	for i := range t.layout.columns {
		t.values = append(t.values, t.dicts[i].id(t.layout.columns[i].text(r.Values)))
	}
	return nil
}

// rowsByID finds the rows of a table by their ids.
type rowsByID struct {
	t     *table
	known slots
}

// row is the row with an id, and whether there is one.
func (r *rowsByID) row(id string) (row uint32, found bool) {
	return r.known.find(xxhash.Sum64String(id), func(row uint32) bool { return r.t.ids[row] == id })
}

// add adds the last row, whose id no other has.
func (r *rowsByID) add(id string) {
	r.known.add(xxhash.Sum64String(id), uint32(r.t.rows()-1), func(uint32) bool { return false })
}

// sourceOf numbers the sources of a link; a list to deduplicate has but one.
func (t *table) sourceOf(r *Record, row int) (uint8, error) {
	if !t.link {
		return 0, nil
	}
	if r.Source == "" {
		return 0, &Error{ErrRecord, "source", row, "", "in mode link every record needs the name of its source"}
	}
	for i, name := range t.names {
		if name == r.Source {
			return uint8(i), nil
		}
	}
	if len(t.names) == 255 {
		return 0, &Error{ErrRecord, "source", row, r.Source, "link at most 255 sources"}
	}
	t.names = append(t.names, r.Source)
	return uint8(len(t.names) - 1), nil
}

// check says whether a record fits the schema.
func (l *layout) check(r *Record, row int) error {
	if len(r.Values) != len(l.schema) {
		return &Error{ErrRecord, "values", row, itoa(len(r.Values)), "give " + itoa(len(l.schema)) + " values, one for each field of the schema"}
	}
	for i, v := range r.Values {
		if !utf8.ValidString(v) {
			return &Error{ErrRecord, l.schema[i].Name, row, strings.ToValidUTF8(v, "\uFFFD"), "write the text in UTF-8"}
		}
	}
	return nil
}

// rowsOf inverts a column.
func (t *table) rowsOf(i int) valueRows {
	start := make([]uint32, t.dicts[i].values()+1)
	for _, v := range t.column(i) {
		start[*v+1]++
	}
	for v := 1; v < len(start); v++ {
		start[v] += start[v-1]
	}
	next := slices.Clone(start)
	rows := make([]uint32, t.rows())
	for row, v := range t.column(i) {
		rows[next[*v]] = uint32(row)
		next[*v]++
	}
	return valueRows{start, rows}
}
