package orgtree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/enum"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/record"
)

// ErrState: the request for approval is not, or not any more, in the state for this.
var ErrState = errors.New("not possible in this state")

// ErrFourEyes: who asked for something can't approve it.
var ErrFourEyes = errors.New("a second person must decide")

// ApprovalRule names what needs a second person's approval. While access is enforced, one
// without an amount holds wherever the right is asked for, in every package: the action
// fails with an [*ApprovalError] unless an approval of it was used in its transaction (see
// [Tx.Use]), one for each customer that takes part, such as both of a merge. One with an
// amount is for who knows the amount: it holds for the limits of overlays, and for what
// asks [Reader.NeedsApproval]; limits of package credit have rules of their own.
type ApprovalRule struct {
	Right customer.Right // neither to read nor to approve nor to administer
	Data  customer.Data
	// Above is the amount from which on, itself left out, approval is needed; nil needs it
	// always. An amount in another currency, or none, always needs it.
	Above *Limit
	// Expires is how long a request stands; 0 is 7 days.
	Expires time.Duration
}

const (
	defaultExpiry    = 7 * 24 * time.Hour
	maxApprovalRules = 100
	// MaxPayload bounds what a request carries, MaxSubject its text, in bytes.
	MaxPayload = 64 << 10
	MaxSubject = 500
)

// needs reports whether an action falls under the rule.
func (r *ApprovalRule) needs(right customer.Right, d customer.Data, amount *Limit) bool {
	if r.Right != right || r.Data != d {
		return false
	}
	return r.Above == nil || amount == nil || amount.Currency != r.Above.Currency || amount.Amount > r.Above.Amount
}

// SetApprovalRules replaces the rules of what needs approval. It needs the right to
// administer the whole book.
func (tx *Tx) SetApprovalRules(rules []ApprovalRule) error {
	const op = "set approval rules"
	if err := tx.mayAdminister(0); err != nil {
		return err
	}
	if len(rules) > maxApprovalRules {
		return &Error{Op: op, Field: "Rules", Value: fmt.Sprint(len(rules)), Remedy: fmt.Sprintf("use at most %d", maxApprovalRules), Err: ErrInvalid}
	}
	p, err := tx.policy()
	if err != nil {
		return err
	}
	p.Rules = slices.Clone(rules)
	for i := range p.Rules {
		if err := p.Rules[i].check(op); err != nil {
			return err
		}
	}
	if err := tx.store.policy.Put(tx.tx, policyKey, p, uint8(PolicySet)); err != nil {
		return err
	}
	return tx.policyChanged()
}

func (r *ApprovalRule) check(op string) (err error) {
	if err := checkRight(op, r.Right, false); err != nil {
		return err
	}
	switch r.Right {
	case customer.RightRead, customer.RightApprove, customer.RightAdminister:
		return &Error{Op: op, Field: "Right", Value: string(r.Right), Remedy: "name something that is done once and can wait", Err: ErrInvalid}
	}
	if r.Data >= dataKinds {
		return &Error{Op: op, Field: "Data", Value: r.Data.String(), Remedy: fmt.Sprintf("use one of %v", customer.AllData()), Err: ErrInvalid}
	}
	if r.Expires < 0 {
		return &Error{Op: op, Field: "Expires", Value: r.Expires.String(), Remedy: "use a positive time, or 0 for 7 days", Err: ErrInvalid}
	}
	if r.Above != nil {
		r.Above, err = r.Above.checked(op)
	}
	return err
}

// ApprovalRules returns the rules of what needs approval.
func (r *Reader) ApprovalRules() ([]ApprovalRule, error) {
	p, err := r.policy()
	if err != nil {
		return nil, err
	}
	return slices.Clone(p.Rules), nil
}

// NeedsApproval returns the first rule under which an action falls, nil for none. Amount
// is what the action is about, such as the new limit; nil for nothing.
func (r *Reader) NeedsApproval(right customer.Right, d customer.Data, amount *Limit) (*ApprovalRule, error) {
	p, err := r.policy()
	if err != nil {
		return nil, err
	}
	for i := range p.Rules {
		if p.Rules[i].needs(right, d, amount) {
			rule := p.Rules[i]
			return &rule, nil
		}
	}
	return nil, nil
}

// ApprovalID numbers requests for approval.
type ApprovalID uint64

// ApprovalState is where a request stands.
type ApprovalState uint8

const (
	Pending ApprovalState = iota
	Approved
	Rejected
	Cancelled
	Used // what was asked for has been done
)

