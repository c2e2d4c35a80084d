package stocktake

import (
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// classing is who is in which class of activity.
type classing struct {
	opening, closing [classes]*bitset.Set
	bought           *bitset.Set // who had an event up to the closing
}

// eachEvent calls do for each customer and month in which it had an event of some types.
func (c *count) eachEvent(types []string, do func(id uint64, month int)) error {
	return c.all.EachEvent(func(id customer.ID, e customer.MonthCount) error {
		if e.Count > 0 && (len(types) == 0 || slices.Contains(types, e.Type)) {
			do(uint64(id), monthNumber(e.Month.UTC()))
		}
		return nil
	})
}

// addBuyers finds who had an event in the complete months before each boundary.
func (c *count) addBuyers(p *past) error {
	bought := emptySets(len(p.extra))
	err := c.eachEvent(c.def.Bought.Types, func(id uint64, month int) {
		for b := range bought {
			if ago := c.completeMonth(b) - month; ago >= 0 && ago < c.def.Bought.Months {
				bought[b].Add(id)
			}
		}
	})
	for b := range p.extra {
		if set := p.extra[b].set; set != nil {
			bought[b].And(set)
		}
		p.extra[b].set = bought[b]
	}
	return err
}

// classify divides the counted by their last events.
func (c *count) classify() error {
	if c.def.Activity == nil {
		return nil
	}
	last := len(c.counted) - 1
	limits := [2]int{c.completeMonth(0), c.completeMonth(last)}
	latest := [2][]uint16{} // by customer: the month of the last event, 0 for none
	err := c.eachEvent(c.def.Activity.Types, func(id uint64, month int) {
		for i, limit := range limits {
			if month > limit {
				continue
			}
			if grow := int(id) + 1 - len(latest[i]); grow > 0 {
				latest[i] = append(latest[i], make([]uint16, grow)...)
			}
			latest[i][id] = max(latest[i][id], uint16(month))
		}
	})
	if err != nil {
		return err
	}
	c.classes = &classing{bought: &bitset.Set{}}
	for class := range classes {
		c.classes.opening[class], c.classes.closing[class] = &bitset.Set{}, &bitset.Set{}
	}
	at := func(i int, id uint64) Class {
		if id >= uint64(len(latest[i])) || latest[i][id] == 0 {
			return ClassNever
		}
		switch ago := limits[i] - int(latest[i][id]); {
		case ago < c.def.Activity.active():
			return ClassActive
		case ago < c.def.Activity.lost():
			return ClassDormant
		}
		return ClassLost
	}
	for id := range c.counted[0].All() {
		c.classes.opening[at(0, id)].Add(id)
	}
	for id := range c.counted[last].All() {
		class := at(1, id)
		if class != ClassNever {
			c.classes.bought.Add(id)
		}
		switch {
		case c.terms[termNew].Contains(id):
			class = ClassNew
		case class == ClassActive && at(0, id) == ClassLost:
			class = ClassReturning
		}
		c.classes.closing[class].Add(id)
	}
	for class := range classes {
		c.result.Activity = append(c.result.Activity, Activity{class, c.classes.opening[class].Len(), c.classes.closing[class].Len()})
	}
	return nil
}
