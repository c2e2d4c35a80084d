package orgtree

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/text/currency"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
)

// Overlay is what a unit sees of a customer otherwise than the others do. Empty fields
// say nothing.
type Overlay struct {
	Unit  customer.UnitID
	Rep   string
	Terms string // of payment, for what is posted through the unit
	// Limit is the most credit that the customer may have taken in the whole book for more to
	// be taken through the unit. It binds beside the limits of credit control.
	Limit     *Limit
	LocalCode string // the unit's own code for the customer, unique in the unit
	Note      string
	// TermsOf and LimitOf are whose these are, in what [Reader.Overlay] returns; SetOverlay
	// doesn't look at them.
	TermsOf, LimitOf customer.UnitID

	rest string
}

// over fills what an overlay leaves open from another.
func (o *Overlay) over(above *Overlay) {
	for _, f := range [][2]*string{{&o.Rep, &above.Rep}, {&o.Terms, &above.Terms}, {&o.LocalCode, &above.LocalCode}, {&o.Note, &above.Note}} {
		if *f[0] == "" {
			*f[0] = *f[1]
		}
	}
	if o.Limit == nil && above.Limit != nil {
		limit := *above.Limit
		o.Limit = &limit
	}
}

func (o *Overlay) empty() bool {
	return o.Rep == "" && o.Terms == "" && o.Limit == nil && o.LocalCode == "" && o.Note == "" && o.rest == ""
}

func (p *Placement) overlay(unit customer.UnitID) int {
	return slices.IndexFunc(p.Overlays, func(o Overlay) bool { return o.Unit == unit })
}

// SetOverlay replaces the overlay of a customer for a unit; one without any field
// removes it. It takes the right to update the customer by a grant that holds in the unit,
// terms that on its credit data, and a limit the right to set it, and a second person's
// approval where an [ApprovalRule] asks for it and more may be taken through the unit
// afterwards. What is hidden from the session stays as it is. A local code that the unit has given to another customer is refused with
// an error that wraps ErrExists and doesn't tell which.
func (tx *Tx) SetOverlay(id customer.ID, o Overlay) (*Placement, error) {
	const op = "set overlay"
	err := cleanTexts(op, field{"Rep", &o.Rep, customer.MaxText}, field{"Terms", &o.Terms, customer.MaxCode},
		field{"LocalCode", &o.LocalCode, customer.MaxCode}, field{"Note", &o.Note, MaxOverlayNote})
	if err != nil {
		return nil, err
	}
	if o.Limit != nil {
		if o.Limit, err = o.Limit.checked(op); err != nil {
			return nil, err
		}
	}
	o.TermsOf, o.LimitOf = 0, 0
	if !o.empty() {
		if err := tx.checkPlaces(op, o.Unit); err != nil {
			return nil, err
		}
	}
	tree, err := tx.Tree()
	if err != nil {
		return nil, err
	}
	return tx.place(op, id, func(p *Placement) error {
		before := p.limitFrom(tree, o.Unit)
		if err := tx.replaceOverlay(p, o); err != nil {
			return err
		}
		return tx.mayRaise(id, before, p.limitFrom(tree, o.Unit))
	})
}

// replaceOverlay puts an overlay in the place of its unit's.
func (tx *Tx) replaceOverlay(p *Placement, o Overlay) error {
	i := p.overlay(o.Unit)
	present := &Overlay{}
	if i >= 0 {
		present = &p.Overlays[i]
	}
	if err := tx.mayOverlay(p.Customer, present, &o); err != nil {
		return err
	}
	if err := tx.checkOverlay(present, &o); err != nil {
		return err
	}
	switch {
	case i >= 0 && o.empty():
		p.Overlays = slices.Delete(p.Overlays, i, i+1)
	case i >= 0:
		o.rest = p.Overlays[i].rest
		p.Overlays[i] = o
	case !o.empty():
		p.Overlays = append(p.Overlays, o)
	}
	return nil
}

// checkOverlay asks who goes by terms and limits whether it understands new ones.
func (tx *Tx) checkOverlay(old, next *Overlay) error {
	changed := Overlay{Unit: next.Unit}
	if next.Terms != old.Terms {
		changed.Terms = next.Terms
	}
	if !sameLimit(old.Limit, next.Limit) {
		changed.Limit = next.Limit
	}
	if tx.store.checkOverlay == nil || changed.empty() {
		return nil
	}
	return tx.store.checkOverlay(changed)
}

func sameLimit(a, b *Limit) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func (l *Limit) checked(op string) (*Limit, error) {
	c := *l
	if c.Amount < 0 {
		return nil, &Error{Op: op, Field: "Limit.Amount", Value: fmt.Sprint(c.Amount), Remedy: "use 0 or more, in minor units", Err: ErrInvalid}
	}
	if len(c.Currency) != 3 || slices.ContainsFunc([]byte(c.Currency), func(b byte) bool { return b < 'A' || b > 'Z' }) {
		return nil, &Error{Op: op, Field: "Limit.Currency", Value: text.Excerpt(c.Currency), Remedy: "use an ISO 4217 code such as CNY", Err: ErrInvalid}
	}
	return &c, nil
}

