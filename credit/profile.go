package credit

import (
	"cmp"
	"iter"
	"time"

	"github.com/clientele-go/clientele/credit/money"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/text"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

var allKeys kv.Range

func compareText(a, b string) int { return cmp.Compare(a, b) }

// GroupID identifies a group of customers for ever; 0 is none.
type GroupID uint64

// Group is customers that share a limit, such as the companies of one owner. A customer
// is in one at most.
type Group struct {
	ID    GroupID
	Code  string // unique
	Names customer.Names

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string
	rest     string
}

func (g *Group) fields(x *wire) {
	x.text(1, &g.Code)
	wireNames(x, 2, &g.Names)
}

func appendGroup(dst []byte, g *Group) ([]byte, error) { return encode(dst, g.rest, g.fields) }

func decodeGroup(src string, id GroupID, m storage.Meta) (g *Group, err error) {
	g = &Group{ID: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	g.rest, err = decode(src, g.fields)
	return g, err
}

func groupCodeKeys(set *storage.KeySet, g *Group) { set.String(text.Fold(g.Code)).End() }

// Profile is what credit control keeps of a customer beside its limits.
type Profile struct {
	Customer customer.ID
	Group    GroupID // 0 for none
	Policy   string  // the code of its policy, "" for the book's
	// Currency is the one in which the customer keeps its account, 0 for the book's; reports
	// can be in it.
	Currency money.Currency
	Terms    string // of payment, as ParseTerms reads them; empty is at once

	Version  uint64
	Recorded time.Time
	Actor    string
	Reason   string
	rest     string
}

func (p *Profile) fields(x *wire) {
	wireUint(x, 1, &p.Group)
	x.text(2, &p.Policy)
	wireUint(x, 3, &p.Currency)
	x.text(4, &p.Terms)
}

func appendProfile(dst []byte, p *Profile) ([]byte, error) { return encode(dst, p.rest, p.fields) }

func decodeProfile(src string, id customer.ID, m storage.Meta) (p *Profile, err error) {
	p = &Profile{Customer: id, Version: m.Version, Recorded: m.Recorded, Actor: m.Actor, Reason: m.Reason}
	p.rest, err = decode(src, p.fields)
	return p, err
}

func memberKeys(set *storage.KeySet, p *Profile) {
	if p.Group != 0 {
		set.Uint(uint64(p.Group)).End()
	}
}

// Profile returns a customer's profile, an empty one when none was set.
func (r *Reader) Profile(id customer.ID) (*Profile, error) {
	id, err := r.debtor(id)
	if err != nil {
		return nil, err
	}
	return r.profile(id)
}

func (r *Reader) profile(id customer.ID) (*Profile, error) {
	p, err := r.store.profile.Get(r.storage, id)
	if isNotFound(err) {
		return &Profile{Customer: id}, nil
	}
	return p, err
}

// Group returns a group by its id.
func (r *Reader) Group(id GroupID) (*Group, error) { return r.store.group.Get(r.storage, id) }

// GroupByCode returns a group by its code; letter case and width don't count.
func (r *Reader) GroupByCode(code string) (*Group, error) {
	id, err := r.store.group.Lookup(r.storage, r.store.groupCode, storage.Key(nil).String(text.Fold(code)))
	if err != nil {
		return nil, err
	}
	return r.Group(id)
}

// Members yields the customers of a group that the session sees; one that was merged is a
// member through its survivor only.
func (r *Reader) Members(id GroupID) iter.Seq2[customer.ID, error] {
	return func(yield func(customer.ID, error) bool) {
		for member, err := range r.members(id) {
			if err == nil {
				c, getErr := r.customers.Get(member)
				if isNotFound(getErr) || getErr == nil && c.ID != member {
					continue
				}
				err = getErr
			}
			if !yield(member, err) || err != nil {
				return
			}
		}
	}
}

func (r *Reader) members(id GroupID) iter.Seq2[customer.ID, error] {
	prefix := storage.Key(nil).Uint(uint64(id))
	return func(yield func(customer.ID, error) bool) {
		for e, err := range r.store.profile.Entries(r.storage, r.store.member, kv.Prefix(prefix), false) {
			var member customer.ID
			if err == nil {
				member, err = e.Primary(e.Key()[len(prefix):])
			}
			if !yield(member, err) || err != nil {
				return
			}
		}
	}
}

// SameGroup reports whether two customers share a group; it serves as Options.Related.
func SameGroup(r *Reader, a, b customer.ID) (bool, error) {
	first, err := r.profile(a)
	if err != nil || first.Group == 0 {
		return false, err
	}
	second, err := r.profile(b)
	return err == nil && second.Group == first.Group, err
}

// CreateGroup makes a group, without members and limit.
func (tx *Tx) CreateGroup(code string, names customer.Names) (*Group, error) {
	const op = "create group"
	if err := tx.allow(customer.RightSetLimit, 0); err != nil {
		return nil, err
	}
	if err := cleanText(op, 0, "Code", &code, maxCode); err != nil {
		return nil, err
	}
	if code == "" {
		return nil, &Error{Op: op, Field: "Code", Problem: "is empty", Remedy: "give the group a code", Err: ErrInvalid}
	}
	if err := names.Validate("Names"); err != nil {
		return nil, err
	}
	id, err := tx.store.groupIDs.Next(tx.tx, nil)
	if err != nil {
		return nil, err
	}
	g := &Group{ID: GroupID(id), Code: code, Names: names}
	if err := tx.store.group.InsertNew(tx.tx, g.ID, g, uint8(GroupSet)); err != nil {
		return nil, err
	}
	return g, nil
}

// SetGroup puts a customer into a group, or with 0 out of its group. What it owes counts
// against the group's limit from then on, also when that is then exceeded.
func (tx *Tx) SetGroup(id customer.ID, group GroupID) error {
	if group != 0 {
		if _, err := tx.Group(group); err != nil {
			return err
		}
	}
	return tx.changeProfile("set group", id, func(p *Profile) error {
		p.Group = group
		return nil
	})
}

// SetPolicyOf gives a customer a policy of its own, or with "" the book's.
func (tx *Tx) SetPolicyOf(id customer.ID, code string) error {
	if _, err := tx.Policy(code); err != nil {
		return err
	}
	return tx.changeProfile("set policy", id, func(p *Profile) error {
		p.Policy = code
		return nil
	})
}

// SetCurrencyOf sets the currency in which a customer keeps its account, 0 for the book's.
// It changes no item: it is what reports in the customer's currency are in.
func (tx *Tx) SetCurrencyOf(id customer.ID, c money.Currency) error {
	const op = "set currency"
	if c != 0 && !c.Known() {
		return &Error{Op: op, Customer: id, Field: "Currency", Value: c.String(), Problem: "is no known currency", Remedy: "use a code of ISO 4217", Err: ErrInvalid}
	}
	return tx.changeProfile(op, id, func(p *Profile) error {
		p.Currency = c
		return nil
	})
}

// SetTermsOf sets a customer's terms of payment, in the words of ParseTerms; empty is at
// once. They are for documents that are posted later, with Document.OwnTerms.
func (tx *Tx) SetTermsOf(id customer.ID, terms string) error {
	const op = "set terms"
	if err := cleanText(op, id, "Terms", &terms, maxCode); err != nil {
		return err
	}
	if terms != "" {
		if _, err := ParseTerms(terms); err != nil {
			return err
		}
	}
	return tx.changeProfile(op, id, func(p *Profile) error {
		p.Terms = terms
		return nil
	})
}

// TermsOf returns the terms of payment that a customer has now: those of its level of
// dunning while that changes them, or else its own.
func (r *Reader) TermsOf(id customer.ID) (Terms, error) {
	id, err := r.holder("read terms", id)
	if err != nil {
		return Terms{}, err
	}
	return r.termsOf(id, 0)
}

// termsOf is TermsThrough for what the session's scope has no part in.
func (r *Reader) termsOf(id customer.ID, unit customer.UnitID) (Terms, error) {
	d, err := r.dunningOf(id)
	if err != nil {
		return Terms{}, err
	}
	text := d.Terms
	if text == "" {
		o, err := r.overlay(id, unit)
		if err != nil {
			return Terms{}, err
		}
		text = o.Terms
	}
	if text == "" {
		p, err := r.profile(id)
		if err != nil {
			return Terms{}, err
		}
		text = p.Terms
	}
	if text == "" {
		return Terms{}, nil
	}
	return readTerms(text)
}

func (tx *Tx) changeProfile(op string, id customer.ID, change func(*Profile) error) error {
	if err := tx.checkChangeable(op, id); err != nil {
		return err
	}
	if err := tx.allow(customer.RightSetLimit, id); err != nil {
		return err
	}
	p, err := tx.profile(id)
	if err != nil {
		return err
	}
	next := *p
	if err := change(&next); err != nil {
		return err
	}
	if next.Group != p.Group {
		if err := tx.noteEdit(id, lentGroup); err != nil {
			return err
		}
	}
	return tx.putProfile(p, &next, ProfileSet)
}

// putProfile stores a profile and moves what the customer owes to its new group.
func (tx *Tx) putProfile(old, next *Profile, action ControlAction) error {
	if old.Group == next.Group && old.Policy == next.Policy && old.Currency == next.Currency && old.Terms == next.Terms {
		return nil
	}
	if old.Group != next.Group {
		if err := tx.moveExposure(next.Customer, groupScope(old.Group), groupScope(next.Group)); err != nil {
			return err
		}
	}
	return tx.store.profile.Put(tx.tx, next.Customer, next, uint8(action))
}

// groupScope is the scope of a group, none for no group.
func groupScope(id GroupID) *Scope {
	if id == 0 {
		return nil
	}
	s := OfGroup(id)
	return &s
}
