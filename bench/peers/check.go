package main

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/clientele-go/clientele/customer"
)

// checkLoaded compares what the stores answer with the customers that were loaded, and
// with one another.
func (r *round) checkLoaded() error {
	draw := rand.New(rand.NewPCG(r.seed, 1))
	for range r.checks {
		want := r.at(draw.IntN(r.rows))
		for _, s := range r.stores {
			if err := checkOne(s, want); err != nil {
				return fmt.Errorf("%s answers wrongly: %w", s.name, err)
			}
		}
		if err := r.checkAgreement(keysOf(want)); err != nil {
			return err
		}
	}
	return r.checkCounts()
}

// checkOne looks a customer up by id and by code.
func checkOne(s reader, want *customer.Customer) error {
	byID, err := s.byID(want.ID)
	if err != nil {
		return err
	}
	byCode, err := s.byCode(want.Code)
	if err != nil {
		return err
	}
	return cmp.Or(compare("id", byID, want), compare("code", byCode, want))
}

func compare(by string, got, want *customer.Customer) error {
	if got.ID != want.ID || got.Version != want.Version || !sameContent(got, want) {
		return fmt.Errorf("by %s: got %+v, loaded was %+v", by, got, want)
	}
	return nil
}

// checkAgreement finds that all stores name the same holders of keys.
func (r *round) checkAgreement(keys []key) error {
	for _, k := range keys {
		var first []customer.ID
		for i, s := range r.stores {
			ids, err := s.holders(k)
			if err != nil {
				return fmt.Errorf("%s: %+v: %w", s.name, k, err)
			}
			if i == 0 {
				first = ids
			}
			if !slices.Equal(ids, first) || len(ids) == 0 {
				return fmt.Errorf("%+v: %s names %v, %s names %v", k, s.name, ids, r.stores[0].name, first)
			}
		}
	}
	return nil
}

func (r *round) checkCounts() error {
	for _, s := range r.stores {
		n, err := s.count()
		if want := r.rows + int(s.created.Load()); err == nil && n != want {
			err = errors.New("the count is wrong")
		}
		if err != nil {
			return fmt.Errorf("%s: %d customers: %w", s.name, n, err)
		}
	}
	return nil
}

// checkCreated finds that every store has what it acknowledged. Ids are the store's
// choice when several writers are at work.
func (r *round) checkCreated() error {
	draw := rand.New(rand.NewPCG(r.seed, 2))
	for _, s := range r.stores {
		for range r.checks {
			want := r.at(r.rows + draw.IntN(int(s.created.Load())))
			got, err := s.byCode(want.Code)
			if err == nil && !sameContent(got, want) {
				err = fmt.Errorf("got %+v, created was %+v", got, want)
			}
			if err != nil {
				return fmt.Errorf("%s answers wrongly: %w", s.name, err)
			}
		}
	}
	return r.checkCounts()
}

// checkRepeated finds that all stores tell of the same exact duplicates.
func (r *round) checkRepeated() error {
	for _, by := range []lookup{byPhone, byEmail} {
		var first repetition
		for i, s := range r.stores {
			got, err := s.repeated(by)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if i == 0 {
				first = got
			}
			if got != first {
				return fmt.Errorf("exact duplicates by %s: %s finds %+v, %s %+v", keyTables[by], s.name, got, r.stores[0].name, first)
			}
		}
	}
	return nil
}
