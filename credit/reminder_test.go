package credit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
)

// outbox is where a program puts what it is to deliver, in the transaction in which it learns
// of it: here, notes of payments by a customer of its own.
type outbox struct {
	customer customer.ID
	run      int
}

func (o outbox) put(tx deskTx, worker, n int, note string) error {
	_, err := tx.Post(credit.Document{
		Key: fmt.Sprintf("outbox %d/%d/%d", o.run, worker, n), Customer: o.customer, Kind: credit.Payment, Amount: yuan(1), Date: reminderDay, Note: note,
	})
	return err
}

var reminderDay = day("2026-03-02")

// contents counts what was put into the outbox.
func (o outbox) contents(d *desk) (notes map[string]int) {
	d.view(func(r *credit.Reader) error {
		notes = map[string]int{}
		for i, err := range r.Items(o.customer) {
			if err != nil {
				return err
			}
			notes[i.Note]++
		}
		return nil
	})
	return notes
}

// deliver puts what is to be told into the outbox, reminders and letters, until nothing is
// left or the context ends.
func (o outbox) deliver(ctx context.Context, d *desk, worker int) error {
	var list []*credit.Reminder
	var dun []customer.ID
	d.view(func(r *credit.Reader) error {
		list, dun = nil, nil
		for m, err := range r.Reminders(credit.ReminderPlan{}) {
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		for id, err := range r.DunningDue(d.today(), 0) {
			if err != nil {
				return err
			}
			dun = append(dun, id)
		}
		return nil
	})
	for n := 0; n < max(len(list), len(dun)) && ctx.Err() == nil; n++ {
		err := d.try(func(tx deskTx) error {
			if n < len(list) {
				first, err := tx.Remind(list[n])
				if err == nil && first {
					err = o.put(tx, worker, 2*n, list[n].Key())
				}
				if err != nil {
					return err
				}
			}
			if n < len(dun) {
				letter, err := tx.Dun(dun[n], d.today())
				if err == nil && letter != nil {
					err = o.put(tx, worker, 2*n+1, letter.String())
				}
				return err
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Twelve customers are ten days overdue and near their limits: 24 reminders and 12 letters.
// Four programs at once look for them and put them into an outbox, the power fails again and
// again, and they begin anew. In the end each stands in the outbox once.
func TestRemindersAndLettersComeOnceAcrossPowerLosses(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	fs := &disk{MemFS: vfs.NewCrashableMem()}
	d := openDeskOn(t, fs)
	d.policy(credit.Policy{Dunning: credit.DunningPlan{Levels: []credit.DunningStep{{After: 1}}}})
	box := outbox{customer: d.customer(0)}
	want := map[string]int{}
	for n := range 12 {
		id := d.customer(0)
		d.limit(credit.OfCustomer(id), 100)
		item := d.invoice(fmt.Sprint("I", n), id, yuan(95), -10)
		want[fmt.Sprintf("overdue %d 2026-02-20", item)] = 1
		want[fmt.Sprintf("near_limit %s all", credit.OfCustomer(id))] = 1
		want[fmt.Sprintf("dunning of customer %s, level 1, 2026-03-02, 1 items", id)] = 1
	}
	interrupted := 0
	for box.run = 1; box.run <= 8; box.run++ {
		ctx, stop := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Go(func() {
				if err := box.deliver(ctx, d, w); err != nil {
					t.Error(err)
				}
			})
		}
		for filled := random.IntN(6); len(box.contents(d)) < min(len(want), interrupted+filled); {
			time.Sleep(100 * time.Microsecond)
		}
		left := fs.losePower(random)
		stop()
		workers.Wait()
		d.close()
		fs, d = left, openDeskOn(t, left)
		interrupted = len(box.contents(d))
	}
	if interrupted == 0 {
		t.Error("nothing was put into the outbox before the last power loss")
	}
	if err := box.deliver(t.Context(), d, 0); err != nil {
		t.Fatal(err)
	}
	got := box.contents(d)
	for note, n := range want {
		if got[note] != n {
			t.Errorf("%q stands %d times in the outbox, want %d", note, got[note], n)
		}
		delete(got, note)
	}
	if len(got) > 0 {
		t.Errorf("unexpected: %v", got)
	}
	d.verify()
	d.close()
}
