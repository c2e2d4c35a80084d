package bitset

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/clientele-go/clientele/storage/kv"
)

// A label is what was put last on a number, and counting by labels is counting number by
// number, whatever the form in which a set is stored.
func TestLabelsCountAsLookingAtEachNumberDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const none, labels = 3, 4
		var l Labels
		l.Fill(none)
		model := map[uint16]uint16{}
		for label := range uint16(none) {
			within, _ := chunkOf(numbers(t, "within"))
			row, stored := chunkOf(numbers(t, "row"))
			n, err := l.PutStored(kv.BitmapValue(stored), within, label)
			if want := row.AndLen(within); err != nil || n != want {
				t.Fatalf("%d were put, %v; want %d", n, err, want)
			}
			for m := range row.All() {
				if within.Contains(m) {
					model[m] = label
				}
			}
		}
		column, stored := chunkOf(numbers(t, "column"))
		if rapid.Bool().Draw(t, "run optimised") {
			stored.RunOptimize()
		}
		var want [labels]int64
		for m := range column.All() {
			label, put := model[m]
			if !put {
				label = none
			}
			want[label]++
		}
		var got, spread [labels]int64
		if err := l.CountStored(kv.BitmapValue(stored), got[:]); err != nil || got != want {
			t.Fatalf("stored: %v, %v; want %v", got, err, want)
		}
		if l.Count(column, spread[:]); spread != want {
			t.Fatalf("spread out: %v; want %v", spread, want)
		}
		other, _ := chunkOf(numbers(t, "other"))
		if n, err := other.AndLenStored(kv.BitmapValue(stored)); err != nil || n != other.AndLen(column) {
			t.Fatalf("in common: %d, %v; want %d", n, err, other.AndLen(column))
		}
	})
}

func TestLabelsRefuseWhatIsNotStored(t *testing.T) {
	var l Labels
	var c Chunk
	for what, err := range map[string]error{
		"PutStored":    func() error { _, err := l.PutStored([]byte("b"), &c, 1); return err }(),
		"CountStored":  l.CountStored([]byte("b"), make([]int64, 1)),
		"AndLenStored": func() error { _, err := c.AndLenStored([]byte("b")); return err }(),
	} {
		if err != ErrStored {
			t.Errorf("%s: %v; want ErrStored", what, err)
		}
	}
}
