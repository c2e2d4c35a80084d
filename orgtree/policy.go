package orgtree

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// ErrLockout: nobody would be left who may administer the book.
var ErrLockout = errors.New("nobody could administer the book")

// policy is what holds for the whole book, kept with its history.
type policy struct {
	Enforced bool
	Rules    []ApprovalRule
}

// policyMark is the one record that every change of access writes and every narrowed
// transaction reads, so that a change holds for whatever commits after it. The stamp is
// random, like that of a [treeChange]: what was compiled can be kept by it.
type policyMark struct {
	Stamp    uint64
	Enforced bool
	// Grants and Delegations are the highest ids that were ever given out: those that are
	// gone are in the history alone, which is read by id.
	Grants      GrantID
	Delegations DelegationID
}

const policyKey = "policy"

func (r *Reader) policyMark() (*policyMark, error) {
	m, found, err := r.store.mark.Find(r.storage, policyKey)
	if err == nil && !found {
		return &policyMark{}, nil
	}
	return m, err
}

func (r *Reader) policy() (*policy, error) {
	p, err := r.store.policy.Get(r.storage, policyKey)
	if isNotFound(err) {
		return &policy{}, nil
	}
	return p, err
}

// Enforced reports whether access is enforced. While it is not, every actor sees and may
// do everything.
func (r *Reader) Enforced() (bool, error) {
	m, err := r.policyMark()
	if err != nil {
		return false, err
	}
	return m.Enforced, nil
}

// Enforce switches the enforcement of access on or off. To switch it on there must be a
// principal with the right to administer the whole book (ErrLockout); to switch it off,
// the actor needs that right.
func (tx *Tx) Enforce(on bool) error {
	if err := tx.mayAdminister(0); err != nil {
		return err
	}
	p, err := tx.policy()
	if err != nil || p.Enforced == on {
		return err
	}
	p.Enforced = on
	if err := tx.store.policy.Put(tx.tx, policyKey, p, uint8(PolicySet)); err != nil {
		return err
	}
	return tx.grantsChanged(func(m *policyMark) { m.Enforced = on })
}

// policyChanged notes a change of access: whoever is at work starts again from it.
func (tx *Tx) policyChanged() error { return tx.grantsChanged(func(*policyMark) {}) }

// grantsChanged is policyChanged with what is to be noted of the change.
func (tx *Tx) grantsChanged(note func(*policyMark)) error {
	m, err := tx.policyMark()
	if err != nil {
		return err
	}
	next := *m
	note(&next)
	if next.Enforced {
		if err := tx.checkAdministrator(); err != nil {
			return err
		}
	}
	next.Stamp = 1 + rand.Uint64N(1<<63)
	return tx.store.mark.Put(tx.tx, policyKey, &next, 0)
}

// checkAdministrator fails unless some principal may administer the whole book now.
func (tx *Tx) checkAdministrator() error {
	for role, err := range tx.Roles() {
		if err != nil {
			return err
		}
		if !role.permits(customer.RightAdminister).has(customer.Identity) {
			continue
		}
		for g, err := range tx.full().GrantsOfRole(role.Name) {
			if err != nil {
				return err
			}
			if found, err := tx.administers(g); err != nil || found {
				return err
			}
		}
	}
	return &Error{Op: "change access", Remedy: fmt.Sprintf("let an enabled principal keep a role with the right to %s, on the whole book", customer.RightAdminister), Err: ErrLockout}
}

// administers reports whether a grant, of a role with the right, makes its holder an
// administrator of the whole book.
func (tx *Tx) administers(g *Grant) (bool, error) {
	if g.Deny || !g.Scope.All || !g.at(tx.now()) {
		return false, nil
	}
	holder, err := tx.full().compile(g.Principal)
	if err != nil {
		return false, err
	}
	return holder.permitsAt(customer.RightAdminister, customer.Identity, 0), nil
}

// planCache keeps what was compiled for principals, in two generations: what is used
// stays.
type planCache struct {
	mu           sync.Mutex
	young, older map[string]*plan
	used         map[useKey]int64 // through plans that are gone
}

// maxPlans bounds a generation.
const maxPlans = 8192

func (c *planCache) find(actor string, stamp uint64, tree *Tree, now time.Time) *plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.young[actor]
	if p == nil {
		if p = c.older[actor]; p != nil {
			c.put(p)
		}
	}
	if p == nil || p.stamp != stamp || p.tree != tree || now.Before(p.from) || !p.until.IsZero() && !now.Before(p.until) {
		return nil
	}
	return p
}

func (c *planCache) keep(p *plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(p)
}

func (c *planCache) put(p *plan) {
	if c.young == nil || len(c.young) >= maxPlans {
		for _, gone := range c.older {
			c.collect(gone)
		}
		c.young, c.older = map[string]*plan{}, c.young
	}
	if former := c.young[p.actor]; former != nil && former != p {
		c.collect(former)
	}
	c.young[p.actor] = p
}

// The stored fields of the policy and its mark.
const (
	policyEnforced = 1
	policyRule     = 2

	markStamp       = 1
	markEnforced    = 2
	markGrants      = 3
	markDelegations = 4
)

func appendPolicy(dst []byte, p *policy) ([]byte, error) {
	w := record.Writer{Buf: dst}
	writeBool(&w, policyEnforced, p.Enforced)
	for i := range p.Rules {
		mark := w.Begin(policyRule)
		p.Rules[i].append(&w)
		w.End(mark)
	}
	return w.Buf, nil
}

func decodePolicy(src string, _ string, _ storage.Meta) (*policy, error) {
	p := &policy{}
	_, err := readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case policyEnforced:
			p.Enforced = r.Uint() != 0
		case policyRule:
			var rule ApprovalRule
			readNested(r, rule.readField)
			p.Rules = append(p.Rules, rule)
		default:
			r.Skip()
		}
	})
	p.Rules = slices.Clip(p.Rules)
	return p, err
}

func appendPolicyMark(dst []byte, m *policyMark) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Uint(markStamp, m.Stamp)
	writeBool(&w, markEnforced, m.Enforced)
	w.Uint(markGrants, uint64(m.Grants))
	w.Uint(markDelegations, uint64(m.Delegations))
	return w.Buf, nil
}

func decodePolicyMark(src string, _ string, _ storage.Meta) (*policyMark, error) {
	m := &policyMark{}
	_, err := readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case markStamp:
			m.Stamp = r.Uint()
		case markEnforced:
			m.Enforced = r.Uint() != 0
		case markGrants:
			m.Grants = GrantID(r.Uint())
		case markDelegations:
			m.Delegations = DelegationID(r.Uint())
		default:
			r.Skip()
		}
	})
	return m, err
}
