package search

import (
	"math/rand/v2"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/bitset"
)

// scope is an access to a set of customers.
type scope struct {
	sieve
	set *bitset.Set
}

func (s scope) Within() bitset.Source               { return s.set }
func (s scope) WithinUnmasked(string) bitset.Source { return s.set }

// TestScopesAreThoseOfTheSetWhateverTheIds has customers in runs of neighbouring ids, of
// all lengths, in any order and across the chunks of the set.
func TestScopesAreThoseOfTheSetWhateverTheIds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	for range longOr(20, 200) {
		var customers []*customer.Customer
		used := map[customer.ID]bool{}
		for range 30 {
			id := customer.ID(random.IntN(3*bitset.ChunkSize) + 1)
			for range 1 + random.IntN(150) {
				if !used[id] {
					used[id] = true
					customers = append(customers, &customer.Customer{ID: id, Version: 1, Name: "水泥"})
				}
				id++
			}
		}
		if random.IntN(2) == 0 { // one run across a boundary of chunks and of words
			for id := customer.ID(bitset.ChunkSize - 70); id < bitset.ChunkSize+70; id++ {
				if !used[id] {
					used[id] = true
					customers = append(customers, &customer.Customer{ID: id, Version: 1, Name: "水泥"})
				}
			}
		}
		set, want := &bitset.Set{}, 0
		for id := range used {
			if random.IntN(3) == 0 {
				set.Add(uint64(id))
				want++
			}
		}
		x := open(t, customers, Options{})
		after, got := "", 0
		for {
			r := find(t, x, Query{Text: "水泥", Access: scope{set: set}, Limit: MaxLimit, After: after})
			for _, h := range r.Hits {
				if !set.Contains(uint64(h.ID)) {
					t.Fatalf("customer %d is out of scope", h.ID)
				}
			}
			got += len(r.Hits)
			if r.Total != want {
				t.Fatalf("%d found, want %d", r.Total, want)
			}
			if after = r.Next; after == "" {
				break
			}
		}
		if got != want {
			t.Fatalf("%d hits, want %d", got, want)
		}
	}
}
