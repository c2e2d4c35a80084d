package pebblekv_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/clientele-go/clientele/storage/kv"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// Two clerks give the same code to a customer. Each looks whether it is free and makes
// that the condition of the commit; the second one is refused.
func Example() {
	ctx := context.Background()
	engine, err := pebblekv.Open("", pebblekv.Options{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()

	code := []byte("code/C2026000001")
	snapshot, err := engine.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snapshot.Close()
	if _, taken, err := snapshot.Get(ctx, code, nil); err != nil || taken {
		log.Fatal("taken: ", taken, err)
	}
	for _, clerk := range []string{"wang.li", "chen.mei"} {
		batch := kv.Batch{Since: snapshot.Stamp(), Reads: []kv.Range{kv.Point(code)}, Journal: []byte("created by " + clerk)}
		batch.Set(code, []byte(clerk))
		batch.Merge([]byte("customers"), kv.CounterDelta(1))
		position, err := engine.Apply(ctx, &batch)
		fmt.Println(clerk, "at", position, "conflict:", errors.Is(err, kv.ErrConflict))
	}
	for change, err := range engine.Changes(ctx, 0) {
		fmt.Println(change.Position, string(change.Payload), err)
	}
	// Output:
	// wang.li at 1 conflict: false
	// chen.mei at 0 conflict: true
	// 1 created by wang.li <nil>
}
