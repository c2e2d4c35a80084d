package orgtree

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// Data is a kind of what is known of a customer.
type Data uint8

const (
	Identity Data = iota // code, name, identifiers, source keys, status: that it exists
	Contacts             // phones, e-mails, addresses, contacts
	Credit               // limits, terms, exposure
	Tags                 // classification
	Items                // receivables and documents

	dataKinds = 5
)

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

var (
	dataNames   = enum.Names{"identity", "contacts", "credit", "tags", "items"}
	policyNames = enum.Names{"inherit", "private", "assigned", "shared down", "shared up", "shared"}
)

func (d Data) String() string   { return dataNames.Of(uint8(d)) }
func (p Policy) String() string { return policyNames.Of(uint8(p)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (d Data) MarshalText() ([]byte, error) {
	return dataNames.Marshal(uint8(d), "orgtree", "kind of data")
}
func (p Policy) MarshalText() ([]byte, error) {
	return policyNames.Marshal(uint8(p), "orgtree", "sharing policy")
}

// UnmarshalText reads what MarshalText wrote.
func (d *Data) UnmarshalText(text []byte) error {
	return dataNames.Unmarshal(text, (*uint8)(d), "orgtree", "kind of data")
}
func (p *Policy) UnmarshalText(text []byte) error {
	return policyNames.Unmarshal(text, (*uint8)(p), "orgtree", "sharing policy")
}

// AllData returns every kind of data, in order.
func AllData() []Data { return []Data{Identity, Contacts, Credit, Tags, Items} }

// Sharing holds a unit's policy for each kind of [Data].
type Sharing [dataKinds]Policy

// Reach is a place in the tree from which customers are looked at: a unit by itself, or
// with all units below it. The zero unit with Below is the whole book.
type Reach struct {
	Unit  customer.UnitID
	Below bool
}

// Policy returns the policy in force at a unit: its own, or that of the nearest unit
// above which has one, or Private. That of a unit which the tree doesn't know is Private.
func (t *Tree) Policy(unit customer.UnitID, d Data) Policy {
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
func (t *Tree) Shares(from Reach, d Data, owner customer.UnitID, assigned ...customer.UnitID) bool {
	if from.Unit == 0 && from.Below {
		return true
	}
	if t.place(from.Unit) < 0 {
		return false
	}
	if d != Identity && !t.sharesKind(from, d, owner, assigned) {
		return false
	}
	return t.sharesKind(from, Identity, owner, assigned)
}

func (t *Tree) sharesKind(from Reach, d Data, owner customer.UnitID, assigned []customer.UnitID) bool {
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
// The lists are in the order of the tree and include merged units, whose customers may
// still name them. The book itself, unit 0, stands for customers without an owner.
type View struct {
	All      bool // everything in the book; the lists are empty
	Owners   []customer.UnitID
	Assigned []customer.UnitID
	Sharing  []customer.UnitID // all units whose policy is not Private
}

// View computes the view from a reach. It costs some ten nanoseconds for each unit of
// the book.
func (t *Tree) View(from Reach, d Data) View {
	if from.Unit == 0 && from.Below {
		return View{All: true}
	}
	var v View
	for _, unit := range t.order {
		if t.Shares(from, d, unit) {
			v.Owners = append(v.Owners, unit)
		}
		if t.covers(from, unit) {
			v.Assigned = append(v.Assigned, unit)
		}
		if t.Policy(unit, Identity) != Private && t.Policy(unit, d) != Private {
			v.Sharing = append(v.Sharing, unit)
		}
	}
	return v
}
