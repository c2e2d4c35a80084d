package orgtree

import (
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Consolidated is what a unit and those below it have, as far as the session sees it.
// Customers are active and suspended ones.
type Consolidated struct {
	Unit     customer.UnitID // 0 for the book, and for what no unit owns
	Code     string
	Own      int64 // customers that the unit or those below it own
	SharedIn int64 // customers of others that are assigned to these, each once, as far as it concerns the session
	// Measures are those of the customers in Own, in the order of the measures asked for.
	Measures []Measured
}

// Measured is a measure's amounts, by currency or whatever else it tells apart.
type Measured map[string]int64

// Measure computes a figure of a set of customers, such as exposure or aging: the
// packages that keep these have them. It must be additive: of two sets without a common
// customer it is the sum of both.
type Measure func(of bitset.Source) (Measured, error)

// Consolidation is the view of a unit by what is below it: parts, which add up.
type Consolidation struct {
	Total Consolidated // of the unit with all below
	// Parts are the unit by itself, first, and each unit directly below with all that is
	// below that. Each customer of the total is owned in exactly one part.
	Parts []Consolidated
	// SharedAmong is how many of Total.Own are also assigned to another part than their
	// owner's: they are in that part's SharedIn, and counted once in the total.
	SharedAmong int64
}

// Consolidate returns the consolidated view of a unit, 0 for the book, of the customers
// that the session sees. It reads the sets of every unit below; those of many units
// together are kept from one call to the next.
func (r *Reader) Consolidate(unit customer.UnitID, measures ...Measure) (*Consolidation, error) {
	tree, err := r.Tree()
	if err != nil {
		return nil, err
	}
	if _, found := tree.Unit(unit); !found && unit != 0 {
		return nil, unknownUnit("consolidate", unit)
	}
	unit = tree.Resolve(unit)
	concerns := r.seesFrom()
	c := &consolidator{Reader: r, eval: r.evaluator(tree), tree: tree, strange: func(unit customer.UnitID) bool { return !concerns(unit) }, measures: measures}
	result := &Consolidation{}
	if result.Total, err = c.row(unit, Reach{Unit: unit, Below: true}, nil); err != nil {
		return nil, err
	}
	among := &bitset.Set{}
	reaches := []Reach{{Unit: unit}}
	for child := range tree.Children(unit) {
		reaches = append(reaches, Reach{Unit: child, Below: true})
	}
	for _, reach := range reaches {
		row, err := c.row(unit, reach, among)
		if err != nil {
			return nil, err
		}
		result.Parts = append(result.Parts, row)
	}
	result.SharedAmong = among.Len()
	return result, nil
}

// consolidator computes the rows of one view.
type consolidator struct {
	*Reader
	eval     *Access
	tree     *Tree
	strange  func(customer.UnitID) bool // what the unit has of its own doesn't concern the session
	measures []Measure
}

// evaluator makes sets of units' customers, whoever asks.
func (r *Reader) evaluator(tree *Tree) *Access {
	return &Access{reader: *r.full(), plan: &plan{tree: tree}}
}

// row computes one row. Customers that are shared within the unit of the view are added
// to among, unless it is nil.
func (c *consolidator) row(of customer.UnitID, reach Reach, among *bitset.Set) (row Consolidated, err error) {
	row.Unit = reach.Unit
	if u, found := c.tree.Unit(reach.Unit); found {
		row.Code = u.Code
	}
	units := c.tree.covered(reach)
	own := &unitSet{reader: c.Reader, eval: c.eval, owners: newUnitList(slices.Clone(units)), all: reach == Reach{Below: true}}
	sharedIn := &unitSet{reader: c.Reader, eval: c.eval, owners: own.owners, assigned: true, to: newUnitList(slices.DeleteFunc(units, c.strange))}
	if row.Own, err = bitset.Count(own); err != nil {
		return row, err
	}
	if own.all { // everybody is owned there
		sharedIn.owners, sharedIn.to = unitList{}, unitList{}
	}
	if row.SharedIn, err = bitset.Count(sharedIn); err != nil {
		return row, err
	}
	if among != nil && row.SharedIn > 0 {
		if err := c.addShared(among, sharedIn, of); err != nil {
			return row, err
		}
	}
	for _, measure := range c.measures {
		m, err := measure(own)
		if err != nil {
			return row, err
		}
		row.Measures = append(row.Measures, m)
	}
	return row, nil
}

// addShared adds those of a set that are owned within the unit of the view.
func (c *consolidator) addShared(among *bitset.Set, sharedIn *unitSet, of customer.UnitID) error {
	all := &unitSet{reader: c.Reader, eval: c.eval, owners: newUnitList(c.tree.covered(Reach{Unit: of, Below: true})), all: of == 0}
	end, err := sharedIn.End()
	if err != nil {
		return err
	}
	var x, y bitset.Chunk
	for n := range end {
		if err := sharedIn.Read(n, &x); err != nil {
			return err
		}
		if x.Empty() {
			continue
		}
		if err := all.Read(n, &y); err != nil {
			return err
		}
		if x.And(&y); !x.Empty() {
			among.Own(n).Or(&x)
		}
	}
	return nil
}

// unitSet is the active and suspended customers that units own, or with assigned, those
// of other units that are assigned to some of them, as far as the session sees them.
type unitSet struct {
	reader   *Reader
	eval     *Access
	owners   unitList
	assigned bool
	to       unitList
	all      bool // whatever owns them
}

// End implements [bitset.Source].
func (s *unitSet) End() (uint64, error) {
	state, err := s.eval.chunks(false)
	if err != nil {
		return 0, err
	}
	return uint64(len(state.owners)), nil
}

// Has implements [bitset.Source].
func (s *unitSet) Has(number uint64) (bool, error) {
	var c bitset.Chunk
	err := s.Read(number/bitset.ChunkSize, &c)
	return c.Contains(uint16(number)), err
}

// Read implements [bitset.Source].
func (s *unitSet) Read(n uint64, into *bitset.Chunk) error {
	into.Clear()
	state, err := s.eval.chunks(s.assigned)
	if err != nil {
		return err
	}
	switch {
	case s.all:
		return s.narrow(n, into, true)
	case s.assigned:
		err = s.readAssigned(n, state, into)
	default:
		err = s.eval.union(unionOwners, s.owners, n, into)
	}
	if err != nil || into.Empty() {
		return err
	}
	return s.narrow(n, into, false)
}

// narrow keeps active and suspended customers that the session sees: of into, or all.
func (s *unitSet) narrow(n uint64, into *bitset.Chunk, all bool) error {
	var x bitset.Chunk
	for _, status := range []customer.Status{customer.Active, customer.Suspended} {
		if err := s.eval.mark(customer.StatusKey(nil, status), n, &x); err != nil {
			return err
		}
	}
	if all {
		*into = x
	} else {
		into.And(&x)
	}
	if a := s.reader.access(); a != nil {
		if within := a.Within(); within != nil {
			if err := within.Read(n, &x); err != nil {
				return err
			}
			into.And(&x)
		}
	}
	return nil
}

func (s *unitSet) readAssigned(n uint64, state *chunkState, into *bitset.Chunk) error {
	if err := s.eval.union(unionAssigned, s.to, n, into); err != nil {
		return err
	}
	for _, id := range state.due[n] { // the stored sets are not up to date
		p, err := s.eval.reader.placementOf(id)
		if err != nil {
			return err
		}
		into.Remove(uint16(id))
		if slices.ContainsFunc(p.AssignedAt(s.eval.reader.now()), func(unit customer.UnitID) bool { return slices.Contains(s.to.ids, unit) }) {
			into.Add(uint16(id))
		}
	}
	if into.Empty() {
		return nil
	}
	var own bitset.Chunk
	if err := s.eval.union(unionOwners, s.owners, n, &own); err != nil {
		return err
	}
	into.AndNot(&own)
	return nil
}

// CustomersOf is the set of active and suspended customers that a unit and those below
// it own, 0 for the whole book, as far as the session sees them: for measures of other
// packages.
func (r *Reader) CustomersOf(unit customer.UnitID) (bitset.Source, error) {
	tree, err := r.Tree()
	if err != nil {
		return nil, err
	}
	return r.customersOf(tree, unit), nil
}

func (r *Reader) customersOf(tree *Tree, unit customer.UnitID) *unitSet {
	units := newUnitList(tree.covered(Reach{Unit: unit, Below: true}))
	return &unitSet{reader: r, eval: r.evaluator(tree), owners: units, all: unit == 0}
}

// countSeen counts what CustomersOf returns.
func (r *Reader) countSeen(tree *Tree, unit customer.UnitID) (int64, error) {
	return bitset.Count(r.customersOf(tree, unit))
}
