package credit

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/date"
	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// ApprovalRule says who must approve what is up to an amount. Of the rules of a policy
// that reach the amount, the one with the lowest bound counts; beyond all of them the one
// without a bound, or without that the highest, which then must not be automatic. No rules at
// all route nothing.
//
// A limit goes by what the scope's limits come to together, an override by what it adds to
// limits, or if it lets a document through whole by what that comes to; overrides in force
// that add to it count along. One that isn't bounded goes by the highest rule.
type ApprovalRule struct {
	UpTo      int64  // minor units of the book's base currency; 0 is no bound
	Role      string // whom it takes; "" is anybody with the right to approve
	Approvers int64  // how many of them; 0 is automatic, at once
}

func (r *ApprovalRule) fields(x *wire) {
	x.int(1, &r.UpTo)
	x.text(2, &r.Role)
	x.int(3, &r.Approvers)
}

func (r ApprovalRule) automatic() bool { return r.Approvers == 0 }

func (r ApprovalRule) refuse(op string, id customer.ID) error {
	return &Error{Op: op, Customer: id, Problem: fmt.Sprintf("takes %d approvals in the role %q", r.Approvers, r.Role), Remedy: "Propose it", Err: ErrApproval}
}

func (r ApprovalRule) bound() int64 {
	if r.UpTo == 0 {
		return math.MaxInt64
	}
	return r.UpTo
}

func checkRules(op, field string, rules []ApprovalRule) error {
	if len(rules) > maxRules {
		return &Error{Op: op, Field: field, Value: fmt.Sprint(len(rules)), Remedy: "use at most 100 rules", Err: ErrInvalid}
	}
	for i, r := range rules {
		if r.UpTo < 0 || r.Approvers < 0 || r.Approvers > 20 || len(r.Role) > maxCode {
			return &Error{Op: op, Field: fmt.Sprintf("%s[%d]", field, i), Remedy: "use a bound of 0 or more, 0 to 20 approvers and a short role", Err: ErrInvalid}
		}
	}
	if highest := route(rules, math.MaxInt64); highest.automatic() && highest.UpTo > 0 {
		return &Error{Op: op, Field: field, Value: fmt.Sprint(highest.UpTo), Problem: "beyond that nobody would be asked", Remedy: "add a rule without a bound that says who approves", Err: ErrInvalid}
	}
	return nil
}

// route picks the rule for an amount.
func route(rules []ApprovalRule, minor int64) (best ApprovalRule) {
	found := false
	for _, r := range rules {
		if reaches := r.bound() >= minor; reaches && (!found || r.bound() < best.bound()) {
			best, found = r, true
		}
	}
	if !found && len(rules) > 0 {
		best = slices.MaxFunc(rules, func(a, b ApprovalRule) int { return int(min(1, max(-1, a.bound()-b.bound()))) })
	}
	return best
}

// ApprovalID identifies an approval for ever; 0 is none.
type ApprovalID uint64

// ApprovalState is what has become of an approval.
type ApprovalState uint8

const (
	Pending ApprovalState = iota
	Approved
	Rejected
	Withdrawn
)

var approvalNames = enum.Names{"pending", "approved", "rejected", "withdrawn"}

func (s ApprovalState) String() string { return approvalNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s ApprovalState) MarshalText() ([]byte, error) {
	return approvalNames.Marshal(uint8(s), "credit", "approval state")
}

// UnmarshalText reads what MarshalText wrote.
func (s *ApprovalState) UnmarshalText(text []byte) error {
	return approvalNames.Unmarshal(text, (*uint8)(s), "credit", "approval state")
}

// Proposal is what somebody asks others to approve: a limit of a scope, or an override.
type Proposal struct {
	Scope    Scope // of Limit
	Limit    *Limit
	Override *Override
	Why      string
}

// Vote is one approver's word.
type Vote struct {
	Actor   string
	At      time.Time
	Approve bool
	Comment string
}

// Approval is a proposal on its way, with everything that was said about it.
type Approval struct {
	ID       ApprovalID
	Proposal Proposal
	Amount   money.Amount // by which it was routed, in the base currency
	Role     string       // who may vote; "" is anybody with the right to
	Needed   int64        // approvals that it takes
	State    ApprovalState
	Asked    time.Time
	AskedBy  string
	Votes    []Vote
	// Seen is the version of the limits that a proposed limit would change.
	Seen uint64

	rest string
}

