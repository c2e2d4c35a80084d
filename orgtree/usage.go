package orgtree

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/record"
)

// Use is how a right was used through a grant: when a customer was shown by it, or
// something done. What is only counted or searched through is no use. Times are to the
// flush that brought them here; see [Store.FlushUses].
type Use struct {
	Grant GrantID
	Right customer.Right // [AnyRight] for rights of the embedder's own
	Times int64
	Last  time.Time // to the day, UTC
}

// use is a stored Use.
type use struct {
	key   useKey
	times int64
	last  time.Time
}

// rightPlaces are the rights that are told apart, by their place in counts.
var rightPlaces = append(customer.Rights(), AnyRight)

// uses counts what is done through a grant, until it is flushed.
type uses [32]atomic.Int64

func (u *uses) add(right customer.Right) {
	i := slices.Index(rightPlaces, right)
	if i < 0 {
		i = len(rightPlaces) - 1
	}
	u[i].Add(1)
}

// maxUsed bounds the uses that wait for a flush through plans that are gone.
const maxUsed = 1 << 16

// collect takes a plan's uses.
func (c *planCache) collect(p *plan) {
	if c.used == nil {
		c.used = map[useKey]int64{}
	}
	for _, h := range p.hats {
		for _, g := range h.grants {
			for i, right := range rightPlaces {
				if n := g.uses[i].Swap(0); n > 0 {
					c.count(useKey{g.ID, right}, n)
				}
			}
		}
	}
}

func (c *planCache) count(key useKey, n int64) {
	if _, found := c.used[key]; found || len(c.used) < maxUsed {
		c.used[key] += n
	}
}

// take returns all uses since the last call.
func (c *planCache) take() map[useKey]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, plans := range []map[string]*plan{c.older, c.young} {
		for _, p := range plans {
			c.collect(p)
		}
	}
	taken := c.used
	c.used = nil
	return taken
}

// giveBack returns uses that could not be written.
func (c *planCache) giveBack(used map[useKey]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used == nil {
		c.used = map[useKey]int64{}
	}
	for key, n := range used {
		c.count(key, n)
	}
}

// FlushUses writes how grants were used since the last flush, and returns how many
// combinations of grant and right that were. [Store.Tick] does it. The log has one short
// record for each combination, whatever the number of uses; a crash loses what was not
// flushed.
func (s *Store) FlushUses(ctx context.Context, j Job) (int, error) {
	taken := s.plans.take()
	keys := make([]useKey, 0, len(taken))
	for key := range taken {
		keys = append(keys, key)
	}
	total := len(keys)
	for part := range slices.Chunk(keys, partSize) {
		_, err := j.Storage.Update(ctx, j.Session, func(tx *storage.Tx) error {
			t := s.Tx(tx, j.Customers.Tx(tx))
			for _, key := range part {
				if err := t.noteUse(key, taken[key]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			s.plans.giveBack(taken)
			return total - len(taken), err
		}
		for _, key := range part {
			delete(taken, key)
		}
	}
	return total, nil
}

// noteUse adds to a use, unless the grant was revoked.
func (tx *Tx) noteUse(key useKey, n int64) error {
	found, err := tx.store.grant.Has(tx.Reader.storage, key.grant)
	if err != nil || !found {
		return err
	}
	u, err := tx.store.use.Get(tx.Reader.storage, key)
	if isNotFound(err) {
		u, err = &use{}, nil
	}
	if err != nil {
		return err
	}
	u.times += n
	u.last = tx.now().Truncate(24 * time.Hour)
	return tx.store.use.Put(tx.tx, key, u, 0)
}

// Uses returns how a grant was used, by right; nothing for one that wasn't.
func (r *Reader) Uses(id GrantID) ([]Use, error) {
	if err := r.mayReview(); err != nil {
		return nil, err
	}
	return r.uses(id)
}

func (r *Reader) uses(id GrantID) (list []Use, err error) {
	stored, err := r.usesOf(id)
	for _, u := range stored {
		list = append(list, Use{Grant: id, Right: u.key.right, Times: u.times, Last: u.last})
	}
	return list, err
}

func (r *Reader) usesOf(id GrantID) (list []*use, err error) {
	for u, err := range r.store.use.Records(r.storage, kv.Prefix(storage.Key(nil).Uint(uint64(id))), false) {
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	return list, nil
}

// forgetUses removes the log of a grant that is gone.
func (tx *Tx) forgetUses(id GrantID) error {
	stored, err := tx.usesOf(id)
	for _, u := range stored {
		if err == nil {
			err = tx.store.use.Delete(tx.tx, u.key, 0)
		}
	}
	return err
}

// The stored fields of a use.
const (
	useTimes = 1
	useLast  = 2
)

func appendUse(dst []byte, u *use) ([]byte, error) {
	w := record.Writer{Buf: dst}
	w.Int(useTimes, u.times)
	writeTime(&w, useLast, u.last)
	return w.Buf, nil
}

func decodeUse(src string, key useKey, _ storage.Meta) (*use, error) {
	u := &use{key: key}
	_, err := readFields(src, func(r *record.Reader) {
		switch r.Field() {
		case useTimes:
			u.times = r.Int()
		case useLast:
			u.last = readTime(r)
		default:
			r.Skip()
		}
	})
	return u, err
}