var approvalNames = enum.Names{"pending", "approved", "rejected", "cancelled", "used"}

func (s ApprovalState) String() string { return approvalNames.Of(uint8(s)) }

// MarshalText returns the lower-case English name, for JSON and maps.
func (s ApprovalState) MarshalText() ([]byte, error) {
	return approvalNames.Marshal(uint8(s), "orgtree", "state of an approval")
}

// UnmarshalText reads what MarshalText wrote.
func (s *ApprovalState) UnmarshalText(text []byte) error {
	return approvalNames.Unmarshal(text, (*uint8)(s), "orgtree", "state of an approval")
}

// Approval is a request that a second person decides on. Approvals belong to the caller.
type Approval struct {
	ID       ApprovalID
	Version  uint64
	Right    customer.Right
	Data     customer.Data
	Customer customer.ID // 0 for none
	Amount   *Limit
	Subject  string // what is asked for, to people
	// Payload is what the package that asks needs to do it, and Digest its SHA-256: what
	// is done is what was approved. Of an erased customer's there is none.
	Payload []byte
	Digest  [sha256.Size]byte

	State   ApprovalState
	AskedBy string
	Asked   time.Time
	Expires time.Time // from when on a pending or approved request is void
	// DecidedBy approved or rejected it, Note is the reason.
	DecidedBy string
	Decided   time.Time
	Note      string

	bySystem bool // decided by the program itself, while access was enforced
	rest     string
}

// Void reports whether a request has expired by an instant.
func (a *Approval) Void(at time.Time) bool {
	return (a.State == Pending || a.State == Approved) && !at.Before(a.Expires)
}

// Ask stores a request. Of a it takes Right, Data, Customer, Amount, Subject, Payload and
// Expires, whose zero value is the rule's, and which isn't later than that. Who asks must have the right himself, and sees
// the customer.
func (tx *Tx) Ask(a Approval) (*Approval, error) {
	const op = "ask for approval"
	next := &Approval{
		Right: a.Right, Data: a.Data, Customer: a.Customer, Amount: a.Amount, Subject: a.Subject,
		Payload: slices.Clone(a.Payload), Digest: sha256.Sum256(a.Payload), AskedBy: tx.tx.Session().Actor, Asked: tx.now(),
	}
	if err := tx.checkRequest(op, next); err != nil {
		return nil, err
	}
	if err := tx.mayAsk(next); err != nil {
		return nil, err
	}
	rule, err := tx.NeedsApproval(a.Right, a.Data, next.Amount)
	if err != nil {
		return nil, err
	}
	latest := tx.now().Add(defaultExpiry)
	if rule != nil && rule.Expires > 0 {
		latest = tx.now().Add(rule.Expires)
	}
	next.Expires = latest
	if !a.Expires.IsZero() {
		next.Expires = tx.effective(a.Expires)
	}
	switch {
	case !next.Expires.After(tx.now()):
		return nil, &Error{Op: op, Field: "Expires", Value: day(next.Expires), Remedy: "use an instant that is ahead", Err: ErrDate}
	case rule != nil && next.Expires.After(latest):
		return nil, &Error{Op: op, Field: "Expires", Value: day(next.Expires), Remedy: "leave it empty, or use an instant before the rule's, " + day(latest), Err: ErrDate}
	}
	id, err := tx.store.approvalIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	next.ID = ApprovalID(id)
	if err := tx.store.approval.InsertNew(tx.tx, next.ID, next, uint8(ApprovalAsked)); err != nil {
		return nil, err
	}
	return tx.approvalOf(next.ID)
}

func (tx *Tx) checkRequest(op string, a *Approval) (err error) {
	if err := checkRight(op, a.Right, false); err != nil {
		return err
	}
	if a.Data >= dataKinds {
		return &Error{Op: op, Field: "Data", Value: a.Data.String(), Remedy: fmt.Sprintf("use one of %v", customer.AllData()), Err: ErrInvalid}
	}
	if a.Amount != nil {
		if a.Amount, err = a.Amount.checked(op); err != nil {
			return err
		}
	}
	if len(a.Payload) > MaxPayload {
		return &Error{Op: op, Field: "Payload", Value: fmt.Sprint(len(a.Payload)), Remedy: fmt.Sprintf("use at most %d bytes", MaxPayload), Err: ErrInvalid}
	}
	if a.AskedBy == "" {
		return &Error{Op: op, Field: "Actor", Remedy: "open a session with the actor's id", Err: ErrInvalid}
	}
	return cleanTexts(op, field{"Subject", &a.Subject, MaxSubject})
}

