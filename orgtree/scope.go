package orgtree

import (
	"errors"
	"fmt"
	"slices"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Filters reads the filters of scopes. The book's read the language of package tagging;
// see [Options.Filters].
type Filters interface {
	// Check reports what is wrong with a filter.
	Check(r *storage.Reader, customers *customer.Reader, filter string) error
	// Find returns the customers of a filter, whoever asks, for the time of the transaction.
	Find(r *storage.Reader, customers *customer.Reader, filter string) (bitset.Source, error)
	// Holds reports whether one customer is among them, as the transaction has it now.
	Holds(r *storage.Reader, customers *customer.Reader, filter string, id customer.ID) (bool, error)
}

// Access is what one actor may see and do in one state of the book: it implements
// [customer.Access]. A customer is seen when a grant in force gives the right to read its
// identity, and no denial takes it away; each field likewise, by the kind of data that it
// belongs to and the grants' masks. To do something a grant must give the right on a
// customer that belongs to its units; what units share is for reading ([Tree.Acts]).
type Access struct {
	reader Reader // shows everything
	plan   *plan
	filter map[string]bitset.Source
	stand  standing
	state  chunkState
	whole  *within // whom the actor sees, once it was asked for
	used   map[approvable]*Approval
	asking bool // for approval, or about to use it
}

var _ customer.Access = (*Access)(nil)

// standing is where a customer stands: the one that was asked for last.
type standing struct {
	id       customer.ID
	owner    customer.UnitID
	rep      string
	survivor customer.ID // into which it was merged
	known    bool        // what follows, of the placement
	assigned []customer.UnitID
	reps     []string
	teams    []customer.UnitID
}

// Access returns what an actor may see and do in a state, nil while access is not
// enforced. An actor that is no principal sees nothing. It costs a microsecond for an
// actor that was at work before and since when nothing of access has changed, some tens
// otherwise; nothing grows with what the actor doesn't see.
func (s *Store) Access(r *storage.Reader, customers *customer.Reader, actor string) (customer.Access, error) {
	a := &Access{reader: Reader{store: s, storage: r, customers: customer.Unscoped(customers)}}
	mark, err := a.reader.policyMark()
	if err != nil || !mark.Enforced {
		return nil, err
	}
	if a.plan, err = a.reader.planOf(mark, actor); err != nil {
		return nil, err
	}
	return a, nil
}

// accessOf returns what a principal may see and do, enforced or not.
func (r *Reader) accessOf(mark *policyMark, actor string) (*Access, error) {
	plan, err := r.planOf(mark, actor)
	if err != nil {
		return nil, err
	}
	return &Access{reader: *r, plan: plan}, nil
}

func (r *Reader) planOf(mark *policyMark, actor string) (*plan, error) {
	tree, err := r.Tree()
	if err != nil {
		return nil, err
	}
	plan := r.store.plans.find(actor, mark.Stamp, tree, r.now())
	if plan == nil {
		if plan, err = r.compile(actor); err != nil {
			return nil, err
		}
		plan.stamp = mark.Stamp
		r.store.plans.keep(plan)
	}
	return plan, nil
}

// at returns where a customer stands: within an Update always as it is now.
func (a *Access) at(c *customer.Customer) *standing {
	if a.reader.storage.Writing() || a.stand.id != c.ID || c.ID == 0 || a.stand.owner != c.Owner || a.stand.rep != c.Rep || a.stand.survivor != c.Survivor {
		a.stand = standing{id: c.ID, owner: c.Owner, rep: c.Rep, survivor: c.Survivor, known: c.ID == 0}
	}
	return &a.stand
}

// place completes a standing from the customer's placement.
func (a *Access) place(s *standing) error {
	if s.known {
		return nil
	}
	p, err := a.reader.placementOf(s.id)
	if err != nil {
		return err
	}
	if p.Team != 0 {
		s.teams = append(s.teams, a.plan.tree.Resolve(p.Team))
	}
	for i := range p.Assignments {
		x := &p.Assignments[i]
		if !x.At(a.reader.now()) {
			continue
		}
		s.assigned = append(s.assigned, x.Unit)
		if x.Rep != "" {
			s.reps = append(s.reps, x.Rep)
		}
		if x.Team != 0 {
			s.teams = append(s.teams, a.plan.tree.Resolve(x.Team))
		}
	}
	s.known = true
	return nil
}

// reaching tells how a customer must be seen from a unit.
type reaching uint8

const (
	toRead reaching = iota // as units share
	toAct                  // as a customer of theirs
	toDeny                 // as owned by or assigned to them
)

// howFor returns how a customer must be seen for a right.
func howFor(right customer.Right) reaching {
	if right == customer.RightRead || right == customer.RightExport {
		return toRead
	}
	return toAct
}

// covers reports whether a grant's scope holds a customer.
func (a *Access) covers(g *held, how reaching, d customer.Data, s *standing) (bool, error) {
	if found, err := a.reaches(g.Scope.reach(), how, d, s); err != nil || !found {
		return false, err
	}
	if g.Scope.Own {
		if found, err := a.owns(g.hat, s); err != nil || !found {
			return false, err
		}
	}
	if g.Scope.Filter == "" {
		return true, nil
	}
	if s.id == 0 { // it has no tags yet
		return false, nil
	}
	return a.matches(g.Scope.Filter, s)
}

// matches reports whether a filter holds a customer or, when that was merged, the one that
// stands for it: what a loser had is the survivor's.
func (a *Access) matches(filter string, s *standing) (bool, error) {
	id := s.id
	if s.survivor != 0 {
		c, err := a.reader.customers.Get(s.survivor)
		if err != nil {
			return false, err
		}
		id = c.ID
	}
	if a.reader.storage.Writing() && a.reader.store.filters != nil {
		return a.reader.store.filters.Holds(a.reader.storage, a.reader.customers, filter, id)
	}
	found, err := a.find(filter)
	if err != nil {
		return false, err
	}
	return found.Has(uint64(id))
}

func (a *Access) reaches(from Reach, how reaching, d customer.Data, s *standing) (bool, error) {
	tree := a.plan.tree
	if tree.covers(from, s.owner) {
		return true, nil
	}
	if how != toDeny && (tree.Policy(s.owner, customer.Identity) == Private || tree.Policy(s.owner, d) == Private) {
		return false, nil
	}
	if err := a.place(s); err != nil {
		return false, err
	}
	switch how {
	case toRead:
		return tree.Shares(from, d, s.owner, s.assigned...), nil
	case toAct:
		return tree.Acts(from, d, s.owner, s.assigned...), nil
	}
	return slices.ContainsFunc(s.assigned, func(unit customer.UnitID) bool { return tree.covers(from, unit) }), nil
}

// owns reports whether a customer is a principal's own.
func (a *Access) owns(h *hat, s *standing) (bool, error) {
	if s.rep == h.id {
		return true, nil
	}
	if err := a.place(s); err != nil {
		return false, err
	}
	return slices.Contains(s.reps, h.id) || h.team != 0 && slices.Contains(s.teams, a.plan.tree.Resolve(h.team)), nil
}

// find returns the customers of a filter. What an Update has found may have been changed
// since by itself: it looks again.
func (a *Access) find(filter string) (bitset.Source, error) {
	if s := a.filter[filter]; s != nil && !a.reader.storage.Writing() {
		return s, nil
	}
	if a.reader.store.filters == nil {
		return nil, &Error{Op: "read scope", Field: "Filter", Value: filter, Remedy: "open the book with Options.Filters, which it had when the grant was given", Err: ErrInvalid}
	}
	s, err := a.reader.store.filters.Find(a.reader.storage, a.reader.customers, filter)
	if err != nil {
		return nil, err
	}
	if a.filter == nil {
		a.filter = map[string]bitset.Source{}
	}
	a.filter[filter] = s
	return s, nil
}

// any reports whether one of some grants, or denials, concerns a right on a kind of data
// of a customer; it returns the first.
func (a *Access) any(list []*held, how reaching, right customer.Right, d customer.Data, s *standing) (*held, error) {
	for _, g := range list {
		kinds := g.permits(right)
		if how == toDeny {
			kinds = g.denies(right)
		}
		if !kinds.has(d) {
			continue
		}
		found, err := a.covers(g, how, d, s)
		if err != nil || found {
			return g, err
		}
	}
	return nil, nil
}

// permits returns the grant by which the actor has a right on a kind of data of a
// customer, nil for none.
func (a *Access) permits(how reaching, right customer.Right, d customer.Data, s *standing) (*held, error) {
	for i, h := range a.plan.hats {
		g, denied, err := a.permitsAs(h, how, right, d, s)
		if err != nil || g != nil || denied && i == 0 {
			return g, err
		}
	}
	return nil, nil
}

// permitsAs is permits for one of those in whose place the actor acts, and whether it is
// denied to that one.
func (a *Access) permitsAs(h *hat, how reaching, right customer.Right, d customer.Data, s *standing) (g *held, denied bool, err error) {
	denial, err := a.any(h.denials, toDeny, right, d, s)
	if err != nil || denial != nil {
		return nil, denial != nil, err
	}
	g, err = a.any(h.grants, how, right, d, s)
	return g, false, err
}

// Sees implements [customer.Access]. The customer must be as it is stored: its owner and
// representative decide.
func (a *Access) Sees(c *customer.Customer) (bool, error) {
	g, err := a.permits(toRead, customer.RightRead, customer.Identity, a.at(c))
	return g != nil, err
}

// kindMasks are the masks of every set of kinds of data.
var kindMasks = func() (masks [allData + 1]customer.Mask) {
	for s := range masks {
		masks[s] = customer.MaskOf(dataSet(s).kinds()...)
	}
	return masks
}()

// Mask implements [customer.Access]; as for Sees, the customer must be as it is stored.
// Each grant through which the customer is seen counts as used.
func (a *Access) Mask(c *customer.Customer) (customer.Mask, error) { return a.mask(c, true) }

// maskUnused is Mask for reports, which use nothing.
func (a *Access) maskUnused(c *customer.Customer) (customer.Mask, error) { return a.mask(c, false) }

func (a *Access) mask(c *customer.Customer, use bool) (customer.Mask, error) {
	if a.plan.plain { // what shows anything shows the identity, too
		if s := a.plan.sightOf(c.Owner); s != nil {
			if use {
				s.use()
			}
			return s.mask, nil
		}
		return a.maskOf(a.plan.hats[0], a.at(c), use)
	}
	sees, err := a.Sees(c)
	if err != nil || !sees {
		return kindMasks[allData], err
	}
	s := a.at(c)
	hidden := kindMasks[allData]
	for i, h := range a.plan.hats {
		mask, err := a.maskOf(h, s, use)
		if err != nil {
			return kindMasks[allData], err
		}
		if i > 0 {
			if mask, err = a.denied(h, mask, s); err != nil {
				return kindMasks[allData], err
			}
		}
		hidden = hidden.And(mask)
	}
	return a.denied(a.plan.hats[0], hidden, s)
}

// sight is what is hidden of every customer that a unit owns, and by which grants the rest
// is shown.
type sight struct {
	mask customer.Mask
	by   []*held
}

func (s *sight) use() {
	for _, g := range s.by {
		g.uses.add(customer.RightRead)
	}
}

// maxShown bounds the units that a plan remembers.
const maxShown = 4096

// sightOf returns how all customers of a unit are seen, nil when that depends on the
// customer. The plan must be plain.
func (p *plan) sightOf(owner customer.UnitID) *sight {
	p.showing.RLock()
	s, known := p.shown[owner]
	p.showing.RUnlock()
	if known {
		return s
	}
	s = p.findSight(owner)
	p.showing.Lock()
	defer p.showing.Unlock()
	if p.shown == nil || len(p.shown) >= maxShown {
		p.shown = map[customer.UnitID]*sight{}
	}
	p.shown[owner] = s
	return s
}

// findSight is what [Access.maskOf] finds for whatever customer of a unit.
func (p *plan) findSight(owner customer.UnitID) *sight {
	s := &sight{mask: kindMasks[allData]}
	for _, g := range p.hats[0].grants {
		if g.reads == 0 {
			continue
		}
		owns := p.tree.covers(g.Scope.reach(), owner)
		if !g.Scope.wide() || !owns && p.tree.Policy(owner, customer.Identity) != Private {
			return nil
		}
		if !owns {
			continue
		}
		s.by = append(s.by, g)
		if s.mask = s.mask.And(kindMasks[allData&^g.reads].Or(g.Mask)); s.mask.Empty() {
			break
		}
	}
	return s
}

// maskOf returns what none of a hat's grants shows.
func (a *Access) maskOf(h *hat, s *standing, use bool) (customer.Mask, error) {
	hidden := kindMasks[allData]
	for _, g := range h.grants {
		shown, err := a.shownBy(g, s)
		if err != nil {
			return hidden, err
		}
		if shown == 0 {
			continue
		}
		if use {
			g.uses.add(customer.RightRead)
		}
		if hidden = hidden.And(kindMasks[allData&^shown].Or(g.Mask)); hidden.Empty() {
			break
		}
	}
	return hidden, nil
}

// shownBy returns the kinds of data that a grant shows of a customer.
func (a *Access) shownBy(g *held, s *standing) (shown dataSet, err error) {
	if g.Scope.wide() && a.plan.tree.covers(g.Scope.reach(), s.owner) {
		return g.reads, nil
	}
	for _, d := range customer.AllData() {
		found, err := a.covers(g, toRead, d, s)
		if err != nil {
			return 0, err
		}
		if found && g.reads.has(d) {
			shown |= dataSetOf(d)
		}
		if !found && d == customer.Identity {
			return 0, nil // nothing is shared further than that
		}
	}
	return shown, nil
}

// denied adds to a mask what a hat's denials hide.
func (a *Access) denied(h *hat, mask customer.Mask, s *standing) (customer.Mask, error) {
	for _, g := range h.denials {
		if g.reads == 0 {
			continue
		}
		found, err := a.covers(g, toDeny, customer.Identity, s)
		switch {
		case err != nil:
			return mask, err
		case found && g.Mask.Empty():
			mask = mask.Or(kindMasks[g.reads])
		case found:
			mask = mask.Or(g.Mask)
		}
	}
	return mask, nil
}

// Allows implements [customer.Access]. For a customer that is to be created, whose id is
// 0, its owner and representative decide; a filter holds no such customer. Without a
// customer, the right to administer must be on the whole book, any other one on anything.
// What an [ApprovalRule] asks approval for is denied with an [*ApprovalError] until one was
// used in the transaction.
func (a *Access) Allows(right customer.Right, d customer.Data, c *customer.Customer) error {
	if c == nil {
		return a.allowsApart(right, d)
	}
	s := a.at(c)
	if c.ID != 0 {
		sees, err := a.permits(toRead, customer.RightRead, customer.Identity, s)
		if err != nil {
			return err
		}
		if sees == nil {
			return &storage.Error{Op: "get", Table: "customer", Key: c.ID.String(), Err: customer.ErrNotFound}
		}
	}
	g, err := a.grantFor(right, d, c)
	if err != nil {
		return err
	}
	if g == nil {
		return a.refusal(right, d, c.ID)
	}
	if err := a.checkApproved(right, d, c.ID); err != nil {
		return err
	}
	g.uses.add(right)
	return nil
}

// grantFor returns the grant by which the actor has a right on a kind of data of a
// customer that it sees, nil for none: what is hidden altogether is not read.
func (a *Access) grantFor(right customer.Right, d customer.Data, c *customer.Customer) (*held, error) {
	g, err := a.permits(howFor(right), right, d, a.at(c))
	if err != nil || g == nil || c.ID == 0 || right != customer.RightRead || d == customer.Identity {
		return g, err
	}
	mask, err := a.maskUnused(c)
	if err != nil || mask.HidesAll(d) {
		return nil, err
	}
	return g, nil
}

func (a *Access) allowsApart(right customer.Right, d customer.Data) error {
	if right == customer.RightAdminister {
		return a.AllowsAt(right, d, 0)
	}
	if !a.plan.permitsSomewhere(right, d) {
		return a.refusal(right, d, 0)
	}
	return a.checkApproved(right, d, 0)
}

// AllowsAt returns nil when the actor has a right on everything of a unit and those below
// it, 0 for the whole book, and otherwise an *customer.AccessError.
func (a *Access) AllowsAt(right customer.Right, d customer.Data, unit customer.UnitID) error {
	return a.allowsAt(right, d, unit, false)
}

// allowsAt is AllowsAt or, with alone, about the unit by itself.
func (a *Access) allowsAt(right customer.Right, d customer.Data, unit customer.UnitID, alone bool) error {
	g := a.plan.grantAt(right, d, unit, alone)
	if g == nil {
		return a.refusal(right, d, 0)
	}
	g.uses.add(right)
	return nil
}

func (a *Access) refusal(right customer.Right, d customer.Data, id customer.ID) error {
	return &customer.AccessError{Actor: a.plan.actor, Right: right, Data: d, Customer: id,
		Remedy: "ask who administers access for a role with this right"}
}

// Within implements [customer.Access].
func (a *Access) Within() bitset.Source { return a.within("") }

// WithinUnmasked implements [customer.Access].
func (a *Access) WithinUnmasked(field string) bitset.Source { return a.within(field) }

func (a *Access) within(field string) bitset.Source {
	s := a.plan.set(field)
	if s.everything() {
		return nil
	}
	if s != a.plan.set("") {
		return &within{access: a, set: s, field: field}
	}
	if a.whole == nil {
		a.whole = &within{access: a, set: s}
	}
	return a.whole // one and the same, by which customer.MayHide knows it
}

// ShowsAll reports whether the actor is shown a field of every customer that a unit or one
// below it owns, 0 for the whole book: then it may know what these have together.
func (a *Access) ShowsAll(field string, unit customer.UnitID) bool {
	return a.plan.showsAll(field, unit)
}

// shows reports whether a customer is in the set of those seen with a field.
func (a *Access) shows(id customer.ID, field string) (bool, error) {
	c, err := a.reader.customers.Exact(id)
	if isNotFound(err) || errors.Is(err, customer.ErrErased) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	sees, err := a.Sees(c)
	if err != nil || !sees || field == "" || !canHide(field) {
		return sees, err
	}
	mask, err := a.maskUnused(c)
	return !mask.Hides(field), err
}

// String tells whose access it is, for logs.
func (a *Access) String() string { return fmt.Sprintf("access of %s", a.plan.actor) }
