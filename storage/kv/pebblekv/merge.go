package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// merger folds with kv.Fold's rules. Pebble writes its name into the directory and
// refuses to open it with another: the name is part of the format.
var merger = &pebble.Merger{
	Name: "clientele.fold.v1",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		m := &folding{}
		m.take(m.acc.Newer(value))
		return m, nil
	},
}

// misfit stands for operands that don't fit together, as a counter delta onto a name.
// An error wouldn't do: Pebble would try the same flush again without end. Nothing
// folds with a misfit but to a misfit, so grouping doesn't matter; a Set or Delete
// mends the key, and until then reading it is an error.
var misfit = []byte("\x00clientele.fold.misfit\x00")

// folding is one key's merge. Pebble calls it when it reads a key with pending
// deltas and when it flushes or compacts.
type folding struct {
	acc    kv.Accumulator
	broken bool
}

func (m *folding) take(err error) { m.broken = m.broken || err != nil }

func (m *folding) MergeNewer(value []byte) error {
	m.take(m.acc.Newer(value))
	return nil
}

func (m *folding) MergeOlder(value []byte) error {
	m.take(m.acc.Older(value))
	return nil
}

func (m *folding) Finish(includesBase bool) ([]byte, io.Closer, error) {
	defer m.acc.Reset()
	if m.broken {
		return misfit, nil, nil
	}
	return m.acc.Result(includesBase), nil, nil
}

// checkValueRead refuses a value that stands for a failed merge.
func checkValueRead(key, value []byte) error {
	if len(value) == len(misfit) && bytes.Equal(value, misfit) {
		return fmt.Errorf("pebblekv: %w: a delta was merged into key %q whose value is of another kind; set or delete it", kv.ErrCorrupt, key)
	}
	return nil
}

// foldAfter is the number of deltas after which a key is rewritten as one value.
// Reading a key costs 0.1 to 0.2 µs for each delta that has not been folded by a flush,
// and a memtable has room for hundreds of thousands of deltas of a popular key. A full
// bitmap of 65,536 members is 8 KiB, so rewriting it costs 64 bytes of log a delta.
const foldAfter = 128

// deltaBytes is the size from which on a delta counts for two.
const deltaBytes = 64

// pendingKeys is the number of keys whose deltas are counted.
const pendingKeys = 1 << 16

// pendingDeltas counts merges by key hash. When there are too many keys, counting begins
// anew: then no key gets many of the deltas. The zero value is ready to use.
type pendingDeltas struct{ counts map[uint64]pendingKey }

type pendingKey struct {
	key    string
	deltas uint32
}

// add counts a merge, a large delta as many: reading it costs as much as they would.
func (p *pendingDeltas) add(hash uint64, key, delta []byte) {
	if p.counts == nil || len(p.counts) >= pendingKeys {
		p.counts = map[uint64]pendingKey{}
	}
	k, known := p.counts[hash]
	if !known {
		k.key = string(key)
	}
	k.deltas += 1 + uint32(len(delta)/deltaBytes)
	p.counts[hash] = k
}

// due reports whether a key should be rewritten, and takes it that it will be.
func (p *pendingDeltas) due(hash uint64) bool {
	due := p.counts[hash].deltas >= foldAfter
	if due {
		delete(p.counts, hash)
	}
	return due
}

// take returns up to most keys that have at least some deltas, and takes it that they will be
// rewritten.
func (p *pendingDeltas) take(least uint32, most int) (keys []string) {
	for hash, k := range p.counts {
		if len(keys) == most {
			break
		}
		if k.deltas >= least {
			keys = append(keys, k.key)
			delete(p.counts, hash)
		}
	}
	return keys
}

func (e *Engine) countMerges(ops []kv.Op) {
	for _, op := range ops {
		if op.Kind == kv.Merge {
			e.pending.add(e.window.hash(op.Key), op.Key, op.Value)
		}
	}
}

// From time to time keys with a good number of deltas are rewritten, whether or not anybody
// merges into them again: what was written in the morning shall not be folded by every reader
// of the day. At most foldRound keys in foldEvery bound what that costs, some 1 MB of log a
// second.
const (
	foldEvery = 5 * time.Second
	foldSome  = 16
	foldRound = 1024
)

// foldKeys rewrites keys that have foldSome deltas or more, one after another, so that
// commits hardly wait.
func (e *Engine) foldKeys(ctx context.Context) error {
	e.commits.Lock()
	keys := e.pending.take(foldSome, foldRound)
	e.commits.Unlock()
	for _, key := range keys {
		if ctx.Err() != nil || e.writable("fold") != nil {
			return nil
		}
		if err := e.rewriteKey([]byte(key)); err != nil {
			return wrap("fold pending deltas", err)
		}
	}
	return nil
}

// rewriteKey stores what a key holds once more. That changes nothing that anyone can
// see, so it needs no place in the window; the commit lock keeps others out between
// the read and the write.
func (e *Engine) rewriteKey(key []byte) error {
	e.commits.Lock()
	defer e.commits.Unlock()
	return e.rewriteLocked(key)
}

func (e *Engine) rewriteLocked(key []byte) error {
	defer e.snapshots.renew()
	value, closer, err := e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return e.db.Delete(key, pebble.NoSync)
	}
	if err != nil {
		return err
	}
	return errors.Join(e.db.Set(key, value, pebble.NoSync), closer.Close())
}
