package kv

import "context"

// Finder is a [Snapshot] to which many keys in a row cost less than one at a time.
type Finder interface {
	// Find looks n keys up that ascend, or repeat, of which key returns the one with a
	// number, lent until the next call. It calls found for each that is present, with its number and
	// its value, lent for the call, and ends with the first error that found returns.
	Find(ctx context.Context, n int, key func(i int) []byte, found func(i int, value []byte) error) error
}

// Find is [Finder.Find], by one Get after another where the snapshot is no Finder.
func Find(ctx context.Context, s Snapshot, n int, key func(i int) []byte, found func(i int, value []byte) error) error {
	if f, ok := s.(Finder); ok {
		return f.Find(ctx, n, key, found)
	}
	var value []byte
	for i := range n {
		got, present, err := s.Get(ctx, key(i), value[:0])
		if err != nil {
			return err
		}
		if value = got; !present {
			continue
		}
		if err := found(i, value); err != nil {
			return err
		}
	}
	return nil
}
