package orgtree

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Placement is where a customer stands in the organisation beside its owner unit and
// representative, which are in its record. A customer without one has the zero
// Placement. Placements belong to the caller.
type Placement struct {
	Customer customer.ID
	Version  uint64
	Team     customer.UnitID // that serves the customer for its owner, 0 for none
	// Assignments and Overlays have at most one element for each unit.
	Assignments []Assignment
	Overlays    []Overlay

	Recorded time.Time
	Actor    string
	Reason   string

	rest string
}

// Assignment gives a customer to a unit beside its owner, for a time.
type Assignment struct {
	Unit  customer.UnitID
	From  time.Time       // zero for at once
	Until time.Time       // the first instant after it; zero for open-ended
	Rep   string          // the unit's own representative, empty for the customer's
	Team  customer.UnitID // the team that serves the customer for the unit

	live bool // it had begun when the record was written, and so is in the sets by unit
	rest string
}

// At reports whether the assignment is in force on an instant.
func (a *Assignment) At(t time.Time) bool {
	return !t.Before(a.From) && (a.Until.IsZero() || t.Before(a.Until))
}

// Limit is an amount in minor units of a currency, such as fen.
type Limit struct {
	Amount   int64
	Currency string // ISO 4217
}

// MaxPlacement bounds the assignments and the overlays of a customer, MaxOverlayNote a
// note in bytes.
const (
	MaxPlacement   = customer.MaxList
	MaxOverlayNote = 2000
)

// in returns the assignment to a unit.
func (p *Placement) in(unit customer.UnitID) int {
	return slices.IndexFunc(p.Assignments, func(a Assignment) bool { return a.Unit == unit })
}

// AssignedAt returns the units to which the customer is assigned on an instant.
func (p *Placement) AssignedAt(t time.Time) []customer.UnitID {
	var units []customer.UnitID
	for i := range p.Assignments {
		if p.Assignments[i].At(t) {
			units = append(units, p.Assignments[i].Unit)
		}
	}
	return units
}

// due is when an assignment next begins or ends, counted from the record: zero for
// never.
func (p *Placement) due() (due time.Time) {
	for i := range p.Assignments {
		a := &p.Assignments[i]
		if a.live {
			due = earliest(due, a.Until)
		} else {
			due = earliest(due, a.From)
		}
	}
	return due
}

// units returns every unit that the placement names, each once.
func (p *Placement) units() []customer.UnitID {
	units := []customer.UnitID{p.Team}
	for i := range p.Assignments {
		units = append(units, p.Assignments[i].Unit, p.Assignments[i].Team)
	}
	for i := range p.Overlays {
		units = append(units, p.Overlays[i].Unit)
	}
	slices.Sort(units)
	units = slices.Compact(units)
	if units[0] == 0 {
		return units[1:]
	}
	return units
}

// names reports whether the placement names a unit on an instant or later.
func (p *Placement) names(unit customer.UnitID, at time.Time) bool {
	return p.Team == unit || slices.ContainsFunc(p.Overlays, func(o Overlay) bool { return o.Unit == unit }) ||
		slices.ContainsFunc(p.Assignments, func(a Assignment) bool { return !a.endedBy(at) && (a.Unit == unit || a.Team == unit) })
}

func (a *Assignment) endedBy(t time.Time) bool { return !a.Until.IsZero() && !t.Before(a.Until) }

// settle drops what has ended by an instant and marks what has begun.
func (p *Placement) settle(now time.Time) {
	p.Assignments = slices.DeleteFunc(p.Assignments, func(a Assignment) bool { return a.endedBy(now) })
	for i := range p.Assignments {
		p.Assignments[i].live = p.Assignments[i].At(now)
	}
}

func (p *Placement) empty() bool {
	return p.Team == 0 && len(p.Assignments) == 0 && len(p.Overlays) == 0 && p.rest == ""
}

// Placement returns a customer's placement, the zero one when there is none or the
// customer is out of sight; what concerns units from which the session doesn't see is
// left out. It costs one read.
func (r *Reader) Placement(id customer.ID) (*Placement, error) {
	p, err := r.placementOf(id)
	if err != nil {
		return nil, err
	}
	return r.narrowed(p)
}

// placementOf returns a customer's whole placement.
func (r *Reader) placementOf(id customer.ID) (*Placement, error) {
	p, err := r.store.placement.Get(r.storage, id)
	if isNotFound(err) {
		return &Placement{Customer: id}, nil
	}
	return p, err
}

// PlacementAt returns a customer's placement as it was recorded at an instant, to who
// may see the customer now.
func (r *Reader) PlacementAt(id customer.ID, at time.Time) (*Placement, error) {
	p, err := r.store.placement.At(r.storage, id, at)
	if isNotFound(err) {
		p, err = &Placement{Customer: id}, nil
	}
	if err != nil {
		return nil, err
	}
	return r.narrowed(p)
}