func (a *Approval) fields(x *wire) {
	p := &a.Proposal
	wireScope(x, 1, &p.Scope)
	wirePointer(x, 2, &p.Limit, func(x *wire, l *Limit) { l.fields(x) })
	wirePointer(x, 3, &p.Override, func(x *wire, o *Override) { o.fields(x) })
	x.text(4, &p.Why)
	x.amount(5, &a.Amount)
	x.text(6, &a.Role)
	x.int(7, &a.Needed)
	wireUint(x, 8, &a.State)
	x.time(9, &a.Asked)
	x.text(10, &a.AskedBy)
	wireList(x, 11, &a.Votes, func(x *wire, v *Vote) {
		x.text(1, &v.Actor)
		x.time(2, &v.At)
		x.flag(3, &v.Approve)
		x.text(4, &v.Comment)
	})
	wireUint(x, 12, &a.Seen)
}

// wirePointer is a nested record that may be missing.
func wirePointer[T any](x *wire, field int, p **T, describe func(*wire, *T)) {
	var list []T
	if *p != nil {
		list = []T{**p}
	}
	wireList(x, field, &list, describe)
	if len(list) > 0 && x.w == nil {
		*p = &list[len(list)-1]
	}
}

func appendApproval(dst []byte, a *Approval) ([]byte, error) { return encode(dst, a.rest, a.fields) }

func decodeApproval(src string, id ApprovalID, _ storage.Meta) (a *Approval, err error) {
	a = &Approval{ID: id}
	a.rest, err = decode(src, a.fields)
	return a, err
}

func pendingKeys(set *storage.KeySet, a *Approval) {
	if a.State == Pending {
		set.String(a.Role).Uint(uint64(a.Asked.UnixMicro())).End()
	}
}

// aboutKeys lists what was ever proposed for a customer.
func aboutKeys(set *storage.KeySet, a *Approval) {
	if id := a.Proposal.customer(); id != 0 {
		set.Uint(uint64(id)).End()
	}
}

// customer is the one that the proposal is about, 0 for none.
func (p *Proposal) customer() customer.ID {
	if p.Override != nil {
		return p.Override.Customer
	}
	return p.Scope.customer()
}

// scope is whose figures the proposal is about.
func (p *Proposal) scope() Scope {
	if p.Override != nil {
		return OfCustomer(p.Override.Customer)
	}
	return p.Scope
}

// total is what a scope's limits come to, at most, from a day on: what they are routed by.
func (line *Line) total(day date.Date) (amounts []money.Amount) {
	for i := range line.Limits {
		if l := &line.Limits[i]; l.Until == 0 || l.Until >= day {
			amounts = append(amounts, l.Amount)
		}
	}
	return amounts
}

