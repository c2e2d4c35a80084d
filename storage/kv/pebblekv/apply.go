package pebblekv

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// Apply implements [kv.Engine]. The context counts until the batch is handed to the
// log; from then on Apply waits for its fate. When Pebble's compactions lag behind,
// Apply waits for them first. Concurrent callers share one sync, and what they merge into one
// key goes into the log as one delta.
func (e *Engine) Apply(ctx context.Context, b *kv.Batch) (kv.Position, error) {
	if err := e.enterWrite(ctx, "apply"); err != nil {
		return 0, err
	}
	defer e.calls.leave()
	p, err := e.prepare(b)
	if err != nil {
		return 0, err
	}
	if err := e.throttle(ctx); err != nil {
		return 0, err
	}
	if p.gathers() {
		err = e.commitWithOthers(ctx, p)
	} else {
		e.settle(e.commit([]*prepared{p}))
	}
	switch {
	case err != nil:
		return 0, err
	case p.err != nil:
		return 0, p.err
	case p.first != nil:
		return p.first.entry, e.confirm(p, p.first)
	}
	return p.commit.entry, nil
}

// prepared is a batch ready to be committed: all that can be done without the lock.
type prepared struct {
	batch  *kv.Batch
	reads  *reads
	commit *commit
	seen   kv.Stamp  // the last commit that reads were checked against
	turn   chan bool // of a batch that gathers; see groups

	// How it ended:
	err   error
	first *commit // that of an earlier attempt, or the last one before a batch that writes nothing
}

// gathers reports whether the batch waits for others to be committed with it. One that may have been
// applied before or writes nothing has its own ways, and a relaxed one doesn't wait.
func (p *prepared) gathers() bool {
	b := p.batch
	return b.Durability != kv.Relaxed && b.ID == kv.BatchID{} && (len(b.Ops()) > 0 || b.Journal != nil)
}

func (e *Engine) prepare(b *kv.Batch) (*prepared, error) {
	if err := checkBatch(b); err != nil {
		return nil, err
	}
	p := &prepared{batch: b, reads: e.window.reads(b)}
	if err := e.checkEarly(p); err != nil {
		e.count.conflicts.Add(1)
		return nil, err
	}
	ops := b.Ops()
	keys := make([][]byte, len(ops))
	for i, op := range ops {
		keys[i] = op.Key
	}
	p.commit = e.window.commit(keys)
	return p, nil
}

func write(to *pebble.Batch, op kv.Op) error {
	switch op.Kind {
	case kv.Set:
		return to.Set(op.Key, op.Value, nil)
	case kv.Delete:
		return to.Delete(op.Key, nil)
	}
	return to.Merge(op.Key, op.Value, nil)
}

func checkBatch(b *kv.Batch) error {
	if b.Bytes() > limits.BatchBytes {
		return fmt.Errorf("pebblekv: %w: batch of %d bytes, at most %d", kv.ErrLimit, b.Bytes(), limits.BatchBytes)
	}
	if err := checkValue("journal entry", b.Journal); err != nil {
		return err
	}
	for _, op := range b.Ops() {
		if err := checkOp(op); err != nil {
			return err
		}
	}
	return nil
}

func checkOp(op kv.Op) error {
	if err := checkKey(op.Key); err != nil {
		return err
	}
	if err := checkValue("value", op.Value); err != nil {
		return err
	}
	if op.Kind == kv.Merge {
		// Once in Pebble, a delta that can't be read would spoil the key.
		return kv.CheckDelta(op.Value)
	}
	return nil
}

// fewCommits are checked at once with the lock held, rather than in two steps.
const fewCommits = 32

// checkEarly looks through the commits so far when they are many, so that little is
// left to do with the lock held. A batch with an id has to wait: what it read may have
// been written by its own first attempt.
func (e *Engine) checkEarly(p *prepared) error {
	if p.reads.empty() || p.batch.ID != (kv.BatchID{}) || e.last.Load().stamp <= p.reads.since+fewCommits {
		return nil
	}
	e.commits.Lock()
	commits, err := e.window.after(p.reads.since)
	e.commits.Unlock()
	if err != nil || len(commits) == 0 {
		return err
	}
	p.seen = commits[len(commits)-1].stamp
	return p.reads.conflict(commits)
}

// commit checks batches in their order, hands those that pass to Pebble as one and publishes
// them. The others get their errors.
func (e *Engine) commit(members []*prepared) handed {
	e.commits.Lock()
	h := e.hand(members)
	e.commits.Unlock()
	if len(h.members) > 0 {
		e.count.commits.Add(int64(len(h.members)))
		e.snapshots.outdate(h.last.stamp)
	}
	return h
}

