package clientele_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/dedupe"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
	"github.com/clientele-go/clientele/tagging/filter"
)

// A bulk change of everybody concerns those whom the session may tag.
func TestJobsObeyAccess(t *testing.T) {
	k := newKit(t)
	everybody := tagging.Bulk{Query: tagging.Query{Expr: filter.All()}, Tag: k.plain}
	done, err := k.book.Tags().AssignAll(t.Context(), k.clerk.Job(), everybody)
	if err != nil || done.Changed != 1 {
		t.Errorf("the clerk's job: %+v, %v", done, err)
	}
	if _, err := k.book.Tags().AssignAll(t.Context(), k.viewer.Job(), everybody); !errors.Is(err, customer.ErrDenied) {
		t.Errorf("the viewer's job: %v", err)
	}
	rows := func(yield func(tagging.LoadRow, error) bool) { yield(tagging.LoadRow{ID: k.unseen}, nil) }
	if _, err := k.book.Tags().Load(t.Context(), k.clerk.Job(), rows); !errors.Is(err, customer.ErrNotFound) {
		t.Errorf("the clerk's load: %v", err)
	}
}

// A grant that is taken back is gone for the next call.
func TestRevocationHoldsForTheNextTransaction(t *testing.T) {
	k := newKit(t)
	sees := func() (seen bool) {
		err := k.clerk.View(t.Context(), func(tx *clientele.ReadTx) (err error) {
			seen, err = tx.Customers.Visible(k.seen)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	if !sees() {
		t.Fatal("the clerk doesn't see its customer")
	}
	err := k.system.Update(t.Context(), func(tx *clientele.Tx) error {
		for g, err := range tx.Org.GrantsOf("clerk") {
			if err != nil {
				return err
			}
			return tx.Org.Revoke(g.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if sees() {
		t.Error("the clerk still sees it")
	}
}

// A code, identifier or source key that is taken out of sight, or by one whose field is
// hidden, tells whom to ask and nothing else.
func TestAConflictOutOfSightNamesTheUnitToAsk(t *testing.T) {
	k := newKit(t)
	for name, x := range map[string]struct {
		draft customer.Draft
		unit  customer.UnitID
	}{
		"code":       {customer.Draft{Code: "zkanari-1"}, k.north},
		"identifier": {customer.Draft{Identifiers: []customer.Identifier{{Scheme: "cn.uscc", Value: "91350100M000100Y43"}}}, k.east},
		"source key": {customer.Draft{SourceKeys: []customer.SourceKey{{System: "erp", Key: "zkanari-ZKANARI-1"}}}, k.north},
	} {
		x.draft.Name, x.draft.Owner = "New", k.east
		err := k.clerk.Update(t.Context(), func(tx *clientele.Tx) error {
			_, err := tx.Customers.Create(x.draft)
			return err
		})
		var elsewhere *orgtree.ExistsElsewhereError
		if !errors.As(err, &elsewhere) || elsewhere.Unit != x.unit || !errors.Is(err, customer.ErrDuplicate) {
			t.Errorf("%s: %v", name, err)
		}
		var holder *customer.DuplicateError
		if errors.As(err, &holder) {
			t.Errorf("%s: names customer %s", name, holder.Holder)
		}
	}
}

// Who edits a customer without seeing all of it leaves the rest as it is.
func TestUpdatesKeepWhatIsHidden(t *testing.T) {
	k := newKit(t)
	edit := func(change func(*customer.Customer)) error {
		return k.clerk.Update(t.Context(), func(tx *clientele.Tx) error {
			c, err := tx.Customers.Get(k.seen)
			if err != nil {
				return err
			}
			change(c)
			_, err = tx.Customers.Update(c)
			return err
		})
	}
	if err := edit(func(c *customer.Customer) { c.Name = "Renamed" }); err != nil {
		t.Fatal(err)
	}
	err := edit(func(c *customer.Customer) { c.Phones = []customer.Phone{{Number: "+8613900139000"}} })
	var denied *customer.AccessError
	if !errors.As(err, &denied) || denied.Data != customer.Contacts {
		t.Errorf("writing a hidden field: %v", err)
	}
	err = k.system.View(context.Background(), func(tx *clientele.ReadTx) error {
		c, err := tx.Customers.Get(k.seen)
		if err == nil && (c.Name != "Renamed" || len(c.Phones) != 1 || c.Note == "" || len(c.Attributes) != 2) {
			t.Errorf("it is now %+v", c)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Within a transaction what it has written counts for what it sees next, also by a filter.
func TestAFilterIsReadAgainAfterOwnWrites(t *testing.T) {
	k := newKit(t)
	err := k.system.Update(t.Context(), func(tx *clientele.Tx) error {
		if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: "vip desk"}); err != nil {
			return err
		}
		_, err := tx.Org.Give(orgtree.Grant{Principal: "vip desk", Role: "clerk", Scope: orgtree.Scope{Filter: "level:vip"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = k.book.As(clientele.Actor{ID: "vip desk"}).Update(t.Context(), func(tx *clientele.Tx) error {
		look := func(when string, want int64) error {
			n, err := tx.Tags.Count(everybody)
			if err != nil {
				return err
			}
			visible, err := tx.Customers.Visible(k.seen)
			if visible != (want == 2) || n != want {
				t.Errorf("%s it sees %d, and the one %v; want %d", when, n, visible, want)
			}
			return err
		}
		if err := look("before", 2); err != nil {
			return err
		}
		if _, err := tx.Tags.Remove(k.seen, k.vip); err != nil {
			return err
		}
		return look("after", 1)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What comes back with an unmerge is not the actor's own: who may not see a number isn't told
// it by the conflict with a third customer that has it by now.
func TestAConflictOfAnUnmergeTellsNoHiddenNumber(t *testing.T) {
	k := newKit(t)
	var survivor, loser customer.ID
	number := []customer.Identifier{{Scheme: "tw.ubn", Value: "04595257"}}
	must(t, k.system.Update(t.Context(), func(tx *clientele.Tx) error {
		for _, x := range []struct {
			id    *customer.ID
			draft customer.Draft
		}{
			{&survivor, customer.Draft{Name: "One", Owner: k.east}},
			{&loser, customer.Draft{Name: "Two", Owner: k.east, Identifiers: number, SourceKeys: []customer.SourceKey{{System: "erp", Key: "pelican"}}}},
		} {
			c, err := tx.Customers.Create(x.draft)
			if err != nil {
				return err
			}
			*x.id = c.ID
		}
		_, err := tx.Dedupe.Merge(dedupe.Merge{Survivor: survivor, Losers: []customer.ID{loser}})
		return err
	}))
	must(t, k.system.Update(t.Context(), func(tx *clientele.Tx) error {
		c, err := tx.Customers.Get(survivor)
		if err != nil {
			return err
		}
		c.Identifiers = nil
		if _, err := tx.Customers.Update(c); err != nil {
			return err
		}
		_, err = tx.Customers.Create(customer.Draft{Name: "Three", Owner: k.north, Identifiers: number})
		return err
	}))
	err := k.clerk.Update(t.Context(), func(tx *clientele.Tx) error { _, _, err := tx.Customers.Unmerge(loser); return err })
	if !errors.Is(err, orgtree.ErrElsewhere) || strings.Contains(fmt.Sprintf("%+v %v", err, err), "04595257") {
		t.Errorf("the conflict is told as %v", err)
	}
}

// A load passes the guards of a transaction by, so it asks before what they would.
func TestALoadFitsTheOrganisation(t *testing.T) {
	k := newKit(t)
	var closed customer.UnitID
	must(t, k.system.Update(t.Context(), func(tx *clientele.Tx) error {
		u, err := tx.Org.CreateUnit(orgtree.Unit{Code: "OLD", Parent: k.hq})
		if err == nil {
			closed = u.ID
			_, err = tx.Org.CloseUnit(closed, time.Time{})
		}
		return err
	}))
	load := func(owner customer.UnitID) error {
		_, err := k.system.Load(t.Context(), customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
			yield(customer.Draft{Name: "Loaded", Owner: owner}, nil)
		})
		return err
	}
	for owner, want := range map[customer.UnitID]error{k.north: nil, 0: nil, closed: orgtree.ErrClosed, 4711: orgtree.ErrUnknownUnit} {
		if err := load(owner); !errors.Is(err, want) {
			t.Errorf("a load into unit %d returns %v, want %v", owner, err, want)
		}
	}
	must(t, k.system.Update(t.Context(), func(tx *clientele.Tx) error { return tx.Org.SetRepQuota("wang", 5) }))
	if err := load(k.north); !errors.Is(err, orgtree.ErrQuota) {
		t.Errorf("a load while there are quotas returns %v", err)
	}
}
