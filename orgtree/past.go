package orgtree

import (
	"errors"
	"iter"
	"time"

	"github.com/clientele-go/clientele/storage"
)

// GrantsKnown yields the grants that were recorded at an instant, given by then and not yet
// revoked, in the order of their ids: those that ended by then and those ahead too, see
// [Grant.From]. It is for who may review or administer the whole book, and reads the
// history of every grant that there ever was: some microseconds each.
func (r *Reader) GrantsKnown(known time.Time) iter.Seq2[*Grant, error] {
	return forReview(r.mayReview(), func(yield func(*Grant, error) bool) {
		m, err := r.policyMark()
		if err != nil {
			yield(nil, err)
			return
		}
		knownRecords(r, r.store.grant, m.Grants, known)(yield)
	})
}

// delegationsKnown yields the delegations that were recorded at an instant.
func (r *Reader) delegationsKnown(known time.Time) iter.Seq2[*Delegation, error] {
	return func(yield func(*Delegation, error) bool) {
		m, err := r.policyMark()
		if err != nil {
			yield(nil, err)
			return
		}
		knownRecords(r, r.store.delegation, m.Delegations, known)(yield)
	}
}

// knownRecords yields what a table of dense ids had on an instant.
func knownRecords[K ~uint64, V any](r *Reader, t *storage.Table[K, V], highest K, known time.Time) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for id := K(1); id <= highest; id++ {
			v, err := t.At(r.storage, id, known)
			if isNotFound(err) {
				continue
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// EffectiveRightsAt reports what a principal could do at a past instant, as it was recorded
// then: the grants and delegations in force with their roles as they were, of a principal
// that was disabled none. Units counts those of the organisation as it was known then. It
// doesn't tell how many customers the principal saw. Whether access was enforced is for
// [Reader.EnforcedAt]. It asks for what EffectiveRights does, and fails with ErrNotFound
// where the principal was not known yet.
func (r *Reader) EffectiveRightsAt(id string, at time.Time) (*Effective, error) {
	if err := r.mayKnow(id); err != nil {
		return nil, err
	}
	who, err := r.store.principal.At(r.storage, id, at)
	if err != nil {
		return nil, err
	}
	e := &Effective{Principal: who}
	if who.Disabled {
		return e, nil
	}
	tree, err := r.TreeKnown(at, at)
	if err != nil {
		return nil, err
	}
	p := &past{Reader: r.full(), at: at, tree: tree, rights: e}
	return e, p.collect(id)
}

// EnforcedAt reports whether access was enforced at an instant.
func (r *Reader) EnforcedAt(at time.Time) (bool, error) {
	p, err := r.store.policy.At(r.storage, policyKey, at)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return p.Enforced, nil
}

// past collects the rights that a principal had.
type past struct {
	*Reader
	rights *Effective
	at     time.Time
	tree   *Tree
}

func (p *past) collect(id string) error {
	through := map[string][]*Delegation{}
	for d, err := range p.delegationsKnown(p.at) {
		if err != nil {
			return err
		}
		if d.To != id || !d.at(p.at) {
			continue
		}
		switch from, err := p.store.principal.At(p.storage, d.From, p.at); {
		case err != nil && !isNotFound(err):
			return err
		case err == nil && !from.Disabled:
			through[d.From] = append(through[d.From], d)
		}
	}
	for g, err := range p.GrantsKnown(p.at) {
		if err != nil {
			return err
		}
		if !g.at(p.at) {
			continue
		}
		if g.Principal == id {
			err = p.add(g, nil)
		}
		for _, d := range through[g.Principal] {
			if g.Deny || d.covers(g.ID) {
				err = errors.Join(err, p.add(g, d))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add adds a grant that was in force.
func (p *past) add(g *Grant, d *Delegation) error {
	role, err := p.store.role.At(p.storage, g.Role, p.at)
	if err != nil {
		return err
	}
	e := EffectiveRight{Grant: g, Role: role, Through: d}
	if reach := g.Scope.reach(); reach.Unit != 0 {
		e.Units = len(p.tree.covered(reach))
	}
	if g.Deny {
		p.rights.Denials = append(p.rights.Denials, e)
	} else {
		p.rights.Grants = append(p.rights.Grants, e)
	}
	return nil
}
