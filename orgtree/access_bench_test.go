package orgtree_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// accessBook is a group of 1,000 units (headquarters, 20 regions, 979 branches), 5,000
// principals with 3 grants each, and CLIENTELE_BENCH_ROWS customers, 100,000 unless set,
// in turn in the branches.
type accessBook struct {
	*book
	regions, branches []customer.UnitID
	rows              int
}

const benchPrincipals = 5000

func newAccessBook(bench *testing.B) *accessBook {
	a := &accessBook{book: newBook(bench), rows: 100_000}
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		a.rows = n
	}
	hq := a.unit("HQ", 0)
	a.update(func(tx tx) error {
		a.regions, a.branches = nil, nil
		for i := range 20 {
			u, err := tx.CreateUnit(orgtree.Unit{Code: fmt.Sprintf("R%02d", i), Parent: hq})
			if err != nil {
				return err
			}
			a.regions = append(a.regions, u.ID)
		}
		for i := range 979 {
			u, err := tx.CreateUnit(orgtree.Unit{Code: fmt.Sprintf("B%03d", i), Parent: a.regions[i%20]})
			if err != nil {
				return err
			}
			a.branches = append(a.branches, u.ID)
		}
		_, err := tx.SetRole(orgtree.Role{Name: "clerk", Permissions: permissions(customer.RightRead, customer.RightUpdate)})
		return err
	})
	for from := 0; from < benchPrincipals; from += 500 {
		a.update(func(tx tx) error { return a.addPrincipals(tx, from, from+500) })
	}
	a.load(a.rows, a.branches...)
	a.update(func(tx tx) error {
		if err := a.addPrincipal(tx, "region", orgtree.Scope{Unit: a.regions[3]}); err != nil {
			return err
		}
		if err := a.addPrincipal(tx, "hq", orgtree.Scope{Unit: hq}); err != nil {
			return err
		}
		var half []orgtree.Scope
		for _, region := range a.regions[:10] {
			half = append(half, orgtree.Scope{Unit: region})
		}
		if err := a.addPrincipal(tx, "half", half...); err != nil {
			return err
		}
		w := &accessWorld{}
		return w.makeAdministrator(tx)
	})
	return a
}

func (a *accessBook) addPrincipals(tx tx, from, to int) error {
	for i := from; i < to; i++ {
		n := len(a.branches)
		scopes := []orgtree.Scope{{Unit: a.branches[i%n]}, {Unit: a.branches[i*7%n]}, {Unit: a.branches[i*13%n]}}
		if err := a.addPrincipal(tx, fmt.Sprintf("p%d", i), scopes...); err != nil {
			return err
		}
	}
	return nil
}

func (a *accessBook) addPrincipal(tx tx, id string, scopes ...orgtree.Scope) error {
	if _, err := tx.SetPrincipal(orgtree.Principal{ID: id}); err != nil {
		return err
	}
	for _, s := range scopes {
		if _, err := tx.Give(orgtree.Grant{Principal: id, Role: "clerk", Scope: s}); err != nil {
			return err
		}
	}
	return nil
}

// resolve makes an actor's scope ready to be read.
func (a *accessBook) resolve(actor string) error {
	return a.storage.View(context.Background(), func(r *storage.Reader) error {
		access, err := a.org.Access(r, a.customers.Reader(r), actor)
		if err != nil {
			return err
		}
		_, err = access.Within().End()
		return err
	})
}

// BenchmarkScope resolves scopes: cold for principals that were not at work since access
// last changed, kept for others. The price of opening the transaction is in both, and
// alone in "view". A scope is ready when any part of it can be read; "set" reads all of it
// and counts it, cold by a store that has nothing yet but the tree.
func BenchmarkScope(bench *testing.B) {
	a := newAccessBook(bench)
	bench.Run("view", func(bench *testing.B) {
		bench.ReportAllocs()
		for bench.Loop() {
			a.view(func(*orgtree.Reader, *customer.Reader) error { return nil })
		}
	})
	bench.Run("cold", func(bench *testing.B) {
		bench.ReportAllocs()
		i := 0
		for bench.Loop() {
			if i++; i%benchPrincipals == 0 {
				bench.StopTimer()
				a.update(func(tx tx) error { _, err := tx.SetPrincipal(orgtree.Principal{ID: "other"}); return err })
				bench.StartTimer()
			}
			if err := a.resolve(fmt.Sprintf("p%d", i%benchPrincipals)); err != nil {
				bench.Fatal(err)
			}
		}
	})
	for _, actor := range []string{"p7", "region", "half", "hq"} {
		bench.Run("kept/"+actor, func(bench *testing.B) {
			bench.ReportAllocs()
			for bench.Loop() {
				if err := a.resolve(actor); err != nil {
					bench.Fatal(err)
				}
			}
		})
		bench.Run("kept set/"+actor, func(bench *testing.B) {
			bench.ReportAllocs()
			if err := a.resolveAll(actor); err != nil { // from now on it is kept
				bench.Fatal(err)
			}
			for bench.Loop() {
				if err := a.resolveAll(actor); err != nil {
					bench.Fatal(err)
				}
			}
		})
		bench.Run("cold set/"+actor, func(bench *testing.B) {
			for bench.Loop() {
				bench.StopTimer()
				a.org = orgtree.New(orgtree.Options{Clock: a.clock}) // which has kept nothing, but
				a.tree()
				bench.StartTimer()
				if err := a.resolveAll(actor); err != nil {
					bench.Fatal(err)
				}
			}
		})
	}
}

// resolveAll is resolve with every chunk of the set, whatever is asked of it afterwards.
func (a *accessBook) resolveAll(actor string) error {
	return a.storage.View(context.Background(), func(r *storage.Reader) error {
		access, err := a.org.Access(r, a.customers.Reader(r), actor)
		if err != nil {
			return err
		}
		_, err = bitset.Count(access.Within())
		return err
	})
}

