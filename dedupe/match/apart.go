package match

import "github.com/clientele-go/clientele/dedupe/compare"

// apart tells groups of records that are two customers, however alike their records are: each
// has a number or a date of birth of its own, that two of its records give alike. A slip of
// the hand stands in one record; what two give is no slip, and a customer has one such number.
// Numbers that one record gives speak against one customer as much as between two records, though
// most records of the groups have none: the mean of their pairs would forget it.
type apart struct {
	t       *table
	p       *parameters
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
	a := &apart{t: t, p: p, count: map[uint32]int{}}
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

// are reports whether two groups, whose pairs have a mean score, are two customers.
func (a *apart) are(x, y []uint32, mean float32) bool {
	if len(x) == 1 && len(y) == 1 {
		return false
	}
	for _, i := range a.columns {
		v, w := a.usual(i, x), a.usual(i, y)
		if v.id == missing || w.id == missing || v.id == w.id || a.has(i, x, w.id) || a.has(i, y, v.id) {
			continue
		}
		state, _ := a.c.ids(i, a.t.dicts[i], v.id, w.id)
		if state >= distinct {
			continue
		}
		if min(v.times, w.times) >= confirmedBy {
			return true
		}
		// The pairs of records that lack a value haven't said it.
		unsaid := 1 - float32(v.given*w.given)/float32(len(x)*len(y))
		m := &a.p.Columns[i]
		mean += float32(m.of(&m.M, state, 0)) * unsaid
	}
	return mean < 0
}

// distinct is the level below which two numbers or dates are not one with a slip in it.
const distinct = 2

// usual is the value that most records of a group give.
type usual struct {
	id    uint32 // missing where none gives any
	times int    // how many give it
	given int    // how many give any
}

func (a *apart) usual(column int, rows []uint32) usual {
	clear(a.count)
	u := usual{id: missing}
	for _, row := range rows {
		v := a.t.row(row)[column]
		if v == missing {
			continue
		}
		u.given++
		a.count[v]++
		if n := a.count[v]; n > u.times {
			u.id, u.times = v, n
		}
	}
	return u
}

func (a *apart) has(column int, rows []uint32, v uint32) bool {
	for _, row := range rows {
		if a.t.row(row)[column] == v {
			return true
		}
	}
	return false
}
