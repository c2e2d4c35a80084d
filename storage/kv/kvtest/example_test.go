package kvtest_test

import (
	"fmt"
	"testing"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/kvtest"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// The author of an engine runs the whole suite from a test, by [kvtest.Run] with
// such a harness. Check runs chosen properties and returns what is wrong.
func Example() {
	open := func(t testing.TB) kv.Engine {
		e, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	err := kvtest.Check(kvtest.Harness{Open: open}, "Merge", "Condition/ConflictOnRange")
	fmt.Println("violations:", err)
	// Output: violations: <nil>
}
