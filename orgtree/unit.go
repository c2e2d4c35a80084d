package orgtree

import (
	"fmt"
	"slices"
	"time"
	"unicode"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Kind tells what a unit is to the organisation. It has no effect of its own.
type Kind uint8

const (
	Group Kind = iota
	Company
	Branch
	Department
	Team
	Region
)

var kindNames = enum.Names{"group", "company", "branch", "department", "team", "region"}

func (k Kind) String() string { return kindNames.Of(uint8(k)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (k Kind) MarshalText() ([]byte, error) {
	return kindNames.Marshal(uint8(k), "orgtree", "kind of unit")
}

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	return kindNames.Unmarshal(text, (*uint8)(k), "orgtree", "kind of unit")
}

// Unit is one version of a node of the organisation. Units that a Reader returned belong
// to the caller, those of a [Tree] are shared and must not be changed.
type Unit struct {
	ID      customer.UnitID
	Version uint64
	Code    string // unique in the book, letter case and width ignored; none for the book
	Names   customer.Names
	Kind    Kind

	Parent     customer.UnitID // on the instant of the Tree or Reader, 0 for none
	Opened     time.Time
	Moves      []Move    // to which parent and since when, oldest first; the first is the opening
	Closed     time.Time // zero while it is open
	MergedInto customer.UnitID

	Sharing Sharing
	// Quota bounds the active and suspended customers of the unit and those below, and
	// RepQuota those of one representative who has customers in the unit; 0 is no bound.
	// RepQuota is inherited from the nearest unit above that has one; [Tx.SetRepQuota]
	// sets that of one person.
	Quota, RepQuota int64

	Recorded time.Time // when this version was recorded
	Actor    string    // who recorded this version
	Reason   string    // why

	rest string // fields that a newer program wrote
}

// Move puts a unit below a parent, 0 for none, from an instant on.
type Move struct {
	From   time.Time
	Parent customer.UnitID
}

// The limits of units.
const (
	MaxUnitCode = 60 // bytes
	MaxLevels   = 64 // units from the top to the lowest
	maxQuota    = 1 << 40
)

// parentAt is the unit's parent by its own moves on an instant, and whether it had been
// opened by then.
func (u *Unit) parentAt(at time.Time) (parent customer.UnitID, opened bool) {
	for i := len(u.Moves) - 1; i >= 0; i-- {
		if !u.Moves[i].From.After(at) {
			return u.Moves[i].Parent, true
		}
	}
	return 0, u.ID == 0
}

// mergedAt reports whether the unit has gone up in another by an instant.
func (u *Unit) mergedAt(at time.Time) bool { return u.MergedInto != 0 && !u.Closed.After(at) }

// closedAt reports whether the unit has ended by an instant.
func (u *Unit) closedAt(at time.Time) bool { return !u.Closed.IsZero() && !u.Closed.After(at) }

// check brings the texts of a unit into the form in which they are stored, and reports
// the first thing that is wrong with it.
func (u *Unit) check(op string) error {
	wrong := func(field, value, remedy string) error {
		return &Error{Op: op, Unit: u.ID, Field: field, Value: value, Remedy: remedy, Err: ErrInvalid}
	}
	code, err := text.Clean(u.Code)
	switch {
	case err != nil:
		return wrong("Code", text.Excerpt(u.Code), err.Error())
	case u.ID == 0 && code != "":
		return wrong("Code", code, "leave it empty: unit 0 is the book itself")
	case u.ID != 0 && code == "":
		return wrong("Code", "", "give each unit a short code")
	case len(code) > MaxUnitCode:
		return wrong("Code", text.Excerpt(code), fmt.Sprintf("use at most %d bytes", MaxUnitCode))
	case slices.ContainsFunc([]rune(code), func(r rune) bool { return unicode.IsSpace(r) || r == '/' }):
		return wrong("Code", code, "leave out spaces and slashes, which separate codes in paths")
	case int(u.Kind) >= len(kindNames):
		return wrong("Kind", u.Kind.String(), fmt.Sprintf("use one of %v", kindNames))
	case u.Quota < 0 || u.Quota > maxQuota:
		return wrong("Quota", fmt.Sprint(u.Quota), fmt.Sprintf("use 0 for no bound, or at most %d", int64(maxQuota)))
	case u.RepQuota < 0 || u.RepQuota > maxQuota:
		return wrong("RepQuota", fmt.Sprint(u.RepQuota), fmt.Sprintf("use 0 for no bound, or at most %d", int64(maxQuota)))
	}
	for d, p := range u.Sharing {
		if int(p) >= len(policyNames) {
			return wrong("Sharing["+customer.Data(d).String()+"]", p.String(), fmt.Sprintf("use one of %v", policyNames))
		}
	}
	u.Code = code
	return u.Names.Validate("Names")
}

// Unit returns a unit by id, as of now; 0 is the book with its default policies and
// quotas. It costs one read.
func (r *Reader) Unit(id customer.UnitID) (*Unit, error) {
	u, err := r.unit("get unit", id)
	if err != nil {
		return nil, err
	}
	u.Parent, _ = u.parentAt(r.now())
	return u, nil
}

// unit reads a unit; the book needs no record of its own.
func (r *Reader) unit(op string, id customer.UnitID) (*Unit, error) {
	u, err := r.store.unit.Get(r.storage, id)
	if isNotFound(err) {
		if id == 0 {
			return &Unit{}, nil
		}
		return nil, unknownUnit(op, id)
	}
	return u, err
}

// UnitByCode returns the unit with a code; letter case and width do not count. It costs
// two reads.
func (r *Reader) UnitByCode(code string) (*Unit, error) {
	id, err := r.store.unit.Lookup(r.storage, r.store.unitCode, storage.Key(nil).String(text.Fold(code)))
	if isNotFound(err) {
		return nil, &Error{Op: "get unit", Field: "Code", Value: code, Remedy: "use the code of one of the book's units", Err: fmt.Errorf("%w: %w", ErrUnknownUnit, ErrNotFound)}
	}
	if err != nil {
		return nil, err
	}
	return r.Unit(id)
}

// UnitHistory returns all versions of a unit, oldest first: every change of it, who made
// it and why. Moves and closures carry the dates on which they take effect; a version's
// Recorded says when that was known.
func (r *Reader) UnitHistory(id customer.UnitID) ([]*Unit, error) {
	var versions []*Unit
	for v, err := range r.store.unit.Versions(r.storage, id) {
		if err != nil {
			return nil, err
		}
		v.Value.Parent, _ = v.Value.parentAt(v.Recorded)
		versions = append(versions, v.Value)
	}
	return versions, nil
}