// handed is what Pebble was given at once.
type handed struct {
	members []*prepared
	writes  *pebble.Batch
	last    *commit
	synced  bool // a sync is on its way
}

// hand is commit with the lock held.
func (e *Engine) hand(members []*prepared) handed {
	h := handed{last: e.last.Load()}
	if err := e.writable("apply"); err != nil {
		fail(members, err)
		return h
	}
	for _, p := range members {
		if p.err = e.admit(p, h); p.err == nil && p.first == nil {
			h.members, h.last = append(h.members, p), p.commit
			h.synced = h.synced || p.batch.Durability != kv.Relaxed
		}
	}
	if len(h.members) == 0 {
		return h
	}
	var err error
	if h.writes, err = e.join(h.members); err == nil {
		err = e.publish(h)
	}
	if err != nil {
		fail(h.members, wrap("apply", err))
		return handed{}
	}
	return h
}

func fail(members []*prepared, err error) {
	for _, p := range members {
		p.err = err
	}
}

// admit checks a batch against all commits before it, those that h has too, and gives it its
// place behind them; or finds that it was applied before or writes nothing.
func (e *Engine) admit(p *prepared, h handed) error {
	b, c := p.batch, p.commit
	named := b.ID != kv.BatchID{}
	if named {
		var err error
		if p.first, err = e.ids.find(b.ID, h.last); p.first != nil || err != nil {
			return err
		}
	}
	if err := e.check(p, h.members); err != nil {
		e.count.conflicts.Add(1)
		return err
	}
	c.stamp, c.position = h.last.stamp+1, h.last.position
	if len(b.Ops()) == 0 && b.Journal == nil && !named {
		p.first = &commit{stamp: h.last.stamp, position: h.last.position}
		return nil
	}
	if b.Journal != nil {
		c.position++
		c.entry = c.position
	}
	return nil
}

// check checks a batch's reads against the commits so far and those before it in its group.
func (e *Engine) check(p *prepared, before []*prepared) error {
	if p.reads.empty() {
		return nil
	}
	if err := e.window.check(p.reads, p.seen); err != nil {
		return err
	}
	for _, other := range before {
		if err := p.reads.conflictWith(other.commit); err != nil {
			return err
		}
	}
	return nil
}

// publish hands batches to Pebble and makes them visible.
func (e *Engine) publish(h handed) error {
	for _, p := range h.members {
		e.forgetRows(p.commit)
	}
	var err error
	if h.synced {
		err = e.db.ApplyNoSyncWait(h.writes, pebble.Sync)
	} else {
		err = e.db.Apply(h.writes, pebble.NoSync)
	}
	if err != nil {
		return err
	}
	for _, p := range h.members {
		if p.batch.ID != (kv.BatchID{}) {
			e.ids.add(p.batch.ID, p.commit)
		}
		e.window.add(p.commit)
	}
	e.last.Store(h.last)
	return nil
}

// forgetRows drops what a commit is about to write from the cache of rows.
func (e *Engine) forgetRows(c *commit) {
	for _, hash := range c.hashes {
		e.rows.forget(hash, c.stamp)
	}
	if c.hashes == nil {
		for i := range c.keys.len() {
			e.rows.forget(e.window.hash(c.keys.at(i)), c.stamp)
		}
	}
}

// settle waits until the commits are as durable as their batches ask for.
func (e *Engine) settle(h handed) {
	if len(h.members) == 0 {
		return
	}
	var err error
	if h.synced {
		e.count.syncWaits.Add(int64(len(h.members)))
		err = h.writes.SyncWait()
	} else {
		select {
		case e.relaxed <- struct{}{}:
		default:
		}
	}
	err = errors.Join(err, h.writes.Close())
	if cause := errors.Join(e.fs.err(), err); cause != nil {
		fail(h.members, stopped("apply", kv.ErrUnknownOutcome, cause))
		return
	}
	if h.synced {
		e.durable.advance(h.last)
	}
}

// confirm makes durable what an earlier attempt at the batch committed or, for a batch
// that writes nothing, what it may have read.
func (e *Engine) confirm(p *prepared, seen *commit) error {
	if p.batch.Durability == kv.Relaxed || e.durable.covers(seen.stamp) {
		return nil
	}
	if err := e.sync(); err != nil {
		return fmt.Errorf("%w: %w", kv.ErrUnknownOutcome, err)
	}
	return nil
}
