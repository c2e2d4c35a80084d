package tagging

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/tagging/filter"
)

// A customer outside the session's scope is, for every call, as one that is not there.
func TestScopeNarrowsEveryCall(t *testing.T) {
	b, silver, gold, _ := levels(t, 3, false)
	d := b.dimension(Dimension{Code: "flag", Required: true})
	flag := b.tag(d, "a")
	for id := range customer.ID(3) {
		b.assign(id+1, Assignment{Tag: silver})
	}
	b.assign(3, Assignment{Tag: flag})
	b.within = bitset.Of(1)

	for name, call := range map[string]func(tx *Tx, id customer.ID) error{
		"Of":      func(tx *Tx, id customer.ID) error { _, err := tx.Of(id); return err },
		"At":      func(tx *Tx, id customer.ID) error { _, err := tx.At(id, b.now); return err },
		"History": func(tx *Tx, id customer.ID) error { _, err := tx.History(id); return err },
		"Assign":  func(tx *Tx, id customer.ID) error { _, err := tx.Assign(id, Assignment{Tag: flag}); return err },
		"Replace": func(tx *Tx, id customer.ID) error { _, err := tx.Replace(id, Assignment{Tag: gold}); return err },
		"Remove":  func(tx *Tx, id customer.ID) error { _, err := tx.Remove(id, silver); return err },
		"Deny":    func(tx *Tx, id customer.ID) error { _, err := tx.Deny(id, silver); return err },
		"Allow":   func(tx *Tx, id customer.ID) error { _, err := tx.Allow(id, silver); return err },
		"Settle":  func(tx *Tx, id customer.ID) error { _, err := tx.Settle(id); return err },
		"SetRuleTags": func(tx *Tx, id customer.ID) error {
			_, err := tx.SetRuleTags(id, "set", []Assignment{{Tag: flag}})
			return err
		},
		"MergeCustomers":      func(tx *Tx, id customer.ID) error { _, err := tx.MergeCustomers(1, id); return err },
		"MergeCustomers into": func(tx *Tx, id customer.ID) error { _, err := tx.MergeCustomers(id, 1); return err },
		"UnmergeCustomers": func(tx *Tx, id customer.ID) error {
			return tx.UnmergeCustomers(&Combination{Survivor: id, Loser: 1})
		},
	} {
		outside := b.try(func(tx *Tx) error { return call(tx, 2) })
		wants(t, name, outside, ErrNotFound)
		absent := b.try(func(tx *Tx) error { return call(tx, 999) })
		if outside == nil || absent == nil {
			continue
		}
		if got, want := outside.Error(), absent.Error(); len(got)+2 != len(want) { // 2 and 999
			t.Errorf("%s tells who is there: %q, %q", name, got, want)
		}
	}
	b.view(func(r *Reader) error {
		if n, err := r.Count(Query{}); err != nil || n != 1 {
			t.Errorf("counted %d, %v", n, err)
		}
		facet, err := r.Facet(Query{}, Axis{Field: "flag"})
		if err != nil || facet.Total != 1 || facet.Buckets[0].Count != 0 {
			t.Errorf("facet %+v, %v", facet, err)
		}
		return err
	})
	b.view(seesOne)
	ctx := context.Background()
	done, err := b.tags.AssignAll(ctx, b.job(), Bulk{Query: Query{Expr: filter.All()}, Tag: flag})
	if err != nil || done.Changed != 1 {
		t.Errorf("bulk by query: %+v, %v", done, err)
	}
	refused := 0
	done, err = b.tags.RemoveAll(ctx, b.job(), Bulk{IDs: []customer.ID{1, 2, 999}, Tag: silver, Refused: func(_ customer.ID, err error) {
		refused++
		wants(t, "refusal", err, ErrNotFound)
	}})
	if err != nil || done.Changed != 1 || done.Refused != 2 || refused != 2 {
		t.Errorf("bulk by ids: %+v, %v, %d refused", done, err, refused)
	}
	b.within = nil
	b.holds(1, flag)
	b.holds(2, silver)
}

// seesOne asks everything that a reader can be asked about customers, of whom it may see
// customer 1 alone.
func seesOne(r *Reader) error {
	everybody := Query{Expr: filter.All()}
	for name, n := range map[string]func() (int64, error){
		"Set":  func() (int64, error) { s, err := r.Set(everybody); return s.Len(), err },
		"IDs":  func() (int64, error) { ids, err := collect(r.IDs(everybody, 0), 9); return int64(len(ids)), err },
		"Page": func() (int64, error) { ids, _, err := r.Page(everybody, 0, 9); return int64(len(ids)), err },
		"Sample": func() (int64, error) {
			ids, err := r.Sample(everybody, 9, 1)
			return int64(len(ids)), err
		},
		"Contains": func() (int64, error) {
			inside, err := r.Contains(everybody, 1)
			outside, more := r.Contains(everybody, 3)
			if !inside || outside {
				err = errors.Join(err, fmt.Errorf("contains 1: %v, 3: %v", inside, outside))
			}
			return 1, errors.Join(err, more)
		},
		"missing": func() (int64, error) { return r.Count(Query{Filter: "missing:flag"}) },
		"not":     func() (int64, error) { return r.Count(Query{Filter: "NOT flag:a"}) },
		"records": func() (int64, error) { return r.Count(Query{Filter: "has:name"}) },
		"CrossTab": func() (int64, error) {
			t, err := r.CrossTab(everybody, Axis{Field: "level"}, Axis{Field: "flag"})
			return t.Total, err
		},
		"Facet of a field": func() (int64, error) {
			f, err := r.Facet(everybody, Axis{Field: "created"})
			return f.Buckets[0].Count, err
		},
		"Figures": func() (int64, error) {
			f, err := r.Figures(everybody, Axis{Field: "level"})
			return f.Groups[0].Count, err
		},
		"Hygiene": func() (int64, error) {
			h, err := r.Hygiene(HygieneOptions{})
			return h.Customers, err
		},
		"Hygiene, missing": func() (int64, error) {
			h, err := r.Hygiene(HygieneOptions{})
			return h.Missing[0].Customers, err
		},
	} {
		seen, err := n()
		if err == nil && seen != 1 {
			err = fmt.Errorf("sees %d", seen)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// The next change by the clock is that of those in sight.
func TestDueTimesAreThoseInSight(t *testing.T) {
	b, silver, gold, _ := levels(t, 2, false)
	b.assign(1, Assignment{Tag: silver, Until: b.now.AddDate(0, 0, 9)})
	b.assign(2, Assignment{Tag: gold, Until: b.now.AddDate(0, 0, 3)})
	b.within = bitset.Of(1)
	b.view(func(r *Reader) error {
		at, found, err := r.NextDue()
		if want := b.now.AddDate(0, 0, 9); !found || !at.Equal(want) {
			t.Errorf("next due at %s, %v; want %s", at, found, want)
		}
		return err
	})
	b.within = bitset.Of()
	b.view(func(r *Reader) error {
		if at, found, err := r.NextDue(); found || err != nil {
			t.Errorf("who sees nobody is told %s, %v", at, err)
		}
		return nil
	})
}
