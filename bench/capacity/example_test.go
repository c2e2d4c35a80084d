package capacity_test

import (
	"fmt"

	"github.com/clientele-go/clientele/bench/capacity"
)

// Service levels as a user writes them, and what a wrong one is told.
func ExampleParseLevels() {
	levels, err := capacity.ParseLevels("get=1ms,import=20000/s")
	fmt.Println(levels, err)
	_, err = capacity.ParseLevels("import=5ms")
	fmt.Println(err)
	// Output:
	// [get=1ms import=20000/s] <nil>
	// service level "import=5ms": import is a rate; write import=20000/s
}
