package orgtree

import (
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// EffectiveRight is a grant that a principal can use, as it is in force.
type EffectiveRight struct {
	Grant   *Grant
	Role    *Role
	Through *Delegation // by which the principal has it; nil for its own
	Units   int         // that the scope covers, merged ones among them; 0 for the whole book
}

// Effective is what a principal may do in all.
type Effective struct {
	Principal *Principal
	Grants    []EffectiveRight
	Denials   []EffectiveRight
	Customers int64 // that it sees
	Until     time.Time
}

// EffectiveRights reports what a principal may do now, and how many customers it sees;
// Until is when that next changes by itself, zero for never. Of others than itself it
// asks for the right to review or to administer the whole book.
func (r *Reader) EffectiveRights(id string) (*Effective, error) {
	if err := r.mayKnow(id); err != nil {
		return nil, err
	}
	who, err := r.Principal(id)
	if err != nil {
		return nil, err
	}
	a, err := r.accessOfAny(id)
	if err != nil {
		return nil, err
	}
	e := &Effective{Principal: who, Until: a.plan.until}
	for _, h := range a.plan.hats {
		e.Grants = append(e.Grants, a.plan.effective(h.grants)...)
		e.Denials = append(e.Denials, a.plan.effective(h.denials)...)
	}
	e.Customers, err = a.countSeen()
	return e, err
}

// accessOfAny returns the access of a principal over everything, enforced or not.
func (r *Reader) accessOfAny(id string) (*Access, error) {
	mark, err := r.policyMark()
	if err != nil {
		return nil, err
	}
	return r.full().accessOf(mark, id)
}

func (p *plan) effective(list []*held) (rights []EffectiveRight) {
	for _, g := range list {
		e := EffectiveRight{Grant: g.Grant, Role: g.role, Through: g.hat.delegation}
		if reach := g.Scope.reach(); reach.Unit != 0 {
			e.Units = len(p.tree.covered(reach))
		}
		rights = append(rights, e)
	}
	return rights
}

// countSeen returns how many customers are seen, in every status but erased.
func (a *Access) countSeen() (int64, error) {
	if within := a.Within(); within != nil {
		return bitset.Count(within)
	}
	everyone := &plannedSet{parts: []part{{terms: []term{{all: true}}}}}
	return bitset.Count(&within{access: a, set: everyone})
}

// RightsOn is what a principal may do with one customer.
type RightsOn struct {
	Principal string
	Rights    []Permission // each with the kinds of data
	Hidden    []string     // fields, see [customer.Mask]
}

// RightsOnCustomer reports who may see a customer, and do what with it: principals by id,
// those who don't see it left out. The session must see the customer and have the right
// to review or to administer the whole book. It costs some tens of microseconds for each
// principal of the book.
func (r *Reader) RightsOnCustomer(id customer.ID) ([]RightsOn, error) {
	if err := r.mayReview(); err != nil {
		return nil, err
	}
	if _, err := r.customers.Exact(id); err != nil {
		return nil, err
	}
	c, err := customer.Unscoped(r.customers).Exact(id)
	if err != nil {
		return nil, err
	}
	var list []RightsOn
	for p, err := range r.Principals() {
		if err != nil {
			return nil, err
		}
		a, err := r.accessOfAny(p.ID)
		if err != nil {
			return nil, err
		}
		on, err := a.rightsOn(c)
		if err != nil {
			return nil, err
		}
		if on != nil {
			list = append(list, *on)
		}
	}
	return list, nil
}

// rightsOn lists the rights on a customer, nil for one that is not seen.
func (a *Access) rightsOn(c *customer.Customer) (*RightsOn, error) {
	if sees, err := a.Sees(c); err != nil || !sees {
		return nil, err
	}
	mask, err := a.maskUnused(c)
	if err != nil {
		return nil, err
	}
	on := &RightsOn{Principal: a.plan.actor, Hidden: mask.Fields()}
	for _, right := range a.plan.rights() {
		kinds := []customer.Data{}
		for _, d := range customer.AllData() {
			g, err := a.grantFor(right, d, c)
			if err != nil {
				return nil, err
			}
			if g != nil {
				kinds = append(kinds, d)
			}
		}
		if len(kinds) > 0 {
			on.Rights = append(on.Rights, Permission{Right: right, Data: kinds})
		}
	}
	return on, nil
}

// rights lists the rights that any grant of the plan names.
func (p *plan) rights() []customer.Right {
	list := slices.Clone(customer.Rights())
	for _, h := range p.hats {
		for _, g := range h.grants {
			for _, permission := range g.role.Permissions {
				if permission.Right != AnyRight && !slices.Contains(list, permission.Right) {
					list = append(list, permission.Right)
				}
			}
		}
	}
	return list
}
