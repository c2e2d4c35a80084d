package tagging

import (
	"context"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// Settle rewrites the assignments that still follow former definitions: those of merged
// tags, those that last longer than their tag, those in dimensions whose precedence has
// changed. It returns the number of customers that it changed. It works in parts, may be
// stopped and run again, and costs nothing when there is nothing to do. It concerns
// everybody, whatever the job may see.
func (s *Store) Settle(ctx context.Context, j Job) (changed int, err error) {
	j.Access = nil
	work, err := s.unsettled(ctx, &j)
	for _, w := range work {
		n, err := s.settleHolders(ctx, &j, w)
		if changed += n; err != nil {
			return changed, err
		}
		if err := s.update(ctx, &j, func(tx *Tx) error { return tx.markSettled(w) }); err != nil {
			return changed, err
		}
	}
	return changed, err
}

// TagKey names a tag together with its dimension, as bitmaps do.
type TagKey struct {
	Dimension DimensionID
	Tag       TagID
}

// unsettled is a definition whose customers have to be settled: a tag, or a dimension.
type unsettled struct {
	key     TagKey
	version uint64
}

func (s *Store) unsettled(ctx context.Context, j *Job) (work []unsettled, err error) {
	err = s.view(ctx, j, func(r *Reader) error {
		c, err := r.catalogue()
		if err != nil {
			return err
		}
		for _, d := range c.dimensions {
			if d.unsettled {
				work = append(work, unsettled{TagKey{d.ID, anyTag}, d.Version})
			}
		}
		for _, t := range c.tags {
			if t.unsettled {
				work = append(work, unsettled{TagKey{t.Dimension, t.ID}, t.Version})
			}
		}
		return nil
	})
	return work, err
}

// settleHolders settles the holders of a tag, chunk by chunk.
func (s *Store) settleHolders(ctx context.Context, j *Job, w unsettled) (changed int, err error) {
	holders := &bitset.Set{}
	err = s.view(ctx, j, func(r *Reader) error { return r.addHolders(holders, w.key) })
	if err != nil {
		return 0, err
	}
	for part := range parts(holders) {
		n, err := s.settleAll(ctx, j, part)
		if changed += n; err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// addHolders adds those whom the bitmap has under a tag.
func (r *Reader) addHolders(to *bitset.Set, key TagKey) error {
	full := heldKey(nil, key.Dimension, key.Tag)
	return r.store.held.Chunks(r.storage, full, 0, 1<<32, func(chunk uint64, stored []byte) error {
		return to.Own(chunk).OrStored(stored)
	})
}

// parts yields the customers of a set in lists of at most jobPart, each lent.
func parts(of *bitset.Set) func(func([]customer.ID) bool) {
	return func(yield func([]customer.ID) bool) {
		var part []customer.ID
		for id := range of.All() {
			if part = append(part, customer.ID(id)); len(part) == jobPart {
				if !yield(part) {
					return
				}
				part = part[:0]
			}
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

// markSettled notes that a definition has reached everybody, unless it was changed
// again meanwhile.
func (tx *Tx) markSettled(w unsettled) error {
	c, err := tx.define()
	if err != nil {
		return err
	}
	if w.key.Tag == anyTag {
		d := c.dimensions[w.key.Dimension].clone()
		if d.Version != w.version {
			return nil
		}
		d.unsettled = false
		_, err = tx.putDimension(d, d.Version, Settled)
		return err
	}
	t := c.tags[w.key.Tag].clone()
	if t.Version != w.version {
		return nil
	}
	t.unsettled = false
	_, err = tx.putTag(t, t.Version, Settled)
	return err
}
