package customer_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// ownedSet is a set that tells whose customers it has.
type ownedSet struct {
	*bitset.Set
	owners customer.Owners
}

func (s ownedSet) Owners(most int) (customer.Owners, bool, error) {
	return s.owners, len(s.owners.Units) <= most && len(s.owners.Others) <= most, nil
}

// ownedAccess shows whom an ownedSet has.
type ownedAccess struct {
	customer.Access
	within ownedSet
}

func (a ownedAccess) Within() bitset.Source { return a.within }

// ownedBook has 600 customers, returned by name: of three one each owned by unit 1, by
// unit 2 and by nobody; each tenth is archived.
func ownedBook(t *testing.T) (*book, []*customer.Customer) {
	b := newBook(t, customer.Options{})
	var all []*customer.Customer
	err := b.try(func(tx *customer.Tx) error {
		all = nil
		for i := range 600 {
			c, err := tx.Create(customer.Draft{Name: fmt.Sprintf("Company %04d", i*7919%600), Owner: customer.UnitID((i + 1) % 3)})
			if err == nil && i%10 == 9 {
				c, err = tx.Archive(c.ID)
			}
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b *customer.Customer) int { return cmp.Compare(a.Name, b.Name) })
	return b, all
}

func TestNamesOfSeveralUnitsAreMergedInOrder(t *testing.T) {
	b, all := ownedBook(t)
	isOther := func(c *customer.Customer) bool { return c.ID%141 == 0 } // four, without an owner
	for name, member := range map[string]func(*customer.Customer) bool{
		"all that units own":   func(c *customer.Customer) bool { return c.Owner != 0 },
		"some that they own":   func(c *customer.Customer) bool { return c.Owner == 1 && c.ID%2 == 0 },
		"and others":           func(c *customer.Customer) bool { return c.Owner != 0 || isOther(c) },
		"some of one unit's":   func(c *customer.Customer) bool { return c.Owner == 2 && c.ID%5 < 3 || c.ID == 141 },
		"others alone":         isOther,
		"nobody":               func(*customer.Customer) bool { return false },
		"one at the very last": func(c *customer.Customer) bool { return c.Name == "Company 0599" },
	} {
		set := ownedSet{Set: &bitset.Set{}, owners: customer.Owners{Units: []customer.UnitID{1, 2}, Exact: true}}
		var want []customer.ID
		for _, c := range all {
			if isOther(c) { // who may be a member, and may not
				set.owners.Others = append(set.owners.Others, c.ID)
			}
			if !member(c) {
				set.owners.Exact = set.owners.Exact && c.Owner == 0
				continue
			}
			if set.Add(uint64(c.ID)); c.Status == customer.Active {
				want = append(want, c.ID)
			}
		}
		for _, reverse := range []bool{false, true} {
			got := pagesByName(t, b, set, reverse)
			if reverse {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, reverse %v: %d customers, want %d", name, reverse, len(got), len(want))
			}
		}
	}
}

// pagesByName lists whom a set has, in pages of 17 that go on where the last one ended.
func pagesByName(t *testing.T, b *book, within ownedSet, reverse bool) (ids []customer.ID) {
	t.Helper()
	l := customer.List{Order: customer.ByName, Reverse: reverse}
	err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
		r := b.customers.ReaderWith(sr, ownedAccess{accesstest.Within(within.Set), within})
		for {
			n := 0
			for c, err := range r.List(l) {
				if err != nil {
					return err
				}
				ids, l.From = append(ids, c.ID), l.After(c)
				if n++; n == 17 {
					break
				}
			}
			if n < 17 {
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestCustomersOfARepresentativeAreFoundInEveryUnit(t *testing.T) {
	b := newBook(t, customer.Options{})
	var ids []customer.ID
	err := b.try(func(tx *customer.Tx) error {
		ids = nil
		for _, d := range []customer.Draft{{Owner: 1, Rep: "li"}, {Owner: 1, Rep: "wu"}, {Owner: 2, Rep: "li"}, {Owner: 1}, {Rep: "li"}, {Owner: 1, Rep: "li"}, {Owner: 1, Rep: "li"}} {
			d.Name = "Acme"
			c, err := tx.Create(d)
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		if _, err := tx.Archive(ids[5]); err != nil {
			return err
		}
		_, err := tx.Erase(ids[6])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		owner customer.UnitID
		rep   string
		want  []customer.ID
	}{
		{1, "li", []customer.ID{ids[0], ids[5]}}, {1, "wu", ids[1:2]}, {1, "", ids[3:4]}, {2, "li", ids[2:3]}, {0, "li", ids[4:5]}, {2, "wu", nil}, {3, "li", nil},
	} {
		var got []customer.ID
		err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
			for c, err := range b.customers.Reader(sr).ByRep(x.owner, x.rep) {
				if err != nil {
					return err
				}
				got = append(got, c.ID)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, x.want) {
			t.Errorf("unit %d, %q: %v, %v; want %v", x.owner, x.rep, got, err, x.want)
		}
	}
}
