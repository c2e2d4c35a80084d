package tagging

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/clientele-go/clientele/storage"
	"github.com/clientele-go/clientele/storage/bitset"
	"github.com/clientele-go/clientele/storage/kv"
)

// storedSets is a bitmap in memory, of which only Chunks is asked. What it lends is spoilt as
// soon as it is given back.
type storedSets struct {
	storage.AnyBitmap
	sets map[string]map[uint64][]byte
}

func (b *storedSets) Chunks(_ *storage.Reader, key storage.Key, from, to uint64, f func(chunk uint64, stored []byte) error) error {
	for _, n := range slices.Sorted(maps.Keys(b.sets[string(key)])) {
		if n < from || n >= to {
			continue
		}
		lent := slices.Clone(b.sets[string(key)][n])
		err := f(n, lent)
		for i := range lent {
			lent[i] = 0xa5
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add makes a set whose chunks, some of them absent, are of every form in which they are stored.
func (b *storedSets) add(random *rand.Rand, key string, chunks uint64) *bitset.Set {
	made := &bitset.Set{}
	b.sets[key] = map[uint64][]byte{}
	gap := random.IntN(5)
	for n := range chunks {
		if gap > 0 && random.IntN(gap+1) > 0 {
			continue
		}
		members := roaring.New()
		switch random.IntN(4) {
		case 0: // a few
			for range 1 + random.IntN(40) {
				members.Add(random.Uint32N(bitset.ChunkSize))
			}
		case 1: // many
			for low := uint32(random.IntN(5)); low < bitset.ChunkSize; low += 1 + random.Uint32N(8) {
				members.Add(low)
			}
		case 2: // all
			members.AddRange(0, bitset.ChunkSize)
		default: // runs
			for range 1 + random.IntN(9) {
				first := random.Uint64N(bitset.ChunkSize - 1)
				members.AddRange(first, min(first+1+random.Uint64N(4000), bitset.ChunkSize))
			}
		}
		members.RunOptimize()
		b.sets[key][n] = slices.Clone(kv.BitmapValue(members))
		for _, low := range members.ToArray() {
			made.Add(n*bitset.ChunkSize + uint64(low))
		}
	}
	return made
}

// scopeSet is a scope that can be forked, and lends some chunks and fills others.
type scopeSet struct{ *bitset.Set }

func (s scopeSet) Fork() bitset.Source { return s }

func (s scopeSet) Lend(n uint64, scratch *bitset.Chunk) (*bitset.Chunk, error) {
	if c := s.Chunk(n); c != nil && n%2 == 0 {
		return c, nil
	}
	return scratch, s.Read(n, scratch)
}

// sums draws conditions together with who meets them.
type sums struct {
	random *rand.Rand
	bitmap *storedSets
	sets   []*bitset.Set
	all    *bitset.Set
}

func newSums(seed uint64) *sums {
	s := &sums{random: rand.New(rand.NewPCG(seed, 7)), bitmap: &storedSets{sets: map[string]map[uint64][]byte{}}, all: &bitset.Set{}}
	chunks := 1 + s.random.Uint64N(40)
	for i := range 6 {
		s.sets = append(s.sets, s.bitmap.add(s.random, fmt.Sprint(i), chunks))
	}
	for n := range chunks + 1 {
		s.all.Own(n).Fill()
	}
	return s
}

func (s *sums) marks() (*marks, *bitset.Set) {
	i := s.random.IntN(len(s.sets))
	return &marks{bitmap: s.bitmap, key: storage.Key(fmt.Sprint(i)), label: fmt.Sprint("set ", i)}, s.sets[i].Clone()
}

func (s *sums) union() (*union, *bitset.Set) {
	u, members := &union{label: "union"}, &bitset.Set{}
	for range 1 + s.random.IntN(4) {
		m, of := s.marks()
		u.sets = append(u.sets, m)
		members.Or(of)
	}
	return u, members
}

func (s *sums) scope() (*source, *bitset.Set) {
	_, members := s.union()
	return &source{members: scopeSet{members.Clone()}, label: "scope"}, members
}

func (s *sums) condition(depth int) (node, *bitset.Set) {
	kind := s.random.IntN(10)
	if depth == 0 {
		kind %= 4
	}
	switch kind {
	case 0, 1:
		return s.marks()
	case 2:
		return s.union()
	case 3:
		return s.scope()
	case 4:
		_, members := s.union()
		return &set{members: members.Clone(), label: "set"}, members
	case 5:
		x, members := s.condition(depth - 1)
		out := s.all.Clone()
		out.AndNot(members)
		return not(x), out
	case 6, 7:
		return s.joined(depth, allOf, (*bitset.Set).And, s.all.Clone())
	case 8:
		return s.joined(depth, anyOf, (*bitset.Set).Or, &bitset.Set{})
	}
	return everything{}, s.all.Clone()
}

func (s *sums) joined(depth int, join func([]node) node, with func(*bitset.Set, *bitset.Set), members *bitset.Set) (node, *bitset.Set) {
	var nodes []node
	for range s.random.IntN(4) {
		x, of := s.condition(depth - 1)
		nodes = append(nodes, x)
		with(members, of)
	}
	return join(nodes), members
}

// query draws a condition as the planner joins it: with a scope or without, and the statuses.
func (s *sums) query() (node, *bitset.Set) {
	asked, want := s.condition(s.random.IntN(4))
	statuses, of := s.union()
	want.And(of)
	nodes := []node{everything{}, asked, statuses}
	for range s.random.IntN(3) {
		scope, members := s.scope()
		want.And(members)
		nodes = append([]node{scope}, nodes...)
	}
	return allOf(nodes), want
}

// TestCountsOfRandomConditions counts in windows of all sizes and on several cores what a plain
// evaluation of the same condition has.
func TestCountsOfRandomConditions(t *testing.T) {
	common, split := 0, 0
	books := newShelf(t)
	defer books.close()
	books.view(nil, func(r *Reader) {
		for seed := range uint64(100) {
			s := newSums(seed)
			root, want := s.query()
			if _, is := commonOf(root); is {
				common++
			}
			if err := s.checkCount(r, root, want, &split); err != nil {
				t.Errorf("seed %d: %v: %s", seed, err, explained(root))
			}
		}
	})
	if common < 20 || split < 30 {
		t.Errorf("%d conditions were counted set by set and %d in shares: too few to tell", common, split)
	}
}

// checkCount counts and finds who meets a condition.
func (s *sums) checkCount(r *Reader, root node, want *bitset.Set, split *int) error {
	how := &r.store.sharing
	cores := 1 + s.random.IntN(5)
	how.least, how.cores, how.window = 1, func() int { return cores }, 1+s.random.IntN(windowChunks)
	how.span.Store(s.random.Uint64N(60))
	first, budget := 1+s.random.IntN(block), 1+s.random.IntN(keptBuffer/2)
	begin := func() *plan {
		return &plan{root: root.fork(), ev: &evaluation{reader: r, first: first, budget: budget, until: lastChunk}}
	}
	if len(begin().share()) > 1 {
		*split++
	}
	if n, err := begin().count(); err != nil || n != want.Len() {
		return fmt.Errorf("counted %d, %v; want %d", n, err, want.Len())
	}
	found := &bitset.Set{}
	for c, err := range begin().chunks() {
		if err != nil {
			return err
		}
		*found.Own(c.number) = *c.members
	}
	missed := want.Clone()
	missed.AndNot(found)
	if found.AndNot(want); found.Len() > 0 || missed.Len() > 0 {
		return fmt.Errorf("found %d too many, missed %d", found.Len(), missed.Len())
	}
	return nil
}

func explained(n node) string {
	var text planText
	n.explain(&text)
	return text.String()
}
