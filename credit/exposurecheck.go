package credit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ExposureDifference is a counted part of an exposure that isn't what the accounts and
// reservations come to.
type ExposureDifference struct {
	Scope    Scope
	Currency money.Currency
	Part     Part
	Counted  int64 // minor units
	Real     int64
}

func (d ExposureDifference) String() string {
	return fmt.Sprintf("%s: %s in %s are counted as %d, and are %d", d.Scope, d.Part, d.Currency, d.Counted, d.Real)
}

// exposureKey names one counter.
type exposureKey struct {
	scope    Scope
	currency money.Currency
	part     Part
}

// ExposureDifferences compares every counted exposure with the accounts and reservations,
// each of which it reads once. Normally there are none.
func (r *Reader) ExposureDifferences() ([]ExposureDifference, error) {
	if err := r.allow(customer.RightAdminister, 0); err != nil {
		return nil, err
	}
	sums := map[exposureKey]int64{}
	if err := r.sumAccounts(sums); err != nil {
		return nil, err
	}
	if err := r.sumReservations(sums); err != nil {
		return nil, err
	}
	var list []ExposureDifference
	err := r.store.exposed.Scan(r.storage, allKeys, func(key storage.Key, n int64) error {
		k, err := parseExposureKey(key)
		if err == nil && sums[k] != n {
			list = append(list, ExposureDifference{k.scope, k.currency, k.part, n, sums[k]})
		}
		delete(sums, k)
		return err
	})
	for k, n := range sums {
		if n != 0 {
			list = append(list, ExposureDifference{k.scope, k.currency, k.part, 0, n})
		}
	}
	slices.SortFunc(list, func(a, b ExposureDifference) int {
		return cmp.Or(cmp.Compare(a.Scope.Kind, b.Scope.Kind), cmp.Compare(a.Scope.ID, b.Scope.ID), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Part, b.Part))
	})
	return list, err
}

func (k exposureKey) append(dst storage.Key) storage.Key {
	return k.scope.append(dst).Uint(uint64(k.currency)).Uint(uint64(k.part))
}

func parseExposureKey(key storage.Key) (k exposureKey, err error) {
	s, rest, err := cutScope(key)
	if err != nil {
		return k, err
	}
	currency, rest, err := rest.CutUint()
	if err != nil {
		return k, err
	}
	part, _, err := rest.CutUint()
	return exposureKey{s, money.Currency(currency), Part(part)}, err
}

// sumAccounts adds up what is posted, by group and unit.
func (r *Reader) sumAccounts(sums map[exposureKey]int64) error {
	for a, err := range r.store.account.Records(r.storage, allKeys, false) {
		if err != nil {
			return err
		}
		scopes, err := r.sharedScopes(a.customer)
		if err != nil {
			return err
		}
		for _, b := range a.balances {
			for part, minor := range b.parts() {
				for _, s := range scopes {
					sums[exposureKey{s, b.Currency, Part(part)}] += minor
				}
			}
		}
	}
	return nil
}

// sumReservations adds up what is reserved.
func (r *Reader) sumReservations(sums map[exposureKey]int64) error {
	return r.eachReserved(allKeys, func(k exposureKey, minor int64) { sums[k] += minor })
}

// eachReserved calls f with what is reserved, by customer, group and unit.
func (r *Reader) eachReserved(keys kv.Range, f func(k exposureKey, minor int64)) error {
	for v, err := range r.store.reservation.Records(r.storage, keys, false) {
		if err != nil {
			return err
		}
		if v.Open == 0 {
			continue
		}
		scopes, err := r.sharedScopes(v.Customer)
		if err != nil {
			return err
		}
		for _, s := range append(scopes, OfCustomer(v.Customer)) {
			f(exposureKey{s, v.Amount.Currency, v.Stage.part()}, v.Open)
		}
	}
	return nil
}

// sharedScopes returns the group and unit in which a customer counts.
func (r *Reader) sharedScopes(id customer.ID) ([]Scope, error) {
	c, p, err := r.counted(id)
	if err != nil {
		return nil, err
	}
	return scopesOf(c, p), nil
}

func scopesOf(c *customer.Customer, p *Profile) []Scope {
	scopes := []Scope{OfUnit(c.Owner)}
	if p.Group != 0 {
		scopes = append(scopes, OfGroup(p.Group))
	}
	return scopes
}

// recountMark is the mark that keeps two recounts from both correcting the same difference.
const recountMark = "recount"

// RecountExposure sets right what is counted for customers, groups and units, after a repair
// or a bulk load that crashed while customers moved, and returns how many sums differed. It
// reads every account, in a View, and holds up no writer: a difference stays the same whatever
// is posted meanwhile.
func (s *Store) RecountExposure(ctx context.Context, j Job) (int, error) {
	var differences []ExposureDifference
	var last *reminded
	err := j.Storage.View(ctx, func(r *storage.Reader) (err error) {
		reader := s.Reader(r, j.Customers.Reader(r))
		if last, err = reader.mark(recountMark); err == nil {
			differences, err = reader.ExposureDifferences()
		}
		return err
	})
	if err != nil || len(differences) == 0 {
		return 0, err
	}
	_, err = j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
		t := s.Tx(tx, j.Customers.Tx(tx))
		now, err := t.mark(recountMark)
		if err != nil {
			return err
		}
		if !now.At.Equal(last.At) {
			return &Error{Op: "recount", Problem: "another recount ran meanwhile", Remedy: "run it again", Err: ErrConflict}
		}
		for _, d := range differences {
			if err := t.count(d.Scope, d.Currency, d.Part, d.Real-d.Counted); err != nil {
				return err
			}
		}
		return t.setMark(recountMark, &reminded{At: tx.Now()})
	})
	return len(differences), err
}

// reminded is what was done once, and when.
type reminded struct {
	At   time.Time
	rest string
}

func (m *reminded) fields(x *wire) { x.time(1, &m.At) }

func appendReminded(dst []byte, m *reminded) ([]byte, error) { return encode(dst, m.rest, m.fields) }

func decodeReminded(src string, _ string, _ storage.Meta) (m *reminded, err error) {
	m = &reminded{}
	m.rest, err = decode(src, m.fields)
	return m, err
}

// mark returns a mark, the zero one when there is none.
func (r *Reader) mark(key string) (*reminded, error) {
	m, err := r.store.reminded.Get(r.storage, key)
	if isNotFound(err) {
		return &reminded{}, nil
	}
	return m, err
}

func (tx *Tx) setMark(key string, m *reminded) error {
	return tx.store.reminded.Put(tx.tx, key, m, 0)
}

// isUnseen reports whether an error is about what the session may not see or know of.
func isUnseen(err error) bool {
	return isNotFound(err) || errors.Is(err, customer.ErrDenied)
}
