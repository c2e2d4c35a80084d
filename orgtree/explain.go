package orgtree

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
)

// Verdict is what a grant or a state of affairs contributes to an explanation.
type Verdict uint8

const (
	Grants        Verdict = iota // the grant gives the right
	Denies                       // the denial takes it away
	Hides                        // the grant's mask, or a denial's, hides fields
	OtherRights                  // its role doesn't have the right on this kind of data
	OutOfReach                   // its unit doesn't see the customer, or may not act on it
	NotShared                    // it would, but the owner's policy keeps this kind of data private
	NotOwn                       // it holds for the principal's own customers
	NotInFilter                  // it holds for those of a filter
	NotInForce                   // it has ended, or is ahead
	DelegationOff                // the delegation is not in force, or who gave it is disabled
	NoPrincipal                  // the actor is no principal of the book
	Disabled                     // the principal is disabled
	NoGrants                     // the principal has no grants
	NotEnforced                  // access is not enforced: everything is allowed

	verdicts = iota
)

var verdictNames = enum.Names{"grants", "denies", "hides", "other rights", "out of reach", "not shared", "not own", "not in filter",
	"not in force", "delegation off", "no principal", "disabled", "no grants", "not enforced"}

func (v Verdict) String() string { return verdictNames.Of(uint8(v)) }

// Ground is one grant, or state of affairs, and what it contributes.
type Ground struct {
	Verdict Verdict
	Grant   *Grant      // nil for none
	Through *Delegation // by which the actor has the grant; nil for its own
	Path    []string    // the codes of the units from the grant's down to the customer's owner
	Policy  Policy      // the owner's for this kind of data, where it counts
	Owner   string      // the code of the owner unit
	Fields  []string    // hidden
}

// Explanation says why an actor may do something, or may not.
type Explanation struct {
	Actor    string
	Right    customer.Right
	Data     customer.Data
	Customer customer.ID
	Allowed  bool
	Grounds  []Ground
	Hidden   []string // for reading: the fields that are hidden, see [customer.Mask]
	// Approval is the rule by which a second person must approve it first, nil for none. One
	// with an amount may not hold for the amount in question.
	Approval *ApprovalRule
}

// Explain says why an actor may do something with a kind of data of a customer, or what
// is lacking. The session must see the customer; about others than itself it asks for the
// right to review or to administer the whole book.
func (r *Reader) Explain(actor string, right customer.Right, d customer.Data, id customer.ID) (*Explanation, error) {
	if err := r.mayKnow(actor); err != nil {
		return nil, err
	}
	if d >= dataKinds {
		return nil, &Error{Op: "explain", Field: "Data", Value: d.String(), Remedy: "use one of customer.AllData", Err: ErrInvalid}
	}
	visible, err := r.customers.Visible(id)
	if err != nil {
		return nil, err
	}
	if !visible { // Get would follow a merged one to its survivor
		_, err := r.customers.Exact(id)
		return nil, err
	}
	mark, err := r.policyMark()
	if err != nil {
		return nil, err
	}
	e := &explainer{Reader: *r.full()}
	e.Explanation = Explanation{Actor: actor, Right: right, Data: d, Customer: id}
	if !mark.Enforced {
		e.Allowed, e.Grounds = true, []Ground{{Verdict: NotEnforced}}
		return &e.Explanation, nil
	}
	if e.access, err = e.accessOf(mark, actor); err == nil {
		err = e.explain(id)
	}
	return &e.Explanation, err
}

// explainer explains one question.
type explainer struct {
	Explanation
	Reader
	access *Access
	stand  *standing
}

func (e *explainer) explain(id customer.ID) error {
	c, err := e.customers.Exact(id)
	if err != nil {
		return err
	}
	e.stand = e.access.at(c)
	sees, err := e.access.Sees(c)
	if err != nil {
		return err
	}
	if sees {
		g, err := e.access.grantFor(e.Right, e.Data, c)
		if err != nil {
			return err
		}
		e.Allowed = g != nil
	}
	if e.Explanation.Approval, err = e.NeedsApproval(e.Right, e.Data, nil); err != nil {
		return err
	}
	if e.Right == customer.RightRead {
		mask, err := e.access.maskUnused(c)
		if err != nil {
			return err
		}
		e.Hidden = mask.Fields()
	}
	return e.explainGrants()
}

func (e *explainer) explainGrants() error {
	who, err := e.principal(e.Actor)
	if err != nil {
		return err
	}
	switch {
	case who.Version == 0:
		e.Grounds = append(e.Grounds, Ground{Verdict: NoPrincipal})
		return nil
	case who.Disabled:
		e.Grounds = append(e.Grounds, Ground{Verdict: Disabled})
		return nil
	}
	if err := e.explainHat(e.Actor, who.Home, nil); err != nil {
		return err
	}
	for d, err := range e.DelegationsTo(e.Actor) {
		if err != nil {
			return err
		}
		from, err := e.principal(d.From)
		if err != nil {
			return err
		}
		if !d.at(e.now()) || from.Version == 0 || from.Disabled {
			e.Grounds = append(e.Grounds, Ground{Verdict: DelegationOff, Through: d})
			continue
		}
		if err := e.explainHat(d.From, from.Home, d); err != nil {
			return err
		}
	}
	if len(e.Grounds) == 0 {
		e.Grounds = append(e.Grounds, Ground{Verdict: NoGrants})
	}
	slices.SortStableFunc(e.Grounds, func(a, b Ground) int { return int(a.Verdict) - int(b.Verdict) })
	return nil
}

