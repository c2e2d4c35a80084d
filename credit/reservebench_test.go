package credit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clientele-go/clientele/credit"
	"github.com/clientele-go/clientele/customer"
	"github.com/clientele-go/clientele/storage/kv/pebblekv"
)

// BenchmarkReserve reserves durably on disk, from 16 or 64 goroutines: each on customers
// of its own with their own limits, all against one customer's limit, and all customers
// against the one limit that they share; the latter two also through a Queue. It reports reservations a second, the 99th
// percentile of their durations, and that in syncs of the same disk.
func BenchmarkReserve(b *testing.B) {
	for _, bench := range []struct {
		name      string
		workers   int
		customers int
		shared    bool
		queued    bool
	}{
		{"different/16", 16, 16 * 64, false, false},
		{"onelimit/16", 16, 1, false, false},
		{"onelimit/64", 64, 1, false, false},
		{"shared/64", 64, 16 * 64, true, false},
		{"queue/16", 16, 1, false, true},
		{"queue/64", 64, 1, false, true},
		{"queueshared/64", 64, 16 * 64, true, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			dir := b.TempDir()
			engine, err := pebblekv.Open(dir, pebblekv.Options{})
			if err != nil {
				b.Fatal(err)
			}
			d := openDesk(b, credit.Options{}, engine)
			defer d.close()
			customers := d.manyCustomers(bench.customers, !bench.shared)
			if bench.shared {
				d.limit(credit.OfGroup(d.group("G", customers...)), 1e12)
			}
			sync := syncTime(b, dir)
			b.ReportAllocs()
			b.ResetTimer()
			reserve := d.order
			if bench.queued {
				reserve = d.queued()
			}
			took := d.reserveAll(b.N, bench.workers, customers, reserve)
			b.StopTimer()
			slices.Sort(took)
			p99 := took[len(took)*99/100]
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reserve/s")
			b.ReportMetric(float64(p99.Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(p99)/float64(sync), "p99/sync")
		})
	}
}

// manyCustomers makes customers, each with a limit if asked for.
func (d *desk) manyCustomers(n int, limits bool) (ids []customer.ID) {
	for len(ids) < n {
		d.do(func(tx deskTx) error {
			for range min(256, n-len(ids)) {
				c, err := tx.customers.Create(customer.Draft{Name: "n"})
				if err == nil && limits {
					err = tx.SetLimit(credit.OfCustomer(c.ID), credit.Limit{Amount: yuan(1e12)})
				}
				if err != nil {
					return err
				}
				ids = append(ids, c.ID)
			}
			return nil
		})
	}
	return ids
}

// reserveAll makes n reservations and returns how long each took.
func (d *desk) reserveAll(n, workers int, customers []customer.ID, reserve func(string, customer.ID, int64) error) []time.Duration {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				began := time.Now()
				if err := reserve(fmt.Sprint("order ", i), customers[i%int64(len(customers))], 1); err != nil {
					d.t.Error(err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	return took
}

// queued is order by way of a queue.
func (d *desk) queued() func(string, customer.ID, int64) error {
	q := d.credit.NewQueue(d.job())
	return func(key string, id customer.ID, n int64) error {
		_, err := q.Reserve(context.Background(), credit.Request{Key: key, Customer: id, Amount: yuan(n), Stage: credit.Ordered})
		return err
	}
}

// syncTime is the median duration of writing and syncing a few bytes in a directory.
func syncTime(b *testing.B, dir string) time.Duration {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	for range 101 {
		began := time.Now()
		if _, err := f.Write(make([]byte, 512)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[50]
}
