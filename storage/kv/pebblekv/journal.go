package pebblekv

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// Changes reads this many entries or bytes at a time, so that a slow reader keeps
// no old tables and memtables from being removed.
const (
	changesEntries = 1024
	changesBytes   = 1 << 20
)

// Changes implements [kv.Engine]. The loop's body may take its time: between two
// portions of up to 1 MiB nothing is held.
func (e *Engine) Changes(ctx context.Context, after kv.Position) iter.Seq2[kv.Change, error] {
	until := e.durable.durable()
	return func(yield func(kv.Change, error) bool) {
		if err := e.enter(ctx, "changes"); err != nil { // also where there is nothing to read
			yield(kv.Change{}, err)
			return
		}
		e.calls.leave()
		for next := after + 1; next <= until && after < until; {
			portion, err := e.readJournal(ctx, next, until)
			for _, change := range portion {
				if !yield(change, nil) {
					return
				}
			}
			if err != nil {
				yield(kv.Change{}, err)
				return
			}
			next += kv.Position(len(portion))
		}
	}
}

// readJournal returns the first portion of the entries from next through until.
func (e *Engine) readJournal(ctx context.Context, next, until kv.Position) ([]kv.Change, error) {
	if err := e.enter(ctx, "changes"); err != nil {
		return nil, err
	}
	defer e.calls.leave()
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: journalKey(next), UpperBound: journalKey(until + 1)})
	if err != nil {
		return nil, wrap("changes", err)
	}
	defer it.Close() // it.Error tells of errors before
	var portion []kv.Change
	bytesRead := 0
	for valid := it.First(); valid && len(portion) < changesEntries && bytesRead < changesBytes; valid = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return portion, wrap("changes", err)
		}
		position, err := journalPosition(it.Key())
		if err != nil {
			return portion, err
		}
		if position != next+kv.Position(len(portion)) {
			break
		}
		portion = append(portion, kv.Change{Position: position, Payload: bytes.Clone(value)})
		bytesRead += len(value)
	}
	if err := it.Error(); err != nil {
		return portion, wrap("changes", err)
	}
	if len(portion) == 0 {
		return nil, fmt.Errorf("pebblekv: %w: journal entry %d of %d is missing", kv.ErrCorrupt, next, until)
	}
	return portion, nil
}

// lastPosition returns the position of the journal's last entry, 0 without any.
func lastPosition(from pebble.Reader) (kv.Position, error) {
	key, err := lastKey(from, entryTag)
	if err != nil || key == nil {
		return 0, err
	}
	return journalPosition(key)
}

// lastKey returns the last of the engine's own keys with a tag, or nil.
func lastKey(from pebble.Reader, tag byte) ([]byte, error) {
	it, err := from.NewIter(&pebble.IterOptions{LowerBound: []byte{private, tag}, UpperBound: []byte{private, tag + 1}})
	if err != nil {
		return nil, err
	}
	var key []byte
	if it.Last() {
		key = bytes.Clone(it.Key())
	}
	return key, it.Close()
}
