package orgtree_test

import (
	"errors"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
)

// tryAs runs f as an actor may.
func (b *book) tryAs(actor string, f func(tx) error) error {
	session := storage.Session{Actor: actor, Reason: "test"}
	_, err := b.storage.Update(b.t.Context(), session, func(st *storage.Tx) error {
		access, err := b.org.Access(&st.Reader, b.customers.Reader(&st.Reader), actor)
		if err != nil {
			return err
		}
		customers := b.customers.TxWith(st, access)
		return f(tx{b.org.Tx(st, customers), customers})
	})
	return err
}

func (b *book) as(actor string, f func(tx) error) {
	b.t.Helper()
	if err := b.tryAs(actor, f); err != nil {
		b.t.Fatal(err)
	}
}

// viewAs runs f on what an actor sees.
func (b *book) viewAs(actor string, f func(r *orgtree.Reader, customers *customer.Reader) error) {
	b.t.Helper()
	if err := b.tryViewAs(actor, f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) tryViewAs(actor string, f func(r *orgtree.Reader, customers *customer.Reader) error) error {
	return b.storage.View(b.t.Context(), func(r *storage.Reader) error {
		access, err := b.org.Access(r, b.customers.Reader(r), actor)
		if err != nil {
			return err
		}
		customers := b.customers.ReaderWith(r, access)
		return f(b.org.Reader(r, customers), customers)
	})
}

// sees reports whether an actor sees a customer in a transaction of its own.
func (b *book) sees(actor string, id customer.ID) (sees bool) {
	b.t.Helper()
	b.viewAs(actor, func(_ *orgtree.Reader, customers *customer.Reader) (err error) {
		sees, err = customers.Visible(id)
		return err
	})
	return sees
}

// group is a book with a small group: hq above east (with the branches nj and sh) and
// north, where access is enforced.
type group struct {
	*book
	hq, east, north, nj, sh customer.UnitID
	ofNJ, ofSH, ofNorth     customer.ID
}

// newGroup makes the group. root may do everything; clerk.nj reads and updates in nj;
// boss.east reads, updates and approves in east.
func newGroup(t testing.TB) *group {
	t.Helper()
	g := &group{book: newBook(t)}
	g.hq = g.unit("HQ", 0)
	g.east, g.north = g.unit("EAST", g.hq), g.unit("NORTH", g.hq)
	g.nj, g.sh = g.unit("NJ", g.east), g.unit("SH", g.east)
	g.ofNJ, g.ofSH, g.ofNorth = g.customer(g.nj, "zhao"), g.customer(g.sh, "qian"), g.customer(g.north, "sun")
	g.update(func(tx tx) error {
		roles := []orgtree.Role{
			{Name: "all", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}},
			{Name: "clerk", Permissions: permissions(customer.RightRead, customer.RightUpdate)},
			{Name: "boss", Permissions: permissions(customer.RightRead, customer.RightUpdate, customer.RightTransfer, customer.RightSetLimit, customer.RightApprove)},
		}
		for _, r := range roles {
			if _, err := tx.SetRole(r); err != nil {
				return err
			}
		}
		for _, id := range []string{"root", "clerk.nj", "clerk.sh", "boss.east", "boss.two"} {
			if _, err := tx.SetPrincipal(orgtree.Principal{ID: id}); err != nil {
				return err
			}
		}
		grants := []orgtree.Grant{
			{Principal: "root", Role: "all", Scope: orgtree.Scope{All: true}},
			{Principal: "clerk.nj", Role: "clerk", Scope: orgtree.Scope{Unit: g.nj}},
			{Principal: "clerk.sh", Role: "clerk", Scope: orgtree.Scope{Unit: g.sh}},
			{Principal: "boss.east", Role: "boss", Scope: orgtree.Scope{Unit: g.east}},
			{Principal: "boss.two", Role: "boss", Scope: orgtree.Scope{Unit: g.east}},
		}
		for _, grant := range grants {
			if _, err := tx.Give(grant); err != nil {
				return err
			}
		}
		return tx.Enforce(true)
	})
	return g
}

func permissions(rights ...customer.Right) (list []orgtree.Permission) {
	for _, r := range rights {
		list = append(list, orgtree.Permission{Right: r})
	}
	return list
}

// grantOf returns the first grant of a principal.
func (b *book) grantOf(principal string) (id orgtree.GrantID) {
	b.t.Helper()
	b.view(func(r *orgtree.Reader, _ *customer.Reader) error {
		for g, err := range r.GrantsOf(principal) {
			id = g.ID
			return err
		}
		return nil
	})
	return id
}

func wantError(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s returns %v, want %v", what, err, want)
	}
}
