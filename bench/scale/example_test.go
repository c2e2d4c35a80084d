package scale_test

import (
	"fmt"
	"log"

	"github.com/clientele-go/clientele/bench/scale"
)

// How long half of the searches take that ask one node, and sixteen.
func Example() {
	times := scale.Quantiles{{Share: 0, Seconds: 0.001}, {Share: 0.5, Seconds: 0.002}, {Share: 0.99, Seconds: 0.010}, {Share: 1, Seconds: 0.040}}
	for _, nodes := range []int{1, 16} {
		tail, err := scale.FanOut(times, nodes, 10_000, 0.0005, 1)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%2d nodes: %.1f ms\n", nodes, tail.P50*1000)
	}
	// Output:
	//  1 nodes: 2.5 ms
	// 16 nodes: 9.5 ms
}
