package stocktake

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// The terms that can be drilled into, by the names that they have in JSON.
const (
	termOpening     = "opening"
	termNew         = "new"
	termReactivated = "reactivated"
	termUnmerged    = "unmerged"
	termEntered     = "entered"
	termMerged      = "merged"
	termArchived    = "archived"
	termErased      = "erased"
	termLeft        = "left"
	termClosing     = "closing"
	termThrough     = "through"
	termOnlyHere    = "only_here" // of a comparison
)

// Terms returns the names of the terms that can be drilled into, in the order of the
// identity; checks are further ones, as "check.CODE".
func Terms() []string {
	return []string{termOpening, termNew, termReactivated, termUnmerged, termEntered, termMerged, termArchived, termErased, termLeft, termClosing, termThrough}
}

// movement is why customers count at one boundary and not at another.
type movement struct {
	from, to                            int // boundaries
	new, reactivated, unmerged, entered *bitset.Set
	merged, archived, erased, left      *bitset.Set
}

// takeOut moves what two sets have in common from the first into a new one.
func takeOut(from, of *bitset.Set) *bitset.Set {
	part := from.Clone()
	part.And(of)
	from.AndNot(part)
	return part
}

// move divides those who count at one boundary only. Each is in exactly one set.
func (c *count) move(from, to int) *movement {
	m := &movement{from: from, to: to}
	created := &bitset.Set{}
	for step := from + 1; step <= to; step++ {
		created.Or(c.journal.created[step])
	}
	m.entered, m.left = c.counted[to].Clone(), c.counted[from].Clone()
	m.entered.AndNot(c.counted[from])
	m.left.AndNot(c.counted[to])
	m.new = takeOut(m.entered, created)
	m.reactivated = takeOut(m.entered, c.past.of(customer.Archived, from))
	m.unmerged = takeOut(m.entered, c.past.of(customer.Merged, from))
	m.merged = takeOut(m.left, c.past.of(customer.Merged, to))
	m.archived = takeOut(m.left, c.past.of(customer.Archived, to))
	m.erased = takeOut(m.left, c.past.of(customer.Erased, to))
	return m
}

func (c *count) reconciliation(m *movement) Reconciliation {
	return Reconciliation{
		Opening: c.counted[m.from].Len(), New: m.new.Len(), Reactivated: m.reactivated.Len(), Unmerged: m.unmerged.Len(), Entered: m.entered.Len(),
		Merged: m.merged.Len(), Archived: m.archived.Len(), Erased: m.erased.Len(), Left: m.left.Len(), Closing: c.counted[m.to].Len(),
	}
}

// reconcile fills in the terms, the trend and the cohorts.
func (c *count) reconcile() error {
	last := len(c.counted) - 1
	m := c.move(0, last)
	c.result.Reconciliation = c.reconciliation(m)
	through := &bitset.Set{}
	for b := 1; b < last; b++ {
		through.Or(c.counted[b])
	}
	through.AndNot(c.counted[0])
	through.AndNot(c.counted[last])
	c.result.Through = through.Len()
	for term, set := range map[string]*bitset.Set{
		termOpening: c.counted[0], termNew: m.new, termReactivated: m.reactivated, termUnmerged: m.unmerged, termEntered: m.entered,
		termMerged: m.merged, termArchived: m.archived, termErased: m.erased, termLeft: m.left, termClosing: c.counted[last], termThrough: through,
	} {
		c.terms[term] = set
	}
	c.result.Growth = growth(c.result.Reconciliation.Opening, c.result.Reconciliation.Closing)
	for b := 1; b <= last; b++ {
		if b == 1 && c.clipped() {
			continue
		}
		c.result.Trend = append(c.result.Trend, Month{c.monthTo(b), c.reconciliation(c.move(b-1, b))})
	}
	if c.def.Cohorts {
		c.result.Cohorts = c.cohorts()
	}
	return nil
}

// clipped reports whether the first boundary after the opening is more than a month away.
func (c *count) clipped() bool {
	return c.monthAfter(c.journal.bounds[0].time).Before(c.journal.bounds[1].time)
}

// monthTo is the month that ends at a boundary.
func (c *count) monthTo(b int) string {
	return c.journal.bounds[b].time.Add(-1).In(c.zone).Format("2006-01")
}

func growth(opening, closing int64) Growth {
	g := Growth{Net: closing - opening}
	if opening > 0 {
		rate := rounded(g.Net*10000, opening)
		g.Rate = &rate
	}
	return g
}

// rounded is a quotient, rounded half away from zero; by is positive.
func rounded(n, by int64) int64 {
	if n < 0 {
		return -rounded(-n, by)
	}
	return (2*n + by) / (2 * by)
}

func (c *count) cohorts() *Cohorts {
	all := &Cohorts{}
	for step := 1; step < len(c.counted); step++ {
		created := c.journal.created[step]
		if c.universe != nil { // nor tells a month with nobody that somebody was created
			created = created.Clone()
			created.And(c.universe)
		}
		if step == 1 && c.clipped() || created.Len() == 0 {
			continue
		}
		row := Cohort{Month: c.monthTo(step)}
		for b := step; b < len(c.counted); b++ {
			kept := created.Clone()
			kept.And(c.counted[b])
			row.Kept = append(row.Kept, kept.Len())
		}
		row.Created = row.Kept[0]
		all.Rows = append(all.Rows, row)
	}
	return all
}
