package pebblekv

import (
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
	o.mu.Lock()
	var left []*snapshot
	for s := range o.open {
		left = append(left, s)
	}
	o.mu.Unlock()
	open := 0
	for _, s := range left {
		if s.calls.shut() {
			open++
		}
	}
	o.closed.Wait()
	return open
}
