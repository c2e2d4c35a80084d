package pebblekv

import (
	"maps"
	"slices"
	"sync"

	"github.com/clientele-go/clientele/storage/kv"
)

// openSnapshots knows the snapshots that are open. The zero value is ready to use.
type openSnapshots struct {
	mu     sync.Mutex
	open   map[*snapshot]struct{}
	closed sync.WaitGroup
}

func (o *openSnapshots) add(s *snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.open == nil {
		o.open = map[*snapshot]struct{}{}
	}
	o.open[s] = struct{}{}
	o.closed.Add(1)
}

func (o *openSnapshots) remove(s *snapshot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, s)
	o.closed.Done()
}

func (o *openSnapshots) len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.open)
}

// list returns the snapshots that are open.
func (o *openSnapshots) list() []*snapshot {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.open))
}

// among returns how many of the snapshots are open.
func (o *openSnapshots) among(some []*snapshot) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, s := range some {
		if _, ok := o.open[s]; ok {
			n++
		}
	}
	return n
}

// oldest returns the least stamp of the open snapshots. It costs their number.
func (o *openSnapshots) oldest() (least kv.Stamp, any bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.open {
		if !any || s.stamp < least {
			least, any = s.stamp, true
		}
	}
	return least, any
}

// closeAll closes the snapshots that are open, waits for the calls on them, and
// returns their number. No more may be added.
func (o *openSnapshots) closeAll() int {
	open := 0
	for _, s := range o.list() {
		if s.calls.shut() {
			open++
		}
	}
	o.closed.Wait()
	return open
}
