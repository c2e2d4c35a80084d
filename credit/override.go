package credit

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// OverrideID identifies an override for ever; 0 is none.
type OverrideID uint64

// Override lets a customer, or one document of it, through some steps of the check for a
// time: what would be held or stopped becomes a warning.
type Override struct {
	ID       OverrideID
	Customer customer.ID
	Key      string     // of the one document; empty for all
	Steps    []StepKind // none are all
	// Amount is what may be used beyond a limit, on top of it; zero doesn't bound it.
	Amount money.Amount
	// Document is what the one document came to when the override was asked for, unless Amount
	// bounds it: it doesn't cover more. It is set then, and zero when there was no such document.
	Document money.Amount
	Role     string // in which the actor does this
	Why      string
	Until    time.Time // the instant from which it counts no more
	// Approval is what granted it, 0 for none.
	Approval ApprovalID
	Revoked  bool

	Recorded time.Time
	Actor    string
	rest     string
}

func (o *Override) fields(x *wire) {
	wireUint(x, 1, &o.Customer)
	x.text(2, &o.Key)
	wireKinds(x, 3, &o.Steps)
	x.amount(4, &o.Amount)
	x.text(5, &o.Role)
	x.text(6, &o.Why)
	x.time(7, &o.Until)
	wireUint(x, 8, &o.Approval)
	x.flag(9, &o.Revoked)
	x.amount(10, &o.Document)
}

// wireKinds writes kinds of steps as a set of bits.
func wireKinds(x *wire, field int, kinds *[]StepKind) {
	set := uint64(0)
	for _, k := range *kinds {
		set |= 1 << k
	}
	before := set
	wireUint(x, field, &set)
	for k := StepKind(0); set != before && k < 64; k++ {
		if set&(1<<k) != 0 {
			*kinds = append(*kinds, k)
		}
	}
}

func appendOverride(dst []byte, o *Override) ([]byte, error) { return encode(dst, o.rest, o.fields) }

func decodeOverride(src string, id OverrideID, m storage.Meta) (o *Override, err error) {
	o = &Override{ID: id, Recorded: m.Recorded, Actor: m.Actor}
	o.rest, err = decode(src, o.fields)
	return o, err
}

// overrideKeys lists a customer's overrides by their end.
func overrideKeys(set *storage.KeySet, o *Override) {
	set.Uint(uint64(o.Customer)).Uint(uint64(o.Until.UnixMicro())).End()
}

func (o *Override) covers(k StepKind) bool {
	return len(o.Steps) == 0 || slices.Contains(o.Steps, k)
}

// extends reports whether the override only adds an amount to limits. Any other lets documents
// through whole.
func (o *Override) extends() bool {
	return o.Amount.Minor > 0 && len(o.Steps) > 0 && !slices.ContainsFunc(o.Steps, func(k StepKind) bool { return k != Utilisation })
}

// reaches reports whether the override is for a document of an amount.
func (o *Override) reaches(key string, document money.Amount) bool {
	if o.Key == "" || o.Key != key {
		return o.Key == ""
	}
	return o.Document.Minor == 0 || o.Document.Currency == document.Currency && document.Minor <= o.Document.Minor
}

// overrides returns what is in force for a document of the customer.
func (k *check) overrides(key string, document money.Amount) (list []*Override, err error) {
	for o, err := range k.overridesOf(k.customer.ID) {
		if err != nil {
			return nil, err
		}
		if o.reaches(key, document) {
			list = append(list, o)
		}
	}
	return list, nil
}

