package tagging

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/internal/accesstest"
	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
)

// sharesOf is how many shares a query is counted in.
func sharesOf(t *testing.T, r *Reader, filter string) int {
	t.Helper()
	p, err := r.plan(Query{Filter: filter}, block)
	if err != nil {
		t.Fatal(err)
	}
	return len(p.share())
}

// twoChunks is a small shelf with customers on both sides of a chunk's end.
func twoChunks(t *testing.T) *shelf {
	s := small(t)
	s.tags.sharing.least, s.tags.sharing.cores = 1, func() int { return 2 }
	s.update(func(c *customer.Tx, _ *Tx) error {
		for range 10 {
			if _, err := c.Create(customer.Draft{Name: "n"}); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

// Sets are counted in shares once a book is known to be large; what one goroutine reads is not.
func TestWhatIsCountedInShares(t *testing.T) {
	s := twoChunks(t)
	s.view(nil, func(r *Reader) {
		if n := sharesOf(t, r, ""); n != 1 {
			t.Errorf("%d shares of a book that nobody has counted yet, want 1", n)
		}
		if _, err := r.Count(Query{}); err != nil {
			t.Fatal(err)
		}
		for filter, want := range map[string]int{
			"": 2, "region:cn/* AND NOT (flag:a OR level:>=mid)": 2, "has:phone": 1, "region:cn/* AND has:phone": 1, "flag:a OR name:n": 1,
		} {
			if n := sharesOf(t, r, filter); n != want {
				t.Errorf("%q: %d shares, want %d", filter, n, want)
			}
		}
		s.tags.sharing.cores = func() int { return 1 }
		if n := sharesOf(t, r, ""); n != 1 {
			t.Errorf("%d shares on one core, want 1", n)
		}
		s.tags.sharing.cores = func() int { return 3 }
		s.tags.sharing.least = 100
		if n := sharesOf(t, r, ""); n != 1 {
			t.Errorf("%d shares where two chunks of few sets aren't worth two, want 1", n)
		}
		s.tags.sharing.least = 1
	})
	s.view(&accesstest.Access{See: func(c *customer.Customer) bool { return c.ID == firstID }}, func(r *Reader) {
		if n := sharesOf(t, r, "flag:a"); n != 1 {
			t.Errorf("%d shares within a scope, want 1", n)
		}
	})
	s.update(func(_ *customer.Tx, tx *Tx) error {
		if n := sharesOf(t, &tx.Reader, "flag:a"); n != 1 {
			t.Errorf("%d shares in an update, want 1", n)
		}
		return nil
	})
}

// Shares have every chunk once, however many they are.
func TestSharesHaveEveryChunkOnce(t *testing.T) {
	reader := anyReader(t)
	everybody := &bitset.Set{}
	for n := range uint64(11) {
		everybody.Add(n * bitset.ChunkSize)
	}
	for n := range uint64(5) {
		for chunks := range uint64(14) { // fewer than there are, and more
			p := &plan{root: &set{members: everybody}, ev: &evaluation{reader: reader, until: lastChunk}}
			var found []uint64
			for _, s := range p.split(slices.Repeat([]*Reader{reader}, int(n+1)), chunks, nil) {
				for c, err := range s.chunks() {
					if err != nil {
						t.Fatal(err)
					}
					found = append(found, c.number)
				}
			}
			if want := []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !reflect.DeepEqual(found, want) {
				t.Errorf("%d shares of %d chunks have %v", n+1, chunks, found)
			}
		}
	}
}

// An error in one share, as that of a context that has ended, is the query's.
func TestErrorsOfSharesAreTheQuerys(t *testing.T) {
	s := twoChunks(t)
	s.view(nil, func(r *Reader) {
		if _, err := r.Count(Query{}); err != nil {
			t.Fatal(err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := s.storage.View(ctx, func(st *storage.Reader) error {
		r := s.tags.Reader(st, s.customers.Reader(st))
		if n := sharesOf(t, r, "flag:a"); n < 2 {
			t.Fatalf("%d shares, want several", n)
		}
		cancel()
		_, err := r.Count(Query{})
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("counted, with %v", err)
	}

	wrong := errors.New("wrong")
	_, err = countShares(make([]share, 3), func(share) (int, error) { return 0, nil })
	if err != nil {
		t.Error(err)
	}
	calls := make(chan int, 3)
	_, err = countShares(make([]share, 3), func(share) (int, error) {
		calls <- 1
		if len(calls) == 3 {
			return 0, wrong
		}
		return 0, nil
	})
	if err != wrong || len(calls) != 3 {
		t.Errorf("after %d shares: %v, want the error of the last", len(calls), err)
	}
}
