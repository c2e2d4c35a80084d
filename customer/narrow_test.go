package customer_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// sieved makes customers of all statuses, of three owners, with and without what can be
// looked up.
func sieved(t *testing.T) (*book, []customer.ID) {
	b := newBook(t, customer.Options{})
	var ids []customer.ID
	err := b.try(func(tx *customer.Tx) error {
		err := tx.SetSchema(&customer.Schema{Attributes: []customer.AttributeSpec{{Name: "memo", Type: customer.Text, Indexed: true}}})
		if err != nil {
			return err
		}
		for i := range 40 {
			c, err := tx.Create(sievedDraft(i))
			if err != nil {
				return err
			}
			ids = append(ids, c.ID)
			switch i % 10 {
			case 3:
				_, err = tx.Suspend(c.ID)
			case 5:
				_, err = tx.Archive(c.ID)
			case 7:
				_, err = tx.Erase(c.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, ids
}

func sievedDraft(i int) customer.Draft {
	d := customer.Draft{Name: fmt.Sprintf("%c company %d", 'a'+i*7%26, i), Kind: customer.Kind(i % 3), Party: customer.Party(i % 2), Owner: customer.UnitID(i % 3)}
	if i%2 == 0 {
		d.Rep, d.Phones = "li", []customer.Phone{{Number: "+8613800138000"}}
	}
	if i%3 == 0 {
		d.Emails = []customer.Email{{Address: "a@example.com"}}
		d.Attributes = []customer.Attribute{{Name: "memo", Value: customer.TextValue("m")}}
	}
	if i%4 != 0 {
		d.Addresses = []customer.Address{{Text: "x", Country: "CN", Province: fmt.Sprint("p", i%3), City: fmt.Sprint("c", i%5)}}
	}
	return d
}

// drawAccess draws who is seen, and what is hidden of each.
func drawAccess(t *rapid.T, ids []customer.ID) *accesstest.Access {
	seen, masks := map[customer.ID]bool{}, map[customer.ID]customer.Mask{}
	for _, id := range ids {
		seen[id] = rapid.Bool().Draw(t, "seen")
		mask, err := customer.NewMask(rapid.SliceOfN(rapid.SampledFrom([]string{"phone", "email", "address", "rep", "attr.memo", "note"}), 0, 3).Draw(t, "hidden")...)
		if err != nil {
			t.Fatal(err)
		}
		masks[id] = mask
	}
	return &accesstest.Access{
		See:  func(c *customer.Customer) bool { return seen[c.ID] },
		Hide: func(c *customer.Customer) customer.Mask { return masks[c.ID] },
	}
}

// Every read of a narrowed reader equals what one finds by looking through the customers
// that are seen, without what is hidden.
func TestNarrowedReadsEqualANaiveEvaluation(t *testing.T) {
	b, ids := sieved(t)
	rapid.Check(t, func(t *rapid.T) {
		access := drawAccess(t, ids)
		err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
			access.All = b.customers.Reader(sr)
			var list []*customer.Customer
			for c, err := range access.All.List(customer.List{Statuses: customer.AllStatuses()}) {
				if err != nil {
					return err
				}
				if access.See(c) {
					list = append(list, access.Hide(c).Apply(c))
				}
			}
			r := b.customers.ReaderWith(sr, access)
			return errors.Join(sameLists(t, r, list), sameCounts(r, list), samePlaces(r, list), sameLookUps(r, list, ids), sameOwners(r, list))
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// place is a customer's place in a list, as its cursor has it.
func place(l customer.List, c *customer.Customer) string {
	key, _ := base64.RawURLEncoding.DecodeString(l.After(c))
	return string(key)
}

func sameLists(t *rapid.T, r *customer.Reader, list []*customer.Customer) error {
	for _, order := range []customer.Order{customer.ByID, customer.ByName, customer.ByCode} {
		for _, reverse := range []bool{false, true} {
			l := customer.List{Order: order, Reverse: reverse, Statuses: customer.AllStatuses()}
			want := slices.DeleteFunc(slices.Clone(list), func(c *customer.Customer) bool { return order == customer.ByName && c.Status > customer.Suspended })
			slices.SortFunc(want, func(a, b *customer.Customer) int {
				if reverse {
					a, b = b, a
				}
				return cmp.Compare(place(l, a), place(l, b))
			})
			if len(want) > 0 {
				from := rapid.IntRange(0, len(want)-1).Draw(t, "from")
				l.From, want = l.After(want[from]), want[from+1:]
			}
			if err := sameCustomers(fmt.Sprint("list ", l), r.List(l), want); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameCustomers(what string, got func(func(*customer.Customer, error) bool), want []*customer.Customer) error {
	i := 0
	for c, err := range got {
		if err != nil {
			return err
		}
		if i == len(want) || !reflect.DeepEqual(c, want[i]) {
			return fmt.Errorf("%s: at %d is %+v, want %+v", what, i, c, want[min(i, len(want)):])
		}
		i++
	}
	if i < len(want) {
		return fmt.Errorf("%s: ends after %d of %d", what, i, len(want))
	}
	return nil
}

func sameCounts(r *customer.Reader, list []*customer.Customer) error {
	want := map[customer.Count]int64{}
	for _, c := range list {
		want[customer.Count{Status: c.Status, Kind: c.Kind, Party: c.Party}]++
	}
	counts, err := r.Counts()
	for _, c := range counts {
		key := c
		if key.N = 0; want[key] != c.N {
			return fmt.Errorf("counts %+v, want %v", counts, want)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		return fmt.Errorf("counts %+v lack %v", counts, want)
	}
	return err
}

func samePlaces(r *customer.Reader, list []*customer.Customer) error {
	want := map[customer.PlaceCount]int64{}
	for _, c := range list {
		p := customer.PlaceCount{Status: c.Status}
		if len(c.Addresses) > 0 {
			p.Country, p.Province, p.City = c.Addresses[0].Country, c.Addresses[0].Province, c.Addresses[0].City
		}
		want[p]++
	}
	counts, err := r.CountsByPlace()
	for _, c := range counts {
		key := c
		if key.N = 0; want[key] != c.N {
			return fmt.Errorf("places %+v, want %v", counts, want)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		return fmt.Errorf("places %+v lack %v", counts, want)
	}
	return err
}

func sameLookUps(r *customer.Reader, list []*customer.Customer, ids []customer.ID) error {
	with := func(has func(*customer.Customer) bool) (found []*customer.Customer) {
		for _, c := range list {
			if has(c) {
				found = append(found, c)
			}
		}
		return found
	}
	for _, id := range ids {
		want := with(func(c *customer.Customer) bool { return c.ID == id })
		c, err := r.Get(id)
		if (err == nil) != (len(want) == 1) || err == nil && !reflect.DeepEqual(c, want[0]) || err != nil && !errors.Is(err, customer.ErrNotFound) {
			return fmt.Errorf("get %s: %+v, %v; want %+v", id, c, err, want)
		}
		if n := len(slices.Collect(values(r.History(id)))); (n > 0) != (len(want) == 1) {
			return fmt.Errorf("history of %s has %d versions", id, n)
		}
	}
	phone := func(c *customer.Customer) bool { return len(c.Phones) > 0 }
	email := func(c *customer.Customer) bool { return len(c.Emails) > 0 }
	memo := func(c *customer.Customer) bool { _, has := c.Attribute("memo"); return has }
	return errors.Join(
		sameCustomers("by phone", r.ByPhone("+8613800138000"), with(phone)),
		sameCustomers("by e-mail", r.ByEmail("a@example.com"), with(email)),
		sameCustomers("by attribute", r.ByAttribute("memo", customer.TextValue("m")), with(memo)),
		sameCustomers("by representative", r.ByRep(1, "li"), with(func(c *customer.Customer) bool { return c.Owner == 1 && c.Rep == "li" })),
	)
}

// values leaves errors out.
func values[T any](list func(func(T, error) bool)) func(func(T) bool) {
	return func(yield func(T) bool) {
		for x, err := range list {
			if err != nil || !yield(x) {
				return
			}
		}
	}
}

func sameOwners(r *customer.Reader, list []*customer.Customer) error {
	for owner := range customer.UnitID(3) {
		want, ids := int64(0), []customer.ID{}
		for _, c := range list {
			if c.Owner != owner {
				continue
			}
			if ids = append(ids, c.ID); c.Status <= customer.Suspended {
				want++
			}
		}
		if n, err := r.OwnerCount(owner); err != nil || n != want {
			return fmt.Errorf("unit %d owns %d, %v; want %d", owner, n, err, want)
		}
		got := slices.Sorted(values(r.OwnedIDs(owner)))
		if owner != 0 && !slices.Equal(got, ids) {
			return fmt.Errorf("unit %d owns %v, want %v", owner, got, ids)
		}
	}
	want := int64(0)
	for _, c := range list {
		if c.Rep == "li" && c.Status <= customer.Suspended {
			want++
		}
	}
	if n, err := r.RepCount("li"); err != nil || n != want {
		return fmt.Errorf("li has %d, %v; want %d", n, err, want)
	}
	return nil
}

// Of a large book, a list reads the index where members are common, and the members where
// they are rare; of a chunk that is nearly full, it reads all records. It is the same list.
func TestListsOfALargeBookAreTheSameHoweverTheyAreRead(t *testing.T) {
	b := newBook(t, customer.Options{})
	n := 60_000
	if testing.Short() { // as with the race detector: all ways of reading but that of dense chunks
		n = 12_000
	}
	_, err := b.customers.Load(context.Background(), b.storage, clerk, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range n {
			if !yield(customer.Draft{Name: fmt.Sprintf("Company %d", i*7919%n)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, within := range map[string]func(customer.ID) bool{
		"rare":   func(id customer.ID) bool { return id%3000 == 1 },
		"common": func(id customer.ID) bool { return id%9 == 1 },
		"dense":  func(id customer.ID) bool { return id%20 != 1 },
	} {
		set := &bitset.Set{}
		for id := range customer.ID(n + 1) {
			if id > 0 && within(id) {
				set.Add(uint64(id))
			}
		}
		err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
			r, all := b.customers.ReaderWith(sr, accesstest.Within(set)), b.customers.Reader(sr)
			for _, l := range []customer.List{{}, {Reverse: true}, {Order: customer.ByName}, {Order: customer.ByName, Reverse: true}, {Order: customer.ByCode}} {
				var want []customer.ID
				for c, err := range all.List(l) {
					if err != nil {
						return err
					}
					if within(c.ID) {
						want = append(want, c.ID)
					}
				}
				var got []customer.ID
				for c, err := range r.List(l) {
					if err != nil {
						return err
					}
					got = append(got, c.ID)
				}
				if !slices.Equal(got, want) {
					return fmt.Errorf("%s, %+v: %d customers, want %d", name, l, len(got), len(want))
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
