package storage

import (
	"bytes"
	"slices"

	"github.com/clientele-go/clientele/storage/kv"
)

// writes are a transaction's own changes, one for each key, in key order: a sorted
// list in blocks, of which the usual small transaction needs one and a large one many,
// so that neither pays for the other. A merge alone keeps its delta; onto a set or
// delete it is folded at once, onto something long when it is asked for.
type writes struct {
	blocks [][]kv.Op                  // ascending, none empty
	spare  []kv.Op                    // the memory of an earlier first block
	folds  map[string]*kv.Accumulator // by key: what its change and the merges put off come to
	bytes  arena
	count  int
}

// writesBlock is the number of changes at which a block is divided.
const writesBlock = 128

// find returns where a key's change is or would be.
func (w *writes) find(key []byte) (block, at int, found bool) {
	block, _ = slices.BinarySearchFunc(w.blocks, key, func(ops []kv.Op, key []byte) int {
		return bytes.Compare(ops[len(ops)-1].Key, key)
	})
	if block == len(w.blocks) {
		if block == 0 {
			return 0, 0, false
		}
		block-- // behind the last key
	}
	at, found = slices.BinarySearchFunc(w.blocks[block], key, func(op kv.Op, key []byte) int {
		return bytes.Compare(op.Key, key)
	})
	return block, at, found
}

// get returns the change of a key, nil when there is none. It is good until the next put or merge.
func (w *writes) get(key []byte) *kv.Op {
	if block, at, found := w.find(key); found {
		op := &w.blocks[block][at]
		w.settle(op)
		return op
	}
	return nil
}

// settle folds the merges into a change that were put off.
func (w *writes) settle(op *kv.Op) {
	if f := w.folds[string(op.Key)]; f != nil {
		op.Value = f.Result(op.Kind != kv.Merge)
		w.drop(op.Key, f)
	}
}

func (w *writes) drop(key []byte, f *kv.Accumulator) {
	f.Reset()
	delete(w.folds, string(key))
}

// foldedAtOnce is up to which length in bytes a change is folded with each merge: a set into
// which a transaction puts thousands of members is longer, and would be copied with each.
const foldedAtOnce = 256

// merge merges a delta into what a key's change comes to.
func (w *writes) merge(key, delta []byte) error {
	block, at, found := w.find(key)
	if !found {
		w.put(kv.Merge, key, delta)
		return nil
	}
	op := &w.blocks[block][at]
	if f := w.folds[string(key)]; f != nil {
		return f.Newer(delta)
	}
	if len(op.Value) <= foldedAtOnce {
		folded, err := kv.Fold(op.Value, delta, op.Kind != kv.Merge)
		if err != nil {
			return err
		}
		op.Value = folded
	} else if err := w.gather(op, delta); err != nil {
		return err
	}
	if op.Kind == kv.Delete {
		op.Kind = kv.Set
	}
	return nil
}

// gather puts off folding a delta into a change.
func (w *writes) gather(op *kv.Op, delta []byte) error {
	var f kv.Accumulator
	if err := f.Newer(op.Value); err != nil {
		return err
	}
	if err := f.Newer(delta); err != nil {
		return err
	}
	if w.folds == nil {
		w.folds = map[string]*kv.Accumulator{}
	}
	w.folds[string(op.Key)] = &f
	return nil
}

// put changes a key. Key and value are copied.
func (w *writes) put(kind kv.Kind, key, value []byte) {
	value = w.bytes.copy(value)
	block, at, found := w.find(key)
	if found {
		if f := w.folds[string(key)]; f != nil {
			w.drop(key, f)
		}
		w.blocks[block][at].Kind, w.blocks[block][at].Value = kind, value
		return
	}
	if len(w.blocks) == 0 {
		w.blocks = append(w.blocks, w.spare[:0])
	}
	op := kv.Op{Kind: kind, Key: w.bytes.copy(key), Value: value}
	w.blocks[block] = slices.Insert(w.blocks[block], at, op)
	w.count++
	if full := w.blocks[block]; len(full) == writesBlock {
		upper := slices.Clone(full[writesBlock/2:])
		w.blocks[block] = full[:writesBlock/2]
		w.blocks = slices.Insert(w.blocks, block+1, upper)
	}
}

// within copies the changes of a range, so that a loop over them may write.
func (w *writes) within(keys kv.Range) []kv.Op {
	var found []kv.Op
	if w.count == 0 {
		return nil
	}
	block, at, _ := w.find(keys.Lower)
	for ; block < len(w.blocks); block, at = block+1, 0 {
		for i := range w.blocks[block][at:] {
			op := &w.blocks[block][at+i]
			if keys.Upper != nil && bytes.Compare(op.Key, keys.Upper) >= 0 {
				return found
			}
			w.settle(op)
			found = append(found, *op)
		}
	}
	return found
}

// ops returns all changes in key order. They are good until the next put, merge or reset.
func (w *writes) ops() []kv.Op {
	for key := range w.folds {
		w.get([]byte(key))
	}
	if len(w.blocks) == 1 {
		return w.blocks[0]
	}
	return slices.Concat(w.blocks...)
}

// reset forgets the changes and keeps the memory that a usual transaction needs.
func (w *writes) reset() {
	if len(w.blocks) > 0 {
		w.spare = w.blocks[0]
		clear(w.spare[:cap(w.spare)])
		w.blocks = slices.Delete(w.blocks, 0, len(w.blocks))
	}
	for key, f := range w.folds {
		w.drop([]byte(key), f)
	}
	w.count = 0
	w.bytes.reset()
}

// arena hands out copies of bytes, which keep their place.
type arena struct{ chunk []byte }

const (
	arenaChunk = 8 << 10
	arenaKeep  = 64 << 10
)

func (a *arena) copy(b []byte) []byte { return a.join(b, nil) }

// join copies two pieces as one.
func (a *arena) join(b, c []byte) []byte {
	if len(b)+len(c) > cap(a.chunk)-len(a.chunk) {
		a.chunk = make([]byte, 0, max(arenaChunk, 2*(len(b)+len(c)), min(2*cap(a.chunk), 1<<20)))
	}
	start := len(a.chunk)
	a.chunk = append(append(a.chunk, b...), c...)
	return a.chunk[start:len(a.chunk):len(a.chunk)]
}

// reset takes all copies back.
func (a *arena) reset() {
	if cap(a.chunk) > arenaKeep {
		a.chunk = nil
	}
	a.chunk = a.chunk[:0]
}
