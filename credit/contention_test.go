package credit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// disk keeps Link and CrashClone apart: Link takes a read lock twice, and hangs when
// CrashClone asks for the write lock in between.
type disk struct {
	*vfs.MemFS
	linking sync.Mutex
}

func (d *disk) Link(oldname, newname string) error {
	d.linking.Lock()
	defer d.linking.Unlock()
	return d.MemFS.Link(oldname, newname)
}

// losePower returns what a power loss at this moment would leave, with some of what was
// not yet synced.
func (d *disk) losePower(random *rand.Rand) *disk {
	d.linking.Lock()
	defer d.linking.Unlock()
	return &disk{MemFS: d.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: random})}
}

func openDeskOn(t testing.TB, fs *disk) *desk {
	t.Helper()
	engine, err := pebblekv.Open("book", pebblekv.Options{FS: fs, CacheBytes: 4 << 20, MemTableBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return openDesk(t, credit.Options{}, engine)
}

// promise is how far a worker was told that a reservation has come.
type promise struct {
	customer customer.ID
	yuan     int64
	level    int // 1 reserved, 2 released
}

// promises are what all workers were told.
type promises struct {
	mu   sync.Mutex
	made map[string]promise
}

func (p *promises) note(key string, made promise) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[key] = made
}

// 64 goroutines reserve and release against one customer's limit and against the limit
// that four others share, while the power fails again and again. After each failure the
// book holds what was acknowledged before, once; asking again for everything doubles
// nothing; and at no moment is a limit exceeded.
func TestReserveNeverExceedsLimitUnderContentionAndCrashes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	fs := &disk{MemFS: vfs.NewCrashableMem()}
	d := openDeskOn(t, fs)
	var customers []customer.ID
	for range 5 {
		customers = append(customers, d.customer(0))
	}
	g := d.group("G", customers[1:]...)
	d.limit(credit.OfCustomer(customers[0]), 500)
	d.limit(credit.OfGroup(g), 800)
	limits := map[credit.Scope]int64{credit.OfCustomer(customers[0]): 500, credit.OfGroup(g): 800}
	told := &promises{made: map[string]promise{}}
	for round := range 4 {
		fs = d.runUntilPowerLoss(fs, random, round, customers, limits, told)
		d = openDeskOn(t, fs)
		d.pass(time.Duration(round+1) * time.Minute)
		d.checkPromises(told, limits)
		d.makeRoom(customers)
		if t.Failed() {
			break
		}
	}
	d.close()
}

// runUntilPowerLoss lets workers run, and returns the file system as the power loss
// leaves it. Told then has what was acknowledged before the loss.
func (d *desk) runUntilPowerLoss(fs *disk, random *rand.Rand, round int, customers []customer.ID, limits map[credit.Scope]int64, told *promises) *disk {
	ctx, stop := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	var granted atomic.Int64
	now := &promises{made: map[string]promise{}}
	for key, p := range told.made {
		now.made[key] = p
	}
	for w := range 64 {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("%d/%d/%d", round, w, i)
				p := promise{customers[own.IntN(len(customers))], 1 + own.Int64N(200), 1}
				err := d.order(key, p.customer, p.yuan)
				if errors.Is(err, credit.ErrRefused) {
					continue
				}
				if err != nil {
					d.t.Errorf("reserve: %v", err)
					return
				}
				granted.Add(1)
				now.note(key, p)
				if own.IntN(50) > 0 {
					p.level = 2
					if err := d.try(func(tx deskTx) error { _, err := tx.Release(key); return err }); err != nil {
						d.t.Errorf("release: %v", err)
						return
					}
					now.note(key, p)
				}
			}
		})
	}
	began, least := time.Now(), time.Duration(100+random.IntN(200))*time.Millisecond
	for time.Since(began) < least || granted.Load() < 20 && time.Since(began) < 20*time.Second {
		d.checkLimits(limits)
	}
	now.mu.Lock()
	for key, p := range now.made {
		told.made[key] = p
	}
	now.mu.Unlock()
	left := fs.losePower(random)
	stop()
	workers.Wait()
	d.close()
	if granted.Load() < 20 {
		d.t.Errorf("only %d reservations were granted: no contention", granted.Load())
	}
	return left
}

func (d *desk) checkLimits(limits map[credit.Scope]int64) {
	d.t.Helper()
	for s, limit := range limits {
		if used := d.used(s); used > limit || used < 0 {
			d.t.Errorf("the exposure of %s is %d of %d", s, used, limit)
		}
	}
}

// checkPromises wants the book to hold what was told, or one step more of it, and to take
// nothing for what is asked for again.
func (d *desk) checkPromises(told *promises, limits map[credit.Scope]int64) {
	d.t.Helper()
	d.checkLimits(limits)
	d.verify()
	for key, p := range told.made {
		var v *credit.Reservation
		d.view(func(r *credit.Reader) (err error) { v, err = r.Reservation(key); return err })
		switch {
		case v.Customer != p.customer || v.Amount != yuan(p.yuan):
			d.t.Errorf("%s: %+v, want %+v", key, v, p)
		case p.level == 2 && v.State != credit.Released:
			d.t.Errorf("%s was released and is %s", key, v.State)
		case v.State == credit.Open && v.Open != p.yuan*100:
			d.t.Errorf("%s takes %d, want %d", key, v.Open, p.yuan*100)
		}
		if v.State == credit.Open {
			if err := d.order(key, p.customer, p.yuan); err != nil {
				d.t.Errorf("%s asked for again: %v", key, err)
			}
		}
	}
	d.checkLimits(limits)
	d.verify()
	for key, p := range told.made { // make room for the next round
		p.level = 2
		told.made[key] = p
		d.do(func(tx deskTx) error { _, err := tx.Release(key); return err })
	}
}

