package pebblekv

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

var _ kv.Finder = (*snapshot)(nil)

// fewSteps is how many entries are passed over one by one on the way to the next key. A
// search of a table for it costs some ten times a step.
const fewSteps = 8

// Find implements [kv.Finder]. One iterator goes along with the keys: it stays in its
// blocks, where a Get begins at the top of each level again.
func (s *snapshot) Find(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error {
	if n == 0 {
		return nil
	}
	if err := s.enter(ctx, "find"); err != nil {
		return err
	}
	defer s.calls.leave()
	lower := bytes.Clone(key(0))
	it, err := s.snap.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: append(bytes.Clone(key(n-1)), 0)})
	if err != nil {
		return wrap("find", err)
	}
	defer it.Close() // it.Error tells of errors before
	previous := lower
	valid := it.First()
	for i := 0; i < n && valid; i++ {
		if i%lookAround == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k := key(i)
		if err := checkKey(k); err != nil {
			return err
		}
		if bytes.Compare(k, previous) < 0 {
			return fmt.Errorf("pebblekv: find: %w: key %q is below the one before", kv.ErrInvalid, k)
		}
		previous = append(previous[:0], k...)
		if valid = reach(it, k); !valid || !bytes.Equal(it.Key(), k) {
			continue
		}
		value, err := it.ValueAndErr()
		if err == nil {
			err = checkValueRead(k, value)
		}
		if err != nil {
			return wrap("find", err)
		}
		if err := found(i, value); err != nil {
			return err
		}
	}
	return wrap("find", it.Error())
}

// reach moves an iterator on to the first entry at or after a key, and reports whether
// there is one.
func reach(it *pebble.Iterator, key []byte) bool {
	for range fewSteps {
		if bytes.Compare(it.Key(), key) >= 0 {
			return true
		}
		if !it.Next() {
			return false
		}
	}
	return bytes.Compare(it.Key(), key) >= 0 || it.SeekGE(key)
}
