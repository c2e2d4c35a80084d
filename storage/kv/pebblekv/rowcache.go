package pebblekv

import (
	"encoding/binary"
	"sync"

	"github.com/clientele-go/clientele/storage/kv"
)

// rowCache keeps values that were lately read by key, ready to be copied: a value in the
// block cache still costs a search in each level of the tree. It is right for every
// snapshot, by two rules. A commit, before Pebble hears of it, notes its stamp for its
// keys and drops them. A value that was read in a snapshot is kept only if no commit with
// a later stamp has begun to write its key; from then on it is the value in every state,
// up to the next such commit, that has the key's last one.
//
// It has two generations of memory without pointers. What is read moves to the young one;
// when that is full the old one is dropped.
type rowCache struct {
	shards [rowShards]rowShard
	bytes  int // of a generation of a shard; 0 keeps nothing
}

const (
	rowShards = 64 // a power of 2
	rowStamps = 1 << 10
	// rowLongest is the length of a key and a value from which on they are not kept: sets
	// of customers would crowd out the customers.
	rowLongest = 4 << 10
)

type rowShard struct {
	lock       sync.Mutex
	young, old rowGeneration
	// written is the stamp of the last commit that began to write one of the keys whose
	// hashes share a place, and all that of one that wrote any number of keys.
	written [rowStamps]kv.Stamp
	all     kv.Stamp
}

// rowGeneration is values with their keys, one behind another:
//
//	since   8 bytes: the value is that of every state with this stamp or a later one
//	lengths of key and value, 2 bytes each
//	key, value
type rowGeneration struct {
	at    map[uint64]uint32 // by hash of the key
	bytes []byte
}

const rowHead = 12

func newRowCache(bytes int64) *rowCache {
	return &rowCache{bytes: int(min(bytes/(2*rowShards), 1<<31))}
}

func (c *rowCache) shard(hash uint64) *rowShard { return &c.shards[hash%rowShards] }

// place is the one of a hash in written; the lowest bits chose the shard.
func place(hash uint64) uint64 { return hash / rowShards % rowStamps }

// get appends the value of a key in a state with a stamp to dst, if it is kept.
func (c *rowCache) get(hash uint64, key []byte, stamp kv.Stamp, dst []byte) ([]byte, bool) {
	s := c.shard(hash)
	s.lock.Lock()
	defer s.lock.Unlock()
	since, value, young := s.young.find(hash, key)
	old := false
	if !young {
		since, value, old = s.old.find(hash, key)
	}
	if !young && !old || since > stamp {
		return dst, false
	}
	begin := len(dst)
	dst = append(dst, value...)
	if old {
		delete(s.old.at, hash)
		s.add(hash, key, dst[begin:], since, c.bytes) // value may be in what add drops
	}
	return dst, true
}

// put keeps a value that was read in a state with a stamp, if that is still what every
// later state has.
func (c *rowCache) put(hash uint64, key, value []byte, stamp kv.Stamp) {
	if c.bytes < rowLongest || len(key)+len(value) > rowLongest-rowHead {
		return
	}
	s := c.shard(hash)
	s.lock.Lock()
	defer s.lock.Unlock()
	if since := max(s.written[place(hash)], s.all); since <= stamp {
		s.add(hash, key, value, since, c.bytes)
	}
}

// forget drops a key that the commit with a stamp is about to write.
func (c *rowCache) forget(hash uint64, stamp kv.Stamp) {
	s := c.shard(hash)
	s.lock.Lock()
	defer s.lock.Unlock()
	s.written[place(hash)] = stamp
	delete(s.young.at, hash)
	delete(s.old.at, hash)
}

// forgetAll drops everything before a bulk load with a stamp.
func (c *rowCache) forgetAll(stamp kv.Stamp) {
	for i := range c.shards {
		s := &c.shards[i]
		s.lock.Lock()
		s.all = stamp
		s.young.clear()
		s.old.clear()
		s.lock.Unlock()
	}
}

// add appends a row to the young generation, which becomes the old one when it is full.
func (s *rowShard) add(hash uint64, key, value []byte, since kv.Stamp, most int) {
	if len(s.young.bytes)+rowHead+len(key)+len(value) > most {
		dropped := s.old
		s.old, s.young = s.young, dropped
		s.young.clear()
	}
	g := &s.young
	if g.at == nil {
		g.at = map[uint64]uint32{}
	}
	g.at[hash] = uint32(len(g.bytes))
	g.bytes = binary.BigEndian.AppendUint64(g.bytes, uint64(since))
	g.bytes = binary.BigEndian.AppendUint16(g.bytes, uint16(len(key)))
	g.bytes = binary.BigEndian.AppendUint16(g.bytes, uint16(len(value)))
	g.bytes = append(append(g.bytes, key...), value...)
}

// find returns the row of a key.
func (g *rowGeneration) find(hash uint64, key []byte) (since kv.Stamp, value []byte, found bool) {
	at, found := g.at[hash]
	if !found {
		return 0, nil, false
	}
	row := g.bytes[at:]
	keyEnd := rowHead + int(binary.BigEndian.Uint16(row[8:]))
	end := keyEnd + int(binary.BigEndian.Uint16(row[10:]))
	if string(row[rowHead:keyEnd]) != string(key) {
		return 0, nil, false
	}
	return kv.Stamp(binary.BigEndian.Uint64(row)), row[keyEnd:end], true
}

func (g *rowGeneration) clear() {
	clear(g.at)
	g.bytes = g.bytes[:0]
}
