package stocktake

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/kv"
)

// The position of an instant is the last one before the first entry with a later time, however many
// entries of a load, with the time at which it began, stand behind that entry.
func TestPositionsAreFoundBesideLoads(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var journal []time.Time
		now := began
		load := began
		for range 1 + rng.IntN(12) {
			switch rng.IntN(3) {
			case 0: // writers, some of which began before others that were faster
				for range 1 + rng.IntN(300) {
					now = now.Add(time.Second)
					journal = append(journal, now.Add(-time.Duration(len(journal)*7%4)*time.Second))
				}
			case 1:
				load = now
			default: // a part of the load
				for range 1 + rng.IntN(3000) {
					journal = append(journal, load)
				}
			}
		}
		times := moments(func(_ context.Context, after kv.Position) iter.Seq2[storage.Moment, error] {
			return func(yield func(storage.Moment, error) bool) {
				for p := after + 1; p <= kv.Position(len(journal)); p++ {
					if !yield(storage.Moment{Position: p, Time: journal[p-1]}, nil) {
						return
					}
				}
			}
		})
		at := began.Add(time.Duration(rng.IntN(int(now.Sub(began)/time.Second)+2)-1) * time.Second)
		want := kv.Position(0)
		for want < kv.Position(len(journal)) && !journal[want].After(at) {
			want++
		}
		if got, err := times.positionAt(context.Background(), at, kv.Position(len(journal))); got != want || err != nil {
			t.Fatalf("at %v the position is %d, error %v; want %d of %d", at, got, err, want, len(journal))
		}
	}
}
