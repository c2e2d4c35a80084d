package pebblekv

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/clientele-go/clientele/storage/kv"
)

// durability knows up to where a crash can't take commits back, and wakes those who
// wait for more. Pebble syncs its log in order, so a synced commit makes all earlier
// ones durable too.
type durability struct {
	position atomic.Uint64 // a copy of reached.position, for reading without the lock

	mu      sync.Mutex
	stamp   kv.Stamp
	reached kv.Position
	ended   error // why nothing more will become durable
	moved   broadcast
}

func (d *durability) durable() kv.Position { return kv.Position(d.position.Load()) }

// covers reports whether the commit of a stamp is durable.
func (d *durability) covers(stamp kv.Stamp) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stamp >= stamp
}

// advance notes that c was synced.
func (d *durability) advance(c *commit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stamp = max(d.stamp, c.stamp)
	if c.position > d.reached {
		d.reached = c.position
		d.position.Store(uint64(c.position))
		d.moved.send()
	}
}

// end makes every wait that isn't over return err, now and later.
func (d *durability) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended == nil {
		d.ended = err
		d.moved.send()
	}
}

// wait returns nil as soon as a position after the given one is durable.
func (d *durability) wait(ctx context.Context, after kv.Position) error {
	for {
		moved := d.moved.wait()
		if over, err := d.over(after); over {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *durability) over(after kv.Position) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.reached > after {
		return true, nil
	}
	return d.ended != nil, d.ended
}
