package credit

import (
	"iter"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// addExposure adds an amount to an exposure: a sum of hash × amount is the same however
// it is split.
func (v *verifier) addExposure(to *sketch, k exposureKey, minor int64) {
	to.exposure += hash(6, uint64(k.scope.Kind), k.scope.ID, uint64(k.currency), uint64(k.part)) * uint64(minor)
}

// readReservations adds up what is reserved.
func (v *verifier) readReservations(keys kv.Range) error {
	return v.eachReserved(keys, func(k exposureKey, minor int64) { v.addExposure(&v.want, k, minor) })
}

// readExposure reads what is counted.
func (v *verifier) readExposure(kv.Range) error {
	return v.store.exposed.Scan(v.storage, allKeys, func(key storage.Key, n int64) error {
		k, err := parseExposureKey(key)
		if err == nil {
			v.addExposure(&v.got, k, n)
		}
		return err
	})
}

// nameExposure reports each sum that differs.
func (v *verifier) nameExposure() error {
	list, err := v.ExposureDifferences()
	for _, d := range list {
		v.report(storage.Difference{Where: "credit exposure", Key: d.Scope.String(), Problem: d.String(), Derived: true})
	}
	return err
}

// owning finds, for customers one after another in the order of their ids, where they
// count. It walks along with them: a single look-up costs several steps.
type owning struct {
	*Reader
	customers walk[*customer.Customer]
	profiles  walk[*Profile]
}

func newOwning(r *Reader) *owning {
	o := &owning{Reader: r}
	o.customers = walk[*customer.Customer]{id: func(c *customer.Customer) customer.ID { return c.ID }, from: func(id customer.ID) iter.Seq2[*customer.Customer, error] {
		after := customer.List{}.After(&customer.Customer{ID: id - 1})
		return customer.Unscoped(r.customers).List(customer.List{Statuses: customer.AllStatuses(), From: after})
	}}
	o.profiles = walk[*Profile]{id: func(p *Profile) customer.ID { return p.Customer }, from: func(id customer.ID) iter.Seq2[*Profile, error] {
		return r.store.profile.Records(r.storage, kv.Range{Lower: storage.Key(nil).Uint(uint64(id))}, false)
	}}
	return o
}

func (o *owning) close() {
	o.customers.close()
	o.profiles.close()
}

// of is sharedScopes.
func (o *owning) of(id customer.ID) ([]Scope, error) {
	c, err := o.customers.to(id)
	if err != nil {
		return nil, err
	}
	if c == nil || c.Status == customer.Merged {
		return o.sharedScopes(id)
	}
	p, err := o.profiles.to(id)
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = &Profile{Customer: id}
	}
	return scopesOf(c, p), nil
}

// walk goes through records in the order of customers.
type walk[T comparable] struct {
	from    func(customer.ID) iter.Seq2[T, error]
	id      func(T) customer.ID
	next    func() (T, error, bool)
	stop    func()
	present T // none at the end
}

// fewSteps is how many records are passed over one by one on the way to the next.
const fewSteps = 16

// to returns the record of a customer behind the one before, none when there is none.
func (w *walk[T]) to(id customer.ID) (found T, err error) {
	var none T
	for steps := 0; w.next == nil || w.present != none && w.id(w.present) < id; steps++ {
		if w.next == nil || steps == fewSteps {
			w.close()
			w.next, w.stop = iter.Pull2(w.from(id))
		}
		var more bool
		if w.present, err, more = w.next(); err != nil {
			return none, err
		}
		if !more {
			w.present = none
		}
	}
	if w.present != none && w.id(w.present) == id {
		return w.present, nil
	}
	return none, nil
}

func (w *walk[T]) close() {
	if w.stop != nil {
		w.stop()
	}
}
