package clientele_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/search"
	"github.com/clientele-go/clientele/internal/sample"
	"github.com/clientele-go/clientele/orgtree"
	"github.com/clientele-go/clientele/tagging"
)

// benchUnits are the branches of the benchmark's group, below 20 regions.
const benchUnits = 1000

// benchGroup makes a book of CLIENTELE_BENCH_ROWS customers, 20,000 without it, dealt out
// to 1,000 branches. The actor "clerk" sees three branches, by a grant each, "region" one
// of 20 regions, "half" ten of them, "everything" the book; "masked" sees half without
// phones and addresses.
func benchGroup(b *testing.B) *clientele.Book {
	rows := 20_000
	if n, err := strconv.Atoi(os.Getenv("CLIENTELE_BENCH_ROWS")); err == nil {
		rows = n
	}
	book := openBook(b, "", clientele.Options{TickEvery: -1})
	system := book.System("benchmark")
	var regions, units []customer.UnitID
	must(b, system.Update(b.Context(), func(tx *clientele.Tx) error {
		if err := tx.Customers.SetSchema(sample.Schema()); err != nil {
			return err
		}
		for i := range 20 {
			region, err := tx.Org.CreateUnit(orgtree.Unit{Code: fmt.Sprintf("R%02d", i), Kind: orgtree.Region})
			if err != nil {
				return err
			}
			regions = append(regions, region.ID)
			for j := range benchUnits / 20 {
				unit, err := tx.Org.CreateUnit(orgtree.Unit{Code: fmt.Sprintf("B%02d%02d", i, j), Kind: orgtree.Branch, Parent: region.ID})
				if err != nil {
					return err
				}
				units = append(units, unit.ID)
			}
		}
		return nil
	}))
	i := 0
	_, err := system.Load(b.Context(), customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for c := range sample.Customers(1, rows) {
			d := c.Draft()
			d.Owner = units[(i*7919)%len(units)]
			if i++; !yield(d, nil) {
				return
			}
		}
	})
	must(b, err)
	must(b, system.Sync(b.Context()))
	must(b, system.Update(b.Context(), func(tx *clientele.Tx) error { return benchGrants(tx, regions, units) }))
	return book
}