// limitTotal converts and adds up amounts: a bound of what the limits ever allow at once.
func (r *Reader) limitTotal(amounts []money.Amount) (money.Amount, error) {
	k := check{Reader: r, day: r.today()}
	sum := money.Amount{Currency: r.store.control.Base}
	var err error
	for _, a := range amounts {
		if sum, err = k.plus(sum, a); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// checkRouted refuses a change of limits that others must approve. A change that allows
// no more than before needs nobody.
func (tx *Tx) checkRouted(op string, line *Line, before []money.Amount) error {
	rule, _, err := tx.routeLine(line, before)
	if err == nil && !rule.automatic() {
		err = rule.refuse(op, line.Scope.customer())
	}
	return err
}

func (tx *Tx) routeLine(line *Line, before []money.Amount) (rule ApprovalRule, amount money.Amount, err error) {
	policy, err := tx.Policy("")
	if err != nil || len(policy.LimitRules) == 0 {
		return rule, amount, err
	}
	former, err := tx.limitTotal(before)
	if err != nil {
		return rule, amount, err
	}
	after := line.total(tx.today())
	if amount, err = tx.limitTotal(after); err != nil {
		return rule, amount, err
	}
	if len(before) > 0 && len(after) > 0 && amount.Minor <= former.Minor {
		return rule, amount, nil
	}
	if len(after) == 0 { // no limit at all is more than any
		amount.Minor = math.MaxInt64
	}
	return route(policy.LimitRules, amount.Minor), amount, nil
}

// routeOf finds the rule for a proposal, and the amount that it goes by.
func (tx *Tx) routeOf(p *Proposal) (rule ApprovalRule, amount money.Amount, err error) {
	if p.Limit != nil {
		line, err := tx.line(p.Scope)
		if err != nil {
			return rule, amount, err
		}
		before := line.total(tx.today())
		if err := line.set("propose", *p.Limit); err != nil {
			return rule, amount, err
		}
		return tx.routeLine(line, before)
	}
	policy, err := tx.Policy("")
	if err != nil || len(policy.OverrideRules) == 0 {
		return rule, amount, err
	}
	if amount, err = tx.overrideAmount(p.Override); err != nil {
		return rule, amount, err
	}
	return route(policy.OverrideRules, amount.Minor), amount, nil
}

// Propose asks for a limit or an override. What the book's policy lets pass automatically
// is done at once, by who may do it alone, and the approval comes back Approved. Otherwise
// everybody who may reserve credit may ask, and it is Pending until as many others as it
// takes have approved it, or one has rejected it.
func (tx *Tx) Propose(p Proposal) (*Approval, error) {
	const op = "propose"
	if err := tx.checkProposal(op, &p); err != nil {
		return nil, err
	}
	rule, amount, err := tx.routeOf(&p)
	if err != nil {
		return nil, err
	}
	if err := tx.mayPropose(op, &p, rule); err != nil {
		return nil, err
	}
	id, err := tx.store.approvalIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	a := &Approval{ID: ApprovalID(id), Proposal: p, Amount: amount, Role: rule.Role, Needed: rule.Approvers, Asked: tx.now(), AskedBy: tx.tx.Session().Actor}
	if p.Limit != nil {
		line, err := tx.line(p.Scope)
		if err != nil {
			return nil, err
		}
		a.Seen = line.Version
	}
	if rule.automatic() {
		a.State = Approved
		if err := tx.carryOut(op, a); err != nil {
			return nil, err
		}
	}
	return a, tx.store.approval.InsertNew(tx.tx, a.ID, a, uint8(ApprovalAsked))
}

// mayPropose reports whether the session may do what is automatic, or ask for what isn't.
func (tx *Tx) mayPropose(op string, p *Proposal, rule ApprovalRule) error {
	switch {
	case !rule.automatic():
		return tx.allow(customer.RightReserve, p.customer())
	case p.Override != nil:
		return tx.mayOverride(op, p.Override)
	}
	return tx.allow(customer.RightSetLimit, p.customer())
}

func (tx *Tx) checkProposal(op string, p *Proposal) error {
	if (p.Limit == nil) == (p.Override == nil) {
		return &Error{Op: op, Field: "Proposal", Problem: "must be a limit or an override", Remedy: "set one of the two", Err: ErrInvalid}
	}
	if err := cleanText(op, p.customer(), "Why", &p.Why, customer.MaxText); err != nil {
		return err
	}
	if p.Limit != nil {
		limit := *p.Limit
		p.Limit = &limit
		if err := tx.checkScope(op, p.Scope); err != nil {
			return err
		}
		return limit.clean(op, p.Scope)
	}
	override := *p.Override
	p.Override = &override
	if err := tx.checkOverride(op, &override); err != nil {
		return err
	}
	return tx.boundOverride(op, &override)
}

// Approve gives the session's word for a proposal, and carries it out when it is the last
// that it takes. Who asked can't approve, and nobody can twice: ErrFourEyes. It fails with
// an error that wraps ErrConflict when the limits were changed since they were proposed,
// ErrDecided when nothing is pending any more.
func (tx *Tx) Approve(id ApprovalID, comment string) (*Approval, error) {
	return tx.vote("approve", id, Vote{Approve: true, Comment: comment})
}

// Reject ends a proposal, with the conditions of Approve.
func (tx *Tx) Reject(id ApprovalID, comment string) (*Approval, error) {
	return tx.vote("reject", id, Vote{Comment: comment})
}

// Withdraw ends a proposal by who made it.
func (tx *Tx) Withdraw(id ApprovalID) (*Approval, error) {
	const op = "withdraw"
	a, err := tx.undecided(op, customer.RightRead, id)
	if err != nil {
		return nil, err
	}
	if a.AskedBy != tx.tx.Session().Actor {
		return nil, &Error{Op: op, Field: "Approval", Value: fmt.Sprint(id), Problem: "was asked for by " + a.AskedBy, Remedy: "reject it instead", Err: ErrInvalid}
	}
	a.State = Withdrawn
	return a, tx.store.approval.Put(tx.tx, id, a, uint8(ApprovalVoted))
}

func (tx *Tx) undecided(op string, right customer.Right, id ApprovalID) (*Approval, error) {
	a, err := tx.approval(op, right, id)
	if err != nil {
		return nil, err
	}
	if a.State != Pending {
		return nil, &Error{Op: op, Customer: a.Proposal.customer(), Field: "Approval", Value: fmt.Sprint(id), Problem: "is " + a.State.String(), Remedy: "propose again", Err: ErrDecided}
	}
	return a, nil
}

func (tx *Tx) vote(op string, id ApprovalID, v Vote) (*Approval, error) {
	a, err := tx.undecided(op, customer.RightApprove, id)
	if err != nil {
		return nil, err
	}
	v.Actor, v.At = tx.tx.Session().Actor, tx.now()
	if err := tx.mayVote(op, a, &v); err != nil {
		return nil, err
	}
	a.Votes = append(a.Votes, v)
	switch {
	case !v.Approve:
		a.State = Rejected
	case int64(len(a.Votes)) >= a.Needed:
		a.State = Approved
		if err := tx.carryOut(op, a); err != nil {
			return nil, err
		}
	}
	return a, tx.store.approval.Put(tx.tx, id, a, uint8(ApprovalVoted))
}

func (tx *Tx) mayVote(op string, a *Approval, v *Vote) error {
	id := a.Proposal.customer()
	if err := tx.hasRole(op, id, a.Role); err != nil {
		return err
	}
	if v.Actor == a.AskedBy || slices.ContainsFunc(a.Votes, func(old Vote) bool { return old.Actor == v.Actor }) {
		return &Error{Op: op, Customer: id, Field: "Approval", Value: fmt.Sprint(a.ID), Problem: v.Actor + " asked for it or has voted", Remedy: "let somebody else decide", Err: ErrFourEyes}
	}
	return cleanText(op, id, "Comment", &v.Comment, customer.MaxText)
}

// carryOut does what was approved.
func (tx *Tx) carryOut(op string, a *Approval) error {
	p := &a.Proposal
	if p.Override != nil {
		o := *p.Override
		if err := tx.checkOverride(op, &o); err != nil {
			return err
		}
		o.Approval = a.ID
		_, err := tx.putOverride(&o)
		return err
	}
	if err := tx.checkScope(op, p.Scope); err != nil { // it may have been merged meanwhile
		return err
	}
	line, err := tx.line(p.Scope)
	if err != nil {
		return err
	}
	if line.Version != a.Seen {
		return &Error{Op: op, Customer: p.customer(), Field: "Limit", Value: p.Limit.Amount.String(), Problem: "the limits were changed since it was proposed", Remedy: "propose again", Err: ErrConflict}
	}
	if err := line.set(op, *p.Limit); err != nil {
		return err
	}
	return tx.putLine(line)
}

// Approval returns a proposal and what was said about it.
func (r *Reader) Approval(id ApprovalID) (*Approval, error) {
	a, err := r.approval("look up", customer.RightRead, id)
	if err != nil {
		return nil, err
	}
	return a, r.hideApproval(a)
}

// approval returns a proposal to who has a right on what it is about.
func (r *Reader) approval(op string, right customer.Right, id ApprovalID) (*Approval, error) {
	a, err := r.store.approval.Get(r.storage, id)
	if err == nil {
		err = r.allow(right, a.Proposal.customer())
	}
	if isNotFound(err) {
		err = &Error{Op: op, Field: "Approval", Value: fmt.Sprint(id), Problem: "there is no such proposal", Remedy: "see PendingApprovals", Err: ErrNotFound}
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// hideApproval takes the amounts out of a proposal, when the session may not see them. It
// must not be stored after that.
func (r *Reader) hideApproval(a *Approval) error {
	shown, err := r.shows("limit", a.Proposal.scope())
	if err != nil || shown {
		return err
	}
	a.Amount = money.Amount{}
	if l := a.Proposal.Limit; l != nil {
		l.Amount = money.Amount{}
	}
	if o := a.Proposal.Override; o != nil {
		o.Amount, o.Document = money.Amount{}, money.Amount{}
	}
	return nil
}

// PendingApprovals yields the proposals that wait for a role, the oldest first; those
// about customers that the session doesn't see are left out.
func (r *Reader) PendingApprovals(role string) iter.Seq2[*Approval, error] {
	prefix := storage.Key(nil).String(role)
	return func(yield func(*Approval, error) bool) {
		for e, err := range r.store.approval.Entries(r.storage, r.store.pending, kv.Prefix(prefix), false) {
			var a *Approval
			if err == nil {
				a, err = r.approvalAt(e, len(prefix))
			}
			if err == nil && a == nil {
				continue
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// approvalAt returns the proposal of an index entry, nil when the session may not see it.
func (r *Reader) approvalAt(e storage.IndexEntry[ApprovalID], at int) (*Approval, error) {
	_, rest, err := e.Key()[at:].CutUint()
	if err != nil {
		return nil, err
	}
	id, err := e.Primary(rest)
	if err != nil {
		return nil, err
	}
	a, err := r.Approval(id)
	if isUnseen(err) {
		return nil, nil
	}
	return a, err
}
