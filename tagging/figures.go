package tagging

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Measure is a figure that customers have, such as sales, margin or balance.
type Measure struct {
	Name string

	// Attribute is a custom attribute of type Number, read from the records: some 2 µs a
	// customer. Load is not used then.
	Attribute string

	// Load calls add for each amount of some customers, which come ascending and at most
	// 65,536 at a time; i is the place of the customer in ids. Amounts are whole numbers
	// of a unit's smallest part; units, such as ISO 4217 codes, are never added together.
	// Amounts of one customer and unit are. It must keep none of its arguments.
	Load func(r *storage.Reader, ids []customer.ID, add func(i int, unit string, amount int64)) error
}

// Sum is what the customers of a group have of one measure in one unit.
type Sum struct {
	Unit      string // as the measure named it; empty for an attribute
	Decimals  int    // fraction digits of an attribute's amounts
	Amount    int64  // in the unit's smallest part
	Customers int64  // that have an amount
}

// Mean is the amount for each customer that has one, rounded half away from zero.
func (s Sum) Mean() int64 {
	if s.Customers == 0 {
		return 0
	}
	mean, rest := s.Amount/s.Customers, s.Amount%s.Customers
	switch {
	case rest >= s.Customers-rest:
		return mean + 1
	case -rest >= s.Customers+rest:
		return mean - 1
	}
	return mean
}

// Share is the part that the amount is of a total in the same unit: 0.25 for a quarter.
// It is for charts: the amounts are exact, the share is not.
func (s Sum) Share(of Sum) float64 {
	if of.Amount == 0 {
		return 0
	}
	return float64(s.Amount) / float64(of.Amount)
}

// Sums are the sums of one measure by unit.
type Sums []Sum

// In returns the sum in a unit, a zero one when there is none.
func (s Sums) In(unit string) Sum {
	for _, sum := range s {
		if sum.Unit == unit {
			return sum
		}
	}
	return Sum{Unit: unit}
}

// Figures is the measures of customers by one axis. A customer with several tags of the
// dimension counts with each, and once in the total.
type Figures struct {
	Groups []FigureGroup // as the buckets of a [Facet]; the last is None
	Total  FigureGroup
}

// FigureGroup is the measures of one group of customers, in the order of the measures.
type FigureGroup struct {
	Bucket
	Sums []Sums
}

// FigureTable is the measures of customers by two axes.
type FigureTable struct {
	Rows, Columns []Bucket   // as in a [CrossTab]
	Cells         [][][]Sums // by row, column and measure
	Total         FigureGroup
}

// maxUnits bounds the units of one measure.
const maxUnits = 200

// Figures sums measures up over the customers that a query matches, by a dimension or
// field: revenue and margin by level, say. It costs what the measures cost, and some
// nanoseconds for each customer, group and measure; memory does not grow with the book.
// A sum that exceeds 64 bits is an error that wraps storage.ErrLimit.
func (r *Reader) Figures(q Query, by Axis, measures ...Measure) (*Figures, error) {
	t, err := r.FigureTable(q, by, Axis{}, measures...)
	if err != nil {
		return nil, err
	}
	f := &Figures{Total: t.Total}
	for i, row := range t.Rows {
		f.Groups = append(f.Groups, FigureGroup{row, t.Cells[i][0]})
	}
	return f, nil
}

// FigureTable is Figures by two axes. Without a field the columns are one, None, that has
// everybody.
func (r *Reader) FigureTable(q Query, rows, columns Axis, measures ...Measure) (*FigureTable, error) {
	p, err := r.planner(q)
	if err != nil {
		return nil, err
	}
	root, err := p.query(q)
	if err != nil {
		return nil, err
	}
	down, err := p.side(rows)
	if err != nil {
		return nil, err
	}
	var across side
	if columns.Field != "" {
		if across, err = p.side(columns); err != nil {
			return nil, err
		}
	}
	if cells := (len(down.groups) + 1) * (len(across.groups) + 1) * max(len(measures), 1); cells > maxCells {
		return nil, &Error{Op: "sum up", Value: fmt.Sprint(cells), Code: customer.CodeTooLong, Problem: fmt.Sprintf("are more than %d cells", maxCells), Remedy: "group by a higher level", Err: ErrInvalid}
	}
	s := &summing{plan: &plan{root: root, ev: p.evaluation(block)}, rows: down.groups, columns: across.groups, decimals: make([]int, len(measures))}
	if s.measures, err = r.measures(measures, s.decimals); err != nil {
		return nil, err
	}
	return s.run()
}

