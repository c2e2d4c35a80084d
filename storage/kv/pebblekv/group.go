package pebblekv

import (
	"context"
	"slices"
	"sync"
)

// groups has commits gather while others are being synced. One of those that gathered leads: it hands
// them to Pebble as one batch, names the next leader, waits for the sync and tells them. At most one
// group is handed over ahead of the one that is being synced, so that the log has something to
// write when the sync ends and the rest gathers meanwhile. The zero value is ready to use.
type groups struct {
	mu        sync.Mutex
	waiting   []*prepared   // in order of arrival
	led       bool          // somebody leads, or was told to
	appointed *prepared     // the one that was told to, until it does; the first of waiting
	synced    chan struct{} // closed when the last group is; nil before the first
}

// groupBytes bounds what a group writes; a batch that is larger goes alone.
const groupBytes = 1 << 20

// enter adds a batch, and reports whether it leads.
func (g *groups) enter(p *prepared) (leads bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.turn = make(chan bool, 1)
	g.waiting = append(g.waiting, p)
	leads = !g.led
	g.led = true
	return leads
}

// leave takes a batch back, unless it is past that.
func (g *groups) leave(p *prepared) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, p)
	if i < 0 || p == g.appointed {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// take removes the next group, whose first one leads. before is closed when the group before is
// synced, or nil; the leader closes synced.
func (g *groups) take(most int64) (members []*prepared, before <-chan struct{}, synced chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, size := 1, g.waiting[0].batch.Bytes()
	for ; n < len(g.waiting); n++ {
		if size += g.waiting[n].batch.Bytes(); size > most {
			break
		}
	}
	members = slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.appointed = nil
	before, synced = g.synced, make(chan struct{})
	g.synced = synced
	return members, before, synced
}

// pass has the first of those that wait lead from now on.
func (g *groups) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.led = false
		return
	}
	g.appointed = g.waiting[0]
	g.appointed.turn <- true
}

// commitWithOthers commits a batch in a group. The error is the context's; how the batch ended is in
// the batch.
func (e *Engine) commitWithOthers(ctx context.Context, p *prepared) error {
	leads := e.groups.enter(p)
	for {
		if leads {
			e.lead()
		}
		select {
		case leads = <-p.turn:
		case <-ctx.Done():
			if e.groups.leave(p) {
				return ctx.Err()
			}
			leads = <-p.turn
		}
		if !leads {
			return nil
		}
	}
}

// lead commits the group that has gathered.
func (e *Engine) lead() {
	members, before, synced := e.groups.take(min(groupBytes, e.options.MemTableBytes/8))
	h := e.commit(members)
	if before != nil {
		<-before
	}
	e.groups.pass()
	e.settle(h)
	close(synced)
	for _, p := range members {
		p.turn <- false
	}
}
