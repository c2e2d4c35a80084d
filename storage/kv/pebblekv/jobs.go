package pebblekv

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// jobs knows the flushes and compactions under way and the newest log and manifest, from
// Pebble's events.
type jobs struct {
	log      atomic.Uint64 // its file number
	manifest atomic.Uint64 // its file number
	mu       sync.Mutex
	running  map[int]struct{}
	failure  func(error) // hears of failed compactions, if any
	ended    broadcast
}

func (j *jobs) onFailure(failure func(error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failure = failure
}

func (j *jobs) begin(id int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running == nil {
		j.running = map[int]struct{}{}
	}
	j.running[id] = struct{}{}
}

func (j *jobs) end(id int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.running, id)
	j.ended.send()
	if j.failure != nil && err != nil && !errors.Is(err, pebble.ErrCancelledCompaction) {
		j.failure(err)
	}
}

// waitForPresent waits for those jobs that are under way now.
func (j *jobs) waitForPresent(ctx context.Context) error {
	present := j.among(nil)
	for {
		ended := j.ended.wait()
		if present = j.among(present); len(present) == 0 {
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// among returns those of the ids that are running; nil stands for all.
func (j *jobs) among(ids []int) []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	running := []int{}
	if ids == nil {
		for id := range j.running {
			running = append(running, id)
		}
	}
	for _, id := range ids {
		if _, ok := j.running[id]; ok {
			running = append(running, id)
		}
	}
	return running
}