// UnitsOf returns the owner unit of a customer, 0 for none, and the other units to which
// it is assigned now, as far as they concern the session; merged units count as their
// survivors. It costs two reads.
func (r *Reader) UnitsOf(id customer.ID) (owner customer.UnitID, assigned []customer.UnitID, err error) {
	c, err := r.customers.Exact(id)
	if err != nil {
		return 0, nil, err
	}
	tree, err := r.Tree()
	if err != nil {
		return 0, nil, err
	}
	p, err := r.placementOf(id)
	if err != nil {
		return 0, nil, err
	}
	owner = tree.Resolve(c.Owner)
	concerns := r.seesFrom()
	for _, unit := range p.AssignedAt(r.now()) {
		if unit = tree.Resolve(unit); unit != owner && concerns(unit) && !slices.Contains(assigned, unit) {
			assigned = append(assigned, unit)
		}
	}
	return owner, assigned, nil
}

// Assign gives a customer to a unit beside its owner; an assignment to the same unit, or to
// one that was merged into it, is replaced, but for a representative that is hidden from the session. The unit and the
// team must be open.
func (tx *Tx) Assign(id customer.ID, a Assignment) (*Placement, error) {
	const op = "assign"
	a = Assignment{Unit: a.Unit, From: a.From, Until: a.Until, Rep: a.Rep, Team: a.Team}
	for _, at := range []*time.Time{&a.From, &a.Until} {
		if !at.IsZero() {
			*at = tx.effective(*at)
		}
	}
	if !a.Until.IsZero() && (!a.Until.After(a.From) || !a.Until.After(tx.now())) {
		return nil, &Error{Op: op, Field: "Until", Value: day(a.Until), Remedy: "use an instant after From that is ahead", Err: ErrDate}
	}
	if err := cleanTexts(op, field{"Rep", &a.Rep, customer.MaxText}); err != nil {
		return nil, err
	}
	if err := tx.checkPlaces(op, a.Unit, a.Team); err != nil {
		return nil, err
	}
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	return tx.transfer(op, id, func(p *Placement) error {
		same := func(x Assignment) bool { return tree.Resolve(x.Unit) == a.Unit }
		i := slices.IndexFunc(p.Assignments, same)
		if i < 0 {
			i = len(p.Assignments)
			p.Assignments = append(p.Assignments, Assignment{})
		}
		if err := tx.keepRep(id, &a.Rep, p.Assignments[i].Rep); err != nil {
			return err
		}
		p.Assignments[i] = a
		p.Assignments = append(p.Assignments[:i+1], slices.DeleteFunc(p.Assignments[i+1:], same)...)
		return nil
	})
}

// keepRep leaves a representative that is hidden from the session as it was.
func (tx *Tx) keepRep(id customer.ID, rep *string, was string) error {
	mask, err := tx.maskOf(id)
	if err != nil || !mask.Hides("rep") {
		return err
	}
	if *rep != "" {
		return &customer.AccessError{Actor: tx.tx.Session().Actor, Right: customer.RightTransfer, Data: customer.Identity, Customer: id,
			Remedy: "leave what is hidden from you empty: rep"}
	}
	*rep = was
	return nil
}

// Withdraw ends a customer's assignment to a unit, and to those that were merged into it,
// now. Withdrawing one that there isn't changes nothing.
func (tx *Tx) Withdraw(id customer.ID, unit customer.UnitID) (*Placement, error) {
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	return tx.transfer("withdraw", id, func(p *Placement) error {
		p.Assignments = slices.DeleteFunc(p.Assignments, func(a Assignment) bool { return tree.Resolve(a.Unit) == tree.Resolve(unit) })
		return nil
	})
}

// SetTeam names the team that serves a customer for its owner unit, 0 for none.
func (tx *Tx) SetTeam(id customer.ID, team customer.UnitID) (*Placement, error) {
	const op = "set team"
	if team != 0 {
		if err := tx.checkPlaces(op, team); err != nil {
			return nil, err
		}
	}
	return tx.transfer(op, id, func(p *Placement) error {
		p.Team = team
		return nil
	})
}

// checkPlaces reports whether customers can be placed in a unit, and in others unless
// they are 0.
func (tx *Tx) checkPlaces(op string, unit customer.UnitID, others ...customer.UnitID) error {
	tree, err := tx.Tree()
	if err != nil {
		return err
	}
	for i, id := range append([]customer.UnitID{unit}, others...) {
		if tree.Open(id) || id == 0 && i > 0 {
			continue
		}
		u, err := tx.unit(op, id)
		if err == nil && id != 0 {
			err = u.checkOpen(op, "Unit", tx.now())
		}
		if err == nil { // the book
			err = &Error{Op: op, Field: "Unit", Value: "0", Remedy: "name a unit; 0 is the book itself", Err: ErrInvalid}
		}
		return err
	}
	return nil
}

// transfer changes a placement, for who may transfer the customer.
func (tx *Tx) transfer(op string, id customer.ID, change func(*Placement) error) (*Placement, error) {
	return tx.place(op, id, func(p *Placement) error {
		if err := tx.mayDo(customer.RightTransfer, customer.Identity, id); err != nil {
			return err
		}
		return change(p)
	})
}

