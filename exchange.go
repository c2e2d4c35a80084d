package clientele

import (
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/customer/exchange"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/tagging"
)

// Exchange is the session as imports and exports need it; see [exchange.Session].
func (s *Session) Exchange() exchange.Session {
	b := s.book
	return exchange.Session{
		Storage: b.store, Customers: b.customers, Imports: b.imports, Actor: s.session, Country: b.country,
		Access: s.access,
		Read: func(r *storage.Reader) (*exchange.Reader, error) {
			tx, err := s.read(r)
			if err != nil {
				return nil, err
			}
			return &exchange.Reader{Customers: tx.Customers, Tags: tx.Tags, Org: tx.Org, Storage: r}, nil
		},
		Begin: func(st *storage.Tx) (*exchange.Tx, error) {
			tx, err := s.begin(st)
			if err != nil {
				return nil, err
			}
			return &exchange.Tx{Customers: tx.Customers, Tags: tx.Tags, Org: tx.Org, Storage: st}, nil
		},
		InUse: []func(*exchange.Reader, customer.ID) (string, error){taggedByHand},
	}
}

// taggedByHand tells whether somebody tagged a customer since an import created it.
func taggedByHand(r *exchange.Reader, id customer.ID) (string, error) {
	tagged, err := r.Tags.Of(id)
	if err != nil {
		return "", err
	}
	for _, a := range tagged.Assignments {
		if a.Origin == tagging.Manual {
			return "the customer was tagged since, by " + a.Actor, nil
		}
	}
	return "", nil
}
