package stocktake_test

import (
	"sync/atomic"
	"time"
)

// clock is a time that a test sets while the book's views read it.
type clock struct{ at atomic.Int64 }

func newClock(t time.Time) *clock {
	c := &clock{}
	c.set(t)
	return c
}

func (c *clock) set(t time.Time) { c.at.Store(t.UnixNano()) }
func (c *clock) get() time.Time  { return time.Unix(0, c.at.Load()).UTC() }
