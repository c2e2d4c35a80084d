package orgtree

import (
	"fmt"
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// Principal is a person or a program that works on the book, known by the id of its
// sessions' actor. Principals belong to the caller.
type Principal struct {
	ID      string // exactly the actor's
	Version uint64
	Kind    PrincipalKind
	Names   customer.Names
	// Home is the unit that the principal belongs to, 0 for none. When it is a team, the
	// customers that this team serves are the principal's own.
	Home     customer.UnitID
	Disabled bool // keeps its grants and may do nothing

	Recorded time.Time
	Actor    string
	Reason   string

	rest string
}

// PrincipalKind tells people from programs.
type PrincipalKind uint8

const (
	User PrincipalKind = iota
	Service
)

var principalNames = enum.Names{"user", "service"}

func (k PrincipalKind) String() string { return principalNames.Of(uint8(k)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (k PrincipalKind) MarshalText() ([]byte, error) {
	return principalNames.Marshal(uint8(k), "orgtree", "kind of principal")
}

// UnmarshalText reads what MarshalText wrote.
func (k *PrincipalKind) UnmarshalText(text []byte) error {
	return principalNames.Unmarshal(text, (*uint8)(k), "orgtree", "kind of principal")
}

// MaxPrincipal is the length of a principal's id, in bytes.
const MaxPrincipal = 200

// SetPrincipal stores a principal, new or not. It needs the right to administer its home
// unit, and the one that it had; and to enable one that was disabled, to give it all that
// it was granted, see [Tx.Give].
func (tx *Tx) SetPrincipal(p Principal) (*Principal, error) {
	const op = "set principal"
	id := p.ID
	if err := cleanTexts(op, field{"ID", &p.ID, MaxPrincipal}); err != nil {
		return nil, err
	}
	if p.ID == "" || p.ID != id {
		return nil, &Error{Op: op, Field: "ID", Value: id, Remedy: "use the actor's id, without spaces around it", Err: ErrInvalid}
	}
	if int(p.Kind) >= len(principalNames) {
		return nil, &Error{Op: op, Field: "Kind", Value: p.Kind.String(), Remedy: fmt.Sprintf("use one of %v", principalNames), Err: ErrInvalid}
	}
	if err := p.Names.Validate("Names"); err != nil {
		return nil, err
	}
	old, err := tx.principal(p.ID)
	if err != nil {
		return nil, err
	}
	if p.Home != 0 && p.Home != old.Home { // who leaves a unit that was merged can be disabled
		if err := tx.checkPlaces(op, p.Home); err != nil {
			return nil, err
		}
	}
	if err := tx.mayAdminister(p.Home); err != nil {
		return nil, err
	}
	if old.Version != 0 {
		if err := tx.mayAdminister(old.Home); err != nil {
			return nil, err
		}
		if err := tx.mayEnable(old, &p); err != nil {
			return nil, err
		}
	}
	p.rest = old.rest
	if err := tx.store.principal.Put(tx.tx, p.ID, &p, uint8(PrincipalSet)); err != nil {
		return nil, err
	}
	if err := tx.policyChanged(); err != nil {
		return nil, err
	}
	return tx.principal(p.ID)
}

// mayEnable returns nil unless a disabled principal would have grants again that the
// session could not give.
func (tx *Tx) mayEnable(old, next *Principal) error {
	if !old.Disabled || next.Disabled || tx.access() == nil {
		return nil
	}
	for g, err := range tx.full().GrantsOf(next.ID) {
		if err != nil {
			return err
		}
		if ended := !g.Until.IsZero() && !tx.now().Before(g.Until); g.Deny || ended {
			continue
		}
		if err := tx.mayPass(g); err != nil {
			return fmt.Errorf("orgtree: set principal: %v: %w", g, err)
		}
	}
	return nil
}

// Principal returns a principal, or an error that wraps ErrNotFound. It costs one read.
func (r *Reader) Principal(id string) (*Principal, error) {
	return r.store.principal.Get(r.storage, id)
}

// principal returns an unknown principal as one of version 0.
func (r *Reader) principal(id string) (*Principal, error) {
	p, err := r.Principal(id)
	if isNotFound(err) {
		return &Principal{ID: id}, nil
	}
	return p, err
}

// Principals yields all principals, by id.
func (r *Reader) Principals() iter.Seq2[*Principal, error] {
	return r.store.principal.Records(r.storage, kv.Range{}, false)
}

// PrincipalHistory yields all versions of a principal, oldest first.
func (r *Reader) PrincipalHistory(id string) iter.Seq2[*Principal, error] {
	return livingVersions(r.store.principal.Versions(r.storage, id))
}

// livingVersions yields the versions that are neither deleted nor erased.
func livingVersions[V any](versions iter.Seq2[storage.Version[V], error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for v, err := range versions {
			if v.Deleted || v.Erased {
				continue
			}
			if !yield(v.Value, err) || err != nil {
				return
			}
		}
	}
}
