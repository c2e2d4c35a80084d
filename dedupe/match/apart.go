package match

import "github.com/clientele-go/clientele/dedupe/compare"

// apart tells groups of records that are two customers, however alike their records are: each
// has a number or a date of birth of its own, that two of its records give alike. A slip of
// the hand stands in one record; what two give is no slip, and a customer has one such number.
type apart struct {
	t       *table
	columns []int
	c       *comparer
	count   map[uint32]int // room for the values of a group
}

// confirmedBy is how many records of a group must give a value for it to be no slip.
const confirmedBy = 2

// mostSlips is the share of pairs of one customer that differ in a number or date up to which
// it tells customers apart: in files with more, wrong ones are copied from record to record.
const mostSlips = 0.1

func newApart(t *table, p *parameters) *apart {
	a := &apart{t: t, count: map[uint32]int{}}
	for i := range t.layout.columns {
		if typ := t.layout.columns[i].typ; typ == compare.Identifier || typ == compare.DateBirth {
			if m := &p.Columns[i].M; m[0]+m[1] > mostSlips {
				continue
			}
			a.columns = append(a.columns, i)
		}
	}
	if len(a.columns) > 0 {
		a.c = newRowComparer(t)
	}
	return a
}

// are reports whether two groups are two customers.
func (a *apart) are(x, y []uint32) bool {
	if len(x) < confirmedBy || len(y) < confirmedBy {
		return false
	}
	for _, i := range a.columns {
		v, w := a.confirmed(i, x), a.confirmed(i, y)
		if v == missing || w == missing || v == w || a.has(i, x, w) || a.has(i, y, v) {
			continue
		}
		if state, _ := a.c.ids(i, a.t.dicts[i], v, w); state < distinct {
			return true
		}
	}
	return false
}

// distinct is the level below which two numbers or dates are not one with a slip in it.
const distinct = 2

// confirmed is the value that most records of a group give, if more than one do.
func (a *apart) confirmed(column int, rows []uint32) uint32 {
	clear(a.count)
	best, most := uint32(missing), confirmedBy-1
	for _, row := range rows {
		if v := a.t.row(row)[column]; v != missing {
			a.count[v]++
			if n := a.count[v]; n > most {
				best, most = v, n
			}
		}
	}
	return best
}

func (a *apart) has(column int, rows []uint32, v uint32) bool {
	for _, row := range rows {
		if a.t.row(row)[column] == v {
			return true
		}
	}
	return false
}
