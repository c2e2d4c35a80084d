package clientele_test

import (
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
)

// What changes while a load is under way holds for all of it that isn't in the book yet,
// though the load has asked before.
func TestALoadObeysWhatHoldsWhenItIsAddedToTheBook(t *testing.T) {
	for name, x := range map[string]struct {
		change func(k *kit, tx *clientele.Tx, unit customer.UnitID) error
		want   error
	}{
		"nothing": {func(*kit, *clientele.Tx, customer.UnitID) error { return nil }, nil},
		"the unit closed": {func(_ *kit, tx *clientele.Tx, unit customer.UnitID) error {
			_, err := tx.Org.CloseUnit(unit, time.Time{})
			return err
		}, orgtree.ErrClosed},
		"a quota set":      {func(_ *kit, tx *clientele.Tx, _ customer.UnitID) error { return tx.Org.SetRepQuota("wang", 1) }, orgtree.ErrQuota},
		"the actor barred": {func(_ *kit, tx *clientele.Tx, _ customer.UnitID) error { return setDisabled(tx, "loader") }, customer.ErrDenied},
		"the grant revoked": {func(_ *kit, tx *clientele.Tx, _ customer.UnitID) error {
			for g, err := range tx.Org.GrantsOf("loader") {
				if err != nil {
					return err
				}
				return tx.Org.Revoke(g.ID)
			}
			return nil
		}, customer.ErrDenied},
		"approval asked for": {func(_ *kit, tx *clientele.Tx, _ customer.UnitID) error {
			return tx.Org.SetApprovalRules([]orgtree.ApprovalRule{{Right: customer.RightCreate, Data: customer.Identity}})
		}, orgtree.ErrApproval},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			var unit customer.UnitID
			must(t, k.system.Update(t.Context(), func(tx *clientele.Tx) (err error) { unit, err = addLoader(tx, k.hq); return err }))
			loader := k.book.As(clientele.Actor{ID: "loader"})
			loaded, err := loader.Load(t.Context(), customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
				if !yield(customer.Draft{Name: "One", Owner: unit}, nil) {
					return
				}
				must(t, k.system.Update(t.Context(), func(tx *clientele.Tx) error { return x.change(k, tx, unit) }))
				yield(customer.Draft{Name: "Two", Owner: unit}, nil)
			})
			want := 2
			if x.want != nil {
				want = 0
			}
			if !errors.Is(err, x.want) || loaded.Rows != want {
				t.Errorf("%d customers and %v, want %d and %v", loaded.Rows, err, want, x.want)
			}
		})
	}
}

// addLoader adds a unit, and a principal who may create customers in it.
func addLoader(tx *clientele.Tx, parent customer.UnitID) (customer.UnitID, error) {
	u, err := tx.Org.CreateUnit(orgtree.Unit{Code: "LOADED", Parent: parent})
	if err != nil {
		return 0, err
	}
	if _, err := tx.Org.SetRole(orgtree.Role{Name: "loader", Permissions: []orgtree.Permission{{Right: customer.RightRead}, {Right: customer.RightCreate}}}); err != nil {
		return 0, err
	}
	if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: "loader"}); err != nil {
		return 0, err
	}
	_, err = tx.Org.Give(orgtree.Grant{Principal: "loader", Role: "loader", Scope: orgtree.Scope{Unit: u.ID}})
	return u.ID, err
}

func setDisabled(tx *clientele.Tx, id string) error {
	_, err := tx.Org.SetPrincipal(orgtree.Principal{ID: id, Disabled: true})
	return err
}

// Units are closed while 64 goroutines bring customers into them, one by one and in bulk: each
// is either empty and closed or has its customers and stays.
func TestNoUnitIsClosedOverItsCustomers(t *testing.T) {
	ctx := t.Context()
	book, err := clientele.Open(ctx, "", clientele.Options{InMemory: true, TickEvery: -1, Logger: silent})
	must(t, err)
	defer book.Close()
	system := book.System("set up")
	var units []customer.UnitID
	must(t, system.Update(ctx, func(tx *clientele.Tx) error {
		units = nil
		for i := range 16 {
			u, err := tx.Org.CreateUnit(orgtree.Unit{Code: fmt.Sprint("U", i)})
			if err != nil {
				return err
			}
			units = append(units, u.ID)
		}
		return nil
	}))
	var working sync.WaitGroup
	expect := func(err error) {
		if err != nil && !errors.Is(err, orgtree.ErrClosed) && !errors.Is(err, orgtree.ErrInUse) {
			t.Error(err)
		}
	}
	for i := range 64 {
		unit := units[i%len(units)]
		working.Go(func() {
			draft := customer.Draft{Name: "New", Owner: unit}
			switch i / 16 {
			case 0:
				expect(system.Update(ctx, func(tx *clientele.Tx) error { _, err := tx.Customers.Create(draft); return err }))
			case 1, 2:
				_, err := system.Load(ctx, customer.LoadOptions{}, some(3, draft))
				expect(err)
			default:
				expect(system.Update(ctx, func(tx *clientele.Tx) error { _, err := tx.Org.CloseUnit(unit, time.Time{}); return err }))
			}
		})
	}
	working.Wait()
	must(t, system.View(ctx, func(tx *clientele.ReadTx) error {
		tree, err := tx.Org.Tree()
		if err != nil {
			return err
		}
		for c, err := range tx.Customers.List(customer.List{}) {
			if err != nil {
				return err
			}
			if !tree.Open(c.Owner) {
				t.Errorf("customer %d is in unit %d, which is closed", c.ID, c.Owner)
			}
		}
		return nil
	}))
}

// some yields a draft a number of times.
func some(n int, d customer.Draft) iter.Seq2[customer.Draft, error] {
	return func(yield func(customer.Draft, error) bool) {
		for range n {
			if !yield(d, nil) {
				return
			}
		}
	}
}
