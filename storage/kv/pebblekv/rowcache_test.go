package pebblekv

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
)

// numbered is what the test below writes under both keys of a pair: a number, and enough
// of it that the cache drops generations.
func numbered(n uint64) []byte { return bytes.Repeat(binary.BigEndian.AppendUint64(nil, n), 20) }

// TestCachedRowsAreThoseOfTheSnapshot writes pairs of keys that always have one value,
// singly, in wide commits and in loads, while snapshots old and new read them: both must
// be equal, and the same when they are read again.
func TestCachedRowsAreThoseOfTheSnapshot(t *testing.T) {
	const pairs = 40
	e := mustOpen(t, t.TempDir(), Options{InMemory: true, RowCacheBytes: 2 * rowShards * rowLongest})
	key := func(pair, n int) []byte { return fmt.Appendf(nil, "r%03d %d", pair, n) }
	ctx := t.Context()
	var number atomic.Uint64
	first := kv.Batch{}
	for pair := range pairs {
		first.Set(key(pair, 0), numbered(0))
		first.Set(key(pair, 1), numbered(0))
	}
	_, err := e.Apply(ctx, &first)
	must(t, err)
	done, stop := context.WithCancel(ctx)
	var writing, reading sync.WaitGroup
	for w := range 3 {
		writing.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 7))
			for i := 0; done.Err() == nil; i++ {
				n := numbered(number.Add(1))
				batch := kv.Batch{Durability: kv.Relaxed}
				pair := random.IntN(pairs)
				batch.Set(key(pair, 0), n)
				batch.Set(key(pair, 1), n)
				if w == 0 && i%20 == 0 {
					for extra := range wideCommit {
						batch.Set(fmt.Appendf(nil, "wide %d", extra), nil)
					}
				}
				if _, err := e.Apply(ctx, &batch); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for r := range 4 {
		reading.Go(func() {
			random := rand.New(rand.NewPCG(uint64(r), 8))
			var open []*remembered
			for range 6000 {
				if len(open) < 5 {
					s, err := e.Snapshot(ctx)
					must(t, err)
					open = append(open, &remembered{Snapshot: s, values: map[string]string{}})
				}
				i := random.IntN(len(open))
				pair := random.IntN(pairs)
				a, b := open[i].get(t, key(pair, 0)), open[i].get(t, key(pair, 1))
				if a != b {
					t.Errorf("a pair is %x and %x", a[:8], b[:8])
				}
				if random.IntN(20) == 0 {
					must(t, open[i].Close())
					open = append(open[:i], open[i+1:]...)
				}
			}
			for _, s := range open {
				must(t, s.Close())
			}
		})
	}
	reading.Wait()
	stop()
	writing.Wait()
	s, err := e.Snapshot(ctx)
	must(t, err)
	_, _, err = s.Get(ctx, key(0, 0), nil)
	must(t, err)
	must(t, s.Close())
	if e.rows.kept() == 0 {
		t.Error("the cache keeps nothing")
	}
	must(t, e.Close())
}

// remembered is a snapshot that must not change.
type remembered struct {
	kv.Snapshot
	values map[string]string
}

func (s *remembered) get(t *testing.T, key []byte) string {
	value, found, err := s.Get(context.Background(), key, nil)
	if err != nil || !found {
		t.Errorf("%s: %v, %v", key, found, err)
	}
	before, known := s.values[string(key)]
	if known && before != string(value) {
		t.Errorf("%s was %x and is %x", key, before[:8], value[:8])
	}
	s.values[string(key)] = string(value)
	return string(value)
}

// kept counts the rows that can be found.
func (c *rowCache) kept() (n int) {
	for i := range c.shards {
		n += len(c.shards[i].young.at) + len(c.shards[i].old.at)
	}
	return n
}

// TestLoadsDropCachedRows loads keys that the cache could only have as absent or as they
// were before.
func TestLoadsDropCachedRows(t *testing.T) {
	e := mustOpen(t, t.TempDir(), Options{InMemory: true})
	batch := kv.Batch{}
	batch.Set([]byte("m"), []byte("before"))
	_, err := e.Apply(t.Context(), &batch)
	must(t, err)
	s, err := e.Snapshot(t.Context())
	must(t, err)
	for range 2 {
		_, _, err = s.Get(t.Context(), []byte("m"), nil)
		must(t, err)
	}
	if e.rows.kept() != 1 {
		t.Fatalf("kept %d rows", e.rows.kept())
	}
	_, err = e.Ingest(t.Context(), &kv.Load{Since: s.Stamp(), Runs: []kv.Run{rows{0, 10}}})
	must(t, err)
	must(t, s.Close())
	if kept := e.rows.kept(); kept != 0 {
		t.Errorf("kept %d rows behind a load", kept)
	}
	must(t, e.Close())
}

// TestRowCacheCopiesWhatItDrops reads a row of the old generation for which the young one
// has no room: the old one's memory is then written over, with this very row.
func TestRowCacheCopiesWhatItDrops(t *testing.T) {
	c := newRowCache(2 * rowShards * rowLongest)
	put := func(n, length int) string {
		value := make([]byte, length)
		for i := range value {
			value[i] = byte(n + i*i/7)
		}
		c.put(uint64(n*rowShards), []byte{byte(n)}, value, 1) // all in one shard
		return string(value)
	}
	put(1, 50)
	want := put(2, 900)
	put(3, 3500) // doesn't fit beside them
	for range 3 {
		got, found := c.get(2*rowShards, []byte{2}, 1, []byte("x"))
		if !found || string(got) != "x"+want {
			t.Fatalf("%v, %x", found, got)
		}
	}
}
