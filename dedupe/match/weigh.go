package match

import (
	"context"
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// weighValues gives every value the information of two records having it, lets its form
// note what its words tell, and keeps what is to be known of it at a glance.
func (t *table) weighValues(ctx context.Context, workers int) error {
	for i, d := range t.dicts {
		if err := d.weigh(ctx, workers, t.layout.columns[i].cmp); err != nil {
			return err
		}
	}
	return nil
}

func (d *dictionary) weigh(ctx context.Context, workers int, by compare.Comparator) error {
	n := d.values()
	d.exact, d.said = make([]uint8, n), make([]uint8, n)
	if d.sketcher = compare.SketcherOf(by); d.sketcher != nil {
		d.sketch = make([]uint64, n)
	}
	outliner := compare.OutlinerOf(by)
	var parts [][]uint64 // by run
	if outliner != nil {
		d.outlines = outlines{by: outliner, end: make([]uint32, n)}
		parts = make([][]uint64, n/valuesAtOnce+1)
	}
	filled := 0
	for _, count := range d.count[1:] {
		filled += int(count)
	}
	err := runs(ctx, workers, n, valuesAtOnce, func(_, from, to int) {
		var outlined []uint64
		for v := from; v < to; v++ {
			if d.count[v] > 0 && d.has(uint32(v)) {
				f := d.form(uint32(v))
				d.weighOne(v, f, by, filled)
				if outliner != nil {
					outlined = outliner.Outline(f, outlined)
				}
			}
			if outliner != nil {
				d.outlines.end[v] = uint32(len(outlined))
			}
		}
		if outliner != nil {
			parts[from/valuesAtOnce] = outlined
		}
	})
	if err == nil {
		d.outlines.join(parts)
	}
	return err
}

// valuesAtOnce is how many values are weighed in one go.
const valuesAtOnce = 512

func (d *dictionary) weighOne(v int, f compare.Form, by compare.Comparator, filled int) {
	compare.Settle(by, f)
	own := float32(math.Log2(float64(filled) / float64(d.count[v])))
	said := by.Compare(f, f).Bits
	d.exact[v], d.said[v] = quarterBits(exactBits(own, said, d.count[v])), mostShared(said)
	if d.sketcher != nil {
		d.sketch[v] = d.sketcher.Sketch(f)
	}
}

// outlines are those of the values of a column, one after another.
type outlines struct {
	by  compare.Outliner // nil for none
	end []uint32         // by value: where its outline ends
	all []uint64
}

// join puts the outlines of runs of values together.
func (o *outlines) join(parts [][]uint64) {
	total := 0
	for _, part := range parts {
		total += len(part)
	}
	if total > math.MaxUint32 {
		o.by, o.end = nil, nil
		return
	}
	o.all = make([]uint64, 0, total)
	for i, part := range parts {
		for v := i * valuesAtOnce; v < min((i+1)*valuesAtOnce, len(o.end)); v++ {
			o.end[v] += uint32(len(o.all))
		}
		o.all = append(o.all, part...)
	}
}

// of is the outline of a value but the missing one.
func (o *outlines) of(v uint32) []uint64 { return o.all[o.end[v-1]:o.end[v]] }

// atMost is the highest level on which two values may be.
func (o *outlines) atMost(v, w uint32) uint8 {
	if o.by == nil {
		return compare.Exact
	}
	a, b := o.of(v), o.of(w)
	if len(a) == 0 || len(b) == 0 {
		return compare.Exact
	}
	return o.by.AtMost(a, b)
}

// mostShared is the most that a value can have in common with another: all that it says
// where its comparator tells that.
func mostShared(said float32) uint8 {
	if said <= 0 {
		return math.MaxUint8
	}
	return quarterBits(said)
}

// exactBits is the information of a value that several records have: by its count where
// that says something, by the rarity of its words where so few have it that they may
// all be one customer.
func exactBits(counted, said float32, count int32) float32 {
	if said <= counted {
		return counted
	}
	return counted + (said-counted)/float32(count)
}
