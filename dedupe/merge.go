package dedupe

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// MaxMerge bounds the losers of one Merge; see [Store.MergeCluster] for more.
const MaxMerge = 500

// Merge says which customers become one.
type Merge struct {
	Survivor customer.ID // keeps its id and code
	Losers   []customer.ID
	// Rules are those of this merge; nil are the book's.
	Rules *Survivorship
	// Overrule merges also customers that people have decided to be different.
	Overrule bool
}

// MergeRecord is what the book keeps of a merge that is in force.
type MergeRecord struct {
	Loser, Survivor customer.ID
	Version         uint64
	Recorded        time.Time
	Actor           string
	Reason          string

	undo []undo
	rest string
}

// undo is what one participant needs to take a merge back.
type undo struct {
	name  string
	bytes []byte
}

func sortMembers(list []Member) []Member {
	slices.SortFunc(list, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (s *Store) rules(m Merge) *Survivorship {
	if m.Rules != nil {
		return m.Rules
	}
	return &s.opts.Survivorship
}

// check reports what is wrong with a merge as it was given.
func (m Merge) check() error {
	if len(m.Losers) == 0 {
		return &Error{Op: "merge", Customer: m.Survivor, Field: "Losers", Remedy: "name at least one", Err: ErrInvalid}
	}
	if len(m.Losers) > MaxMerge {
		return &Error{Op: "merge", Customer: m.Survivor, Field: "Losers", Value: fmt.Sprint(len(m.Losers)), Remedy: fmt.Sprintf("name at most %d, or use MergeCluster", MaxMerge), Err: storage.ErrLimit}
	}
	named := map[customer.ID]bool{m.Survivor: true}
	for _, id := range m.Losers {
		if named[id] {
			return &Error{Op: "merge", Customer: m.Survivor, Field: "Losers", Value: id.String(), Remedy: "name each customer once, and the survivor as such only", Err: ErrInvalid}
		}
		named[id] = true
	}
	return nil
}

// Merge makes the survivor of the losers and returns its record. Everything moves in this
// transaction: the records by the rules, their events, and what each [Participant] keeps.
// The losers' ids, codes, identifiers and source keys lead to the survivor from then on.
//
// It needs the right to merge each of them. It fails with a *customer.StatusError when one
// is merged or erased, and with ErrDecided when people said that two of them are different.
func (tx *Tx) Merge(m Merge) (*customer.Customer, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if err := tx.mayJoin(m); err != nil {
		return nil, err
	}
	participants, err := tx.participants()
	if err != nil {
		return nil, err
	}
	rules := tx.store.rules(m)
	survivor, err := tx.customers.Merge(m.Survivor, m.Losers, func(survivor, loser *customer.Customer) (*customer.Customer, error) {
		golden, _, err := rules.golden(survivor, loser)
		return golden, err
	})
	if err != nil {
		return nil, err
	}
	for _, loser := range m.Losers {
		kept := &MergeRecord{Loser: loser, Survivor: m.Survivor}
		for _, p := range participants {
			bytes, err := p.Merge(m.Survivor, loser)
			if err != nil {
				return nil, fmt.Errorf("dedupe: merge customer %d into %d: %s: %w", loser, m.Survivor, p.Name, err)
			}
			if bytes != nil {
				kept.undo = append(kept.undo, undo{p.Name, bytes})
			}
		}
		if err := tx.store.merge.Insert(tx.tx, loser, kept, uint8(Merged)); err != nil {
			return nil, err
		}
	}
	return survivor, nil
}

// Unmerge undoes the merge of a customer, with the guarantees of [customer.Tx.Unmerge]
// for every participant, and returns the two records. A tag, unit or overlay that others
// who are still merged brought as well stays with the survivor.
func (tx *Tx) Unmerge(loser customer.ID) (survivor, restored *customer.Customer, err error) {
	participants, err := tx.participants()
	if err != nil {
		return nil, nil, err
	}
	survivor, restored, err = tx.customers.Unmerge(loser)
	if err != nil {
		return nil, nil, err
	}
	kept, err := tx.store.merge.Get(tx.storage, loser)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range slices.Backward(kept.undo) {
		at := slices.IndexFunc(participants, func(p Member) bool { return p.Name == u.name })
		if at < 0 {
			return nil, nil, &Error{Op: "unmerge", Customer: loser, Field: "Participant", Value: u.name, Remedy: "open the book with the participant that took part in the merge", Err: ErrInvalid}
		}
		if err := participants[at].Unmerge(kept.Survivor, loser, u.bytes); err != nil {
			return nil, nil, fmt.Errorf("dedupe: unmerge customer %d from %d: %s: %w", loser, kept.Survivor, u.name, err)
		}
	}
	return survivor, restored, tx.store.merge.Delete(tx.tx, loser, uint8(Unmerged))
}

// MergeOf returns the merge in force of a customer, or an error that wraps ErrNotFound.
func (r *Reader) MergeOf(loser customer.ID) (*MergeRecord, error) {
	if err := r.visible(loser); err != nil {
		return nil, err
	}
	m, err := r.store.merge.Get(r.storage, loser)
	if err != nil {
		return nil, err
	}
	told := *m
	told.undo = nil // holds what may be hidden
	return &told, nil
}

// visible reports a customer out of the session's sight as one that does not exist.
func (r *Reader) visible(id customer.ID) error {
	_, err := r.customers.Exact(id)
	return err
}

// Merges yields the merges in force into a survivor, in the order of the losers' ids;
// those of losers out of the session's sight are left out.
func (r *Reader) Merges(survivor customer.ID) iter.Seq2[*MergeRecord, error] {
	return func(yield func(*MergeRecord, error) bool) {
		if err := r.visible(survivor); err != nil {
			yield(nil, err)
			return
		}
		prefix := storage.Key(nil).Uint(uint64(survivor))
		for e, err := range r.store.merge.Entries(r.storage, r.store.bySurvivor, kv.Prefix(prefix), false) {
			var m *MergeRecord
			var id customer.ID
			if err == nil {
				id, err = e.Primary(e.Key()[len(prefix):])
			}
			if err == nil {
				if m, err = r.MergeOf(id); isNotFound(err) {
					continue
				}
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Preview is what a merge would make, as far as the session may see it.
type Preview struct {
	Survivor, Loser *customer.Customer
	Golden          *customer.Customer
	// Fields are those in which the two differ and of which one value was chosen.
	Fields []FieldChoice
	// Left are elements that don't fit the survivor's lists; identifiers and source keys
	// among them still lead to it.
	Left int
}

// Preview shows what merging a loser would make of the survivor; what participants do is
// seen by merging in a transaction that then returns an error. It needs the same rights
// as Merge. Fields that are hidden from the session are left out.
func (r *Reader) Preview(m Merge) ([]Preview, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	survivor, mask, err := r.mergeable(m.Survivor)
	if err != nil {
		return nil, err
	}
	rules := r.store.rules(m)
	var previews []Preview
	for _, id := range m.Losers {
		loser, other, err := r.mergeable(id)
		if err != nil {
			return nil, err
		}
		mask = mask.Or(other)
		golden, fields, err := rules.golden(survivor, loser)
		if err != nil {
			return nil, err
		}
		left := unite(golden, survivor)
		previews = append(previews, Preview{
			Survivor: mask.Apply(survivor), Loser: mask.Apply(loser), Golden: mask.Apply(golden), Left: left,
			Fields: slices.DeleteFunc(fields, func(f FieldChoice) bool { return hides(mask, f.Field) }),
		})
		survivor = golden
	}
	return previews, nil
}

// hides reports whether a mask hides a field of a survivorship.
func hides(m customer.Mask, field string) bool {
	return m.Hides(field) || field == FieldOwner && m.Hides("rep")
}

// mergeable returns a customer that the session may merge, whole, and what is hidden.
func (r *Reader) mergeable(id customer.ID) (*customer.Customer, customer.Mask, error) {
	var mask customer.Mask
	if err := r.customers.Permit(customer.RightMerge, customer.Identity, id); err != nil {
		return nil, mask, err
	}
	c, err := r.all().Exact(id)
	if err != nil {
		return nil, mask, err
	}
	if c.Status > customer.Archived {
		return nil, mask, &customer.StatusError{ID: id, Status: c.Status, Action: "merge"}
	}
	if access := r.customers.Access(); access != nil {
		mask, err = access.Mask(c)
	}
	return c, mask, err
}

// unite puts the survivor's elements before those that golden brings, as a merge does, and
// returns how many don't fit.
func unite(golden, survivor *customer.Customer) (left int) {
	return join(&golden.Aliases, survivor.Aliases) + join(&golden.Identifiers, survivor.Identifiers) +
		join(&golden.Phones, survivor.Phones) + join(&golden.Emails, survivor.Emails) + join(&golden.Addresses, survivor.Addresses) +
		join(&golden.Contacts, survivor.Contacts) + join(&golden.SourceKeys, survivor.SourceKeys)
}

func join[T comparable](brought *[]T, own []T) (left int) {
	list := slices.Clone(own)
	for _, x := range *brought {
		switch {
		case slices.Contains(list, x):
		case len(list) >= customer.MaxList:
			left++
		default:
			list = append(list, x)
		}
	}
	*brought = list
	return left
}