// place changes the placement of a customer that can have one.
func (tx *Tx) place(op string, id customer.ID, change func(*Placement) error) (*Placement, error) {
	c, err := tx.Reader.customers.Exact(id)
	if err != nil {
		return nil, err
	}
	if c.Status > customer.Archived {
		return nil, &customer.StatusError{ID: id, Status: c.Status, Action: op}
	}
	p, err := tx.placementOf(id)
	if err != nil {
		return nil, err
	}
	if err := change(p); err != nil {
		return nil, err
	}
	p.settle(tx.now())
	if max(len(p.Assignments), len(p.Overlays)) > MaxPlacement {
		return nil, &Error{Op: op, Remedy: fmt.Sprintf("a customer has at most %d assignments and overlays", MaxPlacement), Err: storage.ErrLimit}
	}
	if err := tx.putPlacement(op, p, PlacementSet); err != nil {
		return nil, err
	}
	return tx.narrowed(p)
}

// putPlacement stores a placement that people changed, unless nothing is different.
func (tx *Tx) putPlacement(op string, p *Placement, action Action) error {
	return tx.storePlacement(op, p, action, tx.noteEdit)
}

// storePlacement stores a placement, unless nothing is different, and notes what is.
func (tx *Tx) storePlacement(op string, p *Placement, action Action, note func(old, next *Placement) error) error {
	old, err := tx.placementOf(p.Customer)
	if err != nil {
		return err
	}
	same, err := samePlacement(old, p)
	if err != nil || same {
		return err
	}
	if err := note(old, p); err != nil {
		return err
	}
	if p.empty() {
		err = tx.store.placement.Delete(tx.tx, p.Customer, uint8(action))
	} else {
		err = tx.store.placement.Put(tx.tx, p.Customer, p, uint8(action))
	}
	if unique := (*storage.UniqueError)(nil); errors.As(err, &unique) {
		return repeatedLocalCode(op, p, unique)
	}
	if err != nil {
		return err
	}
	session := tx.tx.Session()
	p.Version, p.Recorded, p.Actor, p.Reason = p.Version+1, tx.tx.Now(), session.Actor, session.Reason
	return nil
}

func samePlacement(a, b *Placement) (bool, error) {
	x, err := appendPlacement(nil, a)
	if err != nil {
		return false, err
	}
	y, err := appendPlacement(nil, b)
	return slices.Equal(x, y), err
}

// forgetPlacement erases everything personal with the customer.
func (tx *Tx) forgetPlacement(id customer.ID) error {
	if err := tx.store.lineage.Forget(tx.tx, uint64(id)); err != nil {
		return err
	}
	return tx.store.placement.Forget(tx.tx, id, uint8(PlacementErased))
}

// firstNaming returns a customer whose placement names a unit on an instant or later, 0 for none.
// Assignments that ended stay in a placement until it is next written; it reads through these.
func (r *Reader) firstNaming(unit customer.UnitID, at time.Time) (customer.ID, error) {
	for id, err := range r.naming(unit) {
		if err != nil {
			return 0, err
		}
		p, err := r.placementOf(id)
		if err != nil {
			return 0, err
		}
		if p.names(unit, at) {
			return id, nil
		}
	}
	return 0, nil
}

// naming yields the customers whose placement names a unit in whatever role.
func (r *Reader) naming(unit customer.UnitID) func(func(customer.ID, error) bool) {
	return r.placed(r.store.named, storage.Key(nil).Uint(uint64(unit)))
}

// placed yields the customers under a key of an index of placements.
func (r *Reader) placed(x *storage.Index[*Placement], key storage.Key) func(func(customer.ID, error) bool) {
	return func(yield func(customer.ID, error) bool) {
		for e, err := range r.store.placement.Entries(r.storage, x, kv.Prefix(key), false) {
			var id customer.ID
			if err == nil {
				id, err = e.Primary(e.Key()[len(key):])
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// field is a text that a caller gave.
type field struct {
	name  string
	value *string
	limit int // in bytes
}

// cleanTexts brings texts into the form in which they are stored.
func cleanTexts(op string, fields ...field) error {
	for _, f := range fields {
		clean, err := text.Clean(*f.value)
		if err != nil {
			return &Error{Op: op, Field: f.name, Value: text.Excerpt(*f.value), Remedy: err.Error(), Err: ErrInvalid}
		}
		if len(clean) > f.limit {
			return &Error{Op: op, Field: f.name, Value: text.Excerpt(clean), Remedy: fmt.Sprintf("use at most %d bytes", f.limit), Err: ErrInvalid}
		}
		*f.value = clean
	}
	return nil
}

// Elsewhere is what [customer.Store.Elsewhere] asks for: it tells whose change was refused
// to ask the unit that owns the holder, and nothing else of it.
func (s *Store) Elsewhere(r *storage.Reader, everybody *customer.Reader, d *customer.DuplicateError) error {
	holder, err := everybody.Exact(d.Holder)
	if err != nil {
		return err
	}
	tree, err := s.Reader(r, everybody).Tree()
	if err != nil {
		return err
	}
	elsewhere := &ExistsElsewhereError{Field: d.Field, Value: d.Value, Unit: tree.Resolve(holder.Owner)}
	if u, found := tree.Unit(elsewhere.Unit); found {
		elsewhere.Code = u.Code
	}
	return elsewhere
}
