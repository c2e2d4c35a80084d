package match

import (
	"context"
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// Beside the comparators' eight levels a column has two states of its own.
const (
	crossed = compare.Exact + 1 // agrees with the other record's value in another column
	absent  = compare.Exact + 2 // one of the values is missing: neutral
	states  = compare.Exact + 3
)

// evidence is what comparing said of many pairs, column by column within a pair.
type evidence struct {
	columns int
	state   []uint8
	bits    []uint8 // of information shared, in quarters
}

func newEvidence(columns, pairs int) *evidence {
	return &evidence{columns, make([]uint8, pairs*columns), make([]uint8, pairs*columns)}
}

// part is the evidence of some of the pairs.
func (e *evidence) part(from, to int) *evidence {
	from, to = from*e.columns, to*e.columns
	return &evidence{e.columns, e.state[from:to], e.bits[from:to]}
}

func (e *evidence) of(i int) (state, bits []uint8) {
	from, to := i*e.columns, (i+1)*e.columns
	return e.state[from:to], e.bits[from:to]
}

func quarterBits(bits float32) uint8 {
	return uint8(min(max(bits*4+0.5, 0), 255))
}

// value is what a record has in a column.
type value struct {
	form  compare.Form
	exact uint8 // information of two records having it, in quarters of a bit
	said  uint8 // the most that it can have in common with another
}

// comparer compares records. One worker uses it at a time.
type comparer struct {
	l     *layout
	cross [][]int // by column: later columns whose values may stand in it
	meets []bool  // by column: whether it has such columns, or is one
	cache []outcomeCache
	made  [][]madeForm // by column: the last forms that were made anew, nil where all are kept
	t     *table
	x, y  []value // room for two rows
}

func newComparer(l *layout) *comparer {
	c := &comparer{l: l, cross: crossColumns(l), meets: make([]bool, len(l.columns))}
	for i, others := range c.cross {
		for _, j := range others {
			c.meets[i], c.meets[j] = true, true
		}
	}
	return c
}

// newRowComparer compares the rows of a table, and remembers what it compared.
func newRowComparer(t *table) *comparer {
	c := newComparer(t.layout)
	c.t, c.x, c.y = t, make([]value, len(t.dicts)), make([]value, len(t.dicts))
	for _, d := range t.dicts {
		var cache outcomeCache
		if d.values()*rememberFrom <= t.rows() {
			cache = newOutcomeCache(d.values())
		}
		c.cache = append(c.cache, cache)
		var made []madeForm
		if d.forms == nil {
			made = make([]madeForm, formsMade)
		}
		c.made = append(c.made, made)
	}
	return c
}

// madeForm is a form that was made anew.
type madeForm struct {
	v    uint32
	form compare.Form
}

// formsMade is how many forms of a column that were made anew a worker keeps.
const formsMade = 1 << 13

// form is the settled form of a value of a column.
func (c *comparer) form(i int, v uint32) compare.Form {
	d := c.t.dicts[i]
	if d.forms != nil {
		return d.forms[v]
	}
	m := &c.made[i][v%formsMade]
	if m.v != v {
		*m = madeForm{v, d.form(v)}
		compare.Settle(d.by, m.form)
	}
	return m.form
}

// mostCrossed is how many columns of the same kind a column is compared with crosswise:
// more are not the fields of people's mistakes, and the cost grows with their square.
const mostCrossed = 8

// crossColumns lists for each column the next ones of the same kind.
func crossColumns(l *layout) [][]int {
	cross := make([][]int, len(l.columns))
	for i := range l.columns {
		for j := i + 1; j < len(l.columns); j++ {
			if len(cross[i]) < mostCrossed && spaceOf(l.columns[i].typ) == spaceOf(l.columns[j].typ) && l.columns[i].typ != compare.Category {
				cross[i] = append(cross[i], j)
			}
		}
	}
	return cross
}

// rows compares two rows of the table. Values that are equal, missing or remembered are not
// looked at: of millions, each is a place in memory that isn't in the cache.
func (c *comparer) rows(a, b uint32, state, bits []uint8) {
	vs, ws := c.t.row(a), c.t.row(b)
	for i, d := range c.t.dicts {
		v, w := vs[i], ws[i]
		state[i], bits[i] = c.ids(i, d, v, w)
		if c.meets[i] {
			c.x[i], c.y[i] = value{form: c.form(i, v)}, value{form: c.form(i, w)}
		}
	}
	c.crossings(c.x, c.y, state, bits)
}

// ids compares two values of a column's dictionary.
func (c *comparer) ids(i int, d *dictionary, v, w uint32) (state, bits uint8) {
	switch {
	case v == missing || w == missing:
		return absent, 0
	case v == w:
		return compare.Exact, d.exact[v]
	case v > w:
		v, w = w, v
	}
	if level, told := d.sketched(v, w); told {
		return level, 0
	}
	if c.cache[i] == nil {
		return c.forms(i, d, v, w)
	}
	cell := c.cache[i].cell(v, w)
	if cell.a != v || cell.b != w {
		state, bits = c.forms(i, d, v, w)
		*cell = outcomeCell{v, w, state, bits}
	}
	return cell.state, cell.bits
}

// sketched is the level of two values where their sketches tell.
func (d *dictionary) sketched(v, w uint32) (level uint8, told bool) {
	if d.sketch == nil {
		return 0, false
	}
	a, b := d.sketch[v], d.sketch[w]
	if a == 0 || b == 0 {
		return 0, false
	}
	return d.sketcher.Sketched(a, b)
}

// forms compares the forms of two values.
func (c *comparer) forms(i int, d *dictionary, v, w uint32) (state, bits uint8) {
	state, bits = c.fresh(i, c.form(i, v), c.form(i, w), math.MaxUint8)
	if bits > 0 && c.l.columns[i].said == nil {
		bits = min(bits, d.said[v], d.said[w])
	}
	return state, bits
}

// records compares two records.
func (c *comparer) records(a, b []value, state, bits []uint8) {
	for i := range a {
		state[i], bits[i] = c.values(i, &a[i], &b[i])
	}
	c.crossings(a, b, state, bits)
}

// crossings compares what may stand in one another's columns.
func (c *comparer) crossings(a, b []value, state, bits []uint8) {
	for i, others := range c.cross {
		for _, j := range others {
			c.crossing(i, j, a, b, state, bits)
		}
	}
}

// crossAt is the least level at which a value counts as standing in another column.
const crossAt = compare.Exact - 1

// crossing looks at two columns crosswise: given and family name swapped, a phone that
// is the other's fax.
func (c *comparer) crossing(i, j int, a, b []value, state, bits []uint8) {
	if full(state[i]) && full(state[j]) {
		return
	}
	l1, b1 := c.across(i, &a[i], &b[j])
	l2, b2 := c.across(i, &b[i], &a[j])
	if l1 < l2 {
		l1, b1, l2, b2 = l2, b2, l1, b1
	}
	if l1 < crossAt {
		return
	}
	if !full(state[i]) {
		state[i], bits[i] = crossed, b1
		if l2 >= crossAt && !full(state[j]) {
			state[j], bits[j] = crossed, b2
		}
	} else if !full(state[j]) && l2 >= crossAt {
		state[j], bits[j] = crossed, b1
	}
}

func full(state uint8) bool { return state >= crossAt && state <= crossed }

func (c *comparer) across(i int, a, b *value) (level, bits uint8) {
	if a.form == nil || b.form == nil {
		return 0, 0
	}
	out := c.l.columns[i].cmp.Compare(a.form, b.form)
	return out.Level, quarterBits(out.Bits)
}

// values compares two values of a column.
func (c *comparer) values(i int, a, b *value) (state, bits uint8) {
	if a.form == nil || b.form == nil {
		return absent, 0
	}
	if a.form.Key() == b.form.Key() {
		return compare.Exact, min(a.exact, b.exact)
	}
	return c.fresh(i, a.form, b.form, min(a.said, b.said))
}

// fresh compares two values that are not remembered, of which the less telling says no more
// than most: what both share can't be more, whatever the comparator reckons.
func (c *comparer) fresh(i int, a, b compare.Form, most uint8) (state, bits uint8) {
	column := &c.l.columns[i]
	out := column.cmp.Compare(a, b)
	if out.Mute {
		return absent, 0
	}
	if column.said != nil {
		return min(out.Level, compare.Exact), column.said.bits(a, b)
	}
	return min(out.Level, compare.Exact), min(quarterBits(out.Bits), most)
}

// rememberFrom is how many records must have a value, on the average, for comparisons of two
// values to be remembered: others seldom return, and a look at the memory isn't free.
const rememberFrom = 2

// outcomeCache remembers the comparisons of value pairs, the last of those that share
// a cell.
type outcomeCache []outcomeCell

type outcomeCell struct {
	a, b        uint32
	state, bits uint8
}

func newOutcomeCache(values int) outcomeCache {
	size := 1 << 10
	for size < values*8 && size < 1<<17 {
		size <<= 1
	}
	return make(outcomeCache, size)
}

func (c outcomeCache) cell(a, b uint32) *outcomeCell {
	h := mixHash(uint64(a)<<32|uint64(b), 1)
	return &c[h&uint64(len(c)-1)]
}

// comparers compare many pairs on several goroutines, and remember the values compared.
type comparers struct {
	t  *table
	by []*comparer // by worker
}

func newComparers(o *Options, t *table) *comparers {
	return &comparers{t, make([]*comparer, o.workers())}
}

// compare fills the evidence of pairs.
func (c *comparers) compare(ctx context.Context, pairs []pair, e *evidence) error {
	return chunks(ctx, len(c.by), len(pairs), func(w, from, to int) {
		if c.by[w] == nil {
			c.by[w] = newRowComparer(c.t)
		}
		for p := from; p < to; p++ {
			state, bits := e.of(p)
			c.by[w].rows(pairs[p].a, pairs[p].b, state, bits)
		}
	})
}

// compareAll compares all pairs.
func compareAll(ctx context.Context, o *Options, t *table, pairs []pair) (*evidence, error) {
	e := newEvidence(len(t.layout.columns), len(pairs))
	return e, newComparers(o, t).compare(ctx, pairs, e)
}
