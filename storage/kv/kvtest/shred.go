package kvtest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

// Shredder is an engine whose snapshots take each key, and each entry of the journal, for
// KeyBytes, so that what shares work out by size does so with a small book too.
type Shredder struct {
	kv.Engine
	KeyBytes int64
	Whole    atomic.Bool // snapshots are the engine's own
}

// Snapshot implements [kv.Engine].
func (e *Shredder) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	s, err := e.Engine.Snapshot(ctx)
	if err != nil || e.Whole.Load() {
		return s, err
	}
	return &shredded{Snapshot: s, keyBytes: e.KeyBytes}, nil
}

type shredded struct {
	kv.Snapshot
	keyBytes int64
	once     sync.Once
	keys     [][]byte
	err      error
}

func (s *shredded) Size(ctx context.Context, r kv.Range) (int64, error) {
	s.once.Do(func() {
		for e, err := range s.Scan(ctx, kv.Range{}, false) {
			s.keys, s.err = append(s.keys, bytes.Clone(e.Key)), err
		}
	})
	from, _ := slices.BinarySearchFunc(s.keys, r.Lower, bytes.Compare)
	to := len(s.keys)
	if r.Upper != nil {
		to, _ = slices.BinarySearchFunc(s.keys, r.Upper, bytes.Compare)
	}
	return int64(to-from) * s.keyBytes, s.err
}

func (s *shredded) JournalSize(_ context.Context, after, upTo kv.Position) (int64, error) {
	return int64(upTo-after) * s.keyBytes, nil
}
