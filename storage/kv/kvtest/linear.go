package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/clientele-go/clientele/storage/kv"
)

// registers are few, so that transactions meet. The first half are plain values, the
// others counters. 0 stands for absent.
const registers = 6

type contents [registers]int64

// action is what a transaction did to one register.
type action struct {
	register int
	kind     kv.Kind
	n        int64
}

// txn is one transaction of a concurrent history: what it saw and what it did.
type txn struct {
	seen   map[int]int64
	writes []action
}

func (d txn) String() string {
	return fmt.Sprintf("saw %v, did %v", d.seen, d.writes)
}

// serial says that a transaction happens at one instant between its call and its
// return: it sees the contents of that instant and changes them.
var serial = porcupine.Model{
	Init: func() any { return contents{} },
	Step: func(state, input, _ any) (bool, any) {
		now, d := state.(contents), input.(txn)
		for register, n := range d.seen {
			if now[register] != n {
				return false, state
			}
		}
		for _, a := range d.writes {
			now[a.register] = a.apply(now[a.register])
		}
		return true, now
	},
	DescribeOperation: func(input, _ any) string { return input.(txn).String() },
}

func (a action) apply(now int64) int64 {
	switch a.kind {
	case kv.Set:
		return a.n
	case kv.Merge:
		return now + a.n
	default:
		return 0
	}
}

// Concurrent transactions of reads, scans, sets, deletes and merges are explained by some order
// that respects real time. Refused ones must have left no trace.
func strictSerializability(t *trial) {
	for round := range t.times(4) {
		s := t.open()
		history := concurrentHistory(t, s, round)
		requireConcurrency(t, history)
		switch porcupine.CheckOperationsTimeout(serial, history, 20*time.Second) {
		case porcupine.Illegal:
			t.Fatalf("no order of these %d transactions explains what they saw:%s", len(history), tellHistory(history))
		case porcupine.Unknown:
			t.Logf("round %d: Porcupine gave up after 20 s on %d transactions", round, len(history))
		}
		s.close()
	}
}

func concurrentHistory(t *trial, s *subject, round int) []porcupine.Operation {
	t.Helper()
	const clients, each = 5, 40
	start := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	t.parallel(clients, func(ctx context.Context, i int) error {
		r := t.random(100*round + i)
		for n := range each {
			call := time.Since(start)
			d, err := runTxn(ctx, s.Engine, r, int64(i*each+n+1))
			if errors.Is(err, kv.ErrConflict) {
				continue
			}
			if err != nil {
				return err
			}
			mu.Lock()
			history = append(history, porcupine.Operation{
				ClientId: i, Input: d, Call: call.Nanoseconds(), Return: time.Since(start).Nanoseconds(),
			})
			mu.Unlock()
		}
		return nil
	})
	return history
}

// runTxn runs one transaction; unique is a value that no other one writes.
func runTxn(ctx context.Context, e kv.Engine, r *rand.Rand, unique int64) (txn, error) {
	tx, err := begin(ctx, e)
	if err != nil {
		return txn{}, err
	}
	d := txn{seen: map[int]int64{}}
	if err := d.look(tx, r, e.Limits().RangeReads); err != nil {
		tx.abandon()
		return txn{}, err
	}
	time.Sleep(time.Duration(r.IntN(200)) * time.Microsecond) // let others in between
	if r.IntN(4) == 0 {
		tx.abandon() // a reader needs no commit
		return d, nil
	}
	for range 1 + r.IntN(2) {
		d.act(tx, r, unique)
	}
	tx.batch.Durability = kv.Durability(r.IntN(2))
	_, err = tx.commit(e)
	return d, err
}

func registerKey(register int) string {
	if register < registers/2 {
		return fmt.Sprint("r", register)
	}
	return fmt.Sprint("#", register)
}

func (d *txn) look(tx *transaction, r *rand.Rand, ranges bool) error {
	if ranges && r.IntN(5) == 0 {
		return d.lookAtAll(tx)
	}
	for range 1 + r.IntN(3) {
		register := r.IntN(registers)
		value, err := tx.get(registerKey(register))
		if err != nil {
			return err
		}
		d.seen[register], _ = strconv.ParseInt(value, 10, 64) // absent is 0
	}
	return nil
}

func (d *txn) lookAtAll(tx *transaction) error {
	pairs, err := tx.scan(kv.Range{})
	if err != nil {
		return err
	}
	found := model{}
	for _, p := range pairs {
		if found[p.key], err = normal(p.key, []byte(p.value)); err != nil {
			return err
		}
	}
	for register := range registers {
		d.seen[register], _ = strconv.ParseInt(found[registerKey(register)], 10, 64) // absent is 0
	}
	return nil
}

func (d *txn) act(tx *transaction, r *rand.Rand, unique int64) {
	register := r.IntN(registers)
	a := action{register: register, kind: kv.Set, n: unique}
	key := []byte(registerKey(register))
	switch {
	case r.IntN(6) == 0:
		a.kind = kv.Delete
		tx.batch.Delete(key)
	case register >= registers/2:
		a.kind = kv.Merge
		tx.batch.Merge(key, kv.CounterDelta(unique))
	default:
		tx.batch.Set(key, strconv.AppendInt(nil, unique, 10))
	}
	d.writes = append(d.writes, a)
}

// requireConcurrency fails when the history is a mere sequence, which proves nothing.
func requireConcurrency(t *trial, history []porcupine.Operation) {
	t.Helper()
	overlapping := 0
	for i, a := range history {
		for _, b := range history[i+1:] {
			if a.Call <= b.Return && b.Call <= a.Return {
				overlapping++
			}
		}
	}
	if overlapping < len(history)/2 {
		t.Fatalf("only %d pairs of %d transactions overlap in time, too few to judge the engine by: run on a less busy machine", overlapping, len(history))
	}
}

// tellHistory lists a history by the time of return.
func tellHistory(history []porcupine.Operation) string {
	var b strings.Builder
	for _, o := range history {
		fmt.Fprintf(&b, "\n  client %d, %6d µs to %6d µs: %v", o.ClientId, o.Call/1_000, o.Return/1_000, o.Input)
	}
	return b.String()
}