// BenchmarkUnseenUnits resolves the scope of a clerk of three branches, who was not at work
// since access last changed, and counts whom it sees, in books that differ by how many
// other units there are: neither may grow with them.
func BenchmarkUnseenUnits(bench *testing.B) {
	for _, unseen := range []int{100, 10_000} {
		a := newUnseenBook(bench, unseen)
		access := func(r *storage.Reader) (customer.Access, error) {
			return a.org.Access(r, a.customers.Reader(r), "clerk")
		}
		bench.Run(fmt.Sprintf("cold/unseen=%d", unseen), func(bench *testing.B) {
			for bench.Loop() {
				bench.StopTimer()
				a.update(func(tx tx) error { _, err := tx.SetPrincipal(orgtree.Principal{ID: "other"}); return err })
				bench.StartTimer()
				if err := a.resolve("clerk"); err != nil {
					bench.Fatal(err)
				}
			}
		})
		bench.Run(fmt.Sprintf("count/unseen=%d", unseen), func(bench *testing.B) {
			for bench.Loop() {
				if err := a.countAs(access); err != nil {
					bench.Fatal(err)
				}
			}
		})
	}
}

// newUnseenBook has three branches with 100 customers each, and as many others as are asked
// for with 20,000 together.
func newUnseenBook(bench *testing.B, unseen int) *accessBook {
	a := &accessBook{book: newBook(bench), rows: 20_300}
	var clerks, others []customer.UnitID
	a.update(func(tx tx) error {
		clerks, others = nil, nil
		for i := range 3 + unseen {
			u, err := tx.CreateUnit(orgtree.Unit{Code: fmt.Sprintf("U%05d", i)})
			if err != nil {
				return err
			}
			if others = append(others, u.ID); i < 3 {
				clerks, others = append(clerks, u.ID), nil
			}
		}
		if _, err := tx.SetRole(orgtree.Role{Name: "clerk", Permissions: permissions(customer.RightRead)}); err != nil {
			return err
		}
		if err := (&accessWorld{}).makeAdministrator(tx); err != nil {
			return err
		}
		return a.addPrincipal(tx, "clerk", orgtree.Scope{Unit: clerks[0]}, orgtree.Scope{Unit: clerks[1]}, orgtree.Scope{Unit: clerks[2]})
	})
	a.load(300, clerks...)
	a.load(20_000, others...)
	return a
}

// BenchmarkScopedRead counts everybody whom an actor sees, and reads a page of 50: the
// latter also without a scope, the same customers. The actor "everyone" is not narrowed.
func BenchmarkScopedRead(bench *testing.B) {
	a := newAccessBook(bench)
	for _, actor := range []string{"everyone", "p7", "region", "hq"} {
		access := func(r *storage.Reader) (customer.Access, error) {
			if actor == "everyone" {
				return nil, nil
			}
			return a.org.Access(r, a.customers.Reader(r), actor)
		}
		bench.Run("count/"+actor, func(bench *testing.B) {
			bench.ReportAllocs()
			for bench.Loop() {
				if err := a.countAs(access); err != nil {
					bench.Fatal(err)
				}
			}
		})
		if actor == "everyone" {
			continue
		}
		ids, err := a.pageAs(access, nil)
		if err != nil {
			bench.Fatal(err)
		}
		everything := func(*storage.Reader) (customer.Access, error) { return nil, nil }
		for name, access := range map[string]accessFunc{"scoped": access, "unscoped": everything} {
			bench.Run("page/"+actor+"/"+name, func(bench *testing.B) {
				bench.ReportAllocs()
				for bench.Loop() {
					if _, err := a.pageAs(access, ids); err != nil {
						bench.Fatal(err)
					}
				}
			})
		}
	}
}

type accessFunc func(*storage.Reader) (customer.Access, error)

// countAs counts active customers by their sets, as a filter would.
func (a *accessBook) countAs(access accessFunc) error {
	return a.storage.View(context.Background(), func(r *storage.Reader) error {
		within, err := access(r)
		if err != nil {
			return err
		}
		customers := a.customers.Reader(r)
		var active, seen bitset.Chunk
		total := 0
		for n := range uint64(a.rows/bitset.ChunkSize + 1) {
			active.Clear()
			if err := customers.Marks().AddChunk(r, customer.StatusKey(nil, customer.Active), n, &active); err != nil {
				return err
			}
			if within == nil {
				total += active.Len()
				continue
			}
			if err := within.Within().Read(n, &seen); err != nil {
				return err
			}
			total += active.AndLen(&seen)
		}
		if total == 0 {
			return fmt.Errorf("nobody is seen")
		}
		return nil
	})
}

// pageAs reads 50 customers, masked: the first that are seen, or without a scope, given
// ones.
func (a *accessBook) pageAs(access accessFunc, given []customer.ID) (ids []customer.ID, err error) {
	err = a.storage.View(context.Background(), func(r *storage.Reader) error {
		narrowed, err := access(r)
		if err != nil {
			return err
		}
		if narrowed != nil {
			given, err = firstOf(narrowed.Within())
		}
		customers := a.customers.ReaderWith(r, narrowed)
		for _, id := range given {
			if err != nil {
				return err
			}
			_, err = customers.Get(id)
		}
		ids = given
		return err
	})
	return ids, err
}

func firstOf(s bitset.Source) (ids []customer.ID, err error) {
	for id, err := range bitset.Members(s, 0) {
		if ids = append(ids, customer.ID(id)); err != nil || len(ids) == 50 {
			return ids, err
		}
	}
	return ids, nil
}
