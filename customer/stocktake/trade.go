package stocktake

import (
	"cmp"
	"errors"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// trade is a month in which a customer took part in business, as it stood at a boundary.
type trade struct {
	at    int // the place in the boundaries that were asked for
	id    uint64
	month int    // see monthNumber
	event string // its type, EventInvoice for an invoice, empty for another document
}

// isOf reports whether it is of one of some types, or of any when there are none; other
// documents than invoices are of no type.
func (t *trade) isOf(types []string) bool {
	if len(types) == 0 {
		return t.event != ""
	}
	return slices.Contains(types, t.event)
}

// eachTrade calls do for the months, at some boundaries, in which customers had events,
// invoices or other documents. Events and invoices are those of complete months, the
// documents also those of the boundary's own.
func (c *count) eachTrade(bounds []int, do func(t *trade)) error {
	if err := c.eachEvent(bounds, do); err != nil || c.beside.Receivables == nil {
		return err
	}
	instants, limits := make([]Instant, len(bounds)), make([]int, len(bounds))
	for i, b := range bounds {
		instants[i], limits[i] = c.instantAt(b), c.completeMonth(b)
	}
	var shown bitset.Source
	if access := c.reader.customers.Access(); access != nil {
		shown = access.WithinUnmasked("item")
	}
	return c.beside.Receivables.EachMonth(instants, func(i int, id customer.ID, month int, invoiced bool) error {
		if shown != nil {
			if has, err := shown.Has(uint64(id)); err != nil || !has {
				return err
			}
		}
		t := &trade{at: i, id: uint64(id), month: month}
		if invoiced && month <= limits[i] {
			t.event = EventInvoice
		}
		do(t)
		return nil
	})
}

// eachEvent is eachTrade of events.
func (c *count) eachEvent(bounds []int, do func(t *trade)) error {
	limits := make([]int, len(bounds))
	groups := make([]*grouping, len(bounds))
	for i, b := range bounds {
		var err error
		if groups[i], err = c.groupingAt(b); err != nil {
			return err
		}
		limits[i] = c.completeForEvents(b)
	}
	err := c.all.EachEvent(func(id customer.ID, e customer.MonthCount) error {
		if e.Count <= 0 {
			return nil
		}
		t := &trade{id: uint64(id), month: monthNumber(e.Month.UTC()), event: e.Type}
		for i := range bounds {
			if t.month <= limits[i] && !groups[i].differ.Contains(t.id) {
				t.at = i
				do(t)
			}
		}
		return nil
	})
	for i, g := range groups {
		for id := range g.differ.All() {
			var counts eventCounts
			if err == nil {
				counts, err = g.events(customer.ID(id))
			}
			for of, n := range counts {
				if n > 0 && of.month <= limits[i] {
					do(&trade{at: i, id: id, month: of.month, event: of.event})
				}
			}
		}
	}
	return err
}

// grouping is which customers stood for which at a boundary, as far as that differs from
// the present. A merge adds the events of the loser to those of the survivor, and its
// undoing takes them off again; the loser's own stay as they were.
type grouping struct {
	all       *customer.Reader
	differ    *bitset.Set                   // whose events were others
	now, then map[customer.ID][]customer.ID // of survivors, who was merged or unmerged since
}

// eventCounts are counts of events.
type eventCounts map[eventMonth]int64

type eventMonth struct {
	event string
	month int
}

func (c *count) groupingAt(b int) (*grouping, error) {
	g := &grouping{all: c.all, differ: &bitset.Set{}, now: map[customer.ID][]customer.ID{}, then: map[customer.ID][]customer.ID{}}
	for _, id := range c.journal.merged {
		x := c.journal.changed(id)
		version, _ := x.versionAt(b)
		for _, side := range []struct {
			version uint64
			into    map[customer.ID][]customer.ID
		}{{present, g.now}, {version, g.then}} {
			survivor, err := c.survivorAt(id, side.version)
			if err != nil {
				return nil, err
			}
			if survivor != 0 {
				side.into[survivor] = append(side.into[survivor], id)
				g.differ.Add(uint64(survivor))
			}
		}
	}
	return g, nil
}

// survivorAt returns who stood for a customer in a version of its record, 0 for itself and
// for one of whom nothing is known any more.
func (c *count) survivorAt(id customer.ID, version uint64) (customer.ID, error) {
	var x *customer.Customer
	var err error
	switch version {
	case 0:
		return 0, nil
	case present:
		x, err = c.all.Exact(id)
	default:
		x, err = c.all.AtVersion(id, version)
	}
	if errors.Is(err, customer.ErrErased) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return x.Survivor, nil
}

// events are a customer's at the boundary.
func (g *grouping) events(id customer.ID) (eventCounts, error) {
	sum := eventCounts{}
	err := g.add(sum, id, 1)
	for _, loser := range g.now[id] {
		err = errors.Join(err, g.add(sum, loser, -1))
	}
	for _, loser := range g.then[id] {
		theirs, failed := g.events(loser)
		err = errors.Join(err, failed)
		for of, n := range theirs {
			sum[of] += n
		}
	}
	return sum, err
}

// add adds a customer's present events, or takes them off.
func (g *grouping) add(sum eventCounts, id customer.ID, sign int64) error {
	for e, err := range g.all.Events(id) {
		if err != nil {
			return err
		}
		sum[eventMonth{e.Type, monthNumber(e.Month.UTC())}] += sign * e.Count
	}
	return nil
}

// changed is what the journal says of a customer that it names.
func (j *journal) changed(id customer.ID) changed {
	from, _ := slices.BinarySearchFunc(j.touches, uint64(id), func(t touch, id uint64) int { return cmp.Compare(t.id, id) })
	to := from
	for to < len(j.touches) && j.touches[to].id == uint64(id) {
		to++
	}
	return j.changedBy(j.touches[from:to])
}
