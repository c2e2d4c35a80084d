package orgtree

import (
	"context"
	"iter"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Destination says where a customer goes.
type Destination struct {
	Unit customer.UnitID // the new owner, 0 for none
	Rep  string          // the new representative, empty for none
	// KeepUnit and KeepRep leave what the customer has.
	KeepUnit, KeepRep bool
}

func (d Destination) of(c *customer.Customer) (customer.UnitID, string) {
	unit, rep := d.Unit, d.Rep
	if d.KeepUnit {
		unit = c.Owner
	}
	if d.KeepRep {
		rep = c.Rep
	}
	return unit, rep
}

// Transfer gives a customer to another owner unit, another representative, or both. The
// session's reason is kept with the customer's new version. It fails with a *QuotaError
// when the unit, one above, or the representative has as many customers as it may, and
// with ErrClosed when the unit is not open.
func (tx *Tx) Transfer(id customer.ID, to Destination) (*customer.Customer, error) {
	c, err := tx.customers.Exact(id)
	if err != nil {
		return nil, err
	}
	unit, rep := to.of(c)
	return tx.customers.Assign(id, unit, rep)
}

// Job is what work on many customers needs: where they are, and who works, why.
type Job struct {
	Storage   *storage.Store
	Customers *customer.Store
	Session   storage.Session
	// Access returns what the session may see and do in a transaction; nil is everything.
	Access func(r *storage.Reader) (customer.Access, error)
	// Follow joins, before anything is changed in a transaction, those who keep something of
	// customers by their owner; nil is nobody.
	Follow func(tx *storage.Tx, customers *customer.Tx)
}

// reader returns the customers of a state as the session sees them.
func (j Job) reader(r *storage.Reader) (*customer.Reader, error) {
	if j.Access == nil {
		return j.Customers.Reader(r), nil
	}
	a, err := j.Access(r)
	return j.Customers.ReaderWith(r, a), err
}

// tx returns the customers of a transaction as the session may change them.
func (j Job) tx(tx *storage.Tx) (*customer.Tx, error) {
	var access customer.Access
	if j.Access != nil {
		var err error
		if access, err = j.Access(&tx.Reader); err != nil {
			return nil, err
		}
	}
	customers := j.Customers.TxWith(tx, access)
	if j.Follow != nil {
		j.Follow(tx, customers)
	}
	return customers, nil
}

// Progress tells how far a job over many customers is.
type Progress struct {
	Total     int64 // customers of the job, those that are handled already among them
	Changed   int64 // customers that were changed
	Unchanged int64 // that were as wanted already
	Refused   int64 // that could not be changed
	// Last is the last customer that was handled. A job that was stopped goes on after
	// it: give it as JobOptions.After.
	Last customer.ID
}

// add counts a part.
func (p *Progress) add(part Progress) {
	p.Changed += part.Changed
	p.Unchanged += part.Unchanged
	p.Refused += part.Refused
	p.Last = part.Last
}

// JobOptions set how a job over many customers runs. The zero value works.
type JobOptions struct {
	After    customer.ID    // handle only customers with a higher id
	Progress func(Progress) // called after each part
	// Refused is called for each customer that could not be changed, once its part is
	// committed; the job goes on.
	Refused func(id customer.ID, err error)
}

// partSize is the number of customers that a job changes in one transaction: few enough
// to meet hardly any conflict, many enough to share the cost of a commit.
const partSize = 256

// TransferAll transfers customers in the order of their ids, in parts of a few hundred,
// each one transaction. When ctx is done it stops after a part; whatever stops it, what
// it returns tells where to go on. Running it again changes nothing twice. A customer
// that can't be transferred, for instance since a quota is used up, is reported and
// passed over.
func (s *Store) TransferAll(ctx context.Context, j Job, ids *bitset.Set, to Destination, opts JobOptions) (Progress, error) {
	return s.eachPart(ctx, j, ids, opts, func(tx *Tx, id customer.ID) (bool, error) {
		before, err := tx.customers.Exact(id)
		if err != nil {
			return false, err
		}
		after, err := tx.Transfer(id, to)
		return err == nil && after.Version != before.Version, err
	})
}

// TransferRep transfers all customers of a representative who leaves, and replaces this
// one in assignments and overlays: of those whose representative the session sees.
// Customers that he is given meanwhile are left.
func (s *Store) TransferRep(ctx context.Context, j Job, rep string, to Destination, opts JobOptions) (Progress, error) {
	if to.KeepRep || to.Rep == rep || rep == "" {
		return Progress{}, &Error{Op: "transfer", Field: "Rep", Value: rep, Remedy: "name the one who leaves, and another who takes over, or none", Err: ErrInvalid}
	}
	var ids *bitset.Set
	err := j.Storage.View(ctx, func(r *storage.Reader) (err error) {
		customers, err := j.reader(r)
		if err != nil {
			return err
		}
		if ids, err = s.Reader(r, customers).ofRep(rep); err == nil && customers.Access() != nil {
			err = ids.Keep(customers.Access().WithinUnmasked("rep"))
		}
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	return s.eachPart(ctx, j, ids, opts, func(tx *Tx, id customer.ID) (bool, error) {
		return tx.replaceRep(id, rep, to)
	})
}

// ofRep returns the customers that name a representative, in their record or placement.
func (r *Reader) ofRep(rep string) (*bitset.Set, error) {
	ids := &bitset.Set{}
	add := func(chunk uint64, stored []byte) error { return ids.Own(chunk).OrStored(stored) }
	field, err := r.customers.Field("rep")
	if err != nil {
		return nil, err
	}
	keys, err := field.Is(rep)
	if err != nil {
		return nil, err
	}
	for _, key := range keys.Exact {
		if err := r.customers.Marks().Chunks(r.storage, key, 0, maxChunk, add); err != nil {
			return nil, err
		}
	}
	for id, err := range r.placed(r.store.rep, storage.Key(nil).String(rep)) {
		if err != nil {
			return nil, err
		}
		ids.Add(uint64(id))
	}
	return ids, nil
}

// maxChunk is beyond every chunk of customers.
const maxChunk = 1<<32 - 1

// replaceRep takes a representative out of a customer's record and placement.
func (tx *Tx) replaceRep(id customer.ID, rep string, to Destination) (changed bool, err error) {
	c, err := tx.customers.Exact(id)
	if err != nil {
		return false, err
	}
	p, err := tx.placementOf(id)
	if err != nil {
		return false, err
	}
	if p.replaceRep(rep, to.Rep) {
		if err := tx.mayDo(customer.RightTransfer, customer.Identity, id); err != nil {
			return false, err
		}
	}
	if c.Rep == rep {
		if _, err := tx.Transfer(id, to); err != nil {
			return false, err
		}
		changed = true
	}
	before := p.Version
	err = tx.putPlacement("transfer", p, PlacementSet)
	return changed || p.Version != before, err
}

// replaceRep replaces a representative in assignments and overlays, and reports whether
// there was anything to replace.
func (p *Placement) replaceRep(rep, next string) (named bool) {
	for i := range p.Assignments {
		if a := &p.Assignments[i]; a.Rep == rep {
			a.Rep, named = next, true
		}
	}
	for i := range p.Overlays {
		if o := &p.Overlays[i]; o.Rep == rep {
			o.Rep, named = next, true
		}
	}
	return named
}

// FinishMerge brings the records that name a merged unit over to its survivor: owners,
// assignments, teams and overlays. Reads are right before, while it runs and after. A
// local code that the survivor has given to another customer stays with the merged unit,
// where it is still found. Merged and erased customers keep the unit that they had.
func (s *Store) FinishMerge(ctx context.Context, j Job, unit customer.UnitID, opts JobOptions) (Progress, error) {
	var ids *bitset.Set
	var into customer.UnitID
	err := j.Storage.View(ctx, func(r *storage.Reader) (err error) {
		customers, err := j.reader(r)
		if err != nil {
			return err
		}
		if err := s.Reader(r, customers).mayAdminister(unit); err != nil {
			return err
		}
		reader := s.Reader(r, j.Customers.Reader(r))
		tree, err := reader.Tree()
		if err != nil {
			return err
		}
		if into = tree.Resolve(unit); into == unit {
			return &Error{Op: "finish merge", Unit: unit, Field: "Unit", Value: unitText(unit), Remedy: "merge it first", Err: ErrInvalid}
		}
		ids, err = reader.recordedIn(unit)
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	j.Access = nil // who may administer the unit brings over all that it has
	return s.eachPart(ctx, j, ids, opts, func(tx *Tx, id customer.ID) (bool, error) {
		return tx.bringOver(id, unit, into)
	})
}

// recordedIn returns the customers whose record or placement names a unit.
func (r *Reader) recordedIn(unit customer.UnitID) (*bitset.Set, error) {
	ids := &bitset.Set{}
	for _, list := range []func(func(customer.ID, error) bool){r.customers.OwnedIDs(unit), r.naming(unit)} {
		for id, err := range list {
			if err != nil {
				return nil, err
			}
			ids.Add(uint64(id))
		}
	}
	return ids, nil
}

// bringOver replaces a merged unit by its survivor in the records of one customer.
func (tx *Tx) bringOver(id customer.ID, unit, into customer.UnitID) (changed bool, err error) {
	c, err := tx.customers.Exact(id)
	if err != nil || c.Status > customer.Archived {
		return false, err
	}
	if c.Owner == unit {
		if _, err := tx.customers.Assign(id, into, c.Rep); err != nil {
			return false, err
		}
		changed = true
	}
	p, err := tx.placementOf(id)
	if err != nil {
		return changed, err
	}
	before := p.Version
	p.rename(unit, into)
	if err := tx.renameOverlay(p, unit, into); err != nil {
		return changed, err
	}
	p.settle(tx.now())
	unedited := func(_, _ *Placement) error { return nil } // what losers brought is theirs still
	err = tx.storePlacement("finish merge", p, PlacementSet, unedited)
	return changed || p.Version != before, err
}

// rename replaces a unit in teams and assignments. Of two assignments that become one,
// the survivor's representative and team stand, for as long as either lasts.
func (p *Placement) rename(unit, into customer.UnitID) {
	renamed := func(id *customer.UnitID) {
		if *id == unit {
			*id = into
		}
	}
	renamed(&p.Team)
	for i := range p.Assignments {
		renamed(&p.Assignments[i].Team)
	}
	from, to := p.in(unit), p.in(into)
	switch {
	case from < 0:
	case to < 0:
		p.Assignments[from].Unit = into
	default:
		a, b := &p.Assignments[to], &p.Assignments[from]
		if b.From.Before(a.From) {
			a.From = b.From
		}
		if a.Until.IsZero() || b.Until.IsZero() {
			a.Until = time.Time{}
		} else if b.Until.After(a.Until) {
			a.Until = b.Until
		}
		p.Assignments = append(p.Assignments[:from], p.Assignments[from+1:]...)
	}
}

// renameOverlay gives a merged unit's overlay to the survivor, whose own fields stand.
func (tx *Tx) renameOverlay(p *Placement, unit, into customer.UnitID) error {
	from, to := p.overlay(unit), p.overlay(into)
	if from < 0 {
		return nil
	}
	if code := p.Overlays[from].LocalCode; code != "" {
		holder, err := tx.localCode(into, code)
		if err == nil && holder != p.Customer {
			return nil
		}
		if err != nil && !isNotFound(err) {
			return err
		}
	}
	if to < 0 {
		p.Overlays[from].Unit = into
		return nil
	}
	if own := p.Overlays[to].LocalCode; own != "" && p.Overlays[from].LocalCode != "" && own != p.Overlays[from].LocalCode {
		return nil // both codes are in use
	}
	p.Overlays[to].over(&p.Overlays[from])
	p.Overlays = append(p.Overlays[:from], p.Overlays[from+1:]...)
	return nil
}

// eachPart runs do for customers in parts, each part one transaction. An error of do
// that concerns the customer alone must leave nothing written.
func (s *Store) eachPart(ctx context.Context, j Job, ids *bitset.Set, opts JobOptions, do func(*Tx, customer.ID) (changed bool, err error)) (Progress, error) {
	total := Progress{Total: ids.Len(), Last: opts.After}
	next, stop := iter.Pull(ids.From(uint64(opts.After) + 1))
	defer stop()
	for {
		part := make([]customer.ID, 0, partSize)
		for len(part) < partSize {
			id, ok := next()
			if !ok {
				break
			}
			part = append(part, customer.ID(id))
		}
		if len(part) == 0 {
			return total, nil
		}
		done, refused, err := s.part(ctx, j, part, do)
		if err != nil {
			return total, err
		}
		total.add(done)
		if opts.Refused != nil {
			for _, r := range refused {
				opts.Refused(r.id, r.err)
			}
		}
		if opts.Progress != nil {
			opts.Progress(total)
		}
	}
}

// refusal is a customer that a job could not change.
type refusal struct {
	id  customer.ID
	err error
}

func (s *Store) part(ctx context.Context, j Job, ids []customer.ID, do func(*Tx, customer.ID) (bool, error)) (done Progress, refused []refusal, err error) {
	_, err = j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
		done, refused = Progress{Last: ids[len(ids)-1]}, nil
		customers, err := j.tx(tx)
		if err != nil {
			return err
		}
		t := s.Tx(tx, customers)
		for _, id := range ids {
			changed, err := do(t, id)
			switch {
			case err != nil && !refuses(err):
				return err
			case err != nil:
				refused = append(refused, refusal{id, err})
				done.Refused++
			case changed:
				done.Changed++
			default:
				done.Unchanged++
			}
		}
		return nil
	})
	return done, refused, err
}
