package match

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// Texts must be numbered as a map would number them, in the order in which they first came.
func TestTextsAreNumberedAsTheyCome(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	want, list := map[string]uint32{}, &texts{}
	for range 5 * textsPerPart {
		s := strings.Repeat("x", rng.IntN(5)) + fmt.Sprint(rng.IntN(3*textsPerPart))
		if rng.IntN(1000) == 0 {
			s = ""
		}
		id, known := want[s]
		if !known {
			id = uint32(len(want))
			want[s] = id
		}
		if got := list.id(s); got != id {
			t.Fatalf("%q is number %d; want %d", s, got, id)
		}
	}
	for s, id := range want {
		if got := list.text(id); got != s {
			t.Fatalf("text %d is %q; want %q", id, got, s)
		}
	}
}

func TestSlotsFindWhatWasAdded(t *testing.T) {
	var s slots
	const n = 5000
	hash := func(id uint32) uint64 { return xxhash.Sum64String(fmt.Sprint(id)) &^ (1<<44 - 1) } // many collide
	for id := range uint32(n) {
		if id%2 == 0 {
			continue
		}
		if first, found := s.add(hash(id), id, func(x uint32) bool { return x == id }); found {
			t.Fatalf("%d was there as %d before it was added", id, first)
		}
	}
	for id := range uint32(n) {
		if got, found := s.find(hash(id), func(x uint32) bool { return x == id }); found != (id%2 == 1) || found && got != id {
			t.Fatalf("%d is found as %d (%v)", id, got, found)
		}
	}
	if _, found := new(slots).find(1, func(uint32) bool { return true }); found {
		t.Error("something is found where nothing is")
	}
}
