package bitset_test

import (
	"fmt"

	"github.com/clientele-go/clientele/storage/bitset"
)

// The customers of the north who are not dormant.
func Example() {
	north, dormant := bitset.Of(3, 7, 70_000), bitset.Of(7, 12)
	north.AndNot(dormant)
	for id := range north.All() {
		fmt.Println(id)
	}
	// Output:
	// 3
	// 70000
}