// mayAsk returns nil when the session has the right that a request is about, but for the
// approval.
func (tx *Tx) mayAsk(a *Approval) error {
	c, err := tx.about(a)
	if err != nil || tx.access() == nil {
		return err
	}
	access := tx.access()
	if own, ok := access.(*Access); ok {
		asking := *own
		asking.asking = true
		access = &asking
	}
	return access.Allows(a.Right, a.Data, c)
}

// about returns the customer of a request, whoever may see it, nil for none.
func (r *Reader) about(a *Approval) (*customer.Customer, error) {
	if a.Customer == 0 {
		return nil, nil
	}
	return customer.Unscoped(r.customers).Exact(a.Customer)
}

// Approve lets what was asked for be done. It needs the right to approve this kind of
// data of the customer, and fails with ErrFourEyes for who asked, or acts for who asked.
func (tx *Tx) Approve(id ApprovalID, note string) (*Approval, error) {
	return tx.decide("approve", id, note, Approved)
}

// Reject ends a request, like Approve.
func (tx *Tx) Reject(id ApprovalID, note string) (*Approval, error) {
	return tx.decide("reject", id, note, Rejected)
}

func (tx *Tx) decide(op string, id ApprovalID, note string, state ApprovalState) (*Approval, error) {
	a, err := tx.request(op, id, Pending)
	if err != nil {
		return nil, err
	}
	if err := cleanTexts(op, field{"Note", &note, MaxSubject}); err != nil {
		return nil, err
	}
	actor := tx.tx.Session().Actor
	if actor == "" || actor == a.AskedBy {
		return nil, &Error{Op: op, Field: "Actor", Value: actor, Remedy: "let someone else who may approve decide", Err: ErrFourEyes}
	}
	if err := tx.mayApprove(tx.access(), a); err != nil {
		return nil, err
	}
	a.State, a.DecidedBy, a.Decided, a.Note = state, actor, tx.now(), note
	if tx.access() == nil {
		if a.bySystem, err = tx.Enforced(); err != nil {
			return nil, err
		}
	}
	return tx.putApproval(a, ApprovalDecided)
}

// mayApprove returns nil when an access lets decide on a request: by a grant of the
// actor's own or of someone other than who asked.
func (tx *Tx) mayApprove(access customer.Access, a *Approval) error {
	if access == nil {
		return nil
	}
	c, err := tx.about(a)
	if err != nil {
		return err
	}
	if own, ok := access.(*Access); ok {
		access = own.without(a.AskedBy)
	}
	return access.Allows(customer.RightApprove, a.Data, c)
}

// without is the same access without what a principal has delegated to the actor.
func (a *Access) without(principal string) *Access {
	p := &plan{actor: a.plan.actor, tree: a.plan.tree, sets: map[string]*plannedSet{}}
	for i, h := range a.plan.hats {
		if i == 0 || h.id != principal {
			p.hats = append(p.hats, h)
		}
	}
	return &Access{reader: a.reader, plan: p}
}

// Cancel takes a request back. Who asked may, while nothing has been done.
func (tx *Tx) Cancel(id ApprovalID) (*Approval, error) {
	const op = "cancel approval"
	a, err := tx.request(op, id, Pending, Approved)
	if err != nil {
		return nil, err
	}
	if err := tx.mayAct(); err != nil {
		return nil, err
	}
	if actor := tx.tx.Session().Actor; actor != a.AskedBy {
		if err := tx.mayAdminister(0); err != nil || tx.access() == nil {
			return nil, &Error{Op: op, Field: "Actor", Value: actor, Remedy: "let " + a.AskedBy + " take it back, or reject it", Err: customer.ErrDenied}
		}
	}
	a.State = Cancelled
	return tx.putApproval(a, ApprovalDecided)
}

// Use marks an approved request as done and returns it: the package that asked calls it
// in the transaction in which it does what was asked for, with the right and the customer
// that it is about to act on. So each approval is used once, also by concurrent writers:
// every later call fails with ErrState, as does one when who approved it may not do so any
// more. Who uses it must have the right himself, and has it then until the end of the
// transaction, though an [ApprovalRule] asks for approval.
// What is lacking must be looked for in what was approved, Digest and Amount.
func (tx *Tx) Use(id ApprovalID, right customer.Right, of customer.ID) (*Approval, error) {
	const op = "use approval"
	a, err := tx.request(op, id, Approved)
	if err != nil {
		return nil, err
	}
	if a.Right != right || a.Customer != of {
		return nil, &Error{Op: op, Field: "Right", Value: string(right), Remedy: "use the approval for what it was given", Err: ErrInvalid}
	}
	if err := tx.mayAsk(a); err != nil {
		return nil, err
	}
	if own, ok := tx.access().(*Access); ok {
		if err := tx.stillApproved(op, a); err != nil {
			return nil, err
		}
		own.note(a)
	}
	a.State = Used
	return tx.putApproval(a, ApprovalUsed)
}