func (e *explainer) explainHat(id string, home customer.UnitID, d *Delegation) error {
	h := &hat{id: id, team: home, delegation: d}
	for g, err := range e.GrantsOf(id) {
		if err != nil {
			return err
		}
		if d != nil && !g.Deny && !d.covers(g.ID) {
			continue
		}
		ground, err := e.ground(h, g)
		if err != nil {
			return err
		}
		if ground != nil {
			e.Grounds = append(e.Grounds, *ground)
		}
	}
	return nil
}

// ground says what one grant contributes; nil for a denial that doesn't concern the
// question.
func (e *explainer) ground(h *hat, g *Grant) (*Ground, error) {
	role, err := e.Role(g.Role)
	if err != nil {
		return nil, err
	}
	tree := e.access.plan.tree
	ground := &Ground{Grant: g, Through: h.delegation, Policy: tree.Policy(e.stand.owner, e.Data), Path: tree.pathBetween(g.Scope.Unit, e.stand.owner)}
	if u, found := tree.Unit(e.stand.owner); found {
		ground.Owner = u.Code
	}
	held := &held{Grant: g, hat: h, role: role, reads: role.permits(customer.RightRead)}
	if g.Deny && held.reads.has(customer.Identity) {
		held.reads = allData
	}
	how := howFor(e.Right)
	if g.Deny {
		how = toDeny
	}
	ground.Verdict, err = e.verdict(held, how)
	if g.Deny {
		if ground.Verdict != Grants {
			return nil, err
		}
		ground.Verdict = Denies
	}
	if !g.Mask.Empty() && ground.Verdict <= Denies && e.Right == customer.RightRead {
		ground.Fields = g.Mask.Fields()
		if g.Deny {
			ground.Verdict = Hides
		}
	}
	return ground, err
}

// verdict says whether a grant holds, or why it doesn't.
func (e *explainer) verdict(g *held, how reaching) (Verdict, error) {
	if !g.at(e.now()) {
		return NotInForce, nil
	}
	if !g.permits(e.Right).has(e.Data) {
		return OtherRights, nil
	}
	reached, err := e.access.reaches(g.Scope.reach(), how, e.Data, e.stand)
	if err != nil {
		return 0, err
	}
	if !reached {
		tree := e.access.plan.tree
		if err := e.access.place(e.stand); err != nil {
			return 0, err
		}
		assigned := slices.ContainsFunc(e.stand.assigned, func(unit customer.UnitID) bool { return tree.covers(g.Scope.reach(), unit) })
		if assigned && how != toDeny {
			return NotShared, nil
		}
		return OutOfReach, nil
	}
	if g.Scope.Own {
		if own, err := e.access.owns(g.hat, e.stand); err != nil || !own {
			return NotOwn, err
		}
	}
	if found, err := e.access.covers(g, how, e.Data, e.stand); err != nil || !found {
		return NotInFilter, err
	}
	return Grants, nil
}

// pathBetween returns the codes of the units from one down to another that is below it,
// nil when it isn't.
func (t *Tree) pathBetween(from, to customer.UnitID) (codes []string) {
	if from == 0 || !t.Contains(from, to) {
		return nil
	}
	from = t.Resolve(from)
	for unit := t.Resolve(to); ; unit = t.Parent(unit) {
		u, found := t.Unit(unit)
		if !found {
			return nil
		}
		codes = append(codes, u.Code)
		if unit == from {
			slices.Reverse(codes)
			return codes
		}
	}
}

// Text tells the explanation to people, in Chinese for a Chinese tag, otherwise in
// English.
func (e *Explanation) Text(tag language.Tag) string {
	words := wordsOf(tag)
	var b strings.Builder
	head := words.may
	if !e.Allowed {
		head = words.mayNot
	}
	b.WriteString(words.fill(head, map[string]string{"actor": e.Actor, "right": words.right(e.Right), "data": words.data[e.Data], "customer": e.Customer.String()}))
	for _, g := range e.Grounds {
		b.WriteString("\n- ")
		b.WriteString(g.text(words))
	}
	if e.Allowed && e.Approval != nil {
		b.WriteString("\n")
		b.WriteString(words.approval(e.Approval))
	}
	if e.Allowed && len(e.Hidden) > 0 {
		b.WriteString("\n")
		b.WriteString(words.fill(words.hidden, map[string]string{"fields": strings.Join(e.Hidden, words.comma)}))
	}
	return b.String()
}

func (g *Ground) text(words *accessWords) string {
	values := map[string]string{"owner": g.Owner, "policy": words.policies[g.Policy], "path": strings.Join(g.Path, " / "), "fields": strings.Join(g.Fields, words.comma)}
	if values["owner"] == "" {
		values["owner"] = words.book
	}
	if g.Through != nil {
		values["from"] = g.Through.From
	}
	text := words.verdicts[g.Verdict]
	if g.Grant != nil {
		values["grant"], values["role"] = strconv.FormatUint(uint64(g.Grant.ID), 10), g.Grant.Role
		text = words.grant + text
		if len(g.Path) > 0 && g.Verdict <= Hides {
			text += words.path
		}
		if g.Verdict == Grants && len(g.Fields) > 0 {
			text += words.masked
		}
		if g.Through != nil {
			text += words.through
		}
	}
	return words.fill(text, values)
}
