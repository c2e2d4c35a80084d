package customer

import (
	"fmt"
	"iter"
	"slices"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// maxResolve bounds the way from a merged customer to the one that stands for it; a
// longer one, or one that comes back, can only be damage.
const maxResolve = 1 << 16

// Get returns a customer by id, in any status but Merged: for one that was merged it
// returns its survivor, as the other id of the result tells; see also [Reader.Exact] and
// [Reader.Resolve]. It costs one read, and another for each merge on the way.
func (r *Reader) Get(id ID) (*Customer, error) {
	c, err := r.follow(id, func(ID) {})
	if err != nil {
		return nil, err
	}
	if c, err = r.look(c, ""); err == nil && c == nil {
		err = absent("get", id)
	}
	return c, err
}

// Resolve returns the ids from a customer to the one that stands for it, both included:
// only its own for one that was not merged.
func (r *Reader) Resolve(id ID) ([]ID, error) {
	var way []ID
	c, err := r.follow(id, func(id ID) { way = append(way, id) })
	if err != nil {
		return nil, err
	}
	if c, err = r.look(c, ""); err == nil && c == nil {
		err = absent("resolve", id)
	}
	if err != nil {
		return nil, err
	}
	return way, nil
}

// follow returns the record that stands for an id, whoever may see it, and calls step
// for every id on the way.
func (r *Reader) follow(id ID, step func(ID)) (*Customer, error) {
	for range maxResolve {
		c, err := r.store.customer.Get(r.storage, id)
		if err != nil {
			return nil, err
		}
		step(id)
		if c.Status != Merged {
			return c, nil
		}
		id = c.Survivor
	}
	return nil, &storage.Error{Op: "resolve", Table: "customer", Key: id.String(), Err: fmt.Errorf("%w: the way to the survivor has no end", storage.ErrCorrupt)}
}

// MergedInto yields the ids of the customers that were merged into one directly, and
// still are, ascending. It reads no records, unless the reader is narrowed.
func (r *Reader) MergedInto(survivor ID) iter.Seq2[ID, error] {
	if r.access == nil {
		return r.mergedInto(survivor)
	}
	return func(yield func(ID, error) bool) {
		for id, err := range r.mergedInto(survivor) {
			seen := false
			if err == nil {
				seen, err = r.Visible(id)
			}
			if (seen || err != nil) && !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// mergedInto is MergedInto, of all customers.
func (r *Reader) mergedInto(survivor ID) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		prefix := storage.Key(nil).Uint(uint64(survivor))
		for e, err := range r.store.customer.Entries(r.storage, r.store.survivor, kv.Prefix(prefix), false) {
			var id ID
			if err == nil {
				id, err = e.Primary(e.Key()[len(prefix):])
			}
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// Merge lets survivor stand for losers from now on. golden is called for one loser after
// another with the survivor as it is by then, and returns the content that it gets, as
// package dedupe's rules choose it. Of lists it returns what the loser brings: the
// survivor keeps all its elements and gets those beyond, as far as they fit. Code, status
// and what storage keeps are its own. A loser gets the status Merged and keeps its content;
// its id, its code, and what didn't fit of its identifiers and source keys lead to the
// survivor, which also counts its events. Unmerge takes all that back.
//
// It fails with a *StatusError when one of them is merged or erased. Only the customer
// records and their events are merged: [dedupe.Tx] does the rest in the same transaction.
//
// [dedupe.Tx]: https://pkg.go.dev/github.com/clientele-go/clientele/dedupe#Tx
func (tx *Tx) Merge(survivor ID, losers []ID, golden func(survivor, loser *Customer) (*Customer, error)) (*Customer, error) {
	old, err := tx.mergeable(survivor)
	if err != nil {
		return nil, err
	}
	made, err := tx.composition(survivor)
	if err != nil {
		return nil, err
	}
	now := old
	for _, id := range losers {
		if now, err = tx.mergeOne(now, id, made, golden); err != nil {
			return nil, err
		}
	}
	if now == old {
		return tx.shown(old)
	}
	if err := tx.store.golden.Put(tx.tx, survivor, made, 0); err != nil {
		return nil, err
	}
	if now, err = tx.replace(old, now, Absorbing); err != nil {
		return nil, err
	}
	return tx.shown(now)
}

// mergeOne stores a loser and returns what the survivor becomes, which is not stored yet:
// the loser gives up the unique keys that the survivor takes.
func (tx *Tx) mergeOne(survivor *Customer, loser ID, made *composition, golden func(survivor, loser *Customer) (*Customer, error)) (*Customer, error) {
	if survivor.ID == loser {
		p := problems{}
		p.add("Losers", loser.String(), CodeRepeated, "is the survivor, too", "name other customers")
		return nil, p.err()
	}
	from, err := tx.mergeable(loser)
	if err != nil {
		return nil, err
	}
	chosen, err := golden(survivor, from)
	if err != nil {
		return nil, err
	}
	next, err := tx.united(survivor, chosen)
	if err != nil {
		return nil, err
	}
	made.absorb(survivor, next, from, chosen)
	if err := tx.mergeEvents(survivor.ID, loser, made); err != nil {
		return nil, err
	}
	_, err = tx.replace(from, from.mergedInto(next), MergedNow)
	return next, err
}

// mergeable returns a customer that can take part in a merge.
func (tx *Tx) mergeable(id ID) (*Customer, error) {
	if err := tx.Permit(RightMerge, Identity, id); err != nil {
		return nil, err
	}
	c, err := tx.stored(id)
	if err == nil && c.Status > Archived {
		return nil, &StatusError{ID: id, Status: c.Status, Action: "merge"}
	}
	return c, err
}

// united is the survivor with what golden has beyond it.
func (tx *Tx) united(survivor, golden *Customer) (*Customer, error) {
	next := golden.Draft().customer()
	next.ID, next.Code, next.Status, next.Created = survivor.ID, survivor.Code, survivor.Status, survivor.Created
	next.Absorbed, next.rest = survivor.Absorbed+1, survivor.rest
	for _, list := range mergedLists {
		list.unite(next, survivor)
	}
	schema, err := tx.Schema()
	if err != nil {
		return nil, err
	}
	return next, tx.store.normalise(next, nil, schema.lenient())
}

// lenient is the schema without what holds for new values only, for values that the
// book has already.
func (s *Schema) lenient() *Schema {
	loose := *s
	loose.Required = nil
	loose.Attributes = slices.Clone(s.Attributes)
	for i := range loose.Attributes {
		loose.Attributes[i].Retired = false
	}
	return &loose
}

// mergedInto returns the record of a loser.
func (c *Customer) mergedInto(survivor *Customer) *Customer {
	loser := *c
	loser.Status, loser.Survivor, loser.former = Merged, survivor.ID, c.Status
	loser.Identifiers, loser.SourceKeys = slices.Clone(c.Identifiers), slices.Clone(c.SourceKeys)
	for i := range loser.Identifiers {
		x := &loser.Identifiers[i]
		x.moved = slices.ContainsFunc(survivor.Identifiers, func(y Identifier) bool { return y.Scheme == x.Scheme && y.Value == x.Value })
	}
	for i := range loser.SourceKeys {
		x := &loser.SourceKeys[i]
		x.moved = slices.ContainsFunc(survivor.SourceKeys, func(y SourceKey) bool { return y.System == x.System && y.Key == x.Key })
	}
	return &loser
}

// restored returns the record of a loser that stands for itself again.
func (c *Customer) restored() *Customer {
	again := *c
	again.Status, again.Survivor, again.former = c.former, 0, 0
	again.Identifiers, again.SourceKeys = slices.Clone(c.Identifiers), slices.Clone(c.SourceKeys)
	for i := range again.Identifiers {
		again.Identifiers[i].moved = false
	}
	for i := range again.SourceKeys {
		again.SourceKeys[i].moved = false
	}
	return &again
}

// Unmerge undoes the merge of a customer: it has its record, its former status and its
// events again. From the survivor goes what it had only from that customer, and comes
// back what the merge had replaced; what was edited since stays with the survivor.
// Merges into one survivor can be undone in any order; where the survivor was itself
// merged since, that merge must be undone first, as the *StatusError says.
//
// It fails with a *DuplicateError when a third customer has by now an identifier or a
// source key that the loser gets back. As for Merge, [dedupe.Tx] does the rest.
//
// [dedupe.Tx]: https://pkg.go.dev/github.com/clientele-go/clientele/dedupe#Tx
func (tx *Tx) Unmerge(loser ID) (survivor, restored *Customer, err error) {
	if err := tx.Permit(RightMerge, Identity, loser); err != nil {
		return nil, nil, err
	}
	from, err := tx.stored(loser)
	if err != nil {
		return nil, nil, err
	}
	if from.Status != Merged {
		return nil, nil, &StatusError{ID: loser, Status: from.Status, Action: "unmerge"}
	}
	if err := tx.Permit(RightMerge, Identity, from.Survivor); err != nil {
		return nil, nil, err
	}
	to, err := tx.stored(from.Survivor)
	if err != nil {
		return nil, nil, err
	}
	if to.Status > Archived {
		return nil, nil, &StatusError{ID: to.ID, Status: to.Status, Action: "unmerge customer " + loser.String() + " from"}
	}
	made, err := tx.composition(to.ID)
	if err != nil {
		return nil, nil, err
	}
	next := *to
	next.Absorbed--
	made.release(&next, loser)
	if err := tx.unmergeEvents(to.ID, loser, made); err != nil {
		return nil, nil, err
	}
	if next.Absorbed > 0 {
		err = tx.store.golden.Put(tx.tx, to.ID, made, 0)
	} else {
		err = tx.store.golden.Forget(tx.tx, to.ID, 0)
	}
	if err != nil {
		return nil, nil, err
	}
	if survivor, err = tx.replace(to, &next, Separated); err != nil {
		return nil, nil, err
	}
	if restored, err = tx.replace(from, from.restored(), Unmerged); err != nil {
		return nil, nil, err
	}
	if survivor, err = tx.shown(survivor); err != nil {
		return nil, nil, err
	}
	restored, err = tx.shown(restored)
	return survivor, restored, err
}

// eraseMerged erases the customers that were merged into one, and what tells its part
// of theirs.
func (tx *Tx) eraseMerged(survivor *Customer) error {
	if survivor.Absorbed == 0 {
		return nil
	}
	var losers []ID
	for id, err := range tx.mergedInto(survivor.ID) {
		if err != nil {
			return err
		}
		losers = append(losers, id)
	}
	for _, id := range losers {
		c, err := tx.store.customer.Get(tx.storage, id)
		if err == nil {
			_, err = tx.eraseWhole(c)
		}
		if err != nil {
			return err
		}
	}
	return tx.store.golden.Forget(tx.tx, survivor.ID, 0)
}

// composition returns what the record of a survivor is made of.
func (tx *Tx) composition(id ID) (*composition, error) {
	made, err := tx.store.golden.Get(tx.storage, id)
	if isNotFound(err) {
		return &composition{}, nil
	}
	return made, err
}

// noteEdit keeps the composition of a survivor in step with an edit of its record.
func (tx *Tx) noteEdit(next *Customer) error {
	made, err := tx.composition(next.ID)
	if err != nil || !made.edited(next) {
		return err
	}
	return tx.store.golden.Put(tx.tx, next.ID, made, 0)
}

// mergeEvents adds the loser's events to the survivor's. The loser's own counts stay,
// for the undoing.
func (tx *Tx) mergeEvents(survivor, loser ID, made *composition) error {
	types, err := tx.addEvents(survivor, loser, 1)
	if err != nil {
		return err
	}
	for _, typ := range types {
		theirs, err := tx.lastEvent(loser, typ)
		if err != nil {
			return err
		}
		own, err := tx.lastEvent(survivor, typ)
		if err != nil {
			return err
		}
		if !made.mergeLast(typ, own, theirs) {
			continue
		}
		if err := tx.store.lastEvent.Put(tx.tx, eventKey{survivor, typ}, &theirs, 0); err != nil {
			return err
		}
	}
	return nil
}

// unmergeEvents takes the loser's events from the survivor's.
func (tx *Tx) unmergeEvents(survivor, loser ID, made *composition) error {
	types, err := tx.addEvents(survivor, loser, -1)
	if err != nil {
		return err
	}
	for _, typ := range types {
		theirs, err := tx.lastEvent(loser, typ)
		if err != nil {
			return err
		}
		now, err := tx.lastEvent(survivor, typ)
		if err != nil {
			return err
		}
		last := made.last(typ, now)
		if last == nil || !now.Equal(last.top) || !now.Equal(theirs) {
			continue // it is not the loser's
		}
		top := last.own
		for other, err := range tx.mergedInto(survivor) {
			if err != nil {
				return err
			}
			if other == loser {
				continue
			}
			t, err := tx.lastEvent(other, typ)
			if err != nil {
				return err
			}
			if t.After(top) {
				top = t
			}
		}
		last.top = top
		key := eventKey{survivor, typ}
		if top.IsZero() {
			err = tx.store.lastEvent.Forget(tx.tx, key, 0)
		} else {
			err = tx.store.lastEvent.Put(tx.tx, key, &top, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addEvents adds the event counts of a customer, or takes them, to those of another, and
// returns their types.
func (tx *Tx) addEvents(to, from ID, sign int64) ([]string, error) {
	var counts []MonthCount
	err := tx.eachEvent(from, func(_ storage.Key, e MonthCount) error {
		counts = append(counts, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var types []string
	for _, e := range counts {
		key := eventKeyCodec.Append(nil, eventKey{to, e.Type}).Uint(month(e.Month))
		if err := tx.store.events.Add(tx.tx, key, sign*e.Count); err != nil {
			return nil, err
		}
		if !slices.Contains(types, e.Type) {
			types = append(types, e.Type)
		}
	}
	return types, nil
}