// text is the amount in units of its currency, as ISO 4217 divides it: 1000.00 CNY.
func (l *Limit) text() string {
	scale := 2
	if unit, err := currency.ParseISO(l.Currency); err == nil {
		scale, _ = currency.Standard.Rounding(unit)
	}
	digits := fmt.Sprintf("%0*d", scale+1, l.Amount)
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	return digits + " " + l.Currency
}

func repeatedLocalCode(op string, p *Placement, unique *storage.UniqueError) error {
	unit, rest, err := unique.Key.CutUint()
	if err != nil || unique.Index != "local_code" {
		return unique
	}
	given, _, _ := rest.CutString()
	if i := p.overlay(customer.UnitID(unit)); i >= 0 {
		given = p.Overlays[i].LocalCode
	}
	return &Error{Op: op, Unit: customer.UnitID(unit), Field: "LocalCode", Value: given, Remedy: "choose one that the unit has given to no other customer", Err: ErrExists}
}

// Overlay returns what a unit sees of a customer, each field from the nearest unit
// upward that says something: the unit's overlay, then its assignment's representative,
// then those of the unit above, and so on up to the top; the representative at last from
// the customer. Units merged into one on the way count as this one, after it.
func (r *Reader) Overlay(id customer.ID, unit customer.UnitID) (*Overlay, error) {
	tree, err := r.Tree()
	if err != nil {
		return nil, err
	}
	if _, found := tree.Unit(unit); !found {
		return nil, unknownUnit("read overlay", unit)
	}
	if !r.seesFrom()(unit) {
		return nil, r.mayAt(customer.RightRead, customer.Identity, unit)
	}
	c, err := r.customers.Exact(id)
	if err != nil {
		return nil, err
	}
	p, err := r.placementOf(id)
	if err != nil {
		return nil, err
	}
	mask, err := r.maskOf(id)
	if err != nil {
		return nil, err
	}
	seen := p.overlayFrom(tree, unit, r.now())
	if seen.Rep == "" {
		seen.Rep = c.Rep
	}
	seen.hide(mask)
	return seen, nil
}

// overlayFrom is what a placement says for a unit on an instant, its own and what it has
// from those above.
func (p *Placement) overlayFrom(tree *Tree, unit customer.UnitID, now time.Time) *Overlay {
	seen := &Overlay{Unit: unit}
	if len(p.Overlays)+len(p.Assignments) == 0 {
		return seen
	}
	for at := tree.Resolve(unit); at != 0; at = tree.Parent(at) {
		p.overlayAt(seen, at, at, now)
		for _, merged := range tree.covered(Reach{Unit: at}) {
			if merged != at {
				p.overlayAt(seen, merged, at, now)
			}
		}
	}
	return seen
}

// overlayAt fills what is still open from what a placement says for one unit, which counts
// as another now.
func (p *Placement) overlayAt(seen *Overlay, unit, as customer.UnitID, now time.Time) {
	if i := p.overlay(unit); i >= 0 {
		o := &p.Overlays[i]
		if seen.Terms == "" && o.Terms != "" {
			seen.TermsOf = as
		}
		if seen.Limit == nil && o.Limit != nil {
			seen.LimitOf = as
		}
		seen.over(o)
	}
	if i := p.in(unit); i >= 0 && p.Assignments[i].At(now) && seen.Rep == "" {
		seen.Rep = p.Assignments[i].Rep
	}
}

// limitFrom is the limit that a unit reads.
func (p *Placement) limitFrom(tree *Tree, unit customer.UnitID) *Limit {
	return p.overlayFrom(tree, unit, tree.At()).Limit
}

// ByLocalCode returns the customer to which a unit, or one that was merged into it, has
// given a code; letter case and width do not count. Codes of units that don't concern the
// session are as if not given, as in [Reader.Placement].
func (r *Reader) ByLocalCode(unit customer.UnitID, code string) (customer.ID, error) {
	tree, err := r.Tree()
	if err != nil {
		return 0, err
	}
	unit = tree.Resolve(unit)
	id, err := r.localCode(unit, code)
	for _, merged := range tree.covered(Reach{Unit: unit}) {
		if !isNotFound(err) {
			break
		}
		id, err = r.localCode(merged, code)
	}
	if err == nil && r.access() != nil {
		var visible bool
		if visible, err = r.customers.Visible(id); err == nil && (!visible || !r.seesFrom()(unit)) {
			err = ErrNotFound
		}
	}
	if isNotFound(err) {
		return 0, &Error{Op: "look up", Unit: unit, Field: "LocalCode", Value: text.Excerpt(code), Remedy: "use a code that the unit has given", Err: ErrNotFound}
	}
	return id, err
}

func (r *Reader) localCode(unit customer.UnitID, code string) (customer.ID, error) {
	return r.store.placement.Lookup(r.storage, r.store.local, storage.Key(nil).Uint(uint64(unit)).String(text.Fold(code)))
}
