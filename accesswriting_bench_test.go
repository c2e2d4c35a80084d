package clientele_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/clientele-go/clientele"
	"github.com/clientele-go/clientele/customer"
)

// BenchmarkAccessRatioAfterWrites is BenchmarkAccessRatio in a book that is written to:
// before each call somebody is renamed.
func BenchmarkAccessRatioAfterWrites(b *testing.B) {
	book := benchGroup(b)
	system := book.System("benchmark")
	must(b, system.Update(b.Context(), func(tx *clientele.Tx) error { return tx.Org.Enforce(true) }))
	n := 0
	write := func() {
		n++
		must(b, system.Update(b.Context(), func(tx *clientele.Tx) error {
			c, err := tx.Customers.Get(customer.ID(1 + n%1000))
			if err != nil {
				return err
			}
			c.Name = fmt.Sprint("Renamed ", n)
			_, err = tx.Customers.Update(c)
			return err
		}))
	}
	for _, name := range slices.Sorted(maps.Keys(accessCalls)) {
		call := accessCalls[name]
		for _, who := range benchActors {
			s := book.As(clientele.Actor{ID: who})
			b.Run(name+"/"+who, func(b *testing.B) {
				var whole, scoped []time.Duration
				for b.Loop() {
					write()
					whole = append(whole, timeOf(b, call, system))
					write()
					scoped = append(scoped, timeOf(b, call, s))
				}
				of, actor := median(whole), median(scoped)
				b.ReportMetric(float64(of.Nanoseconds())/1e3, "system-µs")
				b.ReportMetric(float64(actor.Nanoseconds())/1e3, "actor-µs")
				b.ReportMetric(float64(actor)/float64(of), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
