package orgtree

import (
	"fmt"
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// GrantID numbers grants.
type GrantID uint64

// Grant gives a principal a role on some customers, for a time. It never changes: it is
// revoked and another given. Grants belong to the caller.
type Grant struct {
	ID        GrantID
	Principal string
	Role      string
	Scope     Scope
	// Mask hides fields from the holder; what another grant shows is seen all the same.
	Mask  customer.Mask
	From  time.Time // zero for at once
	Until time.Time // the first instant after it; zero for open-ended
	// Deny takes the role's rights away instead, whatever other grants say. A denial
	// with a Mask takes nothing away but the sight of these fields.
	Deny bool

	Recorded time.Time
	Actor    string // who gave it
	Reason   string

	rest string
}

// Scope says on which customers a grant holds: those for which all that is set is true.
// A scope in which nothing is set is refused.
type Scope struct {
	All   bool            // the whole book
	Unit  customer.UnitID // what is seen from a unit and those below it; see [Tree.Shares]
	Alone bool            // from Unit by itself
	// Own are the customers whose representative the principal is, by the record or by an
	// assignment in force, and those that its home unit serves as a team.
	Own bool
	// Filter is an expression over tags and fields, as the book's [Filters] reads it.
	Filter string
}

// reach is the place from which the scope looks.
func (s Scope) reach() Reach {
	if s.Unit == 0 {
		return Reach{Below: true}
	}
	return Reach{Unit: s.Unit, Below: !s.Alone}
}

// wide reports whether nothing but a unit narrows the scope.
func (s Scope) wide() bool { return !s.Own && s.Filter == "" }

// MaxFilter is the length of a scope's filter, in bytes.
const MaxFilter = 2000

// at reports whether the grant is in force on an instant.
func (g *Grant) at(t time.Time) bool {
	return !t.Before(g.From) && (g.Until.IsZero() || t.Before(g.Until))
}

// Give gives a principal a role. It needs the right to administer the scope's unit, or
// the whole book when it has none. Who doesn't administer the whole book passes on no more
// than he has himself on all of the unit and below, by grants of his own: neither a right
// that he lacks nor the sight of a field that is hidden from him. Giving the same again
// makes a second grant.
func (tx *Tx) Give(g Grant) (*Grant, error) {
	const op = "give"
	if err := tx.checkGrant(op, &g); err != nil {
		return nil, err
	}
	if err := tx.mayPass(&g); err != nil {
		return nil, err
	}
	id, err := tx.store.grantIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	g.ID = GrantID(id)
	if err := tx.store.grant.InsertNew(tx.tx, g.ID, &g, uint8(GrantGiven)); err != nil {
		return nil, err
	}
	if err := tx.grantsChanged(func(m *policyMark) { m.Grants = max(m.Grants, g.ID) }); err != nil {
		return nil, err
	}
	return tx.grantOf(g.ID)
}

func (tx *Tx) checkGrant(op string, g *Grant) error {
	wrong := func(field, value, remedy string) error {
		return &Error{Op: op, Field: field, Value: text.Excerpt(value), Remedy: remedy, Err: ErrInvalid}
	}
	if err := cleanTexts(op, field{"Scope.Filter", &g.Scope.Filter, MaxFilter}); err != nil {
		return err
	}
	switch s := g.Scope; {
	case s == Scope{}:
		return wrong("Scope", "", "name a unit, a filter, own customers, or all")
	case s.All && s != Scope{All: true}:
		return wrong("Scope.All", "true", "leave it out where something narrows the scope")
	case s.Alone && s.Unit == 0:
		return wrong("Scope.Alone", "true", "name the unit")
	}
	if err := tx.checkPeriod(op, &g.From, &g.Until); err != nil {
		return err
	}
	if _, err := tx.Principal(g.Principal); err != nil {
		return &Error{Op: op, Field: "Principal", Value: text.Excerpt(g.Principal), Remedy: "use the id of one of the book's principals", Err: err}
	}
	if _, err := tx.Role(g.Role); err != nil {
		return &Error{Op: op, Field: "Role", Value: text.Excerpt(g.Role), Remedy: "use the name of one of the book's roles", Err: err}
	}
	if g.Scope.Unit != 0 {
		if _, err := tx.unit(op, g.Scope.Unit); err != nil {
			return err
		}
	}
	if g.Scope.Filter == "" {
		return nil
	}
	if tx.store.filters == nil {
		return wrong("Scope.Filter", g.Scope.Filter, "use another scope: this book reads no filters in scopes")
	}
	return tx.store.filters.Check(tx.Reader.storage, customer.Unscoped(tx.Reader.customers), g.Scope.Filter)
}

// checkPeriod brings a period into the form in which it is stored.
func (tx *Tx) checkPeriod(op string, from, until *time.Time) error {
	for _, at := range []*time.Time{from, until} {
		if !at.IsZero() {
			*at = tx.effective(*at)
		}
	}
	if !until.IsZero() && (!until.After(*from) || !until.After(tx.now())) {
		return &Error{Op: op, Field: "Until", Value: day(*until), Remedy: "use an instant after From that is ahead", Err: ErrDate}
	}
	return nil
}

// Revoke ends a grant: the holder's next transaction goes without it. It stays in the
// history. To revoke a denial takes what it takes to give the role that it denies, so that
// nobody lifts his own. It fails with ErrLockout when nobody would be left to administer
// the book.
func (tx *Tx) Revoke(id GrantID) error {
	g, err := tx.grantOf(id)
	if err != nil {
		return err
	}
	may := func() error { return tx.mayAdministerScope(g.Scope) }
	if g.Deny {
		may = func() error { return tx.mayPass(g) }
	}
	if err := may(); err != nil {
		return err
	}
	return tx.revoke(g)
}

func (tx *Tx) revoke(g *Grant) error {
	if err := tx.store.grant.Delete(tx.tx, g.ID, uint8(GrantRevoked)); err != nil {
		return err
	}
	if err := tx.forgetUses(g.ID); err != nil {
		return err
	}
	return tx.policyChanged()
}

// Grant returns a grant that isn't revoked, or an error that wraps ErrNotFound. It costs
// one read. Others' grants, here and in lists, are for who may review or administer the
// whole book; those on a unit, here and in GrantsAt, also for who administers the unit.
func (r *Reader) Grant(id GrantID) (*Grant, error) {
	g, err := r.grantOf(id)
	if err != nil {
		return nil, err
	}
	if err := r.mayKnow(g.Principal); err != nil && (g.Scope.Unit == 0 || r.mayAdministerScope(g.Scope) != nil) {
		return nil, err
	}
	return g, nil
}

func (r *Reader) grantOf(id GrantID) (*Grant, error) { return r.store.grant.Get(r.storage, id) }

// Grants yields all grants that are not revoked, expired ones too, in the order in which
// they were given.
func (r *Reader) Grants() iter.Seq2[*Grant, error] {
	return forReview(r.mayReview(), r.store.grant.Records(r.storage, kv.Range{}, false))
}

// GrantsOf yields a principal's grants, expired ones and those ahead too.
func (r *Reader) GrantsOf(principal string) iter.Seq2[*Grant, error] {
	return forReview(r.mayKnow(principal), r.grantsBy(r.store.grantPrincipal, storage.Key(nil).String(principal)))
}

// GrantsOfRole yields the grants of a role.
func (r *Reader) GrantsOfRole(role string) iter.Seq2[*Grant, error] {
	return forReview(r.mayReview(), r.grantsBy(r.store.grantRole, storage.Key(nil).String(role)))
}

// GrantsAt yields the grants whose scope names a unit, 0 for those that name none. They
// are also for who administers the unit: Tree().Subtree tells which are below it.
func (r *Reader) GrantsAt(unit customer.UnitID) iter.Seq2[*Grant, error] {
	denied := r.mayReview()
	if denied != nil && unit != 0 && r.mayAdminister(unit) == nil {
		denied = nil
	}
	return forReview(denied, r.grantsBy(r.store.grantUnit, storage.Key(nil).Uint(uint64(unit))))
}

// GrantHistory yields all that is known of a grant: when it was given and, as a last
// element without a Principal, when it was revoked.
func (r *Reader) GrantHistory(id GrantID) iter.Seq2[*Grant, error] {
	return forReview(r.mayReview(), r.grantVersions(id))
}

func (r *Reader) grantVersions(id GrantID) iter.Seq2[*Grant, error] {
	return func(yield func(*Grant, error) bool) {
		for v, err := range r.store.grant.Versions(r.storage, id) {
			g := v.Value
			if err == nil && g == nil {
				g = &Grant{ID: id, Recorded: v.Recorded, Actor: v.Actor, Reason: v.Reason}
			}
			if !yield(g, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) grantsBy(x *storage.Index[*Grant], key storage.Key) iter.Seq2[*Grant, error] {
	return recordsBy(r, r.store.grant, x, key)
}

// recordsBy yields the records under a key of an index.
func recordsBy[K, V any](r *Reader, t *storage.Table[K, V], x *storage.Index[V], key storage.Key) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for e, err := range t.Entries(r.storage, x, kv.Prefix(key), false) {
			var v V
			if err == nil {
				var k K
				if k, err = e.Primary(e.Key()[len(key):]); err == nil {
					v, err = t.Get(r.storage, k)
				}
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// String names the grant in a few words, for reports and logs.
func (g *Grant) String() string {
	verb := "gives"
	if g.Deny {
		verb = "denies"
	}
	return fmt.Sprintf("grant %d %s %s the role %s", g.ID, verb, g.Principal, g.Role)
}

// HasRole reports whether a principal that isn't disabled has a role now, by a grant of
// its own or by delegation, wherever the grant holds. Who may not review access may ask
// about itself only.
func (r *Reader) HasRole(principal, role string) (bool, error) {
	if err := r.mayKnow(principal); err != nil {
		return false, err
	}
	reader := r.full()
	mark, err := reader.policyMark()
	if err != nil {
		return false, err
	}
	a, err := reader.accessOf(mark, principal)
	if err != nil {
		return false, err
	}
	for _, h := range a.plan.hats {
		for _, g := range h.grants {
			if g.Role == role {
				return true, nil
			}
		}
	}
	return false, nil
}
