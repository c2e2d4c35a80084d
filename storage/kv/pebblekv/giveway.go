package pebblekv

import (
	"runtime"
	"time"
)

// turns has a flush or a compaction give way to whoever waits for a processor. Go lets a
// goroutine compute for 10 ms before another one of those that wait gets its turn, and a commit
// takes less than a tenth of a millisecond: where few cores are, commits and reads would
// wait for one stretch of compaction after another.
//
// What gives way does so until it has waited as long as it has worked: it comes to half of its speed at
// worst, so that writers can't starve what they will have to wait for. It is used
// by one goroutine at a time.
type turns struct {
	began  time.Time
	waited time.Duration
}

// give lets others run. It costs less than a microsecond when nobody waits.
func (t *turns) give() {
	now := time.Now()
	if t.began.IsZero() {
		t.began = now
	}
	if 2*t.waited > now.Sub(t.began) {
		return
	}
	runtime.Gosched()
	t.waited += time.Since(now)
}
