package match

import (
	"context"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// missing is the id of the value that says nothing.
const missing = 0

// dictionary is the distinct values of a column.
type dictionary struct {
	ids   map[string]uint32
	texts []string // until the forms are made
	forms []compare.Form
	count []int32 // rows that have the value
	exact []uint8 // information of two records having it, in quarters of a bit
	said  []uint8 // the most that it can have in common with another value, in quarters of a bit

	sketcher compare.Sketcher
	sketch   []uint64 // what the sketcher keeps of the form, nil without one
	outlines outlines
}

func newDictionary() *dictionary {
	return &dictionary{ids: map[string]uint32{"": missing}, texts: []string{""}, count: []int32{0}}
}

func (d *dictionary) id(text string) uint32 {
	id, ok := d.ids[text]
	if !ok {
		id = uint32(len(d.texts))
		text = strings.Clone(text)
		d.ids[text] = id
		d.texts = append(d.texts, text)
		d.count = append(d.count, 0)
	}
	d.count[id]++
	return id
}

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
func readTable(ctx context.Context, o *Options, l *layout, records iter.Seq2[Record, error]) (*table, map[string]int32, error) {
	t := &table{layout: l, link: o.Mode == Link}
	for range l.columns {
		t.dicts = append(t.dicts, newDictionary())
	}
	rowOf := map[string]int32{}
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

func (t *table) add(r *Record, rowOf map[string]int32) error {
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
	if first, twice := rowOf[r.ID]; twice {
		return &Error{ErrRecord, "id", row, r.ID, "ids must be unique; row " + itoa(int(first)+1) + " has it too"}
	}
	source, err := t.sourceOf(r, row)
	if err != nil {
		return err
	}
	rowOf[r.ID] = int32(row - 1)
	t.ids = append(t.ids, r.ID)
	t.source = append(t.source, source)
	for i := range t.layout.columns {
		t.values = append(t.values, t.dicts[i].id(t.layout.columns[i].text(r.Values)))
	}
	return nil
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

// prepare makes the normal form of every distinct value, learns the corpora, and joins
// the values whose normal forms are equal.
func (t *table) prepare(ctx context.Context, o *Options, learn bool) error {
	for i, d := range t.dicts {
		c := &t.layout.columns[i]
		d.ids, d.forms = nil, make([]compare.Form, len(d.texts))
		err := parallel(ctx, o.workers(), len(d.texts), func(v int) {
			if v != missing {
				d.forms[v] = c.cmp.Prepare(d.texts[v])
			}
		})
		if err != nil {
			return err
		}
		d.texts = nil // the forms say it all
		o.report(Preparing, i+1, len(t.dicts))
	}
	return inTurn(ctx, o.workers(), len(t.dicts), func(i int) {
		if learn {
			t.learn(i)
		}
		t.join(i)
	})
}

// learn counts the words of a column.
func (t *table) learn(i int) {
	d, c := t.dicts[i], &t.layout.columns[i]
	for v, f := range d.forms {
		c.corpus.Learn(c.cmp, f, int(d.count[v]))
	}
	c.corpus.Seal()
}

// join gives values with equal normal forms one id, and those without a form the missing one.
func (t *table) join(i int) {
	d := t.dicts[i]
	same := make(map[string]uint32, len(d.forms))
	to := make([]uint32, len(d.forms))
	for v, f := range d.forms {
		if v == missing || f == nil {
			continue
		}
		first, known := same[f.Key()]
		if !known {
			first = uint32(v)
			same[f.Key()] = first
		}
		to[v] = first
		if first != uint32(v) {
			d.count[first] += d.count[v]
			d.count[v], d.forms[v] = 0, nil
		}
	}
	for _, v := range t.column(i) {
		*v = to[*v]
	}
}

// rowsOf inverts a column: the rows of each value, as offsets into one slice.
func (t *table) rowsOf(i int) (start []uint32, rows []uint32) {
	start = make([]uint32, len(t.dicts[i].forms)+1)
	for _, v := range t.column(i) {
		start[*v+1]++
	}
	for v := 1; v < len(start); v++ {
		start[v] += start[v-1]
	}
	next := append([]uint32(nil), start...)
	rows = make([]uint32, t.rows())
	for row, v := range t.column(i) {
		rows[next[*v]] = uint32(row)
		next[*v]++
	}
	return start, rows
}
