package match

import (
	"math"
	"testing"
)

// A curve that takes everything for right lifts log-odds by no more than its bound, and lowers them
// as far as it says.
func TestCurvesLiftLogOddsWithinBounds(t *testing.T) {
	list := &table{names: []string{"a", "b"}, source: []uint8{0, 1, 0, 1}}
	pairs := []pair{{0, 1}, {2, 3}}
	surely := &steps{x: []float32{-20, 20}, y: []float32{6, 6}, trust: 1, doubt: 1}
	hardly := &steps{x: []float32{-20, 20}, y: []float32{-7, -7}, trust: 1, doubt: 1}
	for _, x := range []struct {
		by        *steps
		raw, want float32
	}{
		{surely, -9, -1}, {surely, -1, 6}, {surely, -15, -7}, {hardly, 5, -7}, {hardly, -9, -7},
	} {
		k := &calibration{curves: []*curve{{draws: []*steps{x.by}}}, rivals: newRivals(list, cardinality{single: []bool{false, false}})}
		scores := []float32{x.raw, x.raw}
		k.apply(0, pairs, scores)
		for _, got := range scores {
			if math.Abs(float64(got-x.want)) > 1e-4 {
				t.Errorf("%v is calibrated to %v; want %v", x.raw, got, x.want)
			}
		}
	}
}