// request returns, as it is stored, a request that the session knows of, is in one of
// some states and hasn't expired.
func (tx *Tx) request(op string, id ApprovalID, states ...ApprovalState) (*Approval, error) {
	if _, err := tx.Approval(id); err != nil {
		return nil, err
	}
	a, err := tx.approvalOf(id)
	if err != nil {
		return nil, err
	}
	state, remedy := a.State.String(), fmt.Sprintf("it can be done while the request is %v", states)
	if a.Void(tx.now()) {
		state, remedy = "expired", "ask again; it expired on "+day(a.Expires)
	} else if slices.Contains(states, a.State) {
		return a, nil
	}
	return nil, &Error{Op: op, Field: "State", Value: state, Remedy: remedy, Err: ErrState}
}

func (tx *Tx) putApproval(a *Approval, action Action) (*Approval, error) {
	if err := tx.store.approval.Put(tx.tx, a.ID, a, uint8(action)); err != nil {
		return nil, err
	}
	return tx.Approval(a.ID)
}

func (r *Reader) approvalOf(id ApprovalID) (*Approval, error) {
	return r.store.approval.Get(r.storage, id)
}

// Approval returns a request, or an error that wraps ErrNotFound, also when its customer
// is out of sight, or when it is about no customer and concerns neither who asked, who may
// approve such nor who reviews access. To who is not shown all of the kind of data that it
// is about, it has no Amount, Subject, Payload, Digest and Note. It costs one read, and one
// of the customer.
func (r *Reader) Approval(id ApprovalID) (*Approval, error) {
	a, err := r.approvalOf(id)
	if err == nil {
		a, err = r.toldOf(a)
	}
	if err == nil && a == nil {
		err = &storage.Error{Op: "get", Table: "approval", Key: fmt.Sprint(uint64(id)), Err: ErrNotFound}
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// toldOf returns what the session may know of a request, nil for nothing.
func (r *Reader) toldOf(a *Approval) (*Approval, error) {
	switch {
	case r.access() == nil:
		return a, nil
	case a.Customer == 0:
		if !r.concerns(a) {
			return nil, nil
		}
		return a, nil
	}
	visible, err := r.customers.Visible(a.Customer)
	if err != nil || !visible {
		return nil, err
	}
	mask, err := r.maskOf(a.Customer)
	if err != nil {
		return nil, err
	}
	if own, ok := r.access().(*Access); ok && own.plan.actor == a.AskedBy || mask.And(customer.MaskOf(a.Data)).Empty() {
		return a, nil
	}
	told := *a
	told.Amount, told.Subject, told.Payload, told.Digest, told.Note, told.rest = nil, "", nil, [sha256.Size]byte{}, "", ""
	return &told, nil
}

// concerns reports whether a request about no customer concerns the session.
func (r *Reader) concerns(a *Approval) bool {
	own, ok := r.access().(*Access)
	if !ok {
		return r.access().Allows(customer.RightApprove, a.Data, nil) == nil
	}
	p := own.plan
	return len(p.hats) > 0 && p.actor == a.AskedBy || p.permitsSomewhere(customer.RightApprove, a.Data) ||
		p.permitsAt(a.Right, a.Data, 0) || r.mayReview() == nil
}

// Approvals yields the requests in a state that the session may see, in the order in
// which they were made, expired ones too.
func (r *Reader) Approvals(state ApprovalState) iter.Seq2[*Approval, error] {
	return r.visibleApprovals(recordsBy(r, r.store.approval, r.store.approvalState, storage.Key(nil).Uint(uint64(state))))
}

// ApprovalsOf yields the requests about a customer.
func (r *Reader) ApprovalsOf(id customer.ID) iter.Seq2[*Approval, error] {
	return r.visibleApprovals(recordsBy(r, r.store.approval, r.store.approvalBy, storage.Key(nil).Uint(uint64(id))))
}

func (r *Reader) visibleApprovals(all iter.Seq2[*Approval, error]) iter.Seq2[*Approval, error] {
	return func(yield func(*Approval, error) bool) {
		for a, err := range all {
			if err == nil {
				if a, err = r.toldOf(a); err == nil && a == nil {
					continue
				}
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// forgetApprovals erases the requests about a customer with it.
func (tx *Tx) forgetApprovals(id customer.ID) error {
	var ids []ApprovalID
	for a, err := range recordsBy(&tx.Reader, tx.store.approval, tx.store.approvalBy, storage.Key(nil).Uint(uint64(id))) {
		if err != nil {
			return err
		}
		ids = append(ids, a.ID)
	}
	for _, id := range ids {
		if err := tx.store.approval.Forget(tx.tx, id, uint8(ApprovalErased)); err != nil {
			return err
		}
	}
	return nil
}

// The stored fields of rules and requests.
const (
	ruleRight   = 1
	ruleData    = 2
	ruleAbove   = 3
	ruleExpires = 4 // seconds

	approvalRight     = 1
	approvalData      = 2
	approvalCustomer  = 3
	approvalAmount    = 4
	approvalSubject   = 5
	approvalPayload   = 6
	approvalStateNow  = 7
	approvalAskedBy   = 8
	approvalAsked     = 9
	approvalExpires   = 10
	approvalDecidedBy = 11
	approvalDecided   = 12
	approvalNote      = 13
	approvalBySystem  = 14
)

func writeLimit(w *record.Writer, field int, l *Limit) {
	if l == nil {
		return
	}
	mark := w.Begin(field)
	w.Int(limitAmount, l.Amount)
	w.String(limitCurrency, l.Currency)
	w.End(mark)
}

func (r *ApprovalRule) append(w *record.Writer) {
	w.String(ruleRight, string(r.Right))
	w.Uint(ruleData, uint64(r.Data))
	writeLimit(w, ruleAbove, r.Above)
	w.Int(ruleExpires, int64(r.Expires/time.Second))
}

func (r *ApprovalRule) readField(n *record.Reader) {
	switch n.Field() {
	case ruleRight:
		r.Right = customer.Right(n.String())
	case ruleData:
		r.Data = customer.Data(n.Uint())
	case ruleAbove:
		r.Above = readLimit(n)
	case ruleExpires:
		r.Expires = time.Duration(n.Int()) * time.Second
	default:
		n.Skip()
	}
}

func appendApproval(dst []byte, a *Approval) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.String(approvalRight, string(a.Right))
	w.Uint(approvalData, uint64(a.Data))
	w.Uint(approvalCustomer, uint64(a.Customer))
	writeLimit(&w, approvalAmount, a.Amount)
	w.String(approvalSubject, a.Subject)
	w.Bytes(approvalPayload, a.Payload)
	w.Uint(approvalStateNow, uint64(a.State))
	w.String(approvalAskedBy, a.AskedBy)
	writeTime(&w, approvalAsked, a.Asked)
	writeTime(&w, approvalExpires, a.Expires)
	w.String(approvalDecidedBy, a.DecidedBy)
	writeTime(&w, approvalDecided, a.Decided)
	w.String(approvalNote, a.Note)
	writeBool(&w, approvalBySystem, a.bySystem)
	w.Raw(a.rest)
	return w.Buf, nil
}

func decodeApproval(src string, id ApprovalID, m storage.Meta) (a *Approval, err error) {
	a = &Approval{ID: id, Version: m.Version}
	a.rest, err = readFields(src, a.readField)
	a.Digest = sha256.Sum256(a.Payload)
	return a, err
}

func (a *Approval) readField(r *record.Reader) {
	switch r.Field() {
	case approvalRight:
		a.Right = customer.Right(r.String())
	case approvalData:
		a.Data = customer.Data(r.Uint())
	case approvalCustomer:
		a.Customer = customer.ID(r.Uint())
	case approvalAmount:
		a.Amount = readLimit(r)
	case approvalSubject:
		a.Subject = r.String()
	case approvalPayload:
		a.Payload = []byte(r.String())
	case approvalStateNow:
		a.State = ApprovalState(r.Uint())
	case approvalAskedBy:
		a.AskedBy = r.String()
	case approvalAsked:
		a.Asked = readTime(r)
	case approvalExpires:
		a.Expires = readTime(r)
	case approvalDecidedBy:
		a.DecidedBy = r.String()
	case approvalDecided:
		a.Decided = readTime(r)
	case approvalNote:
		a.Note = r.String()
	case approvalBySystem:
		a.bySystem = r.Uint() != 0
	default:
		r.Skip()
	}
}
