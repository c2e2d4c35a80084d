package pebblekv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/clientele-go/clientele/storage/kv"
)

// Apply implements [kv.Engine]. The context counts until the batch is handed to the
// log; from then on Apply waits for its fate. When Pebble's compactions lag behind,
// Apply waits for them first. Concurrent callers share one sync.
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
		return 0, errors.Join(err, p.writes.Close())
	}
	c, fresh, err := e.commit(p)
	if err != nil {
		if errors.Is(err, kv.ErrConflict) {
			e.count.conflicts.Add(1)
		}
		return 0, err
	}
	if !fresh {
		return c.entry, e.confirm(p, c)
	}
	e.count.commits.Add(1)
	e.snapshots.outdate(c.stamp)
	if err := e.settle(p, c); err != nil {
		return 0, err
	}
	return c.entry, nil
}

// prepared is a batch ready to be committed: all that can be done without the lock.
type prepared struct {
	batch  *kv.Batch
	writes *pebble.Batch
	reads  *reads
	commit *commit
	seen   kv.Stamp // the last commit that reads were checked against
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
	p.writes = e.db.NewBatchWithSize(int(b.Bytes()) + 16*len(ops) + 128)
	keys := make([][]byte, len(ops))
	for i, op := range ops {
		keys[i] = op.Key
		if err := write(p.writes, op); err != nil {
			return nil, wrap("apply", errors.Join(err, p.writes.Close()))
		}
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

// checkEarly looks through the commits so far, which may be many, so that little is
// left to do with the lock held. A batch with an id has to wait: what it read may have
// been written by its own first attempt.
func (e *Engine) checkEarly(p *prepared) error {
	if p.reads.empty() || p.batch.ID != (kv.BatchID{}) {
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

// commit checks the batch and makes it visible, or finds that it was applied before:
// then it returns the first commit, not fresh.
func (e *Engine) commit(p *prepared) (c *commit, fresh bool, err error) {
	e.commits.Lock()
	defer e.commits.Unlock()
	if err := e.writable("apply"); err != nil {
		return nil, false, errors.Join(err, p.writes.Close())
	}
	b, last := p.batch, e.last.Load()
	named := b.ID != kv.BatchID{}
	if named {
		if first, err := e.ids.find(b.ID, last); first != nil || err != nil {
			return first, false, errors.Join(err, p.writes.Close())
		}
	}
	if err := e.window.check(p.reads, p.seen); err != nil {
		return nil, false, errors.Join(err, p.writes.Close())
	}
	if len(b.Ops()) == 0 && b.Journal == nil && !named {
		return &commit{stamp: last.stamp, position: last.position}, false, p.writes.Close()
	}
	if err := e.foldPending(b.Ops()); err != nil {
		return nil, false, errors.Join(err, p.writes.Close())
	}
	if err := e.hand(p, last); err != nil {
		return nil, false, err
	}
	return p.commit, true, nil
}

// hand gives the batch its place, hands it to Pebble and publishes it.
func (e *Engine) hand(p *prepared, last *commit) error {
	b, c := p.batch, p.commit
	c.stamp, c.position = last.stamp+1, last.position
	var err error
	if b.Journal != nil {
		c.position++
		c.entry = c.position
		err = p.writes.Set(journalKey(c.entry), b.Journal, nil)
	}
	if b.ID != (kv.BatchID{}) && err == nil {
		err = p.writes.Set(batchKey(b.ID), binary.AppendUvarint(nil, uint64(c.entry)), nil)
	}
	e.forgetRows(c)
	switch {
	case err != nil:
	case b.Durability == kv.Relaxed:
		err = e.db.Apply(p.writes, pebble.NoSync)
	default:
		err = e.db.ApplyNoSyncWait(p.writes, pebble.Sync)
	}
	if err != nil {
		return wrap("apply", err)
	}
	if b.ID != (kv.BatchID{}) {
		e.ids.add(b.ID, c)
	}
	e.window.add(c)
	e.last.Store(c)
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

// settle waits until the commit is as durable as the batch asks for.
func (e *Engine) settle(p *prepared, c *commit) error {
	var err error
	if p.batch.Durability == kv.Relaxed {
		select {
		case e.relaxed <- struct{}{}:
		default:
		}
	} else {
		e.count.syncWaits.Add(1)
		err = p.writes.SyncWait()
	}
	err = errors.Join(err, p.writes.Close())
	if cause := errors.Join(e.fs.err(), err); cause != nil {
		return stopped("apply", kv.ErrUnknownOutcome, cause)
	}
	if p.batch.Durability != kv.Relaxed {
		e.durable.advance(c)
	}
	return nil
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
