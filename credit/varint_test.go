package credit

import (
	"encoding/binary"
	"math"
	"testing"
)

// Numbers are read as encoding/binary reads them, and what it refuses ends behind every page.
func TestUvarintAt(t *testing.T) {
	src := []string{"", "\x80", "\x80\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}
	for _, n := range []uint64{0, 1, 127, 128, 1<<14 - 1, 1 << 14, 1<<63 - 1, 1 << 63, math.MaxUint64} {
		src = append(src, string(binary.AppendUvarint(nil, n)))
	}
	for _, s := range src {
		n, behind := uvarintAt(s, 0)
		want, size := binary.Uvarint([]byte(s))
		switch {
		case size <= 0 && behind != beyond:
			t.Errorf("% x is read as %d, to %d", s, n, behind)
		case size > 0 && (n != want || behind != size):
			t.Errorf("% x is read as %d, to %d; want %d, to %d", s, n, behind, want, size)
		}
	}
}
