package stat

import (
	"math"
	"slices"
)

// Median returns the middle of some values, the mean of the middle two for an even
// number of them, and NaN for none. The values stay as they are.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Quantile returns the value below which a share of the others lies, interpolated
// between neighbours (Hyndman and Fan 1996, type 7, as R and NumPy do), and NaN for no
// values. The share is from 0 to 1.
func Quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := share * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}
