package pebblekv

import (
	"bytes"
	"context"
	"errors"
	"sort"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// A load's deltas would stay deltas: its tables go to the lowest level where they fit, and
// nothing compacts them there with what they are merged into. Folding a set of 8 KiB whenever
// it is read costs as much as reading it does.

// foldFrom is the size from which on a load's delta is folded with what it is merged into: that
// of a set too large for a list of gaps, or nearly. It bounds the reads that a load makes.
const foldFrom = 256

// foldTimes and foldFloor bound what a load reads and writes for a delta: so many times the
// delta's size, and no less than a chunk of records with each in it.
const (
	foldTimes = 8
	foldFloor = 16 << 10
)

// foldSets makes values of the load's large deltas. What they are merged into is read without
// holding up anybody; a commit that writes to it meanwhile is found by unfold.
func (in *ingestion) foldSets() error {
	in.folded = in.e.last.Load().stamp
	for i := range in.merges {
		if err := in.e.fold(&in.merges[i]); err != nil {
			return wrap("ingest", err)
		}
	}
	return nil
}

// fold makes a set of a merge of a large set, unless what that is merged into is much larger
// or doesn't fit it.
func (e *Engine) fold(op *kv.Op) error {
	if len(op.Value) < foldFrom {
		return nil
	}
	older, closer, err := e.db.Get(op.Key)
	if errors.Is(err, pebble.ErrNotFound) {
		foldOnto(op, nil)
		return nil
	}
	if err != nil {
		return err
	}
	if len(older) <= max(foldTimes*len(op.Value), foldFloor) {
		foldOnto(op, older)
	}
	return closer.Close()
}

func foldOnto(op *kv.Op, older []byte) {
	value, err := kv.Fold(older, op.Value, true)
	if err == nil && len(value) <= limits.ValueBytes {
		op.Kind, op.Value = kv.Set, value
	}
}

// unfold gives sets that commits wrote to since they were read their deltas back, and builds
// the tables of merges anew if there are such. The commits are those after an earlier stamp.
func (in *ingestion) unfold(ctx context.Context, commits []*commit) error {
	if len(in.merges) == 0 {
		return nil
	}
	overtaken := false
	all := kv.Range{Lower: in.merges[0].Key, Upper: kv.Point(in.merges[len(in.merges)-1].Key).Upper}
	for _, c := range commits {
		if c.stamp <= in.folded {
			continue
		}
		for from, to := c.keys.within(all); from < to; from++ {
			overtaken = in.unfoldWithin(kv.Point(c.keys.at(from))) || overtaken
		}
		for _, span := range c.spans {
			overtaken = in.unfoldWithin(span) || overtaken
		}
	}
	if !overtaken {
		return nil
	}
	in.merged = nil
	return in.build(ctx, in.mergePieces())
}

// unfoldWithin gives the sets in a range their deltas back, and reports whether there are any.
func (in *ingestion) unfoldWithin(r kv.Range) (any bool) {
	first := sort.Search(len(in.merges), func(i int) bool { return bytes.Compare(in.merges[i].Key, r.Lower) >= 0 })
	for i := first; i < len(in.merges) && r.Contains(in.merges[i].Key); i++ {
		if in.merges[i].Kind == kv.Set {
			in.merges[i], any = in.load.Merges[i], true
		}
	}
	return any
}

// mergePieces cuts the merges where runs lie in between, since the tables of one
// ingestion may not overlap.
func (in *ingestion) mergePieces() []piece {
	var pieces []piece
	for rest := in.merges; len(rest) > 0; {
		at := in.runAt(rest[0].Key)
		n := sort.Search(len(rest), func(i int) bool { return in.runAt(rest[i].Key) > at })
		group := rest[:n]
		pieces = append(pieces, piece{n: n, ops: group, entry: func(i int) ([]byte, []byte) { return group[i].Key, group[i].Value }})
		rest = rest[n:]
	}
	return pieces
}