func benchGrants(tx *clientele.Tx, regions, units []customer.UnitID) error {
	role := orgtree.Role{Name: "reader", Permissions: []orgtree.Permission{{Right: customer.RightRead}}}
	if _, err := tx.Org.SetRole(role); err != nil {
		return err
	}
	if _, err := tx.Org.SetRole(orgtree.Role{Name: "root", Permissions: []orgtree.Permission{{Right: orgtree.AnyRight}}}); err != nil {
		return err
	}
	mask, err := customer.NewMask("phone", "address")
	if err != nil {
		return err
	}
	grants := []orgtree.Grant{
		{Principal: "root", Role: "root", Scope: orgtree.Scope{All: true}},
		{Principal: "everything", Role: "reader", Scope: orgtree.Scope{All: true}},
		{Principal: "region", Role: "reader", Scope: orgtree.Scope{Unit: regions[3]}},
	}
	for _, i := range []int{7, 7 * 7, 7 * 13} {
		grants = append(grants, orgtree.Grant{Principal: "clerk", Role: "reader", Scope: orgtree.Scope{Unit: units[i]}})
	}
	for _, r := range regions[:len(regions)/2] {
		grants = append(grants, orgtree.Grant{Principal: "half", Role: "reader", Scope: orgtree.Scope{Unit: r}},
			orgtree.Grant{Principal: "masked", Role: "reader", Scope: orgtree.Scope{Unit: r}, Mask: mask})
	}
	for _, g := range grants {
		if _, err := tx.Org.SetPrincipal(orgtree.Principal{ID: g.Principal}); err != nil {
			return err
		}
		if _, err := tx.Org.Give(g); err != nil {
			return err
		}
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkAccess compares the same calls by the system, by an actor while access is not
// enforced, and by actors of several scopes once it is.
func BenchmarkAccess(b *testing.B) {
	book := benchGroup(b)
	run := func(who string, s *clientele.Session) {
		for name, call := range accessCalls {
			b.Run(name+"/"+who, func(b *testing.B) {
				b.ReportAllocs()
				must(b, call(b, s))
				for b.Loop() {
					must(b, call(b, s))
				}
			})
		}
	}
	run("system", book.System("benchmark"))
	run("off", book.As(clientele.Actor{ID: "region"}))
	must(b, book.System("benchmark").Update(b.Context(), func(tx *clientele.Tx) error { return tx.Org.Enforce(true) }))
	for _, who := range benchActors {
		run(who, book.As(clientele.Actor{ID: who}))
	}
}

var benchActors = []string{"everything", "half", "region", "clerk", "masked"}

// BenchmarkAccessRatio calls in turn as the system and as an actor, and reports the medians
// and by how much the actor's is greater: a neighbour on the machine slows both.
func BenchmarkAccessRatio(b *testing.B) {
	book := benchGroup(b)
	system := book.System("benchmark")
	must(b, system.Update(b.Context(), func(tx *clientele.Tx) error { return tx.Org.Enforce(true) }))
	accessRatios(b, book, func() {})
}

// accessRatios reports the medians of each call by the system and by each actor, and their
// ratio. Before each call it calls before.
func accessRatios(b *testing.B, book *clientele.Book, before func()) {
	system := book.System("benchmark")
	timed := func(b *testing.B, call func(*testing.B, *clientele.Session) error, s *clientele.Session) time.Duration {
		before()
		return timeOf(b, call, s)
	}
	for _, name := range slices.Sorted(maps.Keys(accessCalls)) {
		call := accessCalls[name]
		for _, who := range benchActors {
			s := book.As(clientele.Actor{ID: who})
			b.Run(name+"/"+who, func(b *testing.B) {
				var whole, scoped []time.Duration
				for b.Loop() {
					whole = append(whole, timed(b, call, system))
					scoped = append(scoped, timed(b, call, s))
				}
				of, actor := median(whole), median(scoped)
				b.ReportMetric(float64(of.Nanoseconds())/1e3, "system-µs")
				b.ReportMetric(float64(actor.Nanoseconds())/1e3, "actor-µs")
				b.ReportMetric(float64(actor)/float64(of), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func timeOf(b *testing.B, call func(*testing.B, *clientele.Session) error, s *clientele.Session) time.Duration {
	start := time.Now()
	must(b, call(b, s))
	return time.Since(start)
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

// accessCalls are what a program asks most often.
var accessCalls = map[string]func(*testing.B, *clientele.Session) error{
	"view": func(b *testing.B, s *clientele.Session) error {
		return s.View(b.Context(), func(*clientele.ReadTx) error { return nil })
	},
	"count": func(b *testing.B, s *clientele.Session) error {
		return s.View(b.Context(), func(tx *clientele.ReadTx) error {
			_, err := tx.Tags.Count(tagging.Query{Filter: "kind:buyer"})
			return err
		})
	},
	"list by id":   func(b *testing.B, s *clientele.Session) error { return page(b, s, customer.ByID) },
	"list by name": func(b *testing.B, s *clientele.Session) error { return page(b, s, customer.ByName) },
	"search": func(b *testing.B, s *clientele.Session) error {
		_, err := s.Search(b.Context(), search.Query{Text: "科技"})
		return err
	},
	"pick": func(b *testing.B, s *clientele.Session) error {
		_, err := s.Pick(b.Context(), search.Query{Text: "科技"})
		return err
	},
}

// page reads the first 50 customers of a list.
func page(b *testing.B, s *clientele.Session, order customer.Order) error {
	return s.View(b.Context(), func(tx *clientele.ReadTx) error {
		n := 0
		for _, err := range tx.Customers.List(customer.List{Order: order}) {
			if err != nil {
				return err
			}
			if n++; n == 50 {
				break
			}
		}
		return nil
	})
}
