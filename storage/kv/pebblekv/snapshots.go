package pebblekv

import (
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// state is a snapshot of Pebble's. Those who ask between two commits share one: making and
// closing one costs as much as a look-up, since Pebble then looks for something to compact.
type state struct {
	stamp    kv.Stamp
	snap     *pebble.Snapshot
	position atomic.Pointer[kv.Position] // of the journal, once it was read
	users    int                         // snapshots, and openSnapshots while it is the present one
}

// openSnapshots knows the snapshots that are open. The zero value is ready to use.
type openSnapshots struct {
	mu      sync.Mutex
	open    map[*snapshot]struct{}
	present *state // what the next snapshot is of unless there was a commit; may be nil
	closed  sync.WaitGroup
}

// add opens a snapshot of the state that e published last.
func (o *openSnapshots) add(s *snapshot, e *Engine) {
	o.mu.Lock()
	// What is published is in the Pebble snapshot that is made afterwards. There may be
	// more in it, which the contract allows.
	stamp := e.last.Load().stamp
	var past *state
	if o.present == nil || o.present.stamp != stamp {
		past, o.present = o.present, &state{stamp: stamp, snap: e.db.NewSnapshot(), users: 1}
	}
	s.state = o.present
	s.state.users++
	if o.open == nil {
		o.open = map[*snapshot]struct{}{}
	}
	o.open[s] = struct{}{}
	o.closed.Add(1)
	o.mu.Unlock()
	o.leave(past)
}

// remove closes a snapshot.
func (o *openSnapshots) remove(s *snapshot) {
	o.leave(s.state)
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, s)
	o.closed.Done()
}

// leave ends one use of a state, which may be nil.
func (o *openSnapshots) leave(s *state) {
	if s == nil {
		return
	}
	o.mu.Lock()
	s.users--
	unused := s.users == 0
	o.mu.Unlock()
	if unused {
		_ = s.snap.Close() // never fails
	}
}

// renew has later snapshots see what is written by now. Without it the state of before would
// be kept, and with it the values that were replaced.
func (o *openSnapshots) renew() { o.outdate(math.MaxUint64) }

// outdate is renew after the commit of a stamp: a state that has it already stays. It needs no
// lock, so that no commit waits for the end of a state.
func (o *openSnapshots) outdate(stamp kv.Stamp) {
	o.mu.Lock()
	past := o.present
	if past != nil && past.stamp < stamp {
		o.present = nil
	} else {
		past = nil
	}
	o.mu.Unlock()
	o.leave(past)
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
	o.renew()
	open := 0
	for _, s := range o.list() {
		if s.calls.shut() {
			open++
		}
	}
	o.closed.Wait()
	return open
}
