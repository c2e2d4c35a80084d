package orgtree

import (
	"slices"
	"sync"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// dataKinds is the number of kinds of data.
const dataKinds = customer.Items + 1

// Policy says how far an owner unit shares a kind of data.
type Policy uint8

const (
	Inherit    Policy = iota // as the unit above; at the book, Private
	Private                  // the owner unit alone
	Assigned                 // and the units that the customer is also assigned to
	SharedDown               // and all units below the owner
	SharedUp                 // as Assigned, and all units above the owner, by themselves
	Shared                   // every unit of the book
)

var policyNames = enum.Names{"inherit", "private", "assigned", "shared down", "shared up", "shared"}

func (p Policy) String() string { return policyNames.Of(uint8(p)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (p Policy) MarshalText() ([]byte, error) {
	return policyNames.Marshal(uint8(p), "orgtree", "sharing policy")
}

// UnmarshalText reads what MarshalText wrote.
func (p *Policy) UnmarshalText(text []byte) error {
	return policyNames.Unmarshal(text, (*uint8)(p), "orgtree", "sharing policy")
}

// Sharing holds a unit's policy for each kind of [customer.Data].
type Sharing [dataKinds]Policy

// Reach is a place in the tree from which customers are looked at: a unit by itself, or
// with all units below it. The zero unit with Below is the whole book.
type Reach struct {
	Unit  customer.UnitID
	Below bool
}

// Policy returns the policy in force at a unit: its own, or that of the nearest unit
// above which has one, or Private. That of a unit which the tree doesn't know is Private.
func (t *Tree) Policy(unit customer.UnitID, d customer.Data) Policy {
	at := t.place(unit)
	if at < 0 || d >= dataKinds {
		return Private
	}
	return t.policies[at][d]
}

// Shares reports whether from a reach a kind of data can be seen of a customer that is
// owned by one unit and now assigned to others. It is seen from a unit by itself
//
//   - under every policy, when the unit is the owner;
//   - under every policy but Private, when the customer is assigned to the unit;
//   - under SharedDown, when the unit is below the owner;
//   - under SharedUp, when the unit is above the owner;
//   - under Shared, from every unit;
//
// and from a unit with those below, when it is seen from any of these by itself. The
// policy is the owner unit's, also for those that the customer is assigned to. A unit
// that was merged counts as its survivor. What is not Identity is seen only where
// Identity is seen too.
//
// It costs some nanoseconds for each assignment.
func (t *Tree) Shares(from Reach, d customer.Data, owner customer.UnitID, assigned ...customer.UnitID) bool {
	if from.Unit == 0 && from.Below {
		return true
	}
	if t.place(from.Unit) < 0 {
		return false
	}
	if d != customer.Identity && !t.sharesKind(from, d, owner, assigned) {
		return false
	}
	return t.sharesKind(from, customer.Identity, owner, assigned)
}

func (t *Tree) sharesKind(from Reach, d customer.Data, owner customer.UnitID, assigned []customer.UnitID) bool {
	if t.covers(from, owner) {
		return true
	}
	policy := t.Policy(owner, d)
	if policy == Private {
		return false
	}
	for _, unit := range assigned {
		if t.covers(from, unit) {
			return true
		}
	}
	switch policy {
	case SharedDown:
		return t.Contains(owner, from.Unit)
	case SharedUp:
		return t.Contains(from.Unit, owner)
	case Shared:
		return true
	}
	return false
}

// covers reports whether a unit is in a reach.
func (t *Tree) covers(from Reach, unit customer.UnitID) bool {
	if from.Below {
		return t.Contains(from.Unit, unit)
	}
	return t.Resolve(from.Unit) == t.Resolve(unit)
}

// View tells which customers [Tree.Shares] shows from a reach, as sets of units: those
// that any of Owners owns, and those that are assigned to any of Assigned and are owned
// by any of Sharing.
//
// The lists include merged units, whose customers may still name them. Those in Owners and
// Assigned are in the order of the tree. Sharing is shared among readers. The book itself, unit 0, stands for customers without an owner.
type View struct {
	All      bool // everything in the book; the lists are empty
	Owners   []customer.UnitID
	Assigned []customer.UnitID
	Sharing  []customer.UnitID // all units whose policy is not Private
}

// sharedUnits are the units, by place, that are seen from elsewhere: computed when they
// are first asked for.
type sharedUnits struct {
	once   sync.Once
	merged []int32
	widely [dataKinds][]int32  // their policy is Shared
	open   [dataKinds]unitList // their policy, and that for Identity, is not Private
}

func (t *Tree) sharedUnits() *sharedUnits {
	s := &t.shared
	s.once.Do(func() {
		var open [dataKinds][]customer.UnitID
		for at, unit := range t.order {
			if t.survivor[at] != int32(at) {
				s.merged = append(s.merged, int32(at))
			}
			for _, d := range customer.AllData() {
				if t.policies[at][d] == Shared {
					s.widely[d] = append(s.widely[d], int32(at))
				}
				if t.policies[at][d] != Private && t.policies[at][customer.Identity] != Private {
					open[d] = append(open[d], unit)
				}
			}
		}
		for d := range open {
			s.open[d] = newUnitList(open[d])
		}
	})
	return s
}

// View computes the view from a reach. It costs some ten nanoseconds for each unit that
// is listed or merged, and for each one above.
func (t *Tree) View(from Reach, d customer.Data) View {
	if from.Unit == 0 && from.Below {
		return View{All: true}
	}
	if t.place(from.Unit) < 0 || d >= dataKinds {
		return View{}
	}
	v := View{Assigned: t.covered(from), Sharing: t.sharedUnits().open[d].ids}
	for _, at := range t.candidates(from, d) {
		if unit := t.order[at]; t.Shares(from, d, unit) {
			v.Owners = append(v.Owners, unit)
		}
	}
	return v
}

// covered returns the units in a reach, merged ones too, in the order of the tree.
func (t *Tree) covered(from Reach) (units []customer.UnitID) {
	at := t.place(from.Unit)
	if at < 0 {
		return nil
	}
	at = t.survivor[at]
	if from.Below {
		return slices.Clone(t.order[at : t.last[at]+1])
	}
	units = append(units, t.order[at])
	for _, merged := range t.sharedUnits().merged {
		if t.survivor[merged] == at {
			units = append(units, t.order[merged])
		}
	}
	return units
}

// candidates returns the places, in order, of the units whose customers may be seen from
// a reach: all below it and above it, merged ones, and those that share with everyone.
func (t *Tree) candidates(from Reach, d customer.Data) []int32 {
	at := t.survivor[t.place(from.Unit)]
	shared := t.sharedUnits()
	places := slices.Concat(shared.merged, shared.widely[d], shared.widely[customer.Identity])
	for place := at; place <= t.last[at]; place++ {
		places = append(places, place)
	}
	for place := at; place > 0; {
		place = t.parents[place]
		places = append(places, place)
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// Acts reports whether from a reach something can be done to a customer that is owned by
// one unit and now assigned to others: when the owner is in the reach, or, unless the
// owner's policy for the kind of data is Private, one of those that it is assigned to.
// Sharing beyond that is for reading.
func (t *Tree) Acts(from Reach, d customer.Data, owner customer.UnitID, assigned ...customer.UnitID) bool {
	if t.covers(from, owner) {
		return true
	}
	if t.Policy(owner, customer.Identity) == Private || t.Policy(owner, d) == Private {
		return false
	}
	return slices.ContainsFunc(assigned, func(unit customer.UnitID) bool { return t.covers(from, unit) })
}