// measures checks the measures and gives attributes their Load.
func (r *Reader) measures(given []Measure, decimals []int) ([]Measure, error) {
	measures := slices.Clone(given)
	for i := range measures {
		m := &measures[i]
		fail := func(field, value, problem string, err error) error {
			return &Error{Op: "sum up", Field: fmt.Sprintf("Measures[%d].%s", i, field), Value: value, Code: customer.CodeMalformed, Problem: problem, Err: err}
		}
		if m.Attribute == "" {
			if m.Load == nil {
				return nil, fail("Load", m.Name, "is missing", ErrInvalid)
			}
			continue
		}
		schema, err := r.customers.Schema()
		if err != nil {
			return nil, err
		}
		spec, declared := schema.Spec(m.Attribute)
		switch {
		case !declared:
			return nil, fail("Attribute", m.Attribute, "is not declared", ErrNotFound)
		case spec.Type != customer.Number:
			return nil, fail("Attribute", m.Attribute, "is no number", ErrInvalid)
		}
		decimals[i] = int(spec.Decimals)
		m.Load = r.attributeAmounts(m.Attribute)
	}
	return measures, nil
}

func (r *Reader) attributeAmounts(name string) func(*storage.Reader, []customer.ID, func(int, string, int64)) error {
	return func(_ *storage.Reader, ids []customer.ID, add func(int, string, int64)) error {
		for i, id := range ids {
			c, err := r.customers.Exact(id)
			if errors.Is(err, ErrNotFound) || errors.Is(err, storage.ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			for _, a := range c.Attributes {
				if a.Name == name {
					add(i, "", a.Value.Units())
				}
			}
		}
		return nil
	}
}

// summing is figures being made.
type summing struct {
	*plan
	rows, columns []group
	measures      []Measure
	decimals      []int

	table  *FigureTable
	inRow  []bitset.Chunk // the present chunk's members by row,
	inCell []bitset.Chunk // and by column
	units  []map[string]*amounts
	ids    []customer.ID
	lows   []uint16
}

// amounts are what the members of a chunk have of a measure in one unit.
type amounts struct {
	have   bitset.Chunk
	values [bitset.ChunkSize]int64
}

func (s *summing) run() (*FigureTable, error) {
	s.table = &FigureTable{Rows: bucketsOf(s.rows), Columns: bucketsOf(s.columns)}
	s.table.Total.Sums = make([]Sums, len(s.measures))
	s.table.Cells = make([][][]Sums, len(s.rows)+1)
	for i := range s.table.Cells {
		s.table.Cells[i] = make([][]Sums, len(s.columns)+1)
		for j := range s.table.Cells[i] {
			s.table.Cells[i][j] = make([]Sums, len(s.measures))
		}
	}
	s.inRow, s.inCell = make([]bitset.Chunk, len(s.rows)+1), make([]bitset.Chunk, len(s.columns)+1)
	s.units = make([]map[string]*amounts, len(s.measures))
	for c, err := range s.chunks() {
		if err == nil {
			err = s.take(c)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.table.withCustomers(), nil
}

// take adds a chunk.
func (s *summing) take(c chunk) error {
	if err := s.split(c, s.rows, s.inRow, s.table.Rows); err != nil {
		return err
	}
	if err := s.split(c, s.columns, s.inCell, s.table.Columns); err != nil {
		return err
	}
	s.table.Total.Count += int64(c.members.Len())
	s.ids, s.lows = s.ids[:0], s.lows[:0]
	for low := range c.members.All() {
		s.ids, s.lows = append(s.ids, c.id(low)), append(s.lows, low)
	}
	for m := range s.measures {
		if err := s.load(m); err != nil {
			return err
		}
		for _, unit := range slices.Sorted(maps.Keys(s.units[m])) {
			if err := s.addUnit(m, unit, s.units[m][unit]); err != nil {
				return err
			}
		}
	}
	return nil
}

// split finds the members of each group of an axis, and last those of none.
func (s *summing) split(c chunk, groups []group, into []bitset.Chunk, buckets []Bucket) error {
	rest := &into[len(groups)]
	*rest = *c.members
	for i, g := range groups {
		into[i] = *c.members
		if err := g.node.narrow(s.ev, c.number, &into[i]); err != nil {
			return err
		}
		rest.AndNot(&into[i])
	}
	for i := range into {
		buckets[i].Count += int64(into[i].Len())
	}
	return nil
}

// load reads a measure's amounts of the present chunk.
func (s *summing) load(m int) error {
	if s.units[m] == nil {
		s.units[m] = map[string]*amounts{}
	}
	for _, a := range s.units[m] {
		a.have.Clear()
	}
	var failed error
	err := s.measures[m].Load(s.ev.reader.storage, s.ids, func(i int, unit string, amount int64) {
		if i < 0 || i >= len(s.ids) {
			failed = s.fail(m, fmt.Sprint(i), "is no place in the list of customers", ErrInvalid)
			return
		}
		a := s.units[m][unit]
		if a == nil {
			if len(s.units[m]) == maxUnits {
				failed = s.fail(m, unit, fmt.Sprintf("is one unit more than %d", maxUnits), storage.ErrLimit)
				return
			}
			a = &amounts{}
			s.units[m][unit] = a
		}
		low := s.lows[i]
		if !a.have.Contains(low) {
			a.have.Add(low)
			a.values[low] = 0
		}
		if sum, ok := addExact(a.values[low], amount); ok {
			a.values[low] = sum
		} else {
			failed = s.overflow(m, unit)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

func (s *summing) fail(m int, value, problem string, err error) error {
	return &Error{Op: "sum up", Field: s.measures[m].Name, Value: value, Problem: problem, Err: err}
}

func (s *summing) overflow(m int, unit string) error {
	return s.fail(m, unit, "exceeds 64 bits", storage.ErrLimit)
}

func addExact(a, b int64) (int64, bool) {
	if b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b {
		return 0, false
	}
	return a + b, true
}

// addUnit adds one unit's amounts of the present chunk to all cells and to the total.
func (s *summing) addUnit(m int, unit string, a *amounts) error {
	all := a.have
	if !s.table.Total.Sums[m].take(unit, s.decimals[m], &all, a) {
		return s.overflow(m, unit)
	}
	for i := range s.inRow {
		row := a.have
		if row.And(&s.inRow[i]); row.Empty() {
			continue
		}
		for j := range s.inCell {
			cell := row
			cell.And(&s.inCell[j])
			if !s.table.Cells[i][j][m].take(unit, s.decimals[m], &cell, a) {
				return s.overflow(m, unit)
			}
		}
	}
	return nil
}

// take adds the amounts of some customers. It reports false when the sum is too large.
func (s *Sums) take(unit string, decimals int, members *bitset.Chunk, a *amounts) bool {
	n := members.Len()
	if n == 0 {
		return true
	}
	at, known := slices.BinarySearchFunc(*s, unit, func(sum Sum, unit string) int {
		switch {
		case sum.Unit < unit:
			return -1
		case sum.Unit > unit:
			return 1
		}
		return 0
	})
	if !known {
		*s = slices.Insert(*s, at, Sum{Unit: unit, Decimals: decimals})
	}
	sum := &(*s)[at]
	sum.Customers += int64(n)
	for low := range members.All() {
		total, ok := addExact(sum.Amount, a.values[low])
		if !ok {
			return false
		}
		sum.Amount = total
	}
	return true
}

// withCustomers leaves rows and columns out as Facet does.
func (t *FigureTable) withCustomers() *FigureTable {
	kept := &FigureTable{Rows: withCustomers(slices.Clone(t.Rows)), Columns: withCustomers(slices.Clone(t.Columns)), Total: t.Total}
	for i, row := range t.Rows {
		if row.isLeftOut() {
			continue
		}
		var cells [][]Sums
		for j, column := range t.Columns {
			if !column.isLeftOut() {
				cells = append(cells, t.Cells[i][j])
			}
		}
		kept.Cells = append(kept.Cells, cells)
	}
	return kept
}
