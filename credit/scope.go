package credit

import (
	"fmt"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
)

// ScopeKind tells whose credit a limit bounds.
type ScopeKind uint8

const (
	CustomerScope ScopeKind = 1
	GroupScope    ScopeKind = 2 // a group of customers that share a limit
	UnitScope     ScopeKind = 3 // the customers of a unit and of those below it
)

var scopeNames = enum.Names{"none", "customer", "group", "unit"}

func (k ScopeKind) String() string { return scopeNames.Of(uint8(k)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (k ScopeKind) MarshalText() ([]byte, error) {
	return scopeNames.Marshal(uint8(k), "credit", "scope")
}

// UnmarshalText reads what MarshalText wrote.
func (k *ScopeKind) UnmarshalText(text []byte) error {
	return scopeNames.Unmarshal(text, (*uint8)(k), "credit", "scope")
}

// Scope is one customer, one group of customers or one unit. Make one by OfCustomer,
// OfGroup or OfUnit; scopes compare with ==.
type Scope struct {
	Kind ScopeKind
	ID   uint64
}

// OfCustomer is the scope of one customer.
func OfCustomer(id customer.ID) Scope { return Scope{CustomerScope, uint64(id)} }

// OfGroup is the scope of a group and all its members.
func OfGroup(id GroupID) Scope { return Scope{GroupScope, uint64(id)} }

// OfUnit is the scope of a unit and those below it; OfUnit(0) is the whole book.
func OfUnit(id customer.UnitID) Scope { return Scope{UnitScope, uint64(id)} }

func (s Scope) String() string { return fmt.Sprintf("%s %d", s.Kind, s.ID) }

// customer is the one customer of the scope, 0 for a shared one.
func (s Scope) customer() customer.ID {
	if s.Kind == CustomerScope {
		return customer.ID(s.ID)
	}
	return 0
}

func (s Scope) append(key storage.Key) storage.Key { return key.Uint(uint64(s.Kind)).Uint(s.ID) }

func cutScope(key storage.Key) (s Scope, rest storage.Key, err error) {
	kind, rest, err := key.CutUint()
	if err == nil {
		s.Kind = ScopeKind(kind)
		s.ID, rest, err = rest.CutUint()
	}
	return s, rest, err
}

var scopeKeys = storage.KeyCodec[Scope]{
	Append: func(dst storage.Key, s Scope) storage.Key { return s.append(dst) },
	Decode: func(key storage.Key) (Scope, error) {
		s, rest, err := cutScope(key)
		if err == nil && len(rest) > 0 {
			err = fmt.Errorf("%d bytes after the key of a scope", len(rest))
		}
		return s, err
	},
}

func wireScope(x *wire, field int, s *Scope) {
	x.nested(field, *s != Scope{}, func(x *wire) {
		wireUint(x, 1, &s.Kind)
		wireUint(x, 2, &s.ID)
	})
}
