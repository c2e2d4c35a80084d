package stat_test

import (
	"fmt"

	"github.com/clientele-go/clientele/bench/stat"
)

// A report took 10, 40 and 100 ms on books of 10,000, 40,000 and 100,000 customers.
func Example() {
	c := stat.Grow([]stat.Point{{N: 10_000, Y: 0.010}, {N: 40_000, Y: 0.040}, {N: 100_000, Y: 0.100}})
	fmt.Printf("%s: 2 s at %.0f customers\n", c.Shape, c.Reaches(2))
	fmt.Printf("p = %.3f\n", stat.Differ([]float64{10, 11, 12, 13, 14}, []float64{20, 21, 22, 23, 24}))
	// Output:
	// linear: 2 s at 2000000 customers
	// p = 0.008
}
