package pebblekv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// rememberedIDs is the number of batch ids kept in memory. Older ones are looked up
// among the stored keys.
const rememberedIDs = 1 << 16

// recentIDs are the batch ids of the last commits. The commit lock guards them.
type recentIDs struct {
	db     *pebble.DB
	first  map[kv.BatchID]*commit // the commit that the id came with first
	order  []kv.BatchID           // of first, oldest first
	stored kv.BatchID             // no id above this one is stored without being in first
}

func newRecentIDs(db *pebble.DB) (*recentIDs, error) {
	ids := &recentIDs{db: db, first: map[kv.BatchID]*commit{}}
	key, err := lastKey(db, batchTag)
	if err == nil && key != nil {
		copy(ids.stored[:], key[2:])
	}
	return ids, err
}

// find returns the commit that an id came with before, or nil. Of a commit that is
// known from its stored key alone, the stamp is that of last: a sync of last covers it.
func (ids *recentIDs) find(id kv.BatchID, last *commit) (*commit, error) {
	if c := ids.first[id]; c != nil {
		return c, nil
	}
	if bytes.Compare(id[:], ids.stored[:]) > 0 {
		return nil, nil
	}
	value, closer, err := ids.db.Get(batchKey(id))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("look up batch id", err)
	}
	position, err := uvarint(value, "position of a batch id")
	return &commit{stamp: last.stamp, entry: kv.Position(position)}, errors.Join(err, closer.Close())
}

func (ids *recentIDs) add(id kv.BatchID, c *commit) {
	ids.first[id] = c
	ids.order = append(ids.order, id)
	if len(ids.order) <= rememberedIDs {
		return
	}
	oldest := ids.order[0]
	ids.order = ids.order[1:]
	delete(ids.first, oldest)
	if bytes.Compare(oldest[:], ids.stored[:]) > 0 {
		ids.stored = oldest
	}
}

// forgetIDs removes the stored ids that are older than the contract asks for.
func (e *Engine) forgetIDs() error {
	e.commits.Lock()
	any := len(e.ids.order) > 0 || e.ids.stored != kv.BatchID{}
	e.commits.Unlock()
	if !any {
		return nil
	}
	var until kv.BatchID
	limit := e.options.Now().Add(-kv.RememberBatch - time.Hour)
	binary.BigEndian.PutUint64(until[:8], uint64(max(limit.UnixMilli(), 0)))
	return e.db.DeleteRange(batchKey(kv.BatchID{}), batchKey(until), pebble.NoSync)
}
