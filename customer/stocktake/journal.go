package stocktake

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// A count reads the journal, not the records: what the present sets say is true of every
// customer that the journal doesn't name since, and those that it names are looked up in
// the history (ADR 0019). Positions say exactly which state is meant, also where clocks
// don't.

// boundary is an instant that the count looks at: the opening, the ends of months, the
// closing.
type boundary struct {
	time     time.Time
	position kv.Position // of the last entry that the state has
}

// touch is a change of a customer after the opening.
type touch struct {
	id      uint64
	version uint64
	// step is the boundary up to which the change was made, one more than the last for a
	// change after the closing.
	step uint16
	tags bool // of its tags, not of its record
}

// journal is what the journal tells of customers since the opening.
type journal struct {
	bounds  []boundary
	end     kv.Position   // of the state that present sets are of
	created []*bitset.Set // by step: the customers that were created up to it
	touches []touch       // but for creations: by customer, then in the journal's order
	merged  []customer.ID // ascending, who was merged or unmerged
	// recent are the customers that changed since an instant for which the scan began
	// before the opening; nil when none was asked for.
	recent *bitset.Set
}

// reading is a scan of the journal.
type reading struct {
	store *storage.Store
	tags  uint8 // the table of tags, 0 when they don't count
	// follow is told of every entry after the opening; nil isn't.
	follow func(entry *storage.Change, since time.Time) error
	// recentFrom is since when changes make a record not stale; zero for not asked for.
	recentFrom time.Time
}

// read returns what happened since the first instant. Times ascend; a boundary whose
// position is given keeps it. end is the state of the sets that the count begins with.
func (x *reading) read(ctx context.Context, bounds []boundary, end kv.Position) (*journal, error) {
	j := &journal{bounds: slices.Clone(bounds), end: end, created: make([]*bitset.Set, len(bounds)+1)}
	for i := range j.created {
		j.created[i] = &bitset.Set{}
	}
	opening := &j.bounds[0]
	var err error
	if opening.position == 0 && !opening.time.IsZero() {
		if opening.position, err = moments(x.store.Times).positionAt(ctx, opening.time, end); err != nil {
			return nil, err
		}
	}
	from := opening.position
	if !x.recentFrom.IsZero() {
		j.recent = &bitset.Set{}
		earlier, err := moments(x.store.Times).positionAt(ctx, x.recentFrom, end)
		if err != nil {
			return nil, err
		}
		from = min(from, earlier)
	}
	if err := x.scan(ctx, j, from); err != nil {
		return nil, err
	}
	slices.SortStableFunc(j.touches, func(a, b touch) int { return cmp.Compare(a.id, b.id) })
	slices.Sort(j.merged)
	j.merged = slices.Compact(j.merged)
	return j, nil
}

// scan goes through the entries after from.
func (x *reading) scan(ctx context.Context, j *journal, from kv.Position) error {
	step, latest := 1, time.Time{}
	if from < j.end {
		for entry, err := range x.store.Follow(ctx, from) {
			if err != nil {
				return err
			}
			if entry.Time.After(latest) {
				latest = entry.Time
			}
			for entry.Position > j.bounds[0].position && step < len(j.bounds) && j.bounds[step].endsBefore(entry.Position, latest) {
				j.bounds[step].position = max(entry.Position-1, j.bounds[step-1].position)
				step++
			}
			if err := x.take(j, &entry, step); err != nil {
				return err
			}
			if entry.Position >= j.end {
				break
			}
		}
	}
	for ; step < len(j.bounds); step++ {
		if j.bounds[step].position == 0 {
			j.bounds[step].position = max(j.end, j.bounds[step-1].position)
		}
	}
	return nil
}

// endsBefore reports whether an entry is after the boundary: beyond its position where
// that is given, otherwise the first after which a later time was recorded.
func (b *boundary) endsBefore(p kv.Position, latest time.Time) bool {
	if b.position != 0 {
		return p > b.position
	}
	return latest.After(b.time)
}

// take adds what an entry tells of customers.
func (x *reading) take(j *journal, entry *storage.Change, step int) error {
	sinceOpening := entry.Position > j.bounds[0].position
	if sinceOpening && x.follow != nil {
		if err := x.follow(entry, j.bounds[step-1].time); err != nil {
			return err
		}
	}
	isRecent := j.recent != nil && !entry.Time.Before(x.recentFrom) && entry.Position <= j.bounds[len(j.bounds)-1].lastOr(j.end)
	for i := range entry.Ops {
		op := &entry.Ops[i]
		tags := x.tags != 0 && op.Table == x.tags
		if op.Table != customer.TableCustomer && !tags {
			continue
		}
		id, _, err := op.Key.CutUint()
		if err != nil {
			return &Error{Op: "read journal", Err: err}
		}
		if isRecent && !tags {
			j.recent.Add(id)
		}
		switch {
		case !sinceOpening:
		case !tags && op.Version == 1:
			j.created[step].Add(id)
		default:
			j.touches = append(j.touches, touch{id: id, version: op.Version, step: uint16(step), tags: tags})
			if action := customer.Action(op.Action); !tags && (action == customer.MergedNow || action == customer.Unmerged) {
				j.merged = append(j.merged, customer.ID(id))
			}
		}
	}
	return nil
}

// lastOr is the boundary's position, another while it isn't known.
func (b *boundary) lastOr(other kv.Position) kv.Position {
	if b.position == 0 {
		return other
	}
	return b.position
}