// makeRoom releases what was reserved before a power loss and never told, which could take
// the whole of a limit.
func (d *desk) makeRoom(customers []customer.ID) {
	d.t.Helper()
	var open []string
	d.view(func(r *credit.Reader) error {
		open = nil
		for _, id := range customers {
			for v, err := range r.Reservations(id) {
				if err != nil {
					return err
				}
				if v.State == credit.Open {
					open = append(open, v.Key)
				}
			}
		}
		return nil
	})
	for _, key := range open {
		d.do(func(tx deskTx) error { _, err := tx.Release(key); return err })
	}
}

// step is one operation of a concurrent history against one limit.
type step struct {
	release bool
	amount  int64
}

const historyLimit = 10

// oneLimit says that a reservation is granted exactly when it fits at one instant between
// its call and its return.
var oneLimit = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		used, s := state.(int64), input.(step)
		if s.release {
			return true, used - s.amount
		}
		if fits := used+s.amount <= historyLimit; fits != output.(bool) {
			return false, state
		}
		if output.(bool) {
			used += s.amount
		}
		return true, used
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %v", input, output) },
}

func TestConcurrentReservationsAreLinearizable(t *testing.T) {
	for _, shared := range []bool{false, true} {
		d := newDesk(t, credit.Options{})
		customers := []customer.ID{d.customer(0), d.customer(0), d.customer(0)}
		if shared {
			d.limit(credit.OfGroup(d.group("G", customers...)), historyLimit)
		} else {
			customers = customers[:1]
			d.limit(credit.OfCustomer(customers[0]), historyLimit)
		}
		var mu sync.Mutex
		var history []porcupine.Operation
		began := time.Now()
		record := func(client int, input step, do func() bool) bool {
			call := time.Since(began).Nanoseconds()
			out := do()
			op := porcupine.Operation{ClientId: client, Input: input, Output: out, Call: call, Return: time.Since(began).Nanoseconds()}
			mu.Lock()
			defer mu.Unlock()
			history = append(history, op)
			return out
		}
		var workers sync.WaitGroup
		for w := range 6 {
			own := rand.New(rand.NewPCG(42, uint64(w)))
			workers.Go(func() {
				for i := range 12 {
					key, amount := fmt.Sprint(w, "/", i), 1+own.Int64N(5)
					granted := record(w, step{amount: amount}, func() bool {
						err := d.order(key, customers[w%len(customers)], amount)
						if err != nil && !errors.Is(err, credit.ErrRefused) {
							t.Error(err)
						}
						return err == nil
					})
					if granted {
						record(w, step{release: true, amount: amount}, func() bool {
							return d.try(func(tx deskTx) error { _, err := tx.Release(key); return err }) == nil
						})
					}
				}
			})
		}
		workers.Wait()
		if porcupine.CheckOperationsTimeout(oneLimit, history, 20*time.Second) != porcupine.Ok {
			t.Errorf("shared %t: no order of these %d operations explains what they returned", shared, len(history))
		}
		d.verify()
	}
}

// 64 goroutines ask one queue for 40 each, of a limit of 100 and of one of 10,000: of the
// first two are granted, of the second all.
func TestQueueDecidesForAllWhoWait(t *testing.T) {
	d := newDesk(t, credit.Options{})
	tight, wide := d.customer(0), d.customer(0)
	d.limit(credit.OfCustomer(tight), 100)
	d.limit(credit.OfCustomer(wide), 10_000)
	q := d.credit.NewQueue(d.job())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var granted, refused, declined atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			id := []customer.ID{tight, wide}[i%2]
			v, err := q.Reserve(t.Context(), credit.Request{Key: fmt.Sprint(i), Customer: id, Amount: yuan(40)})
			switch {
			case errors.Is(err, credit.ErrRefused) && id == tight:
				refused.Add(1)
			case err != nil || v.Open != 40_00 || v.Key != fmt.Sprint(i):
				t.Errorf("%d: %+v, %v", i, v, err)
			default:
				granted.Add(1)
			}
			if _, err := q.Reserve(gone, credit.Request{Key: fmt.Sprint("gone", i), Customer: wide, Amount: yuan(1)}); !errors.Is(err, context.Canceled) {
				t.Errorf("a context that has ended: %v", err)
			}
			if _, err := q.Reserve(t.Context(), credit.Request{Key: "bad", Customer: 99, Amount: yuan(1)}); errors.Is(err, credit.ErrNotFound) {
				declined.Add(1)
			}
		})
	}
	all.Wait()
	if granted.Load() != 34 || refused.Load() != 30 || declined.Load() != 64 {
		t.Errorf("%d granted, %d refused, %d declined; want 34, 30 and 64", granted.Load(), refused.Load(), declined.Load())
	}
	d.wantUsed("of 100", credit.OfCustomer(tight), 80)
	d.wantUsed("of 10,000", credit.OfCustomer(wide), 32*40)
	d.verify()
}
