package stocktake

import (
	"slices"

	"github.com/clientele-go/clientele/storage/bitset"
)

// classing is who is in which class of activity.
type classing struct{ opening, closing [classes]*bitset.Set }

// addBuyers finds who bought in the complete months before each boundary.
func (c *count) addBuyers(p *past) error {
	bought, all, first := emptySets(len(p.extra)), make([]int, len(p.extra)), make([]int, len(p.extra))
	for b := range all {
		all[b], first[b] = b, c.completeMonth(b)-c.def.Bought.Months+1
	}
	err := c.eachTrade(all, func(t *trade) {
		if t.isOf(c.def.Bought.Types) && t.month >= first[t.at] {
			bought[t.at].Add(t.id)
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

// months are customers' last months of purchases, 0 for none.
type months []uint16

func (m *months) note(id uint64, month int) {
	if grow := int(id) + 1 - len(*m); grow > 0 {
		*m = append(*m, make(months, grow)...)
	}
	(*m)[id] = max((*m)[id], uint16(month))
}

// class is a customer's by the last complete month.
func (m months) class(id uint64, limit int, rule *ActivityRule) Class {
	if id >= uint64(len(m)) || m[id] == 0 {
		return ClassNever
	}
	switch ago := limit - int(m[id]); {
	case ago < rule.active():
		return ClassActive
	case ago < rule.lost():
		return ClassDormant
	}
	return ClassLost
}

// findTraders finds when the counted bought last, and who of them ever took part in
// business.
func (c *count) findTraders() (latest [2]months, err error) {
	var types []string
	if c.def.Activity != nil {
		types = c.def.Activity.Types
	}
	c.traders = &bitset.Set{}
	return latest, c.eachTrade([]int{0, len(c.counted) - 1}, func(t *trade) {
		if t.isOf(types) {
			latest[t.at].note(t.id, t.month)
		} else if t.event != "" && t.event != EventInvoice {
			return // an event that isn't asked for
		}
		if t.at == 1 {
			c.traders.Add(t.id)
		}
	})
}

// classify divides the counted by when they bought last.
func (c *count) classify() error {
	if !c.asksActivity() {
		return nil
	}
	latest, err := c.findTraders()
	if err != nil || c.def.Activity == nil {
		return err
	}
	c.classes = &classing{}
	for class := range classes {
		c.classes.opening[class], c.classes.closing[class] = &bitset.Set{}, &bitset.Set{}
	}
	last := len(c.counted) - 1
	at := func(i int, id uint64) Class { return latest[i].class(id, c.completeMonth(i*last), c.def.Activity) }
	for id := range c.counted[0].All() {
		c.classes.opening[at(0, id)].Add(id)
	}
	for id := range c.counted[last].All() {
		class := at(1, id)
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

// asksActivity reports whether it is asked when the counted bought.
func (c *count) asksActivity() bool {
	return c.def.Activity != nil || slices.Contains(c.def.Checks, checkInactive)
}
