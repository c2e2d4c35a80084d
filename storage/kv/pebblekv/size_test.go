package pebblekv_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// Sizes tell apart what is large and what is small, of keys and of the journal; halves
// come to about the whole.
func TestSizesFollowWhatIsStored(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	e, err := pebblekv.Open(dir, pebblekv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	value := make([]byte, 1000) // of random bytes, which don't compress
	for i := range 2000 {
		for n := range value {
			value[n] = byte(rng.Uint32())
		}
		b := kv.Batch{Durability: kv.Relaxed, Journal: bytes.Repeat([]byte{1}, 10)}
		b.Set(binary.BigEndian.AppendUint32([]byte{5}, uint32(i)), value)
		if _, err := e.Apply(ctx, &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil { // what was in memory is written
		t.Fatal(err)
	}
	if e, err = pebblekv.Open(dir, pebblekv.Options{}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	snap, err := e.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	size := func(r kv.Range) int64 {
		n, err := kv.Size(ctx, snap, r)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	middle := binary.BigEndian.AppendUint32([]byte{5}, 1000)
	all, first, second := size(kv.Range{}), size(kv.Range{Upper: middle}), size(kv.Range{Lower: middle})
	if all < 1_900_000 || all > 3_000_000 || first < all*4/10 || second < all*4/10 || first+second > all*12/10 {
		t.Errorf("2 MB take %d, its halves %d and %d", all, first, second)
	}
	if n := size(kv.Range{Lower: []byte{6}}); n > 100_000 {
		t.Errorf("nothing takes %d", n)
	}
	journal, err := kv.JournalSize(ctx, snap, 0, 2000)
	if err != nil || journal < 1000 || journal > 500_000 {
		t.Errorf("a small journal takes %d, %v", journal, err)
	}
}
