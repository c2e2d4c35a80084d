package kv_test

import (
	"fmt"

	"github.com/clientele-go/clientele/storage/kv"
)

// Deltas of a counter fold in any grouping; engines do so when they compact.
func ExampleFold() {
	two, err := kv.Fold(kv.CounterDelta(5), kv.CounterDelta(-3), false)
	if err != nil {
		panic(err)
	}
	value, err := kv.Fold(nil, two, true)
	if err != nil {
		panic(err)
	}
	n, err := kv.Counter(value)
	fmt.Println(n, err)
	// Output: 2 <nil>
}
