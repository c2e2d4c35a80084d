package sample_test

import (
	"fmt"

	"github.com/clientele-go/clientele/internal/sample"
)

// The same seed makes the same customers, each with valid numbers.
func Example() {
	n := 0
	for c := range sample.Customers(1, 1000) {
		if c.Name != "" && c.Code != "" {
			n++
		}
	}
	fmt.Println(n)
	// Output: 1000
}
