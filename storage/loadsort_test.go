package storage

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage/kv"
)

// Keys of few different bytes, zeros among them, in lengths around the 8 bytes that are
// sorted at a time: sorted as the standard library sorts them.
func TestRunsAreSortedByKeyAndRow(t *testing.T) {
	limits := kv.Limits{KeyBytes: 1000}
	rapid.Check(t, func(t *rapid.T) {
		letter := rapid.SampledFrom([]byte{0, 0, 1, 'a', 0xff})
		heads := rapid.SliceOfN(rapid.SliceOfN(letter, 0, 20), 1, 4).Draw(t, "heads")
		n := rapid.IntRange(0, 700).Draw(t, "n")
		p := &loadPart{}
		c := &loadChunk{}
		for range n {
			head := rapid.SampledFrom(heads).Draw(t, "head")
			tail := rapid.SliceOfN(letter, 0, 12).Draw(t, "tail")
			run := c.run(runID{spaceIndex, 1, 2}, "t", "x", true)
			item, err := c.key(run, head, tail, limits)
			if err != nil {
				t.Fatal(err)
			}
			c.arena = append(c.arena, "value"...)
			c.add(run, item)
			c.rows++
			if rapid.Bool().Draw(t, "next") && c.rows%3 == 0 {
				p.add(c)
				c = &loadChunk{firstRow: p.rows}
			}
		}
		p.add(c)
		type pair struct {
			key []byte
			row uint32
		}
		var want []pair
		for _, c := range p.chunks {
			for _, item := range c.runs[0].items {
				want = append(want, pair{c.arena[item.start:][:item.keyLen], p.rowOf(c, item.row)})
			}
		}
		slices.SortStableFunc(want, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
		p.sort()
		if n == 0 {
			if len(p.runs) > 0 {
				t.Fatalf("%d runs of nothing", len(p.runs))
			}
			return
		}
		r := p.runs[0]
		equal := false
		for i, w := range want {
			equal = equal || i > 0 && bytes.Equal(w.key, want[i-1].key)
			if !bytes.Equal(r.Key(i), w.key) || r.items[i].row != w.row || string(r.Value(i)) != "value" {
				t.Fatalf("item %d is % x of row %d, want % x of row %d", i, r.Key(i), r.items[i].row, w.key, w.row)
			}
		}
		if r.Len() != n || r.equal != equal {
			t.Fatalf("%d items, equal keys %v; want %d, %v", r.Len(), r.equal, n, equal)
		}
	})
}

// Long runs take several chunks and more bits at a time: numbers in decimal digits in no
// order, and an index by a number that ascends from chunk to chunk and not within one.
func TestLongRunsAreSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const rows, perChunk = 3 * manyItems, manyItems + 100
	for name, key := range map[string]func(row int) string{
		"digits":   func(int) string { return fmt.Sprintf("N%d-%d", r.IntN(50_000), r.IntN(100)) },
		"by chunk": func(row int) string { return fmt.Sprintf("%04d%06d", row/perChunk, r.IntN(20_000)) },
	} {
		p, c := &loadPart{}, &loadChunk{}
		var want []string
		for row := range rows {
			want = append(want, key(row))
			item, err := c.key(c.run(runID{spaceIndex, 1, 2}, "t", "x", true), Key(want[row]), nil, kv.Limits{KeyBytes: 1000})
			if err != nil {
				t.Fatal(err)
			}
			c.add(&c.runs[0], item)
			if c.rows++; c.rows == perChunk || row == rows-1 {
				p.add(c)
				c = &loadChunk{firstRow: p.rows}
			}
		}
		p.sort()
		run := p.runs[0]
		if packed := run.packed != nil; packed != (name == "digits") {
			t.Errorf("%s: packed: %v", name, packed)
		}
		slices.Sort(want)
		for i, w := range want {
			if got := string(run.Key(i)[len(run.prefix):]); got != w {
				t.Fatalf("%s: key %d is %q, want %q", name, i, got, w)
			}
			if i > 0 && want[i-1] == w && run.items[i-1].row >= run.items[i].row {
				t.Fatalf("%s: equal keys %d and %d are not in the order of rows", name, i-1, i)
			}
		}
	}
}
