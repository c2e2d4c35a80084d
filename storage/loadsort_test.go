package storage

import (
	"bytes"
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
