package stocktake

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// amounts is a figure and where it comes from.
type amounts struct {
	name  string
	field string // that hides it
	load  func(ids []customer.ID, add func(i int, currency string, minor int64)) error
	shift int // of an attribute: decimals of the currency less those of the number
}

// figureKey orders the figures of a list.
type figureKey struct{ name, currency string }

// figures are sums of amounts.
type figures map[figureKey]*Figure

// add adds an amount; n is 1 for a customer that has none yet in this figure.
func (f figures) add(key figureKey, amount, n int64) bool {
	sum := f[key]
	if sum == nil {
		sum = &Figure{Name: key.name, Currency: key.currency}
		f[key] = sum
	}
	total := sum.Amount + amount
	fits := (amount >= 0) == (total >= sum.Amount)
	sum.Amount, sum.Customers = total, sum.Customers+n
	return fits
}

// list is the figures, revenue first.
func (f figures) list() []Figure {
	var list []Figure
	for _, x := range f {
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(b.Name, a.Name), cmp.Compare(a.Currency, b.Currency)) // "revenue" is after "profit"
	})
	return list
}

// amounts finds the figures that the definition asks for.
func (c *count) amounts() ([]*amounts, error) {
	var list []*amounts
	for _, ask := range []struct {
		name, field string
		from        *Measure
	}{{FigureRevenue, "Revenue", c.def.Revenue}, {FigureProfit, "Profit", c.def.Profit}} {
		if ask.from == nil {
			continue
		}
		m := &amounts{name: ask.name, field: "item"}
		if ask.from.Attribute == "" {
			at := c.instantAt(len(c.counted) - 1)
			m.load = func(ids []customer.ID, add func(int, string, int64)) error {
				return c.beside.Receivables.Invoiced(at, ask.from.months(), ids, add)
			}
		} else {
			shift, err := c.fitting().decimals(ask.field, ask.from)
			if err != nil {
				return nil, err
			}
			m.field, m.shift = attrAxis+ask.from.Attribute, shift
		}
		list = append(list, m)
	}
	return list, nil
}

// measure is what the definition says of an amount.
func (c *count) measure(m *amounts) *Measure {
	if m.name == FigureRevenue {
		return c.def.Revenue
	}
	return c.def.Profit
}

// sum adds a figure of the present chunk's customers to every row that they are in.
func (d *dividing) sum(m *amounts) error {
	members := *d.last
	if access := d.reader.customers.Access(); access != nil {
		if shown := access.WithinUnmasked(m.field); shown != nil {
			var in bitset.Chunk
			if err := shown.Read(d.chunk, &in); err != nil {
				return err
			}
			members.And(&in)
		}
	}
	var ids []customer.ID
	for low := range members.All() {
		ids = append(ids, customer.ID(d.chunk*bitset.ChunkSize+uint64(low)))
	}
	type amount struct {
		currency string
		minor    int64
		low      uint16
	}
	var list []amount
	add := func(i int, currency string, minor int64) {
		list = append(list, amount{currency, minor, uint16(uint64(ids[i]) % bitset.ChunkSize)})
	}
	load := m.load
	if load == nil {
		load = d.attributes(d.measure(m), m.shift)
	}
	if err := load(ids, add); err != nil {
		return err
	}
	at := make([]places, len(d.axes))
	for k, a := range d.axes {
		if !a.inner {
			at[k] = a.places()
		}
	}
	for i, x := range list {
		key := figureKey{m.name, x.currency}
		n := int64(1)
		for k := i - 1; k >= 0 && list[k].low == x.low; k-- {
			if list[k].currency == x.currency {
				n = 0
			}
		}
		fits := d.total.add(key, x.minor, n)
		for k, a := range d.axes {
			for _, row := range at[k].of(x.low) {
				fits = a.sum(row).figures.add(key, x.minor, n) && fits
			}
		}
		if !fits {
			return &Error{Op: opCount, Field: m.name, Value: x.currency, Remedy: "divide the customers by a filter", Err: storage.ErrLimit}
		}
	}
	return nil
}

// attributes loads the amounts of a custom attribute, as it was at the closing.
func (d *dividing) attributes(m *Measure, shift int) func([]customer.ID, func(int, string, int64)) error {
	return func(ids []customer.ID, add func(int, string, int64)) error {
		versions := map[uint64]uint64{}
		for i := range d.placed {
			if x := &d.placed[i]; x.from >= 0 && x.closing != present {
				versions[x.id] = x.closing
			}
		}
		for i, id := range ids {
			c, err := d.recordOf(id, versions[uint64(id)])
			if errors.Is(err, customer.ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			for k := range c.Attributes {
				if a := &c.Attributes[k]; a.Name == m.Attribute {
					n, fits := shifted(a.Value.Units(), shift)
					if !fits {
						return &Error{Op: opCount, Field: m.Attribute, Value: fmt.Sprintf("of customer %s", id), Remedy: "correct it: it has too many digits for an amount in " + m.Currency, Err: storage.ErrLimit}
					}
					add(i, m.Currency, n)
				}
			}
		}
		return nil
	}
}

// shifted is n times ten to the power of by, rounded half away from zero.
func shifted(n int64, by int) (shifted int64, fits bool) {
	for ; by > 0; by-- {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			return 0, false
		}
		n *= 10
	}
	unit := int64(1)
	for ; by < 0; by++ {
		unit *= 10
	}
	rest := n % unit
	if n /= unit; 2*max(rest, -rest) < unit {
		return n, true
	}
	if rest < 0 {
		return n - 1, true
	}
	return n + 1, true
}

// recordOf reads a version of a record, 0 for the present one.
func (d *dividing) recordOf(id customer.ID, version uint64) (*customer.Customer, error) {
	if version == 0 {
		return d.all.Exact(id)
	}
	return d.all.AtVersion(id, version)
}

// places are the rows of a chunk's customers on one axis: of most of them one.
type places struct {
	from []int32 // by customer, where its rows begin; one more at the end
	rows []int32
}

func (p *places) of(low uint16) []int32 {
	if p.from == nil {
		return nil
	}
	return p.rows[p.from[low]:p.from[int(low)+1]]
}

// places lists the rows at the closing by customer.
func (a *divided) places() places {
	p := places{from: make([]int32, bitset.ChunkSize+1)}
	for _, members := range a.rows[atClosing] {
		for low := range members.All() {
			p.from[int(low)+1]++
		}
	}
	for i := range bitset.ChunkSize {
		p.from[i+1] += p.from[i]
	}
	p.rows = make([]int32, p.from[bitset.ChunkSize])
	next := slices.Clone(p.from)
	for row, members := range a.rows[atClosing] {
		for low := range members.All() {
			p.rows[next[low]] = row
			next[low]++
		}
	}
	return p
}
