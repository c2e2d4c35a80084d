package pebblekv

import "sync/atomic"

// gate counts the calls under way on something that can be closed.
type gate struct {
	calls   atomic.Int64 // the number under way, and shut
	last    atomic.Bool  // release was called
	release func()       // called once, when the gate is shut and the last call has left
}

const shut = 1 << 62

// enter reports whether a call may begin; if so, leave must follow.
func (g *gate) enter() bool {
	if g.calls.Add(1)&shut == 0 {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.calls.Add(-1) == shut {
		g.finish()
	}
}

// shut lets no call in any more. It reports whether it was open.
func (g *gate) shut() bool {
	before := g.calls.Or(shut)
	if before == 0 {
		g.finish()
	}
	return before&shut == 0
}

func (g *gate) finish() {
	if g.last.CompareAndSwap(false, true) {
		g.release()
	}
}
