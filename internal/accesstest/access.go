package accesstest

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Access decides by functions, each of which may be nil.
type Access struct {
	All  *customer.Reader                                                          // an unscoped reader of the state
	See  func(*customer.Customer) bool                                             // nil sees everybody
	Hide func(*customer.Customer) customer.Mask                                    // nil hides nothing
	May  func(right customer.Right, data customer.Data, c *customer.Customer) bool // nil allows everything

	within *source
}

// Sees implements [customer.Access].
func (a *Access) Sees(c *customer.Customer) (bool, error) { return a.See == nil || a.See(c), nil }

// Mask implements [customer.Access].
func (a *Access) Mask(c *customer.Customer) (customer.Mask, error) {
	switch {
	case a.See != nil && !a.See(c):
		return customer.MaskOf(customer.Identity), nil
	case a.Hide == nil:
		return customer.Mask{}, nil
	}
	return a.Hide(c), nil
}

// Allows implements [customer.Access].
func (a *Access) Allows(right customer.Right, data customer.Data, c *customer.Customer) error {
	if c != nil && c.ID != 0 && a.See != nil && !a.See(c) {
		return customer.ErrNotFound
	}
	hidden := right == customer.RightRead && c != nil && a.Hide != nil && a.Hide(c).HidesAll(data)
	if !hidden && (a.May == nil || a.May(right, data, c)) {
		return nil
	}
	e := &customer.AccessError{Actor: "tester", Right: right, Data: data}
	if c != nil {
		e.Customer = c.ID
	}
	return e
}

// Within implements [customer.Access].
func (a *Access) Within() bitset.Source {
	if a.See == nil {
		return nil
	}
	if a.within == nil {
		a.within = &source{a, ""}
	}
	return a.within
}

// WithinUnmasked implements [customer.Access].
func (a *Access) WithinUnmasked(field string) bitset.Source {
	if a.Hide == nil {
		return a.Within()
	}
	return &source{a, field}
}

// source is those whom an Access shows, with a field unless that is empty. It looks at
// the records each time, so that it is right within a transaction, too.
type source struct {
	access *Access
	field  string
}

func (s *source) has(c *customer.Customer) bool {
	a := s.access
	if a.See != nil && !a.See(c) {
		return false
	}
	return s.field == "" || a.Hide == nil || !a.Hide(c).Hides(s.field)
}

// End implements [bitset.Source].
func (s *source) End() (uint64, error) {
	for c, err := range s.access.All.List(customer.List{Reverse: true, Statuses: customer.AllStatuses()}) {
		if err != nil {
			return 0, err
		}
		return uint64(c.ID)/bitset.ChunkSize + 1, nil
	}
	return 0, nil
}

// Read implements [bitset.Source].
func (s *source) Read(n uint64, into *bitset.Chunk) error {
	into.Clear()
	for c, err := range s.access.All.List(customer.List{Statuses: customer.AllStatuses()}) {
		if err != nil {
			return err
		}
		if uint64(c.ID)/bitset.ChunkSize == n && s.has(c) {
			into.Add(uint16(c.ID))
		}
	}
	return nil
}

// Has implements [bitset.Source].
func (s *source) Has(number uint64) (bool, error) {
	c, err := s.access.All.Exact(customer.ID(number))
	if err != nil {
		return false, nil
	}
	return s.has(c), nil
}

// Within returns an Access that shows the members of a set, with all that there is of
// them, and allows everything with them.
func Within(set *bitset.Set) customer.Access { return members{set} }

type members struct{ set *bitset.Set }

func (m members) Sees(c *customer.Customer) (bool, error) { return m.set.Contains(uint64(c.ID)), nil }

func (m members) Mask(*customer.Customer) (customer.Mask, error) { return customer.Mask{}, nil }

func (m members) Allows(_ customer.Right, _ customer.Data, c *customer.Customer) error {
	if c != nil && c.ID != 0 && !m.set.Contains(uint64(c.ID)) {
		return customer.ErrNotFound
	}
	return nil
}

func (m members) Within() bitset.Source { return m.set }

func (m members) WithinUnmasked(string) bitset.Source { return m.set }
