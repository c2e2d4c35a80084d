package customer_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// named is a book's customers as lists by name should have them.
type named map[customer.ID]string

// within returns who of a set should be listed.
func (n named) within(set *bitset.Set) (ids []customer.ID) {
	for id := range n {
		if set.Contains(uint64(id)) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b customer.ID) int { return cmp.Or(cmp.Compare(n[a], n[b]), cmp.Compare(a, b)) })
	return ids
}

// namesWithin lists whom a set has by name, in pages.
func namesWithin(b *book, sr *storage.Reader, set ownedSet, page int) (ids []customer.ID, err error) {
	l := customer.List{Order: customer.ByName}
	access := accesstest.Within(set.Set)
	if len(set.owners.Units) > 0 {
		access = ownedAccess{access, set}
	}
	r := b.customers.ReaderWith(sr, access)
	for {
		n := 0
		for c, err := range r.List(l) {
			if err != nil {
				return ids, err
			}
			ids, l.From = append(ids, c.ID), l.After(c)
			if n++; n == page {
				break
			}
		}
		if n < page {
			return ids, nil
		}
		if int64(len(ids)) > set.Len() {
			return ids, errors.New("lists somebody twice")
		}
	}
}

// change gives one customer in ten another name, or archives or reactivates it.
func (n named) change(b *book, random *rand.Rand, all []customer.ID) {
	b.t.Helper()
	next := named{}
	err := b.try(func(tx *customer.Tx) error {
		clear(next)
		for _, id := range all {
			if random.IntN(10) > 0 {
				continue
			}
			c, err := tx.Get(id)
			if err != nil {
				return err
			}
			switch _, listed := n[id]; {
			case !listed:
				c, err = tx.Reactivate(id)
			case random.IntN(2) == 0:
				c, err = tx.Archive(id)
			default:
				c.Name = fmt.Sprintf("name %05d", random.IntN(50_000))
				c, err = tx.Update(c)
			}
			if err != nil {
				return err
			}
			if next[id] = c.Name; c.Status != customer.Active {
				next[id] = ""
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for id, name := range next {
		if n[id] = name; name == "" {
			delete(n, id)
		}
	}
}

// TestListsByNameAreThoseOfTheirState: what is kept of the index of names is that of the
// state which is read, before and after changes and for who began before them.
func TestListsByNameAreThoseOfTheirState(t *testing.T) {
	b, random := newBook(t, customer.Options{}), rand.New(rand.NewPCG(1, 2))
	present := named{}
	var all []customer.ID
	for range 600 {
		c := b.create(customer.Draft{Name: fmt.Sprintf("name %05d", random.IntN(50_000)), Owner: customer.UnitID(len(all) % 9)})
		present[c.ID], all = c.Name, append(all, c.ID)
	}
	units := ownedSet{Set: &bitset.Set{}, owners: customer.Owners{Units: []customer.UnitID{2, 3, 7}, Exact: true}}
	sets := []ownedSet{{Set: &bitset.Set{}}, {Set: &bitset.Set{}}, {Set: &bitset.Set{}}, units}
	for n, id := range all {
		for i, of := range []customer.ID{2, 7, 900} {
			if id%of == 1 {
				sets[i].Add(uint64(id))
			}
		}
		if slices.Contains(units.owners.Units, customer.UnitID(n%9)) {
			units.Add(uint64(id))
		}
	}
	check := func(sr *storage.Reader, when string) error {
		for i, set := range sets {
			for _, page := range []int{3, 50, 1000} {
				got, err := namesWithin(b, sr, set, page)
				if want := present.within(set.Set); err != nil || !slices.Equal(got, want) {
					return fmt.Errorf("%s, set %d in pages of %d: %d customers, %v; want %d", when, i, page, len(got), err, len(want))
				}
			}
		}
		return nil
	}
	for range 10 {
		err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
			if err := check(sr, "before the change"); err != nil {
				return err
			}
			before := make(named, len(present))
			for id, name := range present {
				before[id] = name
			}
			present.change(b, random, all)
			if err := b.storage.View(context.Background(), func(sr *storage.Reader) error { return check(sr, "after it") }); err != nil {
				return err
			}
			after := present
			present = before
			err := check(sr, "before it, read afterwards")
			present = after
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// inState is whom a state has, by their names, read from the records.
func inState(b *book, sr *storage.Reader) (named, error) {
	present := named{}
	for c, err := range b.customers.Reader(sr).List(customer.List{}) {
		if err != nil {
			return nil, err
		}
		if c.Status == customer.Active {
			present[c.ID] = c.Name
		}
	}
	return present, nil
}

// TestListsByNameFollowWriters: while some rename, archive and transfer, one or two at a time,
// each list is that of the state which it is read in.
func TestListsByNameFollowWriters(t *testing.T) {
	b, random := newBook(t, customer.Options{}), rand.New(rand.NewPCG(7, 8))
	var all []customer.ID
	for range 400 {
		c := b.create(customer.Draft{Name: fmt.Sprintf("name %05d", random.IntN(50_000)), Owner: customer.UnitID(len(all)%5 + 1)})
		all = append(all, c.ID)
	}
	odd := ownedSet{Set: &bitset.Set{}}
	for _, id := range all {
		if id%2 == 1 {
			odd.Add(uint64(id))
		}
	}
	var stop atomic.Bool
	var writing sync.WaitGroup
	writes := new(atomic.Int64)
	for w := range 2 {
		writing.Go(func() {
			random := rand.New(rand.NewPCG(9, uint64(w)))
			for !stop.Load() {
				err := b.try(func(tx *customer.Tx) error { return shuffle(tx, random, all) })
				if err != nil {
					t.Error(err)
					return
				}
				writes.Add(1)
			}
		})
	}
	check := func(sr *storage.Reader) error {
		present, err := inState(b, sr)
		if err != nil {
			return err
		}
		units := ownedSet{Set: &bitset.Set{}, owners: customer.Owners{Units: []customer.UnitID{2, 4}, Exact: true}}
		for c, err := range b.customers.Reader(sr).List(customer.List{}) {
			if err != nil {
				return err
			}
			if slices.Contains(units.owners.Units, c.Owner) {
				units.Add(uint64(c.ID))
			}
		}
		for name, set := range map[string]ownedSet{"a set": odd, "units": units} {
			got, err := namesWithin(b, sr, set, 40)
			if want := present.within(set.Set); err != nil || !slices.Equal(got, want) {
				return fmt.Errorf("%s: %d customers, %v; the records have %d", name, len(got), err, len(want))
			}
		}
		return nil
	}
	var reading sync.WaitGroup
	for range 2 {
		reading.Go(func() {
			for n := 0; n < 60 || writes.Load() < 100 && !t.Failed(); n++ {
				if err := b.storage.View(context.Background(), check); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	reading.Wait()
	stop.Store(true)
	writing.Wait()
}

// shuffle renames, transfers or archives one or two customers, or brings them back.
func shuffle(tx *customer.Tx, random *rand.Rand, all []customer.ID) error {
	for range 1 + random.IntN(2) {
		c, err := tx.Get(all[random.IntN(len(all))])
		if err != nil {
			return err
		}
		switch {
		case c.Status != customer.Active:
			_, err = tx.Reactivate(c.ID)
		case random.IntN(5) == 0:
			_, err = tx.Archive(c.ID)
		default:
			c.Name, c.Owner = fmt.Sprintf("name %05d", random.IntN(50_000)), customer.UnitID(random.IntN(5)+1)
			_, err = tx.Update(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestListsByNameGoOnBeyondWhatIsKept: 8,192 names are kept; here are 8,600.
func TestListsByNameGoOnBeyondWhatIsKept(t *testing.T) {
	b := newBook(t, customer.Options{})
	_, err := b.customers.Load(context.Background(), b.storage, clerk, customer.LoadOptions{}, func(yield func(customer.Draft, error) bool) {
		for i := range 8600 {
			if !yield(customer.Draft{Name: fmt.Sprintf("name %04d", i*7919%8600)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	present, set, last := named{}, &bitset.Set{}, &bitset.Set{}
	b.view(func(r *customer.Reader) error {
		for c, err := range r.List(customer.List{}) {
			if err != nil {
				return err
			}
			if present[c.ID] = c.Name; c.ID%5 == 0 {
				set.Add(uint64(c.ID))
			}
			if c.Name > "name 8190" {
				last.Add(uint64(c.ID))
			}
		}
		return nil
	})
	for _, set := range []*bitset.Set{set, last} {
		for _, page := range []int{50, 10_000} {
			err := b.storage.View(context.Background(), func(sr *storage.Reader) error {
				got, err := namesWithin(b, sr, ownedSet{Set: set}, page)
				if want := present.within(set); err == nil && !slices.Equal(got, want) {
					err = fmt.Errorf("pages of %d: %d customers, want %d", page, len(got), len(want))
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}