// overridesOf yields what is in force for a customer now.
func (r *Reader) overridesOf(id customer.ID) iter.Seq2[*Override, error] {
	return func(yield func(*Override, error) bool) {
		for o, err := range r.overridesFrom(id, uint64(r.now().UnixMicro())+1) {
			if err == nil && o.Revoked {
				continue
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// overridesFrom yields a customer's overrides that end from a microsecond on.
func (r *Reader) overridesFrom(id customer.ID, micro uint64) iter.Seq2[*Override, error] {
	prefix := storage.Key(nil).Uint(uint64(id))
	keys := kv.Prefix(prefix)
	keys.Lower = storage.Key(nil).Uint(uint64(id)).Uint(micro)
	return func(yield func(*Override, error) bool) {
		for e, err := range r.store.override.Entries(r.storage, r.store.overrideFor, keys, false) {
			var o *Override
			if err == nil {
				o, err = r.overrideAt(e, len(prefix))
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) overrideAt(e storage.IndexEntry[OverrideID], at int) (*Override, error) {
	_, rest, err := e.Key()[at:].CutUint()
	if err != nil {
		return nil, err
	}
	id, err := e.Primary(rest)
	if err != nil {
		return nil, err
	}
	return r.store.override.Get(r.storage, id)
}

// Overrides yields what is in force for a customer, the first to end first.
func (r *Reader) Overrides(id customer.ID) iter.Seq2[*Override, error] {
	return func(yield func(*Override, error) bool) {
		id, err := r.debtor(id)
		if err != nil {
			yield(nil, err)
			return
		}
		for o, err := range r.overridesOf(id) {
			if err == nil {
				err = r.hideOverride(o)
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) hideOverride(o *Override) error {
	shown, err := r.shows("limit", OfCustomer(o.Customer))
	if !shown {
		o.Amount, o.Document = money.Amount{}, money.Amount{}
	}
	return err
}

// Override records an override by the session's actor. It needs the right to, a role that
// the customer's policy names, a reason and an end. Where the book's policy routes
// overrides of this amount, it fails with an error that wraps ErrApproval; see Propose. A
// held document becomes open when it is reserved again.
func (tx *Tx) Override(o Override) (*Override, error) {
	const op = "override"
	if err := tx.checkOverride(op, &o); err != nil {
		return nil, err
	}
	if err := tx.mayOverride(op, &o); err != nil {
		return nil, err
	}
	if err := tx.boundOverride(op, &o); err != nil {
		return nil, err
	}
	route, _, err := tx.routeOf(&Proposal{Override: &o})
	if err != nil {
		return nil, err
	}
	if !route.automatic() {
		return nil, route.refuse(op, o.Customer)
	}
	o.Approval = 0
	return tx.putOverride(&o)
}

func (tx *Tx) putOverride(o *Override) (*Override, error) {
	id, err := tx.store.overrideIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	o.ID, o.Revoked = OverrideID(id), false
	if err := tx.store.override.InsertNew(tx.tx, o.ID, o, uint8(Overridden)); err != nil {
		return nil, err
	}
	o.Recorded, o.Actor = tx.now(), tx.tx.Session().Actor
	return o, nil
}

// checkOverride reports what is wrong with an override, and brings it into its stored form.
func (tx *Tx) checkOverride(op string, o *Override) error {
	fail := func(field, value, problem, remedy string) error {
		return &Error{Op: op, Customer: o.Customer, Field: field, Value: value, Problem: problem, Remedy: remedy, Err: ErrInvalid}
	}
	c, err := tx.Reader.customers.Get(o.Customer)
	if err != nil {
		return err
	}
	o.Customer = c.ID // who stands for one that was merged
	k, err := tx.newCheck(c)
	if err != nil {
		return err
	}
	if err := errors.Join(cleanText(op, o.Customer, "Why", &o.Why, customer.MaxText), cleanText(op, o.Customer, "Key", &o.Key, maxKey), cleanText(op, o.Customer, "Role", &o.Role, maxCode)); err != nil {
		return err
	}
	o.Until = o.Until.UTC().Truncate(time.Microsecond)
	longest := k.policy.overrideFor()
	switch {
	case o.Why == "":
		return fail("Why", "", "is empty", "say why this is right")
	case !o.Until.After(tx.now()) || o.Until.Sub(tx.now()) > longest:
		return fail("Until", o.Until.Format(time.RFC3339), "is not ahead, or too far", "use an instant within "+longest.String())
	case o.Amount.Minor < 0 || o.Amount.Minor > 0 && !o.Amount.Currency.Known():
		return fail("Amount", o.Amount.String(), "is no amount", "use a positive amount, or zero for no bound")
	}
	for _, s := range o.Steps {
		if s < Utilisation || s > Unlimited {
			return fail("Steps", s.String(), "is no step", "use Utilisation, OldestOverdue, …")
		}
	}
	return nil
}

// boundOverride notes what the one document comes to that an override lets through whole.
func (tx *Tx) boundOverride(op string, o *Override) error {
	o.Document = money.Amount{}
	if o.Key == "" || o.extends() {
		return nil
	}
	v, err := tx.reservation(op, o.Key)
	if isNotFound(err) {
		return nil
	}
	if err == nil && v.Customer == o.Customer {
		o.Document = v.Amount
	}
	return err
}

// overrideAmount is what an override is routed by: by how much it lets documents exceed a
// limit, or what it lets through whole, together with the overrides in force that add to
// that. What has no bound is more than any amount.
func (tx *Tx) overrideAmount(o *Override) (money.Amount, error) {
	extends, asked := o.extends(), o.Document
	if extends {
		asked = o.Amount
	}
	if asked.Minor == 0 {
		return money.Amount{Minor: math.MaxInt64, Currency: tx.store.control.Base}, nil
	}
	amounts := []money.Amount{asked}
	for other, err := range tx.overridesOf(o.Customer) {
		switch {
		case err != nil:
			return money.Amount{}, err
		case extends && other.extends() && (o.Key == "" || other.Key == "" || o.Key == other.Key):
			amounts = append(amounts, other.Amount)
		case !extends && !other.extends() && o.Key != other.Key:
			amounts = append(amounts, other.Document)
		}
	}
	return tx.limitTotal(amounts)
}

// mayOverride reports whether the session may grant an override by itself.
func (tx *Tx) mayOverride(op string, o *Override) error {
	if err := tx.allow(customer.RightOverride, o.Customer); err != nil {
		return err
	}
	p, err := tx.profile(o.Customer)
	if err != nil {
		return err
	}
	policy, err := tx.Policy(p.Policy)
	if err != nil {
		return err
	}
	if roles := policy.OverrideRoles; len(roles) > 0 && !slices.Contains(roles, o.Role) {
		return &Error{Op: op, Customer: o.Customer, Field: "Role", Value: o.Role, Problem: "may not override", Remedy: "ask one of the policy's roles", Err: ErrRole}
	}
	return tx.hasRole(op, o.Customer, o.Role)
}

// hasRole reports whether the actor has a role that it claims.
func (tx *Tx) hasRole(op string, id customer.ID, role string) error {
	if role == "" {
		return nil
	}
	actor := tx.tx.Session().Actor
	has, err := tx.organisation().HasRole(actor, role)
	if err == nil && !has {
		err = &Error{Op: op, Customer: id, Field: "Role", Value: role, Problem: "isn't a role of " + actor, Remedy: "ask somebody who has it", Err: ErrRole}
	}
	return err
}

// Revoke ends an override before its time. What was granted by it stays granted.
func (tx *Tx) Revoke(id OverrideID) error {
	o, err := tx.store.override.Get(tx.storage, id)
	if err == nil {
		err = tx.allow(customer.RightOverride, o.Customer)
	}
	if isNotFound(err) {
		return &Error{Op: "revoke", Field: "Override", Value: fmt.Sprint(id), Problem: "there is no such override", Remedy: "see Overrides", Err: ErrNotFound}
	}
	if err != nil || o.Revoked {
		return err
	}
	o.Revoked = true
	return tx.store.override.Put(tx.tx, id, o, uint8(Overridden))
}
