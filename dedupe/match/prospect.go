package match

import (
	"math"

	"github.com/clientele-go/clientele/dedupe/compare"
)

// prospect scores pairs column by column, the cheap columns first, until it is clear that
// a pair is not worth anyone's time. One worker uses it at a time.
type prospect struct {
	c        *comparer
	s        *scorer
	dear     []int             // columns that take long, those first that candidates seldom agree in
	isDear   []bool            // by column
	outlined []bool            // by column: whether bits make no difference on the lowest level
	upTo     [][absent]float32 // by column: the most that it counts up to a level
	most     []*[256]float32   // by column: the most that it adds, by the most bits that can be shared
	against  [3]float32        // by group: the share of evidence against that counts at least
	open     []bool            // by column: whether it is not compared yet
	state    []uint8
	bits     []uint8
	fetched  uint64 // of no meaning: reading is what counts
}

// roundingMargin is more than the order of a sum changes it.
const roundingMargin = 0.01

func newProspect(c *comparer, s *scorer, p *parameters) *prospect {
	n := len(c.l.columns)
	f := &prospect{c: c, s: s, isDear: make([]bool, n), open: make([]bool, n), against: [3]float32{1, 1, 1}, state: make([]uint8, n), bits: make([]uint8, n)}
	places := 0
	for i := range c.l.columns {
		switch s.groups[i] {
		case nameGroup:
			if s.whole[i] {
				f.against[nameGroup] = 0 // the parts may have said it
			}
		case addressGroup:
			if places++; places > 1 {
				f.against[addressGroup] = 0 // the others may dampen it to next to nothing
			}
		}
		f.isDear[i] = isDear(c.l.columns[i].typ) && !c.meets[i]
		f.outlined = append(f.outlined, !p.Columns[i].Translated)
		f.most = append(f.most, mostOf(s.same[i], p.Columns[i].Translated))
	}
	for i, w := range s.same {
		f.upTo = append(f.upTo, upTo(w, f.against[s.groups[i]]))
	}
	for _, named := range []bool{false, true} { // the name is what most candidates were found by
		for i := range c.l.columns {
			if f.isDear[i] && named == (s.groups[i] == nameGroup) {
				f.dear = append(f.dear, i)
			}
		}
	}
	return f
}

// isDear reports whether values of a type take long to compare.
func isDear(t compare.Type) bool {
	switch t {
	case compare.Name, compare.PersonName, compare.OrganisationName, compare.Address, compare.AddressStreet,
		compare.AddressBuilding, compare.Text:
		return true
	}
	return false
}

// mostOf is the most that a column adds where no more than so many bits are shared; where
// bits say something else, whatever they are.
func mostOf(w *lookup, any bool) *[256]float32 {
	var most [256]float32
	top := float32(0) // missing
	for b := range most {
		for s := range absent {
			top = max(top, w[s][b])
		}
		most[b] = top
	}
	if any {
		for b := range most {
			most[b] = top
		}
	}
	return &most
}

// upTo is the most that a column counts up to each level, of evidence against it a share.
func upTo(w *lookup, against float32) (most [absent]float32) {
	top := float32(math.Inf(-1))
	for level := range most {
		for _, x := range w[level] {
			top = max(top, held(x, against))
		}
		most[level] = top
	}
	return most
}

// batch is how many pairs are looked up together.
const batch = 16

// scores fills the scores of pairs.
func (f *prospect) scores(pairs []pair, scores []float32) {
	for from := 0; from < len(pairs); from += batch {
		to := min(from+batch, len(pairs))
		f.fetch(pairs[from:to])
		for i := from; i < to; i++ {
			scores[i] = f.score(pairs[i].a, pairs[i].b)
		}
	}
}

// fetch reads what the glances at some pairs will read, so that they wait for memory together
// and not one after another.
func (f *prospect) fetch(pairs []pair) {
	t, sum := f.c.t, uint64(0)
	for _, p := range pairs {
		sum += uint64(t.row(p.b)[0])
	}
	for _, p := range pairs {
		for i, w := range t.row(p.b) {
			d := t.dicts[i]
			switch {
			case d.sketch != nil:
				sum += d.sketch[w]
			case f.isDear[i]:
				sum += uint64(d.said[w])
				if d.outlines.by != nil {
					sum += uint64(d.outlines.end[w])
				}
			}
		}
	}
	for _, p := range pairs {
		for i, w := range t.row(p.b) {
			if o := &t.dicts[i].outlines; o.by != nil && w != missing && o.end[w-1] < uint32(len(o.all)) {
				sum += o.all[o.end[w-1]]
			}
		}
	}
	f.fetched += sum
}

// score is the score of two rows; of a pair that nobody will look at, it may be a bound of it.
func (f *prospect) score(x, y uint32) float32 {
	bound := f.glance(x, y)
	for _, i := range f.dear {
		if bound < possibleAbove-roundingMargin {
			return bound
		}
		if !f.open[i] {
			continue
		}
		d, v, w := f.c.t.dicts[i], f.c.t.row(x)[i], f.c.t.row(y)[i]
		bound -= f.most[i][min(d.said[v], d.said[w])]
		level := d.outlines.atMost(v, w)
		switch low := bound + f.upTo[i][level]; {
		case low < possibleAbove-roundingMargin:
			return low
		case level == 0 && f.outlined[i]:
			f.state[i], f.bits[i] = 0, 0
		default:
			f.state[i], f.bits[i] = f.c.ids(i, d, v, w)
		}
		bound += f.counted(i)
	}
	return f.s.score(f.state, f.bits)
}

// glance compares all but the dear columns, notes which are left open, and returns the most
// that the score can come to.
func (f *prospect) glance(x, y uint32) float32 {
	c, bound := f.c, f.s.prior+f.s.shift
	vs, ws := c.t.row(x), c.t.row(y)
	for i, d := range c.t.dicts {
		v, w := vs[i], ws[i]
		f.open[i] = f.isDear[i] && v != w && v != missing && w != missing
		if f.open[i] {
			bound += f.most[i][min(d.said[v], d.said[w])]
			continue
		}
		f.state[i], f.bits[i] = c.ids(i, d, v, w)
		if c.meets[i] {
			c.x[i], c.y[i] = value{form: c.form(i, v)}, value{form: c.form(i, w)}
		}
	}
	c.crossings(c.x, c.y, f.state, f.bits)
	for i, open := range f.open {
		if !open {
			bound += f.counted(i)
		}
	}
	return bound
}

// counted is the most that the evidence of a column can count, whatever the others say.
func (f *prospect) counted(i int) float32 {
	return held(f.s.same[i][f.state[i]][f.bits[i]], f.against[f.s.groups[i]])
}

// held is evidence, of which a share counts where it is against.
func held(w, against float32) float32 {
	if w < 0 {
		w *= against
	}
	return w
}
