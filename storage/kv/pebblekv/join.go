package pebblekv

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// join makes one batch of several, in their order, in which each key that they merge into is
// merged into once.
func (e *Engine) join(members []*prepared) (*pebble.Batch, error) {
	size := 0
	for _, p := range members {
		size += int(p.batch.Bytes()) + 16*len(p.batch.Ops()) + 128
	}
	w := &e.joined
	w.batch = e.db.NewBatchWithSize(size)
	w.alone = len(members) == 1
	defer w.reset()
	for _, p := range members {
		if err := e.add(w, p); err != nil {
			return nil, errors.Join(err, w.batch.Close())
		}
	}
	if err := e.addDeltas(w); err != nil {
		return nil, errors.Join(err, w.batch.Close())
	}
	return w.batch, nil
}

// joined is a batch made of several. What is merged comes last; whatever a key is set to in
// between makes what was merged into it before void.
type joined struct {
	batch  *pebble.Batch
	alone  bool              // of one batch: its operations stay as they are
	places map[uint64]int    // in deltas, by hash of the key
	deltas []pendingOperands // in order of arrival
}

// pendingOperands are what a group merges into a key, oldest first; none when that is void.
type pendingOperands struct {
	key      []byte
	hash     uint64
	operands [][]byte
}

func (w *joined) reset() {
	w.batch = nil
	clear(w.places)
	for i := range w.deltas {
		clear(w.deltas[i].operands)
		w.deltas[i].operands = w.deltas[i].operands[:0]
		w.deltas[i].key = nil
	}
	w.deltas = w.deltas[:0]
}

// add adds a batch's operations and what the engine keeps of it.
func (e *Engine) add(w *joined, p *prepared) error {
	b, c := p.batch, p.commit
	for _, op := range b.Ops() {
		hash := e.window.hash(op.Key)
		var err error
		switch {
		case op.Kind == kv.Merge && w.alone:
			err = e.merge(w.batch, hash, op.Key, op.Value)
		case op.Kind != kv.Merge:
			w.void(hash, op.Key)
			err = write(w.batch, op)
		case !w.defers(hash, op):
			err = e.merge(w.batch, hash, op.Key, op.Value)
		}
		if err != nil {
			return err
		}
	}
	if b.Journal != nil {
		if err := w.batch.Set(journalKey(c.entry), b.Journal, nil); err != nil {
			return err
		}
	}
	if b.ID != (kv.BatchID{}) {
		return w.batch.Set(batchKey(b.ID), binary.AppendUvarint(nil, uint64(c.entry)), nil)
	}
	return nil
}

// defers keeps a delta for the end, unless another key has its place.
func (w *joined) defers(hash uint64, op kv.Op) bool {
	i, known := w.places[hash]
	if !known {
		if w.places == nil {
			w.places = map[uint64]int{}
		}
		i = len(w.deltas)
		w.places[hash] = i
		if i < cap(w.deltas) {
			w.deltas = w.deltas[:i+1]
		} else {
			w.deltas = append(w.deltas, pendingOperands{})
		}
		w.deltas[i].key, w.deltas[i].hash = op.Key, hash
	}
	d := &w.deltas[i]
	if !bytes.Equal(d.key, op.Key) {
		return false
	}
	d.operands = append(d.operands, op.Value)
	return true
}

// void drops what was merged into a key that is set or deleted now.
func (w *joined) void(hash uint64, key []byte) {
	if i, known := w.places[hash]; known && bytes.Equal(w.deltas[i].key, key) {
		w.deltas[i].operands = w.deltas[i].operands[:0]
	}
}

// addDeltas adds what was kept for the end.
func (e *Engine) addDeltas(w *joined) error {
	for i := range w.deltas {
		d := &w.deltas[i]
		operands := d.operands
		if len(operands) > 1 {
			if delta, ok := foldOperands(operands); ok {
				operands = [][]byte{delta}
			}
		}
		for _, operand := range operands {
			if err := e.merge(w.batch, d.hash, d.key, operand); err != nil {
				return err
			}
		}
	}
	return nil
}

// foldOperands makes one delta of several, unless they don't fit together: then Pebble shall find
// that out.
func foldOperands(operands [][]byte) (delta []byte, ok bool) {
	var a kv.Accumulator
	defer a.Reset()
	for _, operand := range operands {
		if a.Newer(operand) != nil {
			return nil, false
		}
	}
	return a.Result(false), true
}

// merge adds a delta. A key that has many is rewritten as one value before.
func (e *Engine) merge(to *pebble.Batch, hash uint64, key, delta []byte) error {
	if e.pending.due(hash) {
		if err := e.rewriteLocked(key); err != nil {
			return wrap("fold pending deltas", err)
		}
	}
	e.pending.add(hash, key, delta)
	return to.Merge(key, delta, nil)
}
